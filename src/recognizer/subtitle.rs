//! Subtitles: a transcript's words in cues that a viewer can read, as SubRip or WebVTT.
//!
//! Formats: [SubRip](https://docs.fileformat.com/video/srt/),
//! [WebVTT](https://www.w3.org/TR/webvtt1/).

use std::io::{self, Write};

use super::{Transcript, TranscriptWord};
use crate::units::Seconds;

/// A new subtitle begins after a pause of this length …
const CUE_PAUSE: f64 = 0.6;
/// … or where the cue would last longer than this: about what a viewer reads in one glance …
const CUE_SECONDS: f64 = 6.0;
/// … or hold more characters than two subtitle lines of 42 (the broadcasters' usual limit).
const CUE_CHARS: usize = 84;

/// Writes SubRip subtitles.
///
/// ```
/// use paretone::recognizer::{TranscriptWord, subtitle::write_srt};
/// use paretone::units::Seconds;
///
/// let word = TranscriptWord {
///     word: "hello".into(),
///     start: Seconds(0.5),
///     end: Seconds(1.0),
///     confidence: 1.0,
/// };
/// let mut text = Vec::new();
/// write_srt(&mut text, &[word])?;
/// assert_eq!(String::from_utf8_lossy(&text), "1\n00:00:00,500 --> 00:00:01,000\nhello\n\n");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When `out` cannot be written.
pub fn write_srt(out: &mut impl Write, words: &[TranscriptWord]) -> io::Result<()> {
    write_cues(out, words, join)
}

/// The same, each ending with the share of its words that is expected to be right, in per cent.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_srt_with_confidence(out: &mut impl Write, words: &[TranscriptWord]) -> io::Result<()> {
    write_cues(out, words, |cue| {
        format!("{} [{:.0} %]", join(cue), 100.0 * mean_confidence(cue))
    })
}

fn write_cues(
    out: &mut impl Write,
    words: &[TranscriptWord],
    text: impl Fn(&[TranscriptWord]) -> String,
) -> io::Result<()> {
    for (i, cue) in cues(words).enumerate() {
        let (start, end) = span(cue);
        writeln!(out, "{}", i + 1)?;
        writeln!(out, "{} --> {}", clock(start, ','), clock(end, ','))?;
        writeln!(out, "{}\n", text(cue))?;
    }
    Ok(())
}

/// Writes WebVTT subtitles, confidences as notes.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_vtt(out: &mut impl Write, transcript: &Transcript) -> io::Result<()> {
    writeln!(out, "WEBVTT\n")?;
    if let Some(sure) = transcript.confidence {
        writeln!(out, "NOTE confidence {:.3}, all words\n", sure.right)?;
    }
    for cue in cues(&transcript.words) {
        let (start, end) = span(cue);
        writeln!(out, "NOTE confidence {:.3}\n", mean_confidence(cue))?;
        writeln!(out, "{} --> {}", clock(start, '.'), clock(end, '.'))?;
        writeln!(out, "{}\n", join(cue))?;
    }
    Ok(())
}

/// The words, cut into subtitles that a viewer can read.
pub fn cues(words: &[TranscriptWord]) -> impl Iterator<Item = &[TranscriptWord]> {
    let mut rest = words;
    std::iter::from_fn(move || {
        let first = rest.first()?;
        let mut chars = first.word.chars().count();
        let mut len = 1;
        for pair in rest.windows(2) {
            chars += 1 + pair[1].word.chars().count();
            let pause = pair[1].start.0 - pair[0].end.0;
            let lasts = pair[1].end.0 - first.start.0;
            if pause >= CUE_PAUSE || lasts > CUE_SECONDS || chars > CUE_CHARS {
                break;
            }
            len += 1;
        }
        let (cue, after) = rest.split_at(len);
        rest = after;
        Some(cue)
    })
}

/// From where to where a cue's words were said.
pub fn span(cue: &[TranscriptWord]) -> (Seconds, Seconds) {
    let start = cue.first().map_or(Seconds(0.0), |word| word.start);
    (start, cue.last().map_or(start, |word| word.end))
}

/// The share of a cue's words that is expected to be right.
fn mean_confidence(cue: &[TranscriptWord]) -> f64 {
    let sum: f64 = cue.iter().map(|word| word.confidence).sum();
    sum / cue.len().max(1) as f64
}

/// A cue's words with one space between them.
pub fn join(cue: &[TranscriptWord]) -> String {
    let words: Vec<&str> = cue.iter().map(|word| word.word.as_str()).collect();
    words.join(" ")
}

/// `hh:mm:ss,mmm`, with the decimal mark the format asks for.
fn clock(at: Seconds, mark: char) -> String {
    let millis = (at.0.max(0.0) * 1000.0).round() as u64;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!(
        "{:02}:{:02}:{seconds:02}{mark}{millis:03}",
        minutes / 60,
        minutes % 60
    )
}

//! Subtitles: a transcript's words in cues that a viewer can read, as SubRip or WebVTT.
//!
//! A cue has at most two lines of 42 characters and stands for one to seven seconds, the
//! broadcasters' usual limits. Cues and lines end where phrases do (see `cue`).
//!
//! Formats: [SubRip](https://docs.fileformat.com/video/srt/),
//! [WebVTT](https://www.w3.org/TR/webvtt1/).

mod cue;
mod phrase;

use std::io::{self, Write};

use super::Transcript;
use super::transcript::expected_right;
use crate::units::Seconds;
pub use cue::{Cue, Reserved, cues};

/// Characters that a cue's confidence takes at most, as in ` [100 %]`.
const CONFIDENCE_CHARS: usize = 8;

/// Writes SubRip subtitles.
///
/// ```
/// use paretone::recognizer::{Transcript, TranscriptWord, subtitle::write_srt};
/// use paretone::units::Seconds;
///
/// let word = TranscriptWord {
///     word: "hello".into(),
///     start: Seconds(0.5),
///     end: Seconds(1.0),
///     confidence: Some(1.0),
/// };
/// let mut heard = Transcript::default();
/// heard.words.push(word);
/// let mut text = Vec::new();
/// write_srt(&mut text, &heard)?;
/// assert_eq!(String::from_utf8_lossy(&text), "1\n00:00:00,500 --> 00:00:01,500\nhello\n\n");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When `out` cannot be written.
pub fn write_srt(out: &mut impl Write, transcript: &Transcript) -> io::Result<()> {
    for (i, cue) in cues(transcript, Reserved::default()).iter().enumerate() {
        write_srt_cue(out, i, cue, "")?;
    }
    Ok(())
}

/// The same, each ending with the share of its words that is expected to be right, in per cent.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_srt_with_confidence(out: &mut impl Write, transcript: &Transcript) -> io::Result<()> {
    let reserved = Reserved { last: CONFIDENCE_CHARS, ..Reserved::default() };
    for (i, cue) in cues(transcript, reserved).iter().enumerate() {
        write_srt_cue(out, i, cue, &in_per_cent(cue))?;
    }
    Ok(())
}

/// What a cue ends with that tells its confidence.
fn in_per_cent(cue: &Cue<'_>) -> String {
    let sure = expected_right(cue.words.iter());
    sure.map_or(String::new(), |sure| format!(" [{:.0} %]", 100.0 * sure))
}

/// Writes SubRip subtitles of a recording's channels, each of which begins with the channel's
/// number, and with `confidence` ends as those of [`write_srt_with_confidence`] do.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_srt_of_channels(
    out: &mut impl Write,
    channels: &[Transcript],
    confidence: bool,
) -> io::Result<()> {
    let first = label(channels.len()).chars().count();
    let reserved = Reserved { first, last: if confidence { CONFIDENCE_CHARS } else { 0 } };
    for (i, (channel, cue)) in cues_of_channels(channels, reserved).iter_mut().enumerate() {
        if let Some(first) = cue.lines.first_mut() {
            first.insert_str(0, &label(*channel));
        }
        let sure = if confidence { in_per_cent(cue) } else { String::new() };
        write_srt_cue(out, i, cue, &sure)?;
    }
    Ok(())
}

/// What a cue begins with that tells its channel.
fn label(channel: usize) -> String {
    format!("[{channel}] ")
}

/// Writes WebVTT subtitles of a recording's channels, each in a voice of its own, confidences as
/// notes.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_vtt_of_channels(out: &mut impl Write, channels: &[Transcript]) -> io::Result<()> {
    writeln!(out, "WEBVTT\n")?;
    for (channel, cue) in cues_of_channels(channels, Reserved::default()) {
        write_vtt_cue(out, &cue, &format!("<v Channel {channel}>"))?;
    }
    Ok(())
}

/// The cues of all channels with their numbers, the first being 1, by when they begin.
fn cues_of_channels(channels: &[Transcript], reserved: Reserved) -> Vec<(usize, Cue<'_>)> {
    let numbered = channels.iter().zip(1..);
    let mut all: Vec<_> = numbered
        .flat_map(|(transcript, channel)| {
            cues(transcript, reserved).into_iter().map(move |cue| (channel, cue))
        })
        .collect();
    all.sort_by(|a, b| a.1.start.0.total_cmp(&b.1.start.0));
    all
}

fn write_srt_cue(out: &mut impl Write, i: usize, cue: &Cue<'_>, after: &str) -> io::Result<()> {
    writeln!(out, "{}", i + 1)?;
    let (start, end) = (clock(cue.start, ','), clock(cue.end, ','));
    writeln!(out, "{start} --> {end}\n{}{after}\n", cue.lines.join("\n"))
}

fn write_vtt_cue(out: &mut impl Write, cue: &Cue<'_>, before: &str) -> io::Result<()> {
    if let Some(sure) = expected_right(cue.words.iter()) {
        writeln!(out, "NOTE confidence {sure:.3}\n")?;
    }
    let (start, end) = (clock(cue.start, '.'), clock(cue.end, '.'));
    writeln!(out, "{start} --> {end}\n{before}{}\n", cue.lines.join("\n"))
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
    for cue in cues(transcript, Reserved::default()) {
        write_vtt_cue(out, &cue, "")?;
    }
    Ok(())
}

/// `hh:mm:ss,mmm`, with the decimal mark the format asks for.
fn clock(at: Seconds, mark: char) -> String {
    let millis = (at.0.max(0.0) * 1000.0).round() as u64;
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{:02}:{:02}:{seconds:02}{mark}{millis:03}", minutes / 60, minutes % 60)
}

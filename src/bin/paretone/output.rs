//! How a transcript is printed: text, JSON lines, SRT and WebVTT subtitles, NIST CTM.
//!
//! Subtitles are [`subtitle`]'s; CTM is as in NIST's SCTK documentation (`<file> <channel> <start>
//! <duration> <word> <confidence>`).

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;

use super::tolerance::TierReport;
use crate::inputs::Input;
use paretone::decode::Effort;
use paretone::recognizer::{
    Alternative, Timings, Transcript, TranscriptWord, Turn, subtitle, turns,
};
use paretone::units::Seconds;

/// The shape of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// One line of text per file; empty where nothing was heard or the file failed
    Text,
    /// One JSON object per file and line; `error` in place of the text where the file failed
    Json,
    /// SubRip subtitles
    Srt,
    /// WebVTT subtitles
    Vtt,
    /// NIST CTM: file, channel, start, duration, word, confidence
    Ctm,
}

/// What was heard in one recording.
#[derive(Default)]
pub struct Answer {
    /// The words.
    pub transcript: Transcript,
    /// Of each channel, in place of all together, where each was heard by itself.
    pub channels: Vec<Transcript>,
    /// Why only a part of the recording was heard, where that is so.
    pub partly_read: Option<String>,
    /// How its tier came by them, where one was asked for.
    pub tier: Option<TierReport>,
}

/// What of an answer is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Show confidences also where the format may leave them out: a line of text begins with the
    /// probability that all of it is right (a turn of a channel with the share of its words that is
    /// expected to be), a subtitle ends with that of its words, in per cent.
    pub confidence: bool,
    /// How numbers are written.
    pub numbers: Numbers,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Numbers {
    /// As they were said: "twenty one"
    #[default]
    Words,
    /// As people write numbers, money, dates, times and units: "21"; CTM, which is for scoring,
    /// keeps the words
    Digits,
}

impl Format {
    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Text => "txt",
            Format::Json => "json",
            Format::Srt => "srt",
            Format::Vtt => "vtt",
            Format::Ctm => "ctm",
        }
    }

    /// The format whose files have an extension.
    pub fn of_extension(extension: &str) -> Option<Format> {
        let all = [Format::Text, Format::Json, Format::Srt, Format::Vtt, Format::Ctm];
        let is_its = |format: &Format| extension.eq_ignore_ascii_case(format.extension());
        all.into_iter().find(is_its)
    }

    /// True where one output can hold one recording only.
    pub fn one_recording_only(self) -> bool {
        matches!(self, Format::Srt | Format::Vtt)
    }

    /// Writes the answer for one recording.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write(
        self,
        out: &mut impl Write,
        input: &Input,
        answer: &Answer,
        shape: Shape,
    ) -> io::Result<()> {
        if shape.numbers == Numbers::Digits && self != Format::Ctm {
            let answer = Answer {
                transcript: answer.transcript.clone().in_digits(),
                tier: answer.tier.clone(),
                channels: answer.channels.iter().cloned().map(Transcript::in_digits).collect(),
                partly_read: answer.partly_read.clone(),
            };
            let numbers = Numbers::Words;
            return self.write(out, input, &answer, Shape { numbers, ..shape });
        }
        if !answer.channels.is_empty() {
            return self.write_channels(out, input, answer, shape);
        }
        let transcript = &answer.transcript;
        match self {
            Format::Text if shape.confidence => {
                match transcript.confidence {
                    Some(sure) => write!(out, "{:.3}\t", sure.right)?,
                    None => write!(out, "-\t")?,
                }
                writeln!(out, "{}", transcript.text())
            }
            Format::Text => writeln!(out, "{}", transcript.text()),
            Format::Json => write_json(out, &JsonTranscript::new(&input.file, answer)),
            Format::Srt if shape.confidence => subtitle::write_srt_with_confidence(out, transcript),
            Format::Srt => subtitle::write_srt(out, transcript),
            Format::Vtt => subtitle::write_vtt(out, transcript),
            Format::Ctm => write_ctm(out, &input.label(), 1, transcript),
        }
    }

    /// Writes what the channels of one recording say, each marked with its number: turns in the
    /// order in which they begin, and in CTM one channel after the other, as that format has it.
    fn write_channels(
        self,
        out: &mut impl Write,
        input: &Input,
        answer: &Answer,
        shape: Shape,
    ) -> io::Result<()> {
        let channels = &answer.channels;
        match self {
            Format::Text => {
                for turn in turns(channels) {
                    match turn.expected_right() {
                        _ if !shape.confidence => {}
                        Some(sure) => write!(out, "{sure:.3}\t")?,
                        None => write!(out, "-\t")?,
                    }
                    writeln!(out, "{}: {}", turn.channel, turn.text())?;
                }
                Ok(())
            }
            Format::Json => write_json(out, &JsonChannels::new(&input.file, answer)),
            Format::Srt => subtitle::write_srt_of_channels(out, channels, shape.confidence),
            Format::Vtt => subtitle::write_vtt_of_channels(out, channels),
            Format::Ctm => {
                let name = input.label();
                let mut all = channels.iter().zip(1..);
                all.try_for_each(|(transcript, channel)| write_ctm(out, &name, channel, transcript))
            }
        }
    }

    /// Writes what stands in the place of a file that failed, so that text lines stay in step with
    /// the files.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_error(self, out: &mut impl Write, file: &Path, error: &str) -> io::Result<()> {
        match self {
            Format::Text => writeln!(out),
            Format::Json => write_json(out, &JsonError { file: &file.to_string_lossy(), error }),
            Format::Srt | Format::Vtt | Format::Ctm => Ok(()),
        }
    }
}

/// One line of `--format json`.
#[derive(Serialize)]
struct JsonTranscript<'a> {
    file: String,
    text: String,
    words: &'a [TranscriptWord],
    audio_seconds: Seconds,
    real_time_factor: f64,
    seconds: &'a Timings,
    effort: &'a Effort,
    cost: f64,
    /// The calibrated probability that every word is right; null where the setting is no version.
    confidence: Option<f64>,
    /// The calibrated expectation of the number of word errors; null likewise.
    expected_errors: Option<f64>,
    reached_final: bool,
    #[serde(skip_serializing_if = "<[Alternative]>::is_empty")]
    alternatives: &'a [Alternative],
    /// How the tier came by the answer, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'a TierReport>,
    /// Why only a part was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    partly_read: Option<&'a str>,
}

/// One line of `--format json` where each channel was heard by itself.
#[derive(Serialize)]
struct JsonChannels<'a> {
    file: String,
    audio_seconds: Seconds,
    turns: Vec<JsonTurn<'a>>,
    /// One a channel, as a recording of its own.
    channels: Vec<JsonChannel<'a>>,
    /// How the tier came by the answers of all channels, where one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'a TierReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partly_read: Option<&'a str>,
}

/// What a channel says until another does.
#[derive(Serialize)]
struct JsonTurn<'a> {
    channel: usize,
    text: String,
    words: Vec<&'a TranscriptWord>,
}

#[derive(Serialize)]
struct JsonChannel<'a> {
    channel: usize,
    #[serde(flatten)]
    transcript: JsonTranscript<'a>,
}

impl<'a> JsonChannels<'a> {
    fn new(file: &Path, answer: &'a Answer) -> Self {
        let turn = |turn: Turn<'a>| JsonTurn {
            channel: turn.channel,
            text: turn.text(),
            words: turn.words,
        };
        let channels = answer.channels.iter().zip(1..);
        let longest = |longest: f64, one: &Transcript| longest.max(one.audio.0);
        JsonChannels {
            file: file.to_string_lossy().into_owned(),
            audio_seconds: Seconds(answer.channels.iter().fold(0.0, longest)),
            turns: turns(&answer.channels).into_iter().map(turn).collect(),
            channels: channels
                .map(|(transcript, channel)| JsonChannel {
                    channel,
                    transcript: JsonTranscript::of(file, transcript),
                })
                .collect(),
            tier: answer.tier.as_ref(),
            partly_read: answer.partly_read.as_deref(),
        }
    }
}

impl<'a> JsonTranscript<'a> {
    fn new(file: &Path, answer: &'a Answer) -> Self {
        JsonTranscript {
            tier: answer.tier.as_ref(),
            partly_read: answer.partly_read.as_deref(),
            ..Self::of(file, &answer.transcript)
        }
    }

    fn of(file: &Path, transcript: &'a Transcript) -> Self {
        JsonTranscript {
            file: file.to_string_lossy().into_owned(),
            text: transcript.text(),
            words: &transcript.words,
            audio_seconds: transcript.audio,
            real_time_factor: transcript.real_time_factor(),
            seconds: &transcript.timings,
            effort: &transcript.effort,
            cost: transcript.cost.0,
            confidence: transcript.confidence.map(|confidence| confidence.right),
            expected_errors: transcript.expected_errors,
            reached_final: transcript.reached_final,
            alternatives: &transcript.alternatives,
            tier: None,
            partly_read: None,
        }
    }
}

/// One line of `--format json` for a file that failed.
#[derive(Serialize)]
struct JsonError<'a> {
    file: &'a str,
    error: &'a str,
}

/// Writes numbers to six decimals, beyond which nothing here means anything.
struct Rounded;

impl serde_json::ser::Formatter for Rounded {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        let rounded = (value * 1e6).round() / 1e6;
        let value = if rounded.is_finite() { rounded } else { value };
        serde_json::ser::CompactFormatter.write_f64(out, value)
    }
}

fn write_json(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Rounded);
    line.serialize(&mut serializer)?;
    writeln!(out)
}

fn write_ctm(
    out: &mut impl Write,
    name: &str,
    channel: usize,
    transcript: &Transcript,
) -> io::Result<()> {
    for word in &transcript.words {
        let duration = word.end.0 - word.start.0;
        write!(out, "{name} {channel} {:.2} {duration:.2} {}", word.start.0, word.word)?;
        // The column may be missing: an uncalibrated number is no confidence.
        match word.confidence {
            Some(sure) => writeln!(out, " {sure:.3}")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use paretone::confidence::Confidence;

    fn heard() -> Answer {
        let word = |word: &str, start, end| TranscriptWord {
            word: word.into(),
            start: Seconds(start),
            end: Seconds(end),
            confidence: Some(if word == "all" { 0.5 } else { 0.75 }),
        };
        let transcript = Transcript {
            words: vec![
                word("good", 0.5, 0.75),
                word("morning", 0.75, 1.25),
                word("all", 3661.0, 3661.5),
            ],
            audio: Seconds(3662.0),
            ..Transcript::default()
        };
        Answer { transcript, ..Answer::default() }
    }

    fn input() -> Input {
        Input { file: "a dir/my talk.wav".into(), name: "my talk".into() }
    }

    fn printed(format: Format) -> String {
        let mut out = Vec::new();
        let shape = Shape::default();
        format.write(&mut out, &input(), &heard(), shape).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_format_prints_the_words_and_their_times() {
        assert_eq!(printed(Format::Text), "good morning all\n");
        assert_eq!(
            printed(Format::Srt),
            "1\n00:00:00,500 --> 00:00:01,500\ngood morning\n\n2\n01:01:01,000 --> 01:01:02,000\nall\n\n"
        );
        assert_eq!(
            printed(Format::Vtt),
            "WEBVTT\n\nNOTE confidence 0.750\n\n00:00:00.500 --> 00:00:01.500\ngood morning\n\n\
             NOTE confidence 0.500\n\n01:01:01.000 --> 01:01:02.000\nall\n\n"
        );
        assert_eq!(
            printed(Format::Ctm),
            "my_talk 1 0.50 0.25 good 0.750\nmy_talk 1 0.75 0.50 morning 0.750\nmy_talk 1 3661.00 0.50 all 0.500\n"
        );
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(json["file"], "a dir/my talk.wav");
        assert_eq!(json["text"], "good morning all");
        assert_eq!(json["words"][1]["word"], "morning");
        assert_eq!(json["words"][1]["start"], 0.75);
        assert_eq!(json["audio_seconds"], 3662.0);
    }

    #[test]
    fn channels_are_marked_in_every_format() {
        let channels = vec![heard().transcript, Transcript::default(), heard().transcript];
        let answer = Answer { channels, ..Answer::default() };
        let printed = |format: Format| {
            let mut out = Vec::new();
            let shape = Shape::default();
            format.write(&mut out, &input(), &answer, shape).unwrap();
            String::from_utf8(out).unwrap()
        };
        let text = printed(Format::Text);
        assert_eq!(text, "1: good morning\n3: good morning\n1: all\n3: all\n");
        let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
        assert_eq!(json["turns"][1]["channel"], 3);
        assert_eq!(json["turns"][1]["words"][0]["word"], "good");
        assert_eq!(json["channels"][2]["text"], "good morning all");
        assert!(printed(Format::Ctm).contains(" 3 0.50 0.25 good"));
        assert!(printed(Format::Srt).contains("[3] good morning\n"));
        assert!(printed(Format::Vtt).contains("<v Channel 3>good morning\n"));
    }

    #[test]
    fn numbers_in_json_have_no_tails() {
        let mut answer = heard();
        answer.transcript.words[0].start = Seconds(0.1 + 0.2);
        answer.transcript.cost.0 = 12.345_678_9;
        let mut out = Vec::new();
        let shape = Shape::default();
        Format::Json.write(&mut out, &input(), &answer, shape).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\"start\":0.3,") && text.contains("\"cost\":12.345679"), "{text}");
    }

    #[test]
    fn confidence_is_shown_where_it_is_asked_for() {
        let shown = |format: Format, answer: &Answer| {
            let mut out = Vec::new();
            let shape = Shape { confidence: true, ..Shape::default() };
            format.write(&mut out, &input(), answer, shape).unwrap();
            String::from_utf8(out).unwrap()
        };
        let mut heard = heard();
        assert_eq!(shown(Format::Text, &heard), "-\tgood morning all\n");
        heard.transcript.expected_errors = Some(0.25);
        heard.transcript.confidence = Some(Confidence { right: 0.8125, improvable: 0.1 });
        assert_eq!(shown(Format::Text, &heard), "0.812\tgood morning all\n");
        assert!(shown(Format::Srt, &heard).contains("good morning [75 %]\n"));
        assert!(shown(Format::Vtt, &heard).contains("NOTE confidence 0.812, all words\n\n"));
        let json: serde_json::Value = serde_json::from_str(&shown(Format::Json, &heard)).unwrap();
        assert_eq!(json["confidence"], 0.8125);
        assert_eq!(json["expected_errors"], 0.25);
        assert_eq!(json["words"][2]["confidence"], 0.5);
    }

    #[test]
    fn a_failed_file_keeps_its_line() {
        let failed = |format: Format| {
            let mut out = Vec::new();
            format.write_error(&mut out, Path::new("b.wav"), "no \"audio\"").unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(failed(Format::Text), "\n");
        assert_eq!(failed(Format::Json), "{\"file\":\"b.wav\",\"error\":\"no \\\"audio\\\"\"}\n");
        assert_eq!(failed(Format::Ctm), "");
    }
}

//! NIST's STM, the references that go with CTM: `<recording> <channel> <speaker> <start> <end>
//! [<labels>] <words>` a line, in any order; `;;` begins a comment.
//!
//! Each recording is an utterance, as in CTM. Stretches that are not to be scored
//! (`IGNORE_TIME_SEGMENT_IN_SCORING`) and alternatives (`{ one / two }`) are refused: a transcript
//! without times cannot say what was heard there.

use std::path::Path;

use super::ctm::Timed;
use super::{EvalError, Transcripts};

impl Transcripts {
    /// Parses STM found at `path`.
    ///
    /// # Errors
    /// A line has too few fields, a time that is none, or what cannot be scored without times.
    pub fn parse_stm(text: &str, path: &Path) -> Result<Transcripts, EvalError> {
        Self::parse_timed(text, path, |line| {
            let segment =
                parse(line).ok_or("expected `recording channel speaker start end words`")?;
            if segment.words.to_ascii_lowercase().contains("ignore_time_segment_in_scoring") {
                return Err("stretches that are left out cannot be scored: use sclite");
            }
            if segment.words.contains(['{', '}']) {
                return Err("alternatives cannot be scored: leave one of them");
            }
            Ok(segment)
        })
    }
}

fn parse(line: &str) -> Option<Timed<'_>> {
    let (recording, rest) = field(line)?;
    let (channel, rest) = field(rest)?;
    let (_speaker, rest) = field(rest)?;
    let (start, rest) = field(rest)?;
    let (end, rest) = field(rest).unwrap_or((rest, ""));
    let seconds = |text: &str| text.parse::<f64>().ok().filter(|seconds| seconds.is_finite());
    let (start, _) = (seconds(start)?, seconds(end)?);
    // The labels, such as `<o,f0,female>`, are no words.
    let words = match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, words)) => words.trim(),
        None => rest,
    };
    Some(Timed { recording, channel, start, words })
}

/// The first field, and what follows it.
fn field(text: &str) -> Option<(&str, &str)> {
    let (first, rest) = text.split_once(char::is_whitespace)?;
    Some((first, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String)>, String> {
        let parsed = Transcripts::parse_stm(text, Path::new("a.stm"));
        let parsed = parsed.map_err(|error| error.to_string())?;
        Ok(parsed.iter().map(|(id, text)| (id.to_owned(), text.to_owned())).collect())
    }

    #[test]
    fn segments_are_joined_by_their_times_without_their_labels() {
        let text = ";; a comment\na 1 spk 2.0 3.0 <o,f0> there you are\na 1 spk 0.0 1.5 hello\nb 1 x 0 1\n";
        let a = ("a".to_owned(), "hello there you are".to_owned());
        assert_eq!(parsed(text).unwrap(), [a, ("b".to_owned(), String::new())]);
    }

    #[test]
    fn what_cannot_be_scored_is_named_with_its_line() {
        for (line, said) in [
            ("a 1 s 0.0", "expected"),
            ("a 1 s x 1.0 hello", "expected"),
            ("a 1 s 0 1 { uh / @ } yes", "alternatives"),
            ("a 1 s 0 1 IGNORE_TIME_SEGMENT_IN_SCORING", "left out"),
        ] {
            let error = parsed(&format!(";;\n{line}\n")).unwrap_err();
            assert!(error.contains(said) && error.contains("line 2"), "{error}");
        }
    }
}

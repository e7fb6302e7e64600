//! NIST's CTM: `<recording> <channel> <start> <duration> <word> [<confidence>]` a line, in any
//! order; `;;` begins a comment.
//!
//! Each recording is an utterance; each channel is one, `recording-channel`, where there are
//! several. Alternatives (`<ALT_BEGIN>` …) are refused: which of them was heard?

use std::collections::BTreeMap;
use std::path::Path;

use super::{EvalError, Transcripts};

/// A word, or several, and where it starts.
type Placed<'t> = (f64, &'t str);
/// What recordings say, channel by channel.
type Recordings<'t> = BTreeMap<&'t str, BTreeMap<&'t str, Vec<Placed<'t>>>>;

impl Transcripts {
    /// Parses CTM found at `path`.
    ///
    /// # Errors
    /// A line has too few fields or a time that is none.
    pub fn parse_ctm(text: &str, path: &Path) -> Result<Transcripts, EvalError> {
        let transcripts = Self::parse_timed(text, path, |line| {
            if line.contains("<ALT") {
                return Err("alternatives cannot be scored: leave one of them");
            }
            parse(line).ok_or("expected `recording channel start duration word`")
        })?;
        Ok(Transcripts { omits_silence: true, ..transcripts })
    }

    /// Parses lines of words with their times, of which `parse` reads one or says what is wrong
    /// with it; `;;` begins a comment.
    pub(super) fn parse_timed<'t>(
        text: &'t str,
        path: &Path,
        parse: impl Fn(&'t str) -> Result<Timed<'t>, &'static str>,
    ) -> Result<Transcripts, EvalError> {
        let mut recordings = Recordings::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(";;") {
                continue;
            }
            let said = parse(line).map_err(|problem| EvalError::Line {
                path: path.into(),
                line: i + 1,
                problem: problem.to_owned(),
            })?;
            let channels = recordings.entry(said.recording).or_default();
            channels.entry(said.channel).or_default().push((said.start, said.words));
        }
        Self::of_recordings(recordings, path)
    }

    /// What each recording says, in the order of its times; of each channel, where there are
    /// several.
    fn of_recordings(recordings: Recordings<'_>, path: &Path) -> Result<Transcripts, EvalError> {
        let mut transcripts = Transcripts::default();
        for (recording, channels) in recordings {
            let several = channels.len() > 1;
            for (channel, mut words) in channels {
                words.sort_by(|one, other| one.0.total_cmp(&other.0));
                let words: Vec<&str> = words.into_iter().map(|(_, word)| word).collect();
                let id = match several {
                    true => format!("{recording}-{channel}"),
                    false => recording.to_owned(),
                };
                transcripts.insert(&id, words.join(" ").trim(), path)?;
            }
        }
        Ok(transcripts)
    }
}

/// What a line says: a word, or several, when, and in which channel of which recording.
pub(super) struct Timed<'t> {
    pub recording: &'t str,
    pub channel: &'t str,
    pub start: f64,
    pub words: &'t str,
}

fn parse(line: &str) -> Option<Timed<'_>> {
    let mut fields = line.split_ascii_whitespace();
    let (recording, channel) = (fields.next()?, fields.next()?);
    let mut seconds = || {
        let seconds = fields.next()?.parse::<f64>().ok()?;
        seconds.is_finite().then_some(seconds)
    };
    let (start, _) = (seconds()?, seconds()?);
    let words = fields.next()?;
    Some(Timed { recording, channel, start, words })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<(String, String)>, EvalError> {
        let transcripts = Transcripts::parse_ctm(text, Path::new("a.ctm"))?;
        let entries = transcripts.iter();
        Ok(entries.map(|(id, text)| (id.to_owned(), text.to_owned())).collect())
    }

    #[test]
    fn words_are_gathered_in_the_order_of_their_times() {
        let text = ";; made by hand\nb 1 1.50 0.25 world 0.5\nb 1 0.50 0.25 hello\na/1 A 0 1 yes 1\na/1 B 2 1 no 1\n";
        let want = [("a/1-A", "yes"), ("a/1-B", "no"), ("b", "hello world")];
        let want = want.map(|(id, text)| (id.to_owned(), text.to_owned()));
        assert_eq!(parsed(text).unwrap(), want);
    }

    #[test]
    fn malformed_lines_are_named() {
        for line in ["a 1 0.5 0.1", "a 1 x 0.1 word", "a 1 inf 0.1 word", "a 1 * * <ALT_BEGIN>"] {
            let error = parsed(&format!("a 1 0.5 0.1 word\n{line}\n")).unwrap_err();
            assert!(error.to_string().contains("line 2"), "{line}: {error}");
        }
    }
}

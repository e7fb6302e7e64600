//! JSON lines, an object an utterance: `id`, or the `file` whose stem is the id, and `text`. A line
//! with an `error` in place of the text is an utterance that was not recognised.

use std::path::Path;

use serde::Deserialize;

use super::{EvalError, Transcripts};

#[derive(Deserialize)]
struct Answer {
    id: Option<String>,
    file: Option<String>,
    text: Option<String>,
    error: Option<String>,
}

impl Transcripts {
    /// Parses JSON lines found at `path`.
    ///
    /// # Errors
    /// A line is no object with an id and a text, an id occurs twice.
    pub fn parse_json(text: &str, path: &Path) -> Result<Transcripts, EvalError> {
        let mut transcripts = Transcripts::default();
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
            let wrong =
                |problem: String| EvalError::Line { path: path.into(), line: i + 1, problem };
            let answer: Answer =
                serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let Some(id) = answer.id.or(answer.file.as_deref().map(stem)) else {
                return Err(wrong("expected `id` or `file`".to_owned()));
            };
            match (answer.text, answer.error) {
                (Some(text), _) => transcripts.insert(&id, &text, path)?,
                (None, Some(_)) => {}
                (None, None) => return Err(wrong("expected `text`".to_owned())),
            }
        }
        Ok(transcripts)
    }
}

fn stem(file: &str) -> String {
    let stem = Path::new(file).file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

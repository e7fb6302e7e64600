//! LibriSpeech chapters: `<set>/<speaker>/<chapter>/<speaker>-<chapter>.trans.txt` beside the
//! audio.
//!
//! A line is `<speaker>-<chapter>-<number> THE WORDS`; the audio is `<id>.flac` or any other format
//! we read.

use std::path::Path;

use super::{EvalError, Utterance, audio_file, base_name, read_text};

/// Reads one chapter.
///
/// # Errors
/// The file cannot be read or has a line that is empty of an id.
pub fn open(transcripts: &Path) -> Result<Vec<Utterance>, EvalError> {
    let mut utterances = parse(&read_text(transcripts)?);
    let chapter = transcripts.parent().unwrap_or(Path::new(""));
    let set = chapter.ancestors().nth(2).and_then(Path::file_name).unwrap_or_default();
    for utterance in &mut utterances {
        utterance.audio = audio_file(chapter, base_name(&utterance.id));
        utterance.set = set.to_string_lossy().to_string();
    }
    Ok(utterances)
}

/// Parses the text of a chapter's transcripts into utterances with id, text and speaker alone.
pub fn parse(text: &str) -> Vec<Utterance> {
    let utterance = |line: &str| {
        let (id, words) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let speaker = id.split('-').next().unwrap_or(id).to_string();
        let text = words.trim().to_string();
        Utterance { id: id.to_string(), text, speaker, ..Utterance::default() }
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(utterance).collect()
}

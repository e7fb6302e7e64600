//! VoxForge submissions: a folder `<user>-<date>-<code>/` with `etc/PROMPTS`, `etc/README` and
//! `wav/` or `flac/`.
//!
//! A line of `PROMPTS` is `<submission>/mfc/<file> THE WORDS`; only the file's name is used. The
//! speaker is the user name, except for anonymous submissions, which have nothing but the
//! submission in common. Accent and gender are the README's "Pronunciation dialect" and "Gender".

use std::path::Path;

use super::{EvalError, Utterance, audio_file, base_name, read_text};

/// Reads one submission.
///
/// # Errors
/// `etc/PROMPTS` cannot be read or has a line without words.
pub fn open(submission: &Path) -> Result<Vec<Utterance>, EvalError> {
    let prompts = submission.join("etc/PROMPTS");
    let text = read_text(&prompts)?;
    let readme = read_text(&submission.join("etc/README")).unwrap_or_default();
    let accent = field(&readme, "Pronunciation dialect:");
    let gender = field(&readme, "Gender:").to_lowercase();
    let name = submission.file_name().unwrap_or_default().to_string_lossy();
    let audio = ["wav", "flac"].map(|folder| submission.join(folder));
    let folder = audio.iter().find(|folder| folder.is_dir()).unwrap_or(&audio[0]);
    let mut utterances = parse(&text, &prompts)?;
    for utterance in &mut utterances {
        utterance.audio = audio_file(folder, &utterance.id);
        utterance.id = format!("{name}/{}", utterance.id);
        utterance.speaker = speaker(&name).to_string();
        utterance.accent.clone_from(&accent);
        utterance.gender.clone_from(&gender);
    }
    Ok(utterances)
}

/// Parses the text of a `PROMPTS` file found at `path` into utterances with id and text alone.
///
/// # Errors
/// A line has no words.
pub fn parse(text: &str, path: &Path) -> Result<Vec<Utterance>, EvalError> {
    let mut utterances = Vec::new();
    for (i, line) in text.lines().map(str::trim).enumerate().filter(|(_, line)| !line.is_empty()) {
        let Some((file, words)) = line.split_once(char::is_whitespace) else {
            let problem = "expected a file name and its words".to_string();
            return Err(EvalError::Line { path: path.into(), line: i + 1, problem });
        };
        let text = words.trim().to_string();
        utterances.push(Utterance {
            id: base_name(file).to_string(),
            text,
            ..Utterance::default()
        });
    }
    Ok(utterances)
}

fn speaker(submission: &str) -> &str {
    match submission.split_once('-') {
        Some((user, _)) if user != "anonymous" => user,
        _ => submission,
    }
}

/// What a README says after a label; nothing for `n/a`.
fn field(readme: &str, label: &str) -> String {
    let line = readme.lines().find_map(|line| line.trim().strip_prefix(label));
    line.map(str::trim).filter(|value| *value != "n/a").unwrap_or_default().to_string()
}

//! `--grammar`: a grammar in a file, or a list of phrases as libvosk takes it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;

use super::UsageError;
use paretone::graph::Grammar;
use paretone::recognizer::{ANY_OTHER, Recognizer};

/// What a list of phrases begins with.
const LIST: char = '[';

/// What is named.
#[derive(Clone, Debug)]
pub enum GrammarArg {
    /// A file with a list of sentences, JSGF, or a list of phrases in JSON.
    File(PathBuf),
    /// Phrases.
    Phrases(Vec<String>),
}

impl FromStr for GrammarArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim_start().starts_with(LIST) {
            true => list(text).map(GrammarArg::Phrases),
            false => Ok(GrammarArg::File(text.into())),
        }
    }
}

impl GrammarArg {
    /// The recogniser of what is named, which hears everything else too if it is mixed.
    pub fn heard_by(&self, recognizer: &Recognizer, is_mixed: bool) -> anyhow::Result<Recognizer> {
        let (phrases, grammar, name) = match self {
            GrammarArg::Phrases(phrases) => (Some(phrases.clone()), None, "the list".to_owned()),
            GrammarArg::File(path) => {
                let phrases = listed(path)?;
                let grammar = match phrases {
                    Some(_) => None,
                    None => Some(Grammar::open(path).map_err(|error| UsageError(error.into()))?),
                };
                (phrases, grammar, path.display().to_string())
            }
        };
        let made = match (phrases, grammar, is_mixed) {
            (Some(phrases), _, false) => recognizer.with_phrases(&phrases),
            (_, Some(grammar), false) => recognizer.with_grammar(&grammar),
            (phrases, grammar, _) => {
                let mut phrases = phrases.unwrap_or_default();
                phrases.retain(|phrase| phrase != ANY_OTHER);
                let sentences = || Grammar::parse(&phrases.join("\n"), &name);
                let grammar = grammar.map_or_else(sentences, Ok);
                let list = grammar.and_then(|grammar| grammar.phrases()).map_err(Into::into);
                list.and_then(|list| recognizer.with_words(&list))
            }
        };
        Ok(made.with_context(|| name).map_err(UsageError)?)
    }

    /// What is heard by it, byte for byte.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            GrammarArg::File(path) => {
                std::fs::read(path).with_context(|| path.display().to_string())
            }
            GrammarArg::Phrases(phrases) => Ok(phrases.join("\n").into_bytes()),
        }
    }
}

/// The phrases of a file that is a list of them in JSON.
fn listed(path: &Path) -> anyhow::Result<Option<Vec<String>>> {
    let Ok(text) = std::fs::read_to_string(path) else {
        // Who reads it as a grammar says why.
        return Ok(None);
    };
    match text.trim_start().starts_with(LIST) {
        true => {
            let list = list(&text).map_err(anyhow::Error::msg);
            let list = list.with_context(|| path.display().to_string());
            Ok(Some(list.map_err(UsageError)?))
        }
        false => Ok(None),
    }
}

fn list(text: &str) -> Result<Vec<String>, String> {
    let list = serde_json::from_str::<Vec<String>>(text).map_err(|error| {
        format!("a list of phrases is written as [\"turn on\", \"turn off\", \"[unk]\"]: {error}")
    })?;
    match list.iter().all(|phrase| phrase.trim().is_empty()) {
        true => Err("the list has no phrase".into()),
        false => Ok(list),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_files_are_told_apart() {
        let phrases = GrammarArg::from_str(r#" ["turn on", "[unk]"]"#).unwrap();
        assert!(matches!(phrases, GrammarArg::Phrases(list) if list == ["turn on", "[unk]"]));
        let file = GrammarArg::from_str("lights.jsgf").unwrap();
        assert!(matches!(file, GrammarArg::File(path) if path == Path::new("lights.jsgf")));
        for wrong in ["[turn on]", "[5]", "[]", "[\" \"]"] {
            assert!(GrammarArg::from_str(wrong).is_err(), "{wrong}");
        }
    }
}

//! A grammar: the sentences that may be said, and nothing else.
//!
//! It is written as a list of sentences, one a line, or in a subset of JSGF (`jsgf`), and read into
//! an automaton over words, deterministic and without the states that lead nowhere.
//!
//! Reference: "JSpeech Grammar Format", W3C Note, 2000.

mod automaton;
mod jsgf;
mod sentences;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::textfile::{Lines, TextError};
use automaton::Builder;
pub use automaton::Grammar;

/// Most bytes of a grammar.
const LARGEST: usize = 4 << 20;
/// Most states while it is read, and at last: rules that are asked from many places are copied.
pub(super) const MOST_STATES: usize = 200_000;

/// A grammar that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrammarError {
    /// It cannot be read as text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It is not written as a grammar is.
    #[error("{name}, line {line}: {what}")]
    Syntax {
        /// The file.
        name: String,
        /// The line.
        line: usize,
        /// What is wrong, and what helps.
        what: String,
    },
    /// It is written as JSGF and does not say so.
    #[error(
        "{name}, line {line}: this is a rule of JSGF: begin the file with the line `#JSGF V1.0;`"
    )]
    NoHeader {
        /// The file.
        name: String,
        /// The line.
        line: usize,
    },
    /// It says too much.
    #[error("{name}: the grammar has more than {limit} {what}; make it smaller")]
    TooLarge {
        /// The file.
        name: String,
        /// What there is too much of.
        what: &'static str,
        /// How much there may be.
        limit: usize,
    },
    /// Nothing can be said by it.
    #[error(
        "{name} has no sentence: write one a line, or a public rule of JSGF, as in `public <command> = yes | no;`"
    )]
    Empty {
        /// The file.
        name: String,
    },
    /// Its sentences are no list.
    #[error(
        "the grammar has more than {limit} sentences, or some of more than {longest} letters, and cannot be mixed with all else that is said: \
         leave out `*` and `+` and take it apart, or let it be all that is heard"
    )]
    TooManySentences {
        /// How many there may be.
        limit: usize,
        /// How long one may be, in bytes.
        longest: usize,
    },
    /// Words that nobody can tell how to say.
    #[error(
        "how these words of the grammar are said cannot be told from their letters: {words}; write them as they are spoken"
    )]
    Unpronounceable {
        /// The words.
        words: String,
    },
}

impl Grammar {
    /// Reads a file: JSGF where it begins with `#JSGF`, else a list of sentences.
    ///
    /// # Errors
    /// [`GrammarError`], with the line.
    pub fn open(path: &Path) -> Result<Grammar, GrammarError> {
        let name = PathBuf::from(path).display().to_string();
        let mut lines = Lines::open(path)?;
        let mut text = String::new();
        while let Some(line) = lines.next_line()? {
            text += line;
            text.push('\n');
            if text.len() > LARGEST {
                return Err(GrammarError::TooLarge { name, what: "bytes", limit: LARGEST });
            }
        }
        Grammar::parse(&text, &name)
    }

    /// Reads a text; `name` is what errors call it.
    ///
    /// ```
    /// use paretone::graph::Grammar;
    ///
    /// let text = "#JSGF V1.0;\ngrammar lights;\n\
    ///     public <c> = [please] switch the light (on | off);";
    /// let grammar = Grammar::parse(text, "lights")?;
    /// assert!(grammar.accepts(["switch", "the", "light", "off"]));
    /// assert!(!grammar.accepts(["switch", "the", "light"]));
    /// # Ok::<(), paretone::graph::GrammarError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Grammar::open`].
    pub fn parse(text: &str, name: &str) -> Result<Grammar, GrammarError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let builder = match text.trim_start().starts_with("#JSGF") {
            true => jsgf::read(text, name)?,
            false => match jsgf::line_without_header(text) {
                Some(line) => return Err(GrammarError::NoHeader { name: name.to_owned(), line }),
                None => of_sentences(text, name)?,
            },
        };
        builder.finish(name)
    }
}

/// A list of sentences; lines that begin with `#`, and empty ones, are passed over.
fn of_sentences(text: &str, name: &str) -> Result<Builder, GrammarError> {
    let mut builder = Builder::default();
    let mut known = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<String> = line.split_whitespace().map(plain).collect();
        if words.is_empty() || !known.insert(words.clone()) {
            continue;
        }
        let mut at = builder.start();
        for word in words {
            let next = builder.state(name)?;
            builder.say(at, &word, next);
            at = next;
        }
        builder.end(at);
    }
    Ok(builder)
}

/// A word as the vocabulary has it, without punctuation.
pub(super) fn plain(word: &str) -> String {
    let word = word.trim_matches(|letter: char| ",.;:!?\"".contains(letter));
    word.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(grammar: &Grammar, all: &[&str]) -> Vec<bool> {
        all.iter().map(|said| grammar.accepts(said.split(' '))).collect()
    }

    #[test]
    fn lists_say_their_lines() {
        let grammar =
            Grammar::parse("# lights\nLight on\nlight off.\n\nlight on\n", "list").unwrap();
        let said = sentences(&grammar, &["light on", "light off", "light", "on", "light on off"]);
        assert_eq!(said, [true, true, false, false, false]);
        // What begins alike is one state.
        assert_eq!(grammar.num_states(), 4);
    }

    #[test]
    fn jsgf_says_what_its_public_rules_do() {
        let text = "#JSGF V1.0 UTF-8 en;\n/* a\n comment */\ngrammar lights; // another\n\
            public <command> = <polite>* (/3/ turn | /1/ switch {verb}) <what> (on | off);\n\
            <polite> = please | could you;\n<what> = the (light | heating) [in the <room>]+;\n<room> = kitchen | \"hall\";\n";
        let grammar = Grammar::parse(text, "lights").unwrap();
        let said = sentences(
            &grammar,
            &[
                "turn the light on",
                "please could you please switch the heating in the hall off",
                "switch the light in the kitchen in the hall on",
                "turn on",
                "turn the light",
                "could turn the light on",
            ],
        );
        assert_eq!(said, [true, true, true, false, false, false]);
        assert_eq!(grammar.words().len(), 13);
    }

    #[test]
    fn jsgf_is_read_as_the_note_writes_it() {
        let text = "#JSGF V1.0 ISO8859-1 en;\ngrammar com.acme.lights;\n\
            /** Lights.\n * @example on */\n\
            public <c> = (/10/ on | /2e-1/ <com.acme.lights.off> | /0.5/ <lights.both>) { say({\\}, \"\\\\\"); } <NULL>;\n\
            <off> = (off {this = off;}) * \"o \\\"k\\\"\";\n<both> = [<off>] + dim;\n";
        let grammar = Grammar::parse(text, "lights").unwrap();
        let said = sentences(&grammar, &["on", "o k", "off off o k", "o k dim", "dim", "off"]);
        assert_eq!(said, [true, true, true, true, true, false]);
        // A list may have such words.
        assert!(Grammar::parse("grammar is hard\npublic holidays\n", "list").is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, said) in [
            ("", "no sentence"),
            ("#JSGF V1.0;\n<a> = b;", "no public rule"),
            ("#JSGF V1.0;\npublic <a> = b <c>;", "line 2: there is no rule <c>"),
            ("#JSGF V1.0;\npublic <a> = (b;", "line 2"),
            ("#JSGF V1.0;\npublic <a> = b", "line 2"),
            ("#JSGF V1.0;\npublic <a> = b | <a> c;", "calls itself"),
            ("#JSGF V1.0;\nimport <x.y>;\npublic <a> = b;", "import"),
            ("#JSGF V1.0;\npublic <a> = <VOID>;", "no sentence"),
            ("#JSGF V1.0;\npublic <a> = b;\npublic <a> = c;", "line 3"),
            ("#JSGF V1.0;\ngrammar g;\npublic <a> = <other.b>;", "another grammar"),
            ("#JSGF V1.0;\npublic <a> = b {c\\};", "not closed"),
            ("#JSGF V1.0;\npublic <a> = b };", "closes nothing"),
            ("#JSGF V1.0;\npublic <a> = /x/ b | /1/ c;", "no weight"),
            ("#JSGF V1.0;\n<NULL> = b;\npublic <a> = b;", "another name"),
            ("#JSGF V1.0;\npublic <a> = b | ;", "line 2"),
            ("// lights\ngrammar lights;\npublic <a> = b;", "line 2: this is a rule of JSGF"),
            ("public <a> = b | c;\n", "`#JSGF V1.0;`"),
        ] {
            let error = Grammar::parse(text, "g").unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let deep = format!("#JSGF V1.0;\npublic <a> = {}b;", "(".repeat(100_000));
        assert!(Grammar::parse(&deep, "g").is_err());
        // Each rule twice the one before.
        let doubled: String =
            (1..40).map(|n| format!("<r{n}> = <r{}> <r{}>;\n", n - 1, n - 1)).collect();
        let large = format!("#JSGF V1.0;\n<r0> = a | b;\n{doubled}public <x> = <r39>;");
        assert!(Grammar::parse(&large, "g").unwrap_err().to_string().contains("smaller"));
    }
}

//! An error in one line: what failed, and why, each cause once.
//!
//! The errors of this library say what failed and what to do; why is their
//! [source](std::error::Error::source), which they do not repeat. Whoever shows an error to people
//! shows its causes too, with [`WithCauses`].

use std::error::Error;
use std::fmt;

/// Shows an error followed by its causes.
///
/// # Examples
/// ```
/// use paretone::WithCauses;
/// use paretone::graph::Graph;
///
/// let error = Graph::open("no/such/file".as_ref()).err().expect("there is no such file");
/// let said = WithCauses(&error).to_string();
/// assert!(said.starts_with("no/such/file cannot be read or written: "));
/// ```
pub struct WithCauses<'e>(pub &'e (dyn Error + 'e));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = vec![self.0.to_string()];
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            match said.last_mut() {
                // Some libraries say the cause in the error's own text.
                Some(last) if last.contains(&text) => {}
                // What is concerned, such as a file, is said again by what is wrong with it.
                Some(last) if names(&text, last) => *last = text,
                _ => said.push(text),
            }
            cause = error.source();
        }
        out.write_str(&said.join(": "))
    }
}

/// Whether a text holds another as words of their own.
fn names(text: &str, other: &str) -> bool {
    let mut found = text.match_indices(other);
    found.any(|(at, _)| {
        let (before, after) = (text[..at].chars().last(), text[at + other.len()..].chars().next());
        let part =
            |side: Option<char>| side.is_some_and(|c| c.is_alphanumeric() || "/._-".contains(c));
        let ends = after.is_none_or(|next| next == '.') || !part(after);
        !other.is_empty() && !part(before) && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<dyn Error>>,
    }

    fn layer(text: &'static str, source: Option<Box<dyn Error>>) -> Box<dyn Error> {
        Box::new(Layer { text, source })
    }

    #[test]
    fn each_cause_is_said_once() {
        let root = layer("the disk is full", None);
        let repeats = layer("writing failed: the disk is full", Some(root));
        let top = layer("no graph", Some(repeats));
        let said = WithCauses(top.as_ref()).to_string();
        assert_eq!(said, "no graph: writing failed: the disk is full");
        assert_eq!(WithCauses(layer("alone", None).as_ref()).to_string(), "alone");
        for (file, wrong, expected) in [
            ("a.wav", "cannot open a.wav", "cannot open a.wav"),
            ("rules", "no rules at rules: learn them", "no rules at rules: learn them"),
            ("in", "invalid digit", "in: invalid digit"),
            ("a.wav", "cannot open /b/a.wav", "a.wav: cannot open /b/a.wav"),
        ] {
            let error = layer(file, Some(layer(wrong, None)));
            assert_eq!(WithCauses(error.as_ref()).to_string(), expected);
        }
    }
}

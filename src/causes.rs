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
        let mut said = self.0.to_string();
        out.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some libraries say the cause in the error's own text.
            if !said.contains(&text) {
                write!(out, ": {text}")?;
                said = text;
            }
            cause = error.source();
        }
        Ok(())
    }
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
    }
}

//! Where words begin and end, by their phones: `word_boundary.int`.
//!
//! The transition that leaves a phone is the phone's first frame in Kaldi's graphs (loops follow
//! it), so one that leaves a word's first phone marks where the word begins, and one that leaves a
//! phone between words where it has ended.

use std::collections::HashMap;
use std::path::Path;

use super::transitions::{Transition, TransitionModel};
use super::{KaldiError, read};
use crate::graph::{WORD_END, WORD_START};

/// What a phone's entry marks; nothing where the file is missing.
#[derive(Debug, Default)]
pub(super) struct Boundaries {
    marks: HashMap<u32, u32>,
}

impl Boundaries {
    /// Reads the file, if there is one.
    pub fn open(path: &Path) -> Result<Boundaries, KaldiError> {
        if !path.is_file() {
            return Ok(Boundaries::default());
        }
        let bytes = read(path)?;
        let mut marks = HashMap::new();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let mut words = line.split_whitespace();
            let (Some(phone), Some(kind)) = (words.next(), words.next()) else {
                continue;
            };
            let mark = match kind {
                "begin" | "singleton" => WORD_START,
                "nonword" => WORD_END,
                _ => continue,
            };
            let phone = phone.parse().map_err(|_| KaldiError::Format {
                path: path.to_owned(),
                token: phone.to_owned(),
                what: "a line is a phone's number and begin, end, internal, singleton or nonword"
                    .into(),
            })?;
            marks.insert(phone, mark);
        }
        Ok(Boundaries { marks })
    }

    /// The flags of arcs, by the transitions they are on, from the first.
    pub fn of_all(&self, transitions: &TransitionModel) -> Vec<u32> {
        transitions.all().iter().map(|transition| self.mark(*transition)).collect()
    }

    /// The flags of an arc that a transition is on.
    pub fn mark(&self, transition: Transition) -> u32 {
        match transition.is_loop {
            true => 0,
            false => self.marks.get(&transition.phone).copied().unwrap_or(0),
        }
    }
}

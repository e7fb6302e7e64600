//! `rescore/`: the large language model of a Vosk folder, which takes the place of the small one in
//! its graph once a lattice is there.
//!
//! As in libvosk, what a sentence costs in `G.fst` is subtracted and what it costs in `G.carpa`
//! added, before graph costs are scaled. A word that either does not know is said by no path.

use super::KaldiError;
use super::const_arpa::{ArpaHistory, ConstArpaLm};
use super::folder::VoskFolder;
use super::language_fst::{LanguageFst, Places};
use crate::graph::Place;
use crate::units::{Cost, WordId};

/// What is subtracted, and what is added.
pub(crate) struct RescoringModel {
    small: LanguageFst,
    large: ConstArpaLm,
}

/// The words so far, as both see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RescoringHistory {
    small: Places,
    large: ArpaHistory,
}

impl VoskFolder {
    /// The models that the lattices of a graph of so many words are rescored with, where there are
    /// some; `is_copied` says whether they are read into memory of the process's own.
    ///
    /// # Errors
    /// One of them is missing or cannot be used.
    pub(crate) fn rescoring(
        &self,
        words: usize,
        is_copied: bool,
    ) -> Result<Option<RescoringModel>, KaldiError> {
        let (small, large) = (self.subtracted(), self.const_arpa());
        if !large.is_file() {
            return Ok(None);
        }
        if !small.is_file() {
            return Err(KaldiError::NoSubtracted { path: small });
        }
        let place = if is_copied { Place::Memory } else { Place::File };
        let model = RescoringModel {
            small: LanguageFst::open(&small)?,
            large: ConstArpaLm::open(&large, place)?,
        };
        let largest = model.small.largest_word() as usize;
        match largest < words {
            true => Ok(Some(model)),
            false => Err(KaldiError::Format {
                path: small,
                token: "the arcs".into(),
                what: format!(
                    "word {largest} of the {words} that the graph has: it belongs to another graph"
                ),
            }),
        }
    }
}

impl RescoringModel {
    /// Before the first word.
    pub fn start(&self) -> RescoringHistory {
        RescoringHistory { small: self.small.start(), large: self.large.start() }
    }

    /// The history with one more word, and how much more that costs in the large model; infinitely
    /// much where one of them does not know it.
    pub fn step(&self, history: RescoringHistory, word: WordId) -> (RescoringHistory, Cost) {
        let (small, removed) = self.small.step(history.small, word);
        let (large, added) = self.large.step(history.large, word);
        (RescoringHistory { small, large }, change(removed, added))
    }

    /// How much more ending costs.
    pub fn end(&self, history: RescoringHistory) -> Cost {
        change(self.small.end(history.small), self.large.end(history.large))
    }
}

fn change(removed: Cost, added: Cost) -> Cost {
    match removed.0 == f32::INFINITY {
        true => removed,
        false => Cost(added.0 - removed.0),
    }
}

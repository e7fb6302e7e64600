//! The large language model of a Vosk folder in the place of the small one, on the paths of a
//! lattice.
//!
//! libvosk does this to the determinised lattice, between the search and the scaling of graph
//! costs. Here it is done to paths whose graph costs are scaled already, so that what words cost
//! more or less is scaled too.

use std::collections::HashMap;

use crate::decode::{Cancel, DecodeError, HistoryId, PathGraph, Reweighing, SequenceModel};
use crate::kaldi::{RescoringHistory, RescoringModel};
use crate::units::{Cost, WordId};

/// Histories that are followed from one node of a lattice. libvosk follows all; with so many its
/// words come out all the same: benches/records/2026-11-27/kaldi-vosk.txt.
const HISTORIES: usize = 16;

/// The paths with one model in the place of the other, where graph costs count `scale` times.
pub(super) fn exchanged<'l>(
    paths: &PathGraph<'l>,
    (model, scale): (&RescoringModel, f32),
    cancel: Option<&Cancel>,
) -> Result<PathGraph<'l>, DecodeError> {
    let how =
        Reweighing { beam: Cost(f32::INFINITY), histories: HISTORIES, every_end: true, cancel };
    paths
        .reweighed(&how, &mut Exchange { model, scale, known: Vec::new(), numbers: HashMap::new() })
}

/// The models, and the histories that were met, by number.
struct Exchange<'m> {
    model: &'m RescoringModel,
    scale: f32,
    known: Vec<RescoringHistory>,
    numbers: HashMap<RescoringHistory, HistoryId>,
}

impl Exchange<'_> {
    fn number(&mut self, history: RescoringHistory) -> HistoryId {
        let new = HistoryId(self.known.len() as u32);
        let number = *self.numbers.entry(history).or_insert(new);
        if number == new {
            self.known.push(history);
        }
        number
    }

    /// What cannot be said stays impossible at a scale of 0 too.
    fn scaled(&self, change: Cost) -> Cost {
        match change.0 == f32::INFINITY {
            true => change,
            false => Cost(self.scale * change.0),
        }
    }
}

impl SequenceModel for Exchange<'_> {
    fn start(&mut self) -> HistoryId {
        self.number(self.model.start())
    }

    fn step(&mut self, history: HistoryId, word: WordId) -> (HistoryId, Cost) {
        let (next, change) = self.model.step(self.known[history.0 as usize], word);
        (self.number(next), self.scaled(change))
    }

    fn end(&mut self, history: HistoryId) -> Cost {
        self.scaled(self.model.end(self.known[history.0 as usize]))
    }
}

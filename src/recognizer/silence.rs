//! Which frames are silence, for the i-vectors of a network: those that the best path so far of a
//! search says, as in Kaldi's recognisers.
//!
//! The search goes on with every chunk of scores, over the model's own graph and with its own
//! beams, whatever the setting of the answer: so scores stay the same for all settings, and a
//! stream's are those of the recording.

use std::borrow::BorrowMut;

use super::model::Model;
use crate::acoustic::SilenceFinder;
use crate::decode::{Decoder, MarkedSearch, Scorer};

/// What it writes to: reuse it.
#[derive(Clone, Default)]
pub(super) struct SilenceScratch {
    search: MarkedSearch,
    scaled: Vec<f32>,
    /// Whether the search of the utterance under way has no path left.
    lost: bool,
}

/// The search, in memory that is lent to it or its own.
struct BestPath<'a, S> {
    decoder: Decoder<'a>,
    /// The pdfs of silence.
    silent: &'a [bool],
    acoustic_scale: f32,
    scratch: S,
}

/// Rows of scores, as the search takes them.
struct Rows<'a> {
    scores: &'a [f32],
    pdfs: usize,
}

impl Model {
    /// What says to the network which frames are silence; none where it does not ask.
    pub(super) fn silence_finder<'a, S>(&'a self, scratch: S) -> Option<Box<dyn SilenceFinder + 'a>>
    where
        S: BorrowMut<SilenceScratch> + Send + Sync + 'a,
    {
        let silent = self.network.silent_pdfs()?;
        let decoder = Decoder::new(&self.graph, self.pruning()).ok()?;
        let acoustic_scale = self.description.decode.acoustic_scale;
        Some(Box::new(BestPath { decoder, silent, acoustic_scale, scratch }))
    }
}

impl<S: BorrowMut<SilenceScratch> + Send + Sync> SilenceFinder for BestPath<'_, S> {
    fn restart(&mut self) {
        let SilenceScratch { search, lost, .. } = self.scratch.borrow_mut();
        *lost = search.begin(&self.decoder, self.silent).is_err();
    }

    fn take(&mut self, rows: &[f32], pdfs: usize) {
        let SilenceScratch { search, scaled, lost } = self.scratch.borrow_mut();
        if *lost || rows.is_empty() {
            return;
        }
        scaled.clear();
        scaled.extend(rows.iter().map(|score| score * self.acoustic_scale));
        *lost = search.push(&self.decoder, &Rows { scores: scaled, pdfs }).is_err();
    }

    fn silent(&mut self) -> Option<u128> {
        let SilenceScratch { search, lost, .. } = self.scratch.borrow_mut();
        (!*lost).then(|| search.trace_back(&self.decoder))
    }

    fn copy(&self) -> Box<dyn SilenceFinder + '_> {
        Box::new(BestPath {
            decoder: self.decoder.clone(),
            silent: self.silent,
            acoustic_scale: self.acoustic_scale,
            scratch: self.scratch.borrow().clone(),
        })
    }
}

impl Scorer for Rows<'_> {
    fn num_frames(&self) -> usize {
        self.scores.len() / self.pdfs
    }

    fn num_pdfs(&self) -> usize {
        self.pdfs
    }

    fn frame(&self, frame: usize) -> &[f32] {
        &self.scores[frame * self.pdfs..][..self.pdfs]
    }
}

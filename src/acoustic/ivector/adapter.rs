//! An utterance's i-vectors as its frames come: frames wait here until the i-vector of their chunk
//! is known.
//!
//! Chunk `k` is scored once `(k + 1) · chunk` frames and the network's look-ahead have come; its
//! i-vector is that of all frames at the end of the step in which this happens. An input frame is
//! first read by some chunk, and keeps that chunk's i-vector ([`ChunkBiases`]).

use super::adaptation::Adaptation;
use super::chunk_bias::{ChunkBiases, IVectorWeights};
use super::frames::Frames;
use super::silence::{BACK, SilenceFinder, SilenceWeights};
use super::statistics::Statistics;
use crate::feature::OnlineMean;

/// What an adapted utterance writes to.
#[derive(Clone)]
pub(in super::super) struct Adapter {
    frames: Frames,
    statistics: Statistics,
    silence: SilenceWeights,
    mean: Option<OnlineMean>,
    ivector: Vec<f32>,
    /// The biases made of the i-vectors.
    pub biases: ChunkBiases,
    /// Input frames in an output frame, and how far the network looks ahead.
    subsampling: usize,
    right: usize,
    /// Input frames that wait, flat, and how many were handed on before.
    waiting: Vec<f32>,
    handed: usize,
    /// Steps that have ended, and the frames at which the next ends.
    steps: usize,
    boundary: usize,
    /// Chunks that have an i-vector.
    chunks: usize,
}

impl Adapter {
    /// Of a network with these parts that look so many frames ahead.
    pub fn new<'w>(
        adaptation: &Adaptation,
        (subsampling, right): (usize, usize),
        weights: impl Iterator<Item = &'w IVectorWeights>,
    ) -> Adapter {
        let (extractor, rhythm) = (&adaptation.extractor, &adaptation.rhythm);
        let step = rhythm.frames_in_a_step() + rhythm.chunk + right + extractor.splice.1;
        let outputs = BACK + step.div_ceil(subsampling);
        Adapter {
            frames: Frames::new(extractor, (outputs + 2) * subsampling + step, subsampling),
            statistics: Statistics::new(extractor),
            silence: SilenceWeights::new(step.div_ceil(subsampling), adaptation.silence.is_some()),
            mean: adaptation.mean.clone(),
            ivector: vec![0.0; extractor.ivector_dim],
            biases: ChunkBiases::new(rhythm.chunk, right, weights),
            subsampling,
            right,
            waiting: Vec::new(),
            handed: 0,
            boundary: 0,
            steps: 0,
            chunks: 0,
        }
    }

    /// Takes the next frame; true where a step ends with it.
    pub fn push(&mut self, adaptation: &Adaptation, frame: impl Iterator<Item = f32>) -> bool {
        let from = self.waiting.len();
        self.waiting.extend(frame);
        self.frames.push(&adaptation.extractor, &self.waiting[from..]);
        if let Some(mean) = &mut self.mean {
            mean.apply(&mut self.waiting[from..]);
        }
        while self.boundary < self.frames.heard() {
            self.steps += 1;
            self.boundary = adaptation.rhythm.frames_after(self.steps);
        }
        self.boundary == self.frames.heard()
    }

    /// Weighs the frames that are ready by the scores so far, or by what a finder made of them.
    pub fn weigh<'f>(&mut self, finder: Option<&mut (dyn SilenceFinder + 'f)>) {
        if let Some(silent) = finder.and_then(SilenceFinder::silent) {
            self.silence.correct(silent);
        }
        let Self { frames, silence, subsampling, .. } = self;
        let (ready, all) = (frames.ready(), *subsampling);
        silence.update(ready.div_ceil(all), |output, by| {
            (output * all..(output + 1) * all).for_each(|frame| frames.add_due(frame, by));
        });
    }

    /// Estimates the i-vector of the next chunk, where all its frames have come, and returns how
    /// many of the waiting frames can go on.
    pub fn next_chunk<'w>(
        &mut self,
        adaptation: &Adaptation,
        weights: impl Iterator<Item = &'w IVectorWeights>,
    ) -> Option<usize> {
        let end = (self.chunks + 1) * adaptation.rhythm.chunk + self.right;
        if self.frames.heard() < end {
            return None;
        }
        self.estimate(adaptation, weights);
        Some(end - self.handed)
    }

    /// Ends the utterance: estimates the i-vector of all chunks that are left.
    pub fn finish<'w, 'f>(
        &mut self,
        adaptation: &Adaptation,
        weights: impl Iterator<Item = &'w IVectorWeights>,
        finder: Option<&mut (dyn SilenceFinder + 'f)>,
    ) {
        self.frames.finish(&adaptation.extractor);
        self.weigh(finder);
        self.estimate(adaptation, weights);
    }

    /// Whether no frame was handed on yet.
    pub fn is_first(&self) -> bool {
        self.handed == 0
    }

    /// The next `count` frames that waited; they are handed on once.
    pub fn hand_on(&mut self, count: usize, mut each: impl FnMut(&[f32])) {
        let dims = self.waiting.len() / (self.frames.heard() - self.handed).max(1);
        let values = count * dims;
        self.waiting[..values].chunks_exact(dims.max(1)).for_each(&mut each);
        self.waiting.drain(..values);
        self.handed += count;
    }

    /// Frames that wait.
    pub fn waiting(&self) -> usize {
        self.frames.heard() - self.handed
    }

    /// Takes note of the scores of the next output frame.
    pub fn scored(&mut self, adaptation: &Adaptation, scores: &[f32]) {
        let Some(silence) = &adaptation.silence else { return };
        let (mut best, mut highest) = (0, f32::NEG_INFINITY);
        for (pdf, score) in scores.iter().enumerate() {
            if *score > highest {
                (best, highest) = (pdf, *score);
            }
        }
        self.silence.scored(silence[best]);
    }

    fn estimate<'w>(
        &mut self,
        adaptation: &Adaptation,
        weights: impl Iterator<Item = &'w IVectorWeights>,
    ) {
        let Self { frames, statistics, ivector, .. } = self;
        let ready = frames.ready();
        if ready > 0 {
            frames.take_due(ready, |chosen, frame, weight| statistics.note(chosen, frame, weight));
            statistics.absorb(&adaptation.extractor);
            statistics.estimate(&adaptation.extractor, ivector);
        } else {
            ivector.fill(0.0);
        }
        self.biases.set(self.chunks, ivector, weights);
        self.chunks += 1;
    }
}

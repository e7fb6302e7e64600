//! Samples in, segments of features out, a recording or a stream: features and the gate's answers
//! as they come, and of both no more than a segment.

use std::collections::VecDeque;

use super::RecognizerError;
use super::model::Model;
use super::segment::{Segment, Segmenter};
use crate::feature::MfccStream;
use crate::gate::GateStream;

/// Cuts samples into segments by what the gate answers; without one, all is speech.
pub(super) struct FrontEnd<'r> {
    mfcc: MfccStream<'r>,
    gate: Option<GateStream<'r>>,
    pub segmenter: Segmenter,
    /// Of the frames of one push: log mel energies, flat.
    energies: Vec<f32>,
    /// Of the frames not yet answered for: their mean log energies.
    levels: VecDeque<f32>,
    speech: Vec<bool>,
    bins: usize,
}

impl<'r> FrontEnd<'r> {
    pub(super) fn new(model: &'r Model) -> Self {
        let config = model.mfcc.config();
        FrontEnd {
            mfcc: model.mfcc.stream(),
            gate: model.gate.as_ref().map(|gate| gate.stream()),
            segmenter: Segmenter::new(config, silence(model)),
            energies: Vec::new(),
            levels: VecDeque::new(),
            speech: Vec::new(),
            bins: config.num_bins,
        }
    }

    /// Takes the next samples, at the model's rate. `frame` gets each frame's features; the
    /// segments that end are appended.
    pub(super) fn push(
        &mut self,
        samples: &[f32],
        mut frame: impl FnMut(&[f32]),
        ended: &mut Vec<Segment>,
    ) -> Result<(), RecognizerError> {
        let Self { mfcc, energies, levels, bins, .. } = self;
        energies.clear();
        mfcc.push_with_energies(samples, |features, log_mel| {
            energies.extend_from_slice(log_mel);
            levels.push_back(level(log_mel, *bins));
            frame(features);
        });
        self.speech.clear();
        match &mut self.gate {
            Some(gate) => gate.push(&self.energies, &mut self.speech)?,
            None => self.speech.resize(self.levels.len(), true),
        }
        self.answer(ended);
        Ok(())
    }

    /// Ends the recording.
    pub(super) fn finish(&mut self, ended: &mut Vec<Segment>) -> Result<(), RecognizerError> {
        self.mfcc.finish();
        self.speech.clear();
        if let Some(gate) = &mut self.gate {
            gate.finish(&mut self.speech)?;
        }
        self.answer(ended);
        ended.extend(self.segmenter.finish());
        Ok(())
    }

    fn answer(&mut self, ended: &mut Vec<Segment>) {
        let levels = self.levels.drain(..self.speech.len());
        for (speech, level) in self.speech.drain(..).zip(levels) {
            ended.extend(self.segmenter.push(speech, level));
        }
    }
}

/// The mean of a frame's log energies.
fn level(log_mel: &[f32], bins: usize) -> f32 {
    log_mel.iter().sum::<f32>() / bins as f32
}

/// The level of digital silence.
fn silence(model: &Model) -> f32 {
    let config = model.mfcc.config();
    let (mut silence, bins) = (0.0, config.num_bins);
    let frame = vec![0.0; config.frame_length()];
    { model.mfcc.stream() }.push_with_energies(&frame, |_, log_mel| silence = level(log_mel, bins));
    silence
}

/// The front end of a whole recording.
pub(super) struct Front<'r> {
    front_end: FrontEnd<'r>,
    /// The features that a segment may still ask for, flat, and the first frame of them.
    rows: Vec<f32>,
    first: usize,
    dims: usize,
    ended: Vec<Segment>,
    /// The first sample, until another value comes.
    constant: Option<f32>,
    varied: bool,
}

impl<'r> Front<'r> {
    pub(super) fn new(model: &'r Model) -> Self {
        Front {
            front_end: FrontEnd::new(model),
            rows: Vec::new(),
            first: 0,
            dims: model.mfcc.config().dims(),
            ended: Vec::new(),
            constant: None,
            varied: false,
        }
    }

    /// Takes the next samples, at the model's rate; calls `each` with the features of every segment
    /// that ends.
    pub(super) fn push(
        &mut self,
        samples: &[f32],
        each: impl FnMut(&Segment, &mut [f32]) -> Result<(), RecognizerError>,
    ) -> Result<(), RecognizerError> {
        if !self.varied {
            let first = *self.constant.get_or_insert(samples.first().copied().unwrap_or(0.0));
            self.varied = samples.iter().any(|sample| *sample != first);
        }
        let Self { front_end, rows, ended, .. } = self;
        front_end.push(samples, |frame| rows.extend_from_slice(frame), ended)?;
        self.hand_over(each)
    }

    /// Ends the recording.
    pub(super) fn finish(
        &mut self,
        each: impl FnMut(&Segment, &mut [f32]) -> Result<(), RecognizerError>,
    ) -> Result<(), RecognizerError> {
        self.front_end.finish(&mut self.ended)?;
        self.hand_over(each)
    }

    fn hand_over(
        &mut self,
        mut each: impl FnMut(&Segment, &mut [f32]) -> Result<(), RecognizerError>,
    ) -> Result<(), RecognizerError> {
        for segment in self.ended.drain(..) {
            let from = (segment.first - self.first) * self.dims;
            let to = from + segment.heard.num_frames() * self.dims;
            let rows = &mut self.rows[from..to];
            if self.varied && !is_constant(rows, self.dims) {
                each(&segment, rows)?;
            }
        }
        let keep = self.front_end.segmenter.keep_from();
        let old = keep.saturating_sub(self.first) * self.dims;
        self.rows.drain(..old.min(self.rows.len()));
        self.first = self.first.max(keep);
        Ok(())
    }
}

/// True where there is no sound at all: digital silence, or a constant offset. One frame cannot
/// tell.
fn is_constant(rows: &[f32], dims: usize) -> bool {
    rows.len() > dims && rows[dims..] == rows[..rows.len() - dims]
}

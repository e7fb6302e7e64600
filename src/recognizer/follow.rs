//! Partial results: the best transcript of an utterance that has not ended.
//!
//! The network was trained on features from which the mean over the utterance had been subtracted,
//! and that mean is known only at the end. The follower therefore subtracts the mean of the frames
//! so far. Whenever the utterance has grown by half, it scores and searches all frames again with
//! the new mean, which at most triples the work; after [`SETTLED`] the mean hardly moves and
//! nothing is done again. Partial transcripts are close to the final one, but not always equal to
//! it.
//!
//! The network needs 0.3 s of features beyond a frame to score it. The *agreed* words wait for
//! them; the *tentative* words assume that the last frame repeats for that long.

use ndarray::ArrayView2;

use super::model::Model;
use super::silence::SilenceScratch;
use super::{RecognizerError, Setting};
use crate::acoustic::{NetworkScratch, NetworkStream, Normalisation, Scores};
use crate::decode::{Decoder, SearchStream, SoFar};
use crate::feature::{MfccStream, OnlineMean, RunningMean};
use crate::units::Seconds;

/// The first partial result needs this much audio: the mean of less is unreliable.
const FIRST: Seconds = Seconds(0.3);
/// After this much audio a new mean no longer causes a new search.
const SETTLED: Seconds = Seconds(10.0);

/// An utterance under way.
pub(super) struct Follower<'r> {
    model: &'r Model,
    mfcc: MfccStream<'r>,
    /// The features so far, before their mean is subtracted; flat.
    frames: Vec<f32>,
    mean: RunningMean,
    /// Where the model wants that of the last seconds.
    online_mean: Option<OnlineMean>,
    /// Frames at which all are taken anew.
    anew_at: usize,
    network: NetworkStream<'r, NetworkScratch>,
    /// For looking ahead.
    spare: NetworkScratch,
    search: SearchStream<'r>,
    scores: Scores,
}

impl<'r> Follower<'r> {
    pub(super) fn new(model: &'r Model, setting: &Setting) -> Result<Self, RecognizerError> {
        let mut follower = Follower {
            model,
            mfcc: model.mfcc.stream(),
            frames: Vec::new(),
            mean: RunningMean::default(),
            online_mean: model.online_mean(),
            anew_at: 0,
            network: (model.network.stream(NetworkScratch::default()))
                .hearing_silence(model.silence_finder(SilenceScratch::default())),
            spare: NetworkScratch::default(),
            search: Decoder::new(&model.graph, setting.pruning)?.stream()?,
            scores: Scores::default(),
        };
        follower.restart()?;
        Ok(follower)
    }

    /// Forgets everything and begins an utterance.
    pub(super) fn restart(&mut self) -> Result<(), RecognizerError> {
        self.mfcc.finish();
        self.frames.clear();
        self.mean.reset();
        self.anew_at = self.frames_in(FIRST);
        self.network.restart();
        Ok(self.search.restart()?)
    }

    /// Takes the next samples, at the model's rate.
    pub(super) fn push(&mut self, samples: &[f32]) -> Result<(), RecognizerError> {
        let first = self.num_frames();
        let Self { frames, mean, .. } = self;
        self.mfcc.push(samples, |frame| {
            mean.add(frame);
            frames.extend_from_slice(frame);
        });
        let frames = self.num_frames();
        if frames < self.anew_at {
            return match first < self.frames_in(FIRST) {
                true => Ok(()),
                false => self.take(first),
            };
        }
        self.network.restart();
        self.search.restart()?;
        self.anew_at = match frames < self.frames_in(SETTLED) {
            true => frames + frames / 2,
            false => usize::MAX,
        };
        self.take(0)
    }

    /// Returns the partial result up to where the network's look-ahead begins.
    pub(super) fn so_far(&mut self) -> SoFar {
        self.search.so_far()
    }

    /// Returns the partial result up to the last sample, as if the last frame repeated; the agreed
    /// words are those of [`Follower::so_far`].
    pub(super) fn up_to_now(&mut self) -> Result<SoFar, RecognizerError> {
        let agreed = self.search.so_far().agreed;
        self.scores.clear();
        self.network.peek(&mut self.spare, &mut self.scores)?;
        self.scale_scores();
        let now = self.search.so_far_with(&self.scores)?;
        Ok(SoFar { agreed, ..now })
    }

    /// Searches the frames from `first` on, less the mean.
    fn take(&mut self, first: usize) -> Result<(), RecognizerError> {
        let dims = self.dims();
        let mut frames = self.frames[first * dims..].to_vec();
        let rows = frames.chunks_exact_mut(dims);
        if let Some(mean) = &mut self.online_mean {
            if first == 0 {
                mean.reset();
            }
            rows.for_each(|frame| mean.apply(frame));
        } else if self.model.description.normalisation != Normalisation::None {
            rows.for_each(|frame| self.mean.subtract_from(frame));
        }
        let frames = ArrayView2::from_shape((frames.len() / dims, dims), &frames);
        let frames = frames.expect("whole frames");
        self.scores.clear();
        self.network.push(frames, &mut self.scores)?;
        self.scale_scores();
        Ok(self.search.push(&self.scores)?)
    }

    fn scale_scores(&mut self) {
        let defaults = &self.model.description.decode;
        self.scores.scale(defaults.acoustic_scale);
    }

    fn num_frames(&self) -> usize {
        self.frames.len() / self.dims()
    }

    fn dims(&self) -> usize {
        self.model.mfcc.config().dims()
    }

    fn frames_in(&self, time: Seconds) -> usize {
        (time.0 / self.model.mfcc.config().shift().0).ceil() as usize
    }
}

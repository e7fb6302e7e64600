//! Mean normalisation: a microphone or a room multiplies the spectrum, which adds a constant to
//! log-mel energies and cepstra; the mean over time takes it out again.
//!
//! [`subtract_mean`] needs the whole utterance, and so does [`subtract_mean_of`], which leaves out
//! what is no speech: a pause would otherwise change the features of the words. [`OnlineMean`]
//! works as frames come, and [`RunningMean`] says what the whole would give if it ended here.

use std::collections::VecDeque;

use super::{FeatureError, Features};

/// Subtracts from each dimension its mean over the utterance. Without frames there is nothing to
/// do.
///
/// ```
/// use ndarray::array;
/// use paretone::feature::{Features, subtract_mean};
/// use paretone::units::Seconds;
///
/// let mut features = Features { frames: array![[1.0, 8.0], [3.0, 2.0]], shift: Seconds(0.01) };
/// subtract_mean(&mut features);
/// assert_eq!(features.frames, array![[-1.0, 3.0], [1.0, -3.0]]);
/// ```
pub fn subtract_mean(features: &mut Features) {
    let dims = features.frames.ncols();
    if let Some(frames) = features.frames.as_slice_mut() {
        subtract_mean_of(frames, dims, |_| true);
    }
}

/// Subtracts from each dimension of all frames its mean over the frames that count, by their
/// number; over all frames where none counts. `frames` is row after row of `dims` values.
pub fn subtract_mean_of(frames: &mut [f32], dims: usize, counts: impl Fn(usize) -> bool) {
    let mut mean = RunningMean::default();
    let rows = frames.chunks_exact(dims.max(1)).enumerate();
    rows.filter(|(at, _)| counts(*at)).for_each(|(_, frame)| mean.add(frame));
    if mean.frames == 0 {
        frames.chunks_exact(dims.max(1)).for_each(|frame| mean.add(frame));
    }
    let mean = mean.mean();
    for frame in frames.chunks_exact_mut(dims.max(1)) {
        frame.iter_mut().zip(&mean).for_each(|(v, mean)| *v -= mean);
    }
}

/// The mean of all frames so far.
#[derive(Clone, Debug, Default)]
pub struct RunningMean {
    sum: Vec<f64>,
    frames: u32,
}

impl RunningMean {
    /// Takes another frame into account.
    ///
    /// # Panics
    /// If the frame has another number of dimensions than those before.
    pub fn add(&mut self, frame: &[f32]) {
        if self.frames == 0 {
            self.sum.resize(frame.len(), 0.0);
        }
        assert_eq!(frame.len(), self.sum.len(), "a frame of another dimension");
        for (sum, value) in self.sum.iter_mut().zip(frame) {
            *sum += f64::from(*value);
        }
        self.frames += 1;
    }

    /// Subtracts the mean from a frame. Before the first frame there is nothing to subtract.
    pub fn subtract_from(&self, frame: &mut [f32]) {
        for (value, sum) in frame.iter_mut().zip(&self.sum) {
            *value -= (sum / f64::from(self.frames)) as f32;
        }
    }

    /// The mean by dimension; empty before the first frame.
    pub fn mean(&self) -> Vec<f32> {
        let frames = f64::from(self.frames);
        self.sum.iter().map(|sum| (sum / frames) as f32).collect()
    }

    /// Forgets all frames.
    pub fn reset(&mut self) {
        self.sum.clear();
        self.frames = 0;
    }
}

/// How [`OnlineMean`] weighs the past.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnlineMeanConfig {
    /// Frames that the sliding window holds, the current one included. Larger: steadier, slower to
    /// follow a change of channel. At least 1. Default: 600 (6 s).
    pub window: usize,
    /// Frames that the prior counts for while the window is not full. Larger: the start of an
    /// utterance leans more on the prior. Default: 200 (2 s).
    pub prior_frames: usize,
    /// A frame whose first value, the energy, is not above this is taken less what was taken from
    /// the frame before, with the prior mixed in once more; it still counts for the frames that
    /// come. Default: minus infinity.
    pub least_energy: f32,
}

impl Default for OnlineMeanConfig {
    fn default() -> Self {
        OnlineMeanConfig { window: 600, prior_frames: 200, least_energy: f32::NEG_INFINITY }
    }
}

/// Subtracts the mean of the last frames, as Kaldi's `OnlineCmvn` does (`feat/online-feature.cc`,
/// `SmoothOnlineCmvnStats`) with variance normalisation off and no speaker statistics; with
/// [`OnlineMeanConfig::least_energy`] as libvosk's does.
///
/// At frame t the mean is that of the frames t−window+1 … t, of which there are c. While c <
/// window, the prior mean is mixed in as if it had been seen min(window − c, prior_frames) times;
/// that keeps the first frames, whose own mean says little, near where training put them. The first
/// frame of an utterance without a prior becomes zero.
#[derive(Clone, Debug)]
pub struct OnlineMean {
    config: OnlineMeanConfig,
    prior: Vec<f32>,
    /// Whether `prior` came from the caller; otherwise it counts for nothing.
    has_prior: bool,
    /// The frames of the window, oldest first, flat.
    window: VecDeque<f32>,
    /// Their sum. Double precision holds single-precision terms exactly enough that adding and
    /// taking away does not drift: after a day at 100 frames a second the error is below 1e-7.
    sum: Vec<f64>,
    /// What was taken from the last frame: a sum with the prior in it, and the frames that it is
    /// of.
    taken: Vec<f64>,
    taken_frames: usize,
    /// Whether the prior is all that is subtracted.
    is_fixed: bool,
}

impl OnlineMean {
    /// A normaliser of `dims` dimensions; `prior` is the mean over training data, one value a
    /// dimension.
    pub fn new(
        config: OnlineMeanConfig,
        dims: usize,
        prior: Option<&[f32]>,
    ) -> Result<Self, FeatureError> {
        if config.window == 0 {
            return Err(FeatureError::Config(
                "the window of the online mean must be 1 or more".into(),
            ));
        }
        if let Some(prior) = prior.filter(|prior| prior.len() != dims) {
            let given = prior.len();
            let what = format!("the prior mean has {given} values for {dims} dimensions");
            return Err(FeatureError::Config(what));
        }
        Ok(OnlineMean {
            config,
            prior: prior.map_or_else(|| vec![0.0; dims], <[f32]>::to_vec),
            has_prior: prior.is_some(),
            window: VecDeque::new(),
            sum: vec![0.0; dims],
            taken: vec![0.0; dims],
            taken_frames: 0,
            is_fixed: false,
        })
    }

    /// One that subtracts the same mean from every frame.
    pub fn fixed(mean: &[f32]) -> Self {
        OnlineMean {
            config: OnlineMeanConfig::default(),
            prior: mean.to_vec(),
            has_prior: true,
            window: VecDeque::new(),
            sum: vec![0.0; mean.len()],
            taken: Vec::new(),
            taken_frames: 0,
            is_fixed: true,
        }
    }

    /// Normalises the next frame in place.
    ///
    /// # Panics
    /// If the frame has another number of dimensions than was announced.
    pub fn apply(&mut self, frame: &mut [f32]) {
        let dims = self.sum.len();
        assert_eq!(frame.len(), dims, "a frame of another dimension");
        if self.is_fixed {
            frame.iter_mut().zip(&self.prior).for_each(|(value, mean)| *value -= mean);
            return;
        }
        self.hear(frame);
        if self.is_loud(frame) {
            self.taken.copy_from_slice(&self.sum);
            self.taken_frames = self.window.len() / dims.max(1);
        }
        self.mix_and_subtract(frame);
    }

    /// Lets the next frame count, and takes nothing from it.
    pub(crate) fn hear(&mut self, frame: &[f32]) {
        let dims = self.sum.len();
        if self.window.len() == self.config.window * dims {
            for (sum, old) in self.sum.iter_mut().zip(self.window.drain(..dims)) {
                *sum -= f64::from(old);
            }
        }
        self.window.extend(frame.iter());
        for (sum, new) in self.sum.iter_mut().zip(frame) {
            *sum += f64::from(*new);
        }
    }

    /// The sum of the frames of the window, and their number.
    pub(crate) fn heard(&self) -> (&[f64], usize) {
        (&self.sum, self.window.len() / self.sum.len().max(1))
    }

    /// Normalises a frame that was heard, in place, by what had been [`OnlineMean::heard`] then.
    pub(crate) fn subtract(&mut self, (sum, frames): (&[f64], usize), frame: &mut [f32]) {
        if self.is_loud(frame) {
            self.taken.copy_from_slice(sum);
            self.taken_frames = frames;
        }
        self.mix_and_subtract(frame);
    }

    fn is_loud(&self, frame: &[f32]) -> bool {
        frame.first().is_some_and(|energy| *energy > self.config.least_energy)
    }

    /// Mixes the prior into what is taken, while there is room, and takes it from a frame.
    fn mix_and_subtract(&mut self, frame: &mut [f32]) {
        let room = self.config.window.saturating_sub(self.taken_frames);
        let prior_frames = if self.has_prior { room.min(self.config.prior_frames) } else { 0 };
        self.taken_frames += prior_frames;
        let (mixed, total) = (prior_frames as f64, self.taken_frames.max(1) as f64);
        for ((value, taken), prior) in frame.iter_mut().zip(&mut self.taken).zip(&self.prior) {
            *taken += mixed * f64::from(*prior);
            *value = (f64::from(*value) - *taken / total) as f32;
        }
    }

    /// Forgets the window, for the next recording; the prior stays.
    pub fn reset(&mut self) {
        self.window.clear();
        self.sum.fill(0.0);
        self.taken.fill(0.0);
        self.taken_frames = 0;
    }
}

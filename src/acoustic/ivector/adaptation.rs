//! When i-vectors are estimated: as a recogniser does that hears speech in short steps.

use super::extractor::IVectorExtractor;
use crate::feature::{MfccConfig, OnlineMean};
use crate::units::Hertz;

/// More frames than any sensible chunk has.
const LONGEST_CHUNK: usize = 10_000;
/// Steps in a second, in which libvosk takes samples.
const STEPS_IN_A_SECOND: usize = 5;

/// How a network is adapted to who speaks: immutable.
pub struct Adaptation {
    /// Where i-vectors come from.
    pub extractor: IVectorExtractor,
    /// When.
    pub rhythm: Rhythm,
    /// By pdf, whether it is one of silence, which tells little of the speaker; without, all frames
    /// count alike, and at once.
    pub silence: Option<Vec<bool>>,
    /// What is taken from the features before the network sees them; i-vectors are made from the
    /// features as they are.
    pub mean: Option<OnlineMean>,
}

/// When i-vectors are estimated. It hangs on the number of frames alone, not on how they come: so
/// a stream equals the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Rhythm {
    /// Input frames that share an i-vector, a multiple of what passes in an output frame.
    pub chunk: usize,
    /// Samples of a step, after which i-vectors are estimated, of a frame, and from one frame to
    /// the next.
    pub step: usize,
    /// See [`Rhythm::step`].
    pub frame: usize,
    /// See [`Rhythm::step`].
    pub shift: usize,
}

impl Rhythm {
    /// That of libvosk: chunks of so many frames, or more up to a multiple of `subsampling`.
    pub fn new(features: &MfccConfig, chunk: usize, subsampling: usize) -> Rhythm {
        let Hertz(rate) = features.sample_rate;
        let (frame, shift) = (features.frame_length(), features.frame_shift());
        let chunk = chunk.clamp(1, LONGEST_CHUNK);
        Rhythm {
            chunk: chunk.next_multiple_of(subsampling.max(1)),
            step: (rate as usize / STEPS_IN_A_SECOND).max(shift),
            frame,
            shift: shift.max(1),
        }
    }

    /// Frames that are complete after so many steps.
    pub(super) fn frames_after(&self, steps: usize) -> usize {
        let samples = steps.saturating_mul(self.step);
        samples.checked_sub(self.frame).map_or(0, |rest| 1 + rest / self.shift)
    }

    /// Frames that a step brings at most.
    pub(super) fn frames_in_a_step(&self) -> usize {
        self.step.div_ceil(self.shift)
    }
}

//! Features of audio that arrives in chunks.
//!
//! A frame depends on its own samples only, and both ways of computing it go through one function,
//! so chunks of any size give the bits that the whole recording gives.

use super::Mfcc;
use super::mfcc::Scratch;

/// Samples in, frames out. Once warm it does not allocate, unless a chunk is longer than all
/// before.
///
/// ```
/// use paretone::feature::{Mfcc, MfccConfig};
///
/// let mfcc = Mfcc::new(MfccConfig::default())?;
/// let (mut stream, mut frames) = (mfcc.stream(), 0);
/// for chunk in vec![0.1; 16_000].chunks(160) {
///     stream.push(chunk, |_frame| frames += 1);
/// }
/// assert_eq!(frames, 98);
/// # Ok::<(), paretone::feature::FeatureError>(())
/// ```
pub struct MfccStream<'a> {
    mfcc: &'a Mfcc,
    scratch: Scratch,
    /// Samples that frames to come still need: fewer than a frame's length.
    pending: Vec<f32>,
    row: Vec<f32>,
}

impl Mfcc {
    /// A stream of samples in chunks of any size, giving the same frames as [`Mfcc::compute`].
    pub fn stream(&self) -> MfccStream<'_> {
        MfccStream::new(self)
    }
}

impl<'a> MfccStream<'a> {
    pub(super) fn new(mfcc: &'a Mfcc) -> Self {
        let row = vec![0.0; mfcc.config().dims()];
        MfccStream { mfcc, scratch: mfcc.scratch(), pending: Vec::new(), row }
    }

    /// Takes the next samples, at the configured rate and in [-1, 1], and hands each frame that
    /// they complete to `emit`.
    pub fn push(&mut self, samples: &[f32], mut emit: impl FnMut(&[f32])) {
        self.push_with_energies(samples, |features, _| emit(features));
    }

    /// As [`MfccStream::push`]; beside a frame's features come the log mel energies that they are
    /// made of.
    pub fn push_with_energies(&mut self, samples: &[f32], mut emit: impl FnMut(&[f32], &[f32])) {
        self.pending.extend_from_slice(samples);
        let (length, shift) = (self.mfcc.config().frame_length(), self.mfcc.config().frame_shift());
        let mut start = 0;
        while let Some(window) = self.pending.get(start..start + length) {
            self.mfcc.frame(window, &mut self.scratch, &mut self.row);
            emit(&self.row, &self.scratch.log_energies);
            start += shift;
        }
        self.pending.drain(..start);
    }

    /// Ends the recording: the samples that made no whole frame are dropped, as in
    /// [`Mfcc::compute`], and the stream is ready for another recording.
    pub fn finish(&mut self) {
        self.pending.clear();
    }
}

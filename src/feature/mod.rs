//! What does a frame look like? [`Mfcc`] turns a [`Waveform`](crate::audio::Waveform) into
//! [`Features`], one row each 10 ms; [`subtract_mean`] and [`OnlineMean`] take the channel out of
//! them.
//!
//! The numbers are Kaldi's "hires" MFCC (`feature-mfcc.cc`, `feature-window.cc`,
//! `mel-computations.cc`), so that models trained with Kaldi's, kaldi-native-fbank's or
//! torchaudio's features fit. [`Mfcc`] is immutable and shared between threads; each caller owns
//! the scratch ([`MfccStream`] holds its own), and no frame allocates.

mod config;
mod mel;
mod mfcc;
mod normalise;
mod stream;

pub use config::{FeatureKind, MfccConfig, Window};
pub use mfcc::Mfcc;
pub use normalise::{OnlineMean, OnlineMeanConfig, RunningMean, subtract_mean, subtract_mean_of};
pub use stream::MfccStream;

use ndarray::Array2;

use crate::units::{Hertz, Seconds};

/// The frames of an utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// frames × dimensions; natural-log mel energies or their cosine transform.
    pub frames: Array2<f32>,
    /// Time from the start of one frame to the start of the next.
    pub shift: Seconds,
}

/// Features that cannot be computed.
#[derive(Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The configuration describes no front end.
    #[error("feature configuration: {0}")]
    Config(String),
    /// The audio has another rate than the front end.
    #[error(
        "the features are defined at {} Hz and the audio has {} Hz: resample it with `Waveform::at_rate`",
        expected.0, found.0
    )]
    Rate {
        /// The configured rate.
        expected: Hertz,
        /// The audio's.
        found: Hertz,
    },
}

#[cfg(test)]
mod tests;

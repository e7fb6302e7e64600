//! The front end as a model's description states it: the options of Kaldi's `compute-mfcc-feats`
//! that matter to recognition, under their own names and with units.

use serde::{Deserialize, Serialize};

use super::FeatureError;
use crate::units::{Hertz, Seconds};

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeatureKind {
    /// `num_ceps` mel-frequency cepstral coefficients, the zeroth included.
    Mfcc,
    /// `num_bins` natural-log mel energies.
    LogMel,
}

/// The taper of a frame before its Fourier transform. `i` runs over a frame of `n` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Window {
    /// Kaldi's default: the Hann window to the power 0.85, so like Hamming's but zero at the ends.
    Povey,
    /// 0.5 − 0.5 cos(2πi/(n−1)).
    Hann,
    /// 0.54 − 0.46 cos(2πi/(n−1)).
    Hamming,
}

impl Window {
    /// The weights of a frame of `length` ≥ 2 samples.
    pub(super) fn weights(self, length: usize) -> Vec<f32> {
        let step = 2.0 * std::f64::consts::PI / (length - 1) as f64;
        let weight = |i: usize| {
            let cosine = (step * i as f64).cos();
            match self {
                Window::Povey => (0.5 - 0.5 * cosine).powf(0.85),
                Window::Hann => 0.5 - 0.5 * cosine,
                Window::Hamming => 0.54 - 0.46 * cosine,
            }
        };
        (0..length).map(|i| weight(i) as f32).collect()
    }
}

/// The front end. [`MfccConfig::default`] is Kaldi's "hires" MFCC at 16 kHz.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MfccConfig {
    /// What a frame holds. Default: MFCC.
    pub kind: FeatureKind,
    /// Samples per second of the audio. Default: 16000.
    pub sample_rate: Hertz,
    /// Length of a frame in milliseconds. Default: 25.
    pub frame_length_ms: f64,
    /// From the start of a frame to the start of the next, in milliseconds; at most the frame's
    /// length. Default: 10.
    pub frame_shift_ms: f64,
    /// Mel filters. Default: 40.
    pub num_bins: usize,
    /// Cepstral coefficients that are kept, at most `num_bins`; not used by log-mel. Default: 40.
    pub num_ceps: usize,
    /// Lower edge of the lowest filter in hertz. Default: 20.
    pub low_hz: f64,
    /// Upper edge of the highest filter in hertz, at most half the sample rate. Default: 7600.
    pub high_hz: f64,
    /// Lifter of the cepstra (`1 + Q/2 · sin(πi/Q)`), 0 for none. Default: 22.
    pub cepstral_lifter: f64,
    /// Coefficient of the pre-emphasis `x[i] − c·x[i−1]`. Default: 0.97.
    pub preemphasis: f64,
    /// The taper. Default: Povey's.
    pub window: Window,
    /// Variance, in squared steps of 16-bit audio, of the white noise whose expected energy is
    /// added to each mel energy before the logarithm. Larger: quieter sounds are told apart less,
    /// and the holes that lossy codecs and digital silence leave matter less. Rounding to 16 bits
    /// makes 1/12. 0 adds nothing, as in Kaldi. Default: 0.
    pub noise_floor: f64,
    /// Whether only whole frames count (Kaldi's default). `false`, which would reflect the signal
    /// at its ends, is refused: a stream cannot know its end.
    pub snip_edges: bool,
}

impl Default for MfccConfig {
    fn default() -> Self {
        MfccConfig {
            kind: FeatureKind::Mfcc,
            sample_rate: Hertz(16_000),
            frame_length_ms: 25.0,
            frame_shift_ms: 10.0,
            num_bins: 40,
            num_ceps: 40,
            low_hz: 20.0,
            high_hz: 7600.0,
            cepstral_lifter: 22.0,
            preemphasis: 0.97,
            window: Window::Povey,
            noise_floor: 0.0,
            snip_edges: true,
        }
    }
}

/// The longest frame that is accepted, in samples: a model's description is untrusted, and memory
/// follows this number.
const LONGEST_FRAME: usize = 1 << 16;
/// The most mel filters.
const MOST_BINS: usize = 1 << 10;
/// The largest variance of the noise floor: that of full scale, which drowns everything.
const MOST_NOISE: f64 = (1u64 << 30) as f64;

impl MfccConfig {
    /// Samples in a frame.
    pub fn frame_length(&self) -> usize {
        self.samples(self.frame_length_ms)
    }

    /// Samples from one frame to the next.
    pub fn frame_shift(&self) -> usize {
        self.samples(self.frame_shift_ms)
    }

    /// Time from one frame to the next.
    pub fn shift(&self) -> Seconds {
        Seconds(self.frame_shift() as f64 / f64::from(self.sample_rate.0))
    }

    /// Values in a frame's features.
    pub fn dims(&self) -> usize {
        match self.kind {
            FeatureKind::Mfcc => self.num_ceps,
            FeatureKind::LogMel => self.num_bins,
        }
    }

    /// Whole frames in `samples` samples.
    pub fn num_frames(&self, samples: usize) -> usize {
        match samples.checked_sub(self.frame_length()) {
            Some(beyond_first) => 1 + beyond_first / self.frame_shift(),
            None => 0,
        }
    }

    /// Rounded down, as Kaldi does.
    fn samples(&self, milliseconds: f64) -> usize {
        (f64::from(self.sample_rate.0) * 0.001 * milliseconds) as usize
    }

    /// Says what is wrong with the first value that is out of its range.
    pub(super) fn check(&self) -> Result<(), FeatureError> {
        match self.rules().iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(FeatureError::Config((*rule).into())),
            None => Ok(()),
        }
    }

    /// What must hold, and whether it does.
    fn rules(&self) -> [(bool, &'static str); 10] {
        let (length, shift) = (self.frame_length(), self.frame_shift());
        let nyquist = f64::from(self.sample_rate.0) / 2.0;
        let cepstra = self.kind == FeatureKind::Mfcc;
        [
            ((2..=LONGEST_FRAME).contains(&length), "frame_length_ms must give 2 to 65536 samples"),
            (
                shift >= 1 && shift <= length,
                "frame_shift_ms must be above 0 and at most frame_length_ms",
            ),
            ((1..=MOST_BINS).contains(&self.num_bins), "num_bins must be 1 to 1024"),
            (
                !cepstra || (1..=self.num_bins).contains(&self.num_ceps),
                "num_ceps must be 1 to num_bins",
            ),
            (
                self.low_hz >= 0.0 && self.low_hz < self.high_hz,
                "low_hz must be 0 or more and below high_hz",
            ),
            (self.high_hz <= nyquist, "high_hz must be at most half the sample rate"),
            (
                self.cepstral_lifter >= 0.0 && self.cepstral_lifter.is_finite(),
                "cepstral_lifter must be 0 or more",
            ),
            ((0.0..=1.0).contains(&self.preemphasis), "preemphasis must be 0 to 1"),
            ((0.0..=MOST_NOISE).contains(&self.noise_floor), "noise_floor must be 0 to 2^30"),
            (self.snip_edges, "snip_edges must be true"),
        ]
    }
}

//! One frame of samples to one row of features.
//!
//! Reference: Kaldi, `feat/feature-window.cc` (`ProcessWindow`) and `feat/feature-mfcc.cc`:
//! subtract the frame's mean, pre-emphasise, taper, pad to a power of two, power spectrum, mel
//! filters, log, cosine transform, lifter.

use std::sync::Arc;

use ndarray::Array2;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::mel::{MelBank, cosine_transform};
use super::{FeatureError, FeatureKind, Features, MfccConfig};
use crate::audio::Waveform;

/// The front end: tables computed once, shared by all threads.
///
/// ```
/// use paretone::audio::Waveform;
/// use paretone::feature::{Mfcc, MfccConfig};
/// use paretone::units::Hertz;
///
/// let mfcc = Mfcc::new(MfccConfig::default())?;
/// let second = Waveform { samples: vec![0.1; 16_000], rate: Hertz(16_000) };
/// let features = mfcc.compute(&second)?;
/// assert_eq!(features.frames.nrows(), 98); // 25 ms every 10 ms
/// # Ok::<(), paretone::feature::FeatureError>(())
/// ```
pub struct Mfcc {
    config: MfccConfig,
    /// The taper, with the scale from [-1, 1] to 16-bit integers that Kaldi's features are defined
    /// on.
    taper: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
    bank: MelBank,
    cosines: Vec<f32>,
}

/// Room for the intermediate results of a frame.
pub(super) struct Scratch {
    /// The tapered frame and its zero padding; the transform overwrites it.
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    fft: Vec<Complex<f32>>,
    power: Vec<f32>,
    /// Of the last frame, whatever the features are.
    pub(super) log_energies: Vec<f32>,
}

/// Full scale of 16-bit audio.
const FULL_SCALE: f32 = 32768.0;

impl Mfcc {
    /// Computes the tables of `config`.
    pub fn new(config: MfccConfig) -> Result<Mfcc, FeatureError> {
        config.check()?;
        let padded = config.frame_length().next_power_of_two();
        let taper = config.window.weights(config.frame_length());
        Ok(Mfcc {
            taper: taper.into_iter().map(|weight| weight * FULL_SCALE).collect(),
            fft: RealFftPlanner::new().plan_fft_forward(padded),
            bank: MelBank::new(&config, padded)?,
            cosines: cosine_transform(&config),
            config,
        })
    }

    /// The configuration behind the tables.
    pub fn config(&self) -> &MfccConfig {
        &self.config
    }

    /// The features of a whole recording; none if it is shorter than a frame.
    pub fn compute(&self, waveform: &Waveform) -> Result<Features, FeatureError> {
        let (expected, found) = (self.config.sample_rate, waveform.rate);
        if expected != found {
            return Err(FeatureError::Rate { expected, found });
        }
        let (length, shift) = (self.config.frame_length(), self.config.frame_shift());
        let count = self.config.num_frames(waveform.samples.len());
        let mut frames = Array2::zeros((count, self.config.dims()));
        let mut scratch = self.scratch();
        let windows = waveform.samples.windows(length).step_by(shift);
        for (samples, mut row) in windows.zip(frames.rows_mut()) {
            let row = row.as_slice_mut().expect("the rows of a new array are contiguous");
            self.frame(samples, &mut scratch, row);
        }
        Ok(Features { frames, shift: self.config.shift() })
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            frame: self.fft.make_input_vec(),
            spectrum: self.fft.make_output_vec(),
            fft: self.fft.make_scratch_vec(),
            power: vec![0.0; self.fft.len() / 2],
            log_energies: vec![0.0; self.config.num_bins],
        }
    }

    /// Writes the features of one frame of samples to `out`, which has [`MfccConfig::dims`] places.
    ///
    /// ```text
    /// frame  = (samples − mean, pre-emphasised) · taper, padded with zeros
    /// power  = |FFT(frame)|²
    /// energy = ln(bank · power)
    /// out    = cosines · energy, liftered           (1)
    /// ```
    ///
    /// 1. The lifter is part of the cosines. Sums over energies run outermost, so that the inner
    ///    loop goes along a row.
    pub(super) fn frame(&self, samples: &[f32], scratch: &mut Scratch, out: &mut [f32]) {
        self.taper_frame(samples, &mut scratch.frame);
        self.fft
            .process_with_scratch(&mut scratch.frame, &mut scratch.spectrum, &mut scratch.fft)
            .expect("the planner sized the buffers");
        for (power, bin) in scratch.power.iter_mut().zip(&scratch.spectrum) {
            *power = bin.re * bin.re + bin.im * bin.im;
        }
        let Scratch { power, log_energies, .. } = scratch;
        self.bank.log_energies(power, log_energies);
        if self.config.kind == FeatureKind::LogMel {
            return out.copy_from_slice(log_energies);
        }
        out.fill(0.0);
        let rows = self.cosines.chunks_exact(out.len());
        for (energy, row) in log_energies.iter().zip(rows) {
            for (out, cosine) in out.iter_mut().zip(row) {
                *out += energy * cosine;
            }
        }
    }

    /// Mean removal, pre-emphasis, taper and padding. The first sample is its own predecessor, as
    /// in Kaldi.
    fn taper_frame(&self, samples: &[f32], frame: &mut [f32]) {
        let mean = sum(samples) / samples.len() as f32;
        let coefficient = self.config.preemphasis as f32;
        let (first, frame) = frame.split_at_mut(1);
        let (tapered, padding) = frame.split_at_mut(samples.len() - 1);
        first[0] = (samples[0] - mean) * (1.0 - coefficient) * self.taper[0];
        let neighbours = samples[1..].iter().zip(samples);
        for ((out, (now, before)), taper) in
            tapered.iter_mut().zip(neighbours).zip(&self.taper[1..])
        {
            *out = ((now - mean) - coefficient * (before - mean)) * taper;
        }
        padding.fill(0.0);
    }
}

/// The sum in eight strands, which the compiler keeps in vector registers; a plain sum must be done
/// in order.
fn sum(samples: &[f32]) -> f32 {
    let (blocks, rest) = samples.as_chunks::<8>();
    let mut strands = [0.0f32; 8];
    for block in blocks {
        for (strand, sample) in strands.iter_mut().zip(block) {
            *strand += sample;
        }
    }
    strands.iter().chain(rest).sum()
}

//! The mel filterbank and the cosine transform behind it, as Kaldi defines them.
//!
//! Reference: Kaldi, `feat/mel-computations.cc` (HTK's mel scale, triangles of unit height on the
//! mel axis, the Nyquist bin left out) and `matrix/matrix-functions.cc`, `ComputeDctMatrix` (type
//! II, orthonormal).

use super::{FeatureError, MfccConfig};

/// Triangular filters over the power spectrum, stored without their zeros.
#[derive(Debug)]
pub(super) struct MelBank {
    /// For each filter: its first spectrum bin, and the range of its weights in `weights`.
    filters: Vec<(usize, std::ops::Range<usize>)>,
    weights: Vec<f32>,
    /// By filter: the energy that is added to what it passes.
    floor: Vec<f32>,
}

fn mel(hertz: f64) -> f64 {
    1127.0 * (1.0 + hertz / 700.0).ln()
}

impl MelBank {
    /// Filters for the spectrum of `padded` samples, of which the bins 0 to `padded / 2 - 1` are
    /// used.
    pub(super) fn new(config: &MfccConfig, padded: usize) -> Result<Self, FeatureError> {
        let bin_width = f64::from(config.sample_rate.0) / padded as f64;
        let low = mel(config.low_hz);
        let step = (mel(config.high_hz) - low) / (config.num_bins + 1) as f64;
        let mut bank =
            MelBank { filters: Vec::new(), weights: Vec::new(), floor: vec![0.0; config.num_bins] };
        for filter in 0..config.num_bins {
            let left = low + step * filter as f64;
            let (centre, right) = (left + step, left + 2.0 * step);
            let weight = |bin: usize| {
                let mel = mel(bin_width * bin as f64);
                if mel <= centre { (mel - left) / step } else { (right - mel) / step }
            };
            let mut bins = (0..padded / 2).filter(|&bin| weight(bin) > 0.0);
            let first = bins.next().ok_or_else(|| {
                let bins = config.num_bins;
                FeatureError::Config(format!("num_bins = {bins} leaves mel filter {filter} empty"))
            })?;
            let past = bins.next_back().unwrap_or(first) + 1;
            let start = bank.weights.len();
            bank.weights.extend((first..past).map(|bin| weight(bin) as f32));
            bank.filters.push((first, start..bank.weights.len()));
        }
        if config.noise_floor > 0.0 {
            let noise = noise_power(config, padded);
            bank.floor = (0..config.num_bins).map(|filter| bank.energy(filter, &noise)).collect();
        }
        Ok(bank)
    }

    /// Natural logs of the energies that the filters pass and of the noise floor together; at least
    /// the machine epsilon's, as in Kaldi.
    pub(super) fn log_energies(&self, power: &[f32], out: &mut [f32]) {
        for ((filter, floor), out) in self.floor.iter().enumerate().zip(out) {
            let energy = self.energy(filter, power) + floor;
            *out = energy.max(f32::EPSILON).ln();
        }
    }

    /// The energy that a filter passes.
    fn energy(&self, filter: usize, power: &[f32]) -> f32 {
        let (first, range) = &self.filters[filter];
        let weights = &self.weights[range.clone()];
        let power = &power[*first..first + weights.len()];
        let products = weights.iter().zip(power);
        products.map(|(weight, power)| weight * power).sum()
    }
}

/// The expected power spectrum of a frame of the noise floor: white noise of its variance, in steps
/// of 16-bit audio, after pre-emphasis and taper. By Parseval's theorem that is the variance times
/// the taper's energy, shaped by `|1 − c·e^{−jω}|²`.
fn noise_power(config: &MfccConfig, padded: usize) -> Vec<f32> {
    let taper = config.window.weights(config.frame_length());
    let energy: f64 = taper.iter().map(|&weight| f64::from(weight).powi(2)).sum();
    let power = |bin: usize| {
        let omega = 2.0 * std::f64::consts::PI * bin as f64 / padded as f64;
        let emphasis = 1.0 + config.preemphasis.powi(2) - 2.0 * config.preemphasis * omega.cos();
        (config.noise_floor * energy * emphasis) as f32
    };
    (0..padded / 2).map(power).collect()
}

/// The cosine transform with the lifter folded in: row `n` of `num_ceps` values is what log energy
/// `n` adds to each cepstrum, so that the inner loop of a product runs along memory.
pub(super) fn cosine_transform(config: &MfccConfig) -> Vec<f32> {
    let (bins, lifter) = (config.num_bins as f64, config.cepstral_lifter);
    let entry = |n: usize, k: usize| {
        let scale = if k == 0 { (1.0 / bins).sqrt() } else { (2.0 / bins).sqrt() };
        let angle = std::f64::consts::PI / bins * (n as f64 + 0.5) * k as f64;
        let lift = if lifter == 0.0 {
            1.0
        } else {
            1.0 + 0.5 * lifter * (std::f64::consts::PI * k as f64 / lifter).sin()
        };
        (scale * angle.cos() * lift) as f32
    };
    (0..config.num_bins)
        .flat_map(|n| (0..config.num_ceps).map(move |k| (n, k)))
        .map(|(n, k)| entry(n, k))
        .collect()
}

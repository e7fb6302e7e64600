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
        let mut bank = MelBank {
            filters: Vec::new(),
            weights: Vec::new(),
        };
        for filter in 0..config.num_bins {
            let left = low + step * filter as f64;
            let (centre, right) = (left + step, left + 2.0 * step);
            let weight = |bin: usize| {
                let mel = mel(bin_width * bin as f64);
                if mel <= centre {
                    (mel - left) / step
                } else {
                    (right - mel) / step
                }
            };
            let mut bins = (0..padded / 2).filter(|&bin| weight(bin) > 0.0);
            let first = bins.next().ok_or_else(|| {
                let bins = config.num_bins;
                FeatureError::Config(format!(
                    "num_bins = {bins} leaves mel filter {filter} empty"
                ))
            })?;
            let past = bins.next_back().unwrap_or(first) + 1;
            let start = bank.weights.len();
            bank.weights
                .extend((first..past).map(|bin| weight(bin) as f32));
            bank.filters.push((first, start..bank.weights.len()));
        }
        Ok(bank)
    }

    /// Natural logs of the energies that the filters pass, floored as in Kaldi at the machine
    /// epsilon.
    pub(super) fn log_energies(&self, power: &[f32], out: &mut [f32]) {
        for ((first, range), out) in self.filters.iter().zip(out) {
            let weights = &self.weights[range.clone()];
            let power = &power[*first..first + weights.len()];
            let energy: f32 = weights
                .iter()
                .zip(power)
                .map(|(weight, power)| weight * power)
                .sum();
            *out = energy.max(f32::EPSILON).ln();
        }
    }
}

/// The cosine transform with the lifter folded in: row `n` of `num_ceps` values is what log energy
/// `n` adds to each cepstrum, so that the inner loop of a product runs along memory.
pub(super) fn cosine_transform(config: &MfccConfig) -> Vec<f32> {
    let (bins, lifter) = (config.num_bins as f64, config.cepstral_lifter);
    let entry = |n: usize, k: usize| {
        let scale = if k == 0 {
            (1.0 / bins).sqrt()
        } else {
            (2.0 / bins).sqrt()
        };
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

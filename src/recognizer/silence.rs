//! Digital silence, made audible: a network that learnt from microphones has never met a stretch of
//! equal samples.
//!
//! Edited and synthetic recordings hold such stretches. Their log energies lie tens of nats below
//! any room's, which pulls the utterance mean along, and the network answers with words (measured:
//! one inserted word at the start of each of four synthetic sentences; none with this floor). So
//! the stretches, and only they, get noise of about the last three bits of 16, the same at every
//! run.

use crate::units::{Hertz, Seconds};

/// A stretch of equal samples shorter than this is left alone: clipped peaks and quiet zero
/// crossings are no silence.
const SHORTEST: Seconds = Seconds(0.01);
/// Amplitude of the noise, full scale being 1.
const FLOOR: f32 = 1e-4;

/// Adds the noise floor to every stretch of equal samples that lasts 10 ms or more.
pub fn fill_digital_silence(samples: &mut [f32], rate: Hertz) {
    let shortest = ((SHORTEST.0 * f64::from(rate.0)) as usize).max(2);
    for stretch in samples.chunk_by_mut(|a, b| a == b) {
        if stretch.len() >= shortest {
            add_noise(stretch);
        }
    }
}

/// Uniform noise by a linear congruence (Numerical Recipes' constants), of which the high bits are
/// used.
fn add_noise(samples: &mut [f32]) {
    let mut state = 1u32;
    for sample in samples {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample += ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * FLOOR;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_stretches_are_touched_and_only_faintly() {
        let mut samples = vec![0.5, 0.25, 0.25, 0.25, 0.75];
        let sound = samples.clone();
        samples.extend([0.0; 100]);
        fill_digital_silence(&mut samples, Hertz(1000));
        assert_eq!(samples[..5], sound);
        assert!(samples[5..].iter().all(|sample| sample.abs() <= FLOOR));
        assert!(samples[5..].windows(2).all(|pair| pair[0] != pair[1]));
    }
}

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
    let shortest = shortest(rate);
    for stretch in samples.chunk_by_mut(|a, b| a == b) {
        if stretch.len() >= shortest {
            let mut noise = Noise::new();
            stretch
                .iter_mut()
                .for_each(|sample| *sample += noise.next());
        }
    }
}

fn shortest(rate: Hertz) -> usize {
    ((SHORTEST.0 * f64::from(rate.0)) as usize).max(2)
}

/// Uniform noise by a linear congruence (Numerical Recipes' constants), of which the high bits are
/// used.
#[derive(Clone, Copy)]
struct Noise(u32);

impl Noise {
    fn new() -> Self {
        Noise(1)
    }

    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0) * FLOOR
    }
}

/// As [`fill_digital_silence`], of audio that arrives in chunks. A stretch is held back until it
/// ends or has lasted 10 ms.
pub struct SilenceFiller {
    shortest: usize,
    /// The last samples are so many of this value.
    value: f32,
    equal: usize,
    noise: Noise,
}

impl SilenceFiller {
    pub fn new(rate: Hertz) -> Self {
        SilenceFiller {
            shortest: shortest(rate),
            value: 0.0,
            equal: 0,
            noise: Noise::new(),
        }
    }

    /// Takes the next samples and appends what has become of those that are decided.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) {
        for &sample in samples {
            if self.equal > 0 && sample != self.value {
                self.end_stretch(out);
            }
            self.value = sample;
            self.equal += 1;
            if self.equal == self.shortest {
                self.noise = Noise::new();
                let noisy = (0..self.shortest).map(|_| sample + self.noise.next());
                out.extend(noisy);
            } else if self.equal > self.shortest {
                out.push(sample + self.noise.next());
            }
        }
    }

    /// Begins another recording, as if nothing had been taken.
    pub fn restart(&mut self) {
        self.equal = 0;
    }

    /// Lets a stretch go that was too short to be touched.
    fn end_stretch(&mut self, out: &mut Vec<f32>) {
        if self.equal < self.shortest {
            out.extend(std::iter::repeat_n(self.value, self.equal));
        }
        self.equal = 0;
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
    #[test]
    fn chunks_are_filled_as_the_whole_is() {
        let values = [0.0, 0.0, 0.0, 0.25, 0.5];
        let stretch = |i: usize| std::iter::repeat_n(values[i % 5], 1 + i * i % 23);
        let whole: Vec<f32> = (0..40).flat_map(stretch).chain([1.0]).collect();
        for chunk in [1, 7, 10, 64, whole.len()] {
            let mut filler = SilenceFiller::new(Hertz(1000));
            let mut filled = Vec::new();
            for samples in whole.chunks(chunk) {
                filler.push(samples, &mut filled);
            }
            let mut expected = whole.clone();
            fill_digital_silence(&mut expected, Hertz(1000));
            // The last sample may go on.
            expected.pop();
            assert_eq!(filled, expected, "{chunk}");
        }
    }
}

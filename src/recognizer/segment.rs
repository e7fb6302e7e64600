//! Where may a long recording be cut? At its quietest places, so that memory is bounded by a
//! segment, not by the file.
//!
//! Scores, tokens and lattice all grow with the audio: a segment of half a minute holds them to a
//! few megabytes, an hour at once would take gigabytes. A cut costs the language model its history
//! and may split a word, so it is made only where it must be, where the sound is weakest, and a
//! recording no longer than [`LONGEST`] is never cut.

use std::ops::Range;

use crate::units::{Hertz, Seconds};

/// The longest stretch that is recognised at once: above the longest utterance of the usual test
/// sets (35 s).
pub const LONGEST: Seconds = Seconds(40.0);
/// A cut is sought from here on, so that segments are not needlessly short.
const SHORTEST: Seconds = Seconds(15.0);
/// The window whose energy says how quiet a place is: long enough not to cut inside a stop
/// consonant.
const WINDOW: Seconds = Seconds(0.3);
/// The step between two windows.
const STEP: Seconds = Seconds(0.05);

/// Cuts `samples` into consecutive ranges of at most [`LONGEST`], which together cover them; none
/// for no samples.
pub fn segments(samples: &[f32], rate: Hertz) -> Vec<Range<usize>> {
    let cutter = Cutter::new(rate);
    let mut ranges = Vec::new();
    let mut start = 0;
    while let Some(cut) = cutter.first_cut(&samples[start..]) {
        ranges.push(start..start + cut);
        start += cut;
    }
    if start < samples.len() {
        ranges.push(start..samples.len());
    }
    ranges
}

/// The lengths above in samples.
pub struct Cutter {
    longest: usize,
    shortest: usize,
    window: usize,
    step: usize,
}

impl Cutter {
    pub fn new(rate: Hertz) -> Self {
        let count = |seconds: Seconds| ((seconds.0 * f64::from(rate.0)) as usize).max(1);
        Cutter {
            longest: count(LONGEST),
            shortest: count(SHORTEST),
            window: count(WINDOW),
            step: count(STEP),
        }
    }

    /// Samples of the longest segment.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Where the first segment ends; `None` where there is but one.
    pub fn first_cut(&self, samples: &[f32]) -> Option<usize> {
        let is_long = samples.len() > self.longest;
        let window = is_long.then(|| &samples[self.shortest..self.longest])?;
        Some(self.shortest + quietest(window, self.window, self.step))
    }
}

/// The middle of the window with the least energy; the last of equals, so that segments are as long
/// as they may be.
fn quietest(samples: &[f32], window: usize, step: usize) -> usize {
    let mut best = (f32::INFINITY, samples.len() / 2);
    for start in (0..samples.len().saturating_sub(window)).step_by(step) {
        let energy = samples[start..start + window].iter().map(|s| s * s).sum();
        if energy <= best.0 {
            best = (energy, start + window / 2);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Hertz = Hertz(1000);

    #[test]
    fn a_recording_of_usual_length_stays_whole() {
        assert!(segments(&[], RATE).is_empty());
        assert_eq!(segments(&[0.5; 40_000], RATE), vec![0..40_000]);
    }

    #[test]
    fn a_long_one_is_cut_in_its_pauses_and_covered_whole() {
        let mut samples = vec![0.5; 90_000];
        samples[30_000..30_600].fill(0.0);
        samples[60_000..60_600].fill(0.0);
        let ranges = segments(&samples, RATE);
        assert_eq!(ranges.len(), 3);
        assert!((30_000..30_600).contains(&ranges[0].end), "{ranges:?}");
        assert!((60_000..60_600).contains(&ranges[1].end), "{ranges:?}");
        assert_eq!(ranges[2], ranges[1].end..90_000);
    }

    #[test]
    fn sound_without_pauses_or_numbers_is_still_cut() {
        for samples in [vec![0.3; 200_000], vec![f32::NAN; 200_000]] {
            let ranges = segments(&samples, RATE);
            assert!(
                ranges.iter().all(|range| range.len() <= 40_000),
                "{ranges:?}"
            );
            assert_eq!(
                ranges.iter().map(|range| range.len()).sum::<usize>(),
                200_000
            );
        }
    }
}

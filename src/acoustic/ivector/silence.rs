//! How much frames count: little where they seem to be silence, or while nothing is known yet.
//!
//! Kaldi asks the traceback of its search which frames are silence. A [`SilenceFinder`] says the
//! same; where there is none, the network's own scores say so, frame by frame: whether the most
//! likely pdf belongs to silence.
//!
//! Reference: `OnlineSilenceWeighting` of Kaldi's `online2/online-ivector-feature.cc`.

/// Says which output frames of an utterance under way are silence, by more than each frame's
/// scores.
pub trait SilenceFinder: Send + Sync {
    /// Begins an utterance.
    fn restart(&mut self);
    /// Takes the next rows of scores, flat, of so many pdfs each.
    fn take(&mut self, rows: &[f32], pdfs: usize);
    /// Whether each of the last 128 frames taken is silence, as far as the frames up to now say,
    /// the last one in the lowest bit; none where it cannot say.
    fn silent(&mut self) -> Option<u128>;
    /// A copy, which goes on by itself.
    fn copy(&self) -> Box<dyn SilenceFinder + '_>;
}

/// What a frame of silence counts for, and any frame before the first scores.
const SILENCE: f32 = 0.001;
const SPEECH: f32 = 1.0;
/// So far back, in output frames, a weight may still change.
pub(super) const BACK: usize = 100;

/// The weights of the output frames so far.
#[derive(Clone)]
pub(super) struct SilenceWeights {
    /// The weight that frame `f` counts for, and whether it is silence, at `f % capacity`.
    weights: Vec<f32>,
    silent: Vec<bool>,
    /// The weight of frames before the first scores.
    first: f32,
    /// Frames that have a weight, and frames with scores.
    weighted: usize,
    scored: usize,
}

impl SilenceWeights {
    /// Before the first frame; between two updates no more than `step` frames come. Where silence
    /// is not known, all frames count alike.
    pub fn new(step: usize, silence_is_known: bool) -> SilenceWeights {
        let capacity = BACK + 2 + step;
        SilenceWeights {
            weights: vec![0.0; capacity],
            silent: vec![false; capacity],
            first: if silence_is_known { SILENCE } else { SPEECH },
            weighted: 0,
            scored: 0,
        }
    }

    /// Says whether the next output frame is silence.
    pub fn scored(&mut self, is_silence: bool) {
        let slot = self.scored % self.silent.len();
        self.silent[slot] = is_silence;
        self.scored += 1;
    }

    /// Says anew whether the last frames with scores are silence, the last one in the lowest bit.
    pub fn correct(&mut self, silent: u128) {
        let capacity = self.silent.len();
        for back in 0..self.scored.min(capacity).min(u128::BITS as usize) {
            self.silent[(self.scored - 1 - back) % capacity] = silent >> back & 1 != 0;
        }
    }

    /// Weighs the frames before `end` anew; calls `changed` with each whose weight changes, and by
    /// how much.
    pub fn update(&mut self, end: usize, mut changed: impl FnMut(usize, f32)) {
        let capacity = self.weights.len();
        let begin = self.weighted.saturating_sub(BACK);
        let end = end.max(self.weighted);
        let mut weight = match begin {
            0 => self.first,
            begin => self.weights[(begin - 1) % capacity],
        };
        for frame in begin..end {
            let slot = frame % capacity;
            // Frames without scores are as the last one that has some.
            if frame < self.scored {
                weight = if self.silent[slot] { SILENCE } else { SPEECH };
            }
            let before = if frame < self.weighted { self.weights[slot] } else { 0.0 };
            self.weights[slot] = weight;
            if weight != before {
                changed(frame, weight - before);
            }
        }
        self.weighted = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_count_once_their_scores_say_that_they_are_speech() {
        let mut weights = SilenceWeights::new(10, true);
        let mut all = [0.0f32; 12];
        let mut update = |weights: &mut SilenceWeights, end| {
            weights.update(end, |frame, by| all[frame] += by);
            all
        };
        assert_eq!(update(&mut weights, 4)[..5], [0.001, 0.001, 0.001, 0.001, 0.0]);
        [true, false, false].iter().for_each(|silent| weights.scored(*silent));
        let now = update(&mut weights, 6);
        assert_eq!(now[0], 0.001);
        assert!(now[1..6].iter().all(|weight| (weight - 1.0).abs() < 1e-6), "{now:?}");
        weights.scored(true);
        let now = update(&mut weights, 6);
        assert!(now[3..6].iter().all(|weight| (weight - 0.001).abs() < 1e-6), "{now:?}");
    }

    #[test]
    fn a_finder_may_change_its_mind_about_earlier_frames() {
        let mut weights = SilenceWeights::new(10, true);
        let mut all = [0.0f32; 4];
        [true, true, true].iter().for_each(|silent| weights.scored(*silent));
        weights.update(4, |frame, by| all[frame] += by);
        weights.correct(0b100);
        weights.update(4, |frame, by| all[frame] += by);
        assert_eq!(all[0], 0.001);
        assert!(all[1..].iter().all(|weight| (weight - 1.0).abs() < 1e-6), "{all:?}");
    }
}

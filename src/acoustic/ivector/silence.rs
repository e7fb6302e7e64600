//! How much frames count: little where they seem to be silence, or while nothing is known yet.
//!
//! Kaldi asks the traceback of its search which frames are silence. Here the network's own scores
//! say so, frame by frame: whether the most likely pdf belongs to silence. So scores depend on
//! features alone, and serve any number of searches.
//!
//! Reference: `OnlineSilenceWeighting` of Kaldi's `online2/online-ivector-feature.cc`.

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
}

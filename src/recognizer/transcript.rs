//! What was heard: the words with their times, and what hearing them cost.

use serde::Serialize;

use crate::confidence::{Confidence, Evidence};
use crate::decode::{Effort, PathCost};
use crate::units::Seconds;

/// One recognised word. Serializes as `{"word", "start", "end",
/// "confidence"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TranscriptWord {
    /// The word as the model's word table spells it.
    pub word: String,
    /// Where it starts, from the beginning of the recording.
    pub start: Seconds,
    /// Where it ends, from the beginning of the recording; never before `start`.
    pub end: Seconds,
    /// The probability that the word is right, by the lattice; in [0, 1], and 1 where no lattice was
    /// made.
    pub confidence: f64,
}

/// Wall-clock time of each stage, in seconds of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Resampling and features.
    pub features: Seconds,
    /// The network's forward pass.
    pub acoustic: Seconds,
    /// The beam search, lattice included.
    pub search: Seconds,
    /// Rescoring with the large language model; zero when it is off.
    pub rescore: Seconds,
}

impl Timings {
    /// All stages together.
    pub fn total(&self) -> Seconds {
        Seconds(self.features.0 + self.acoustic.0 + self.search.0 + self.rescore.0)
    }
}

/// What was heard in one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The words in time order; empty where nothing was heard.
    pub words: Vec<TranscriptWord>,
    /// Other answers, the best first, where they were asked for.
    pub alternatives: Vec<Alternative>,
    /// The path's whole cost: acoustic and graph, the latter after rescoring where that was on.
    pub cost: PathCost,
    /// False where the search ended outside a final state, so that the last words are doubtful.
    pub reached_final: bool,
    /// How probably every word is right, calibrated; none where the setting is no version of
    /// a model that was calibrated.
    pub confidence: Option<Confidence>,
    /// What the lattices say of the words; none where none were made, which is where the setting
    /// does not rescore.
    pub evidence: Option<Evidence>,
    /// How much work the search was.
    pub effort: Effort,
    /// Where the time went.
    pub timings: Timings,
    /// How long the recording is.
    pub audio: Seconds,
}

impl Transcript {
    /// The words with one space between them.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.word.as_str()).collect();
        words.join(" ")
    }

    /// The same words so much later, rounded to the millisecond: an utterance's times as its
    /// stream's.
    pub fn later(mut self, by: Seconds) -> Transcript {
        let moved = |time: Seconds| Seconds(((time.0 + by.0) * 1000.0).round() / 1000.0);
        for word in &mut self.words {
            (word.start, word.end) = (moved(word.start), moved(word.end));
        }
        self
    }

    /// Processing seconds per second of audio, always of the recording's own length; zero for an
    /// empty recording.
    pub fn real_time_factor(&self) -> f64 {
        if self.audio.0 > 0.0 {
            self.timings.total().0 / self.audio.0
        } else {
            0.0
        }
    }
}

/// One of several answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Alternative {
    /// The words.
    pub words: Vec<String>,
    /// Its path's whole cost.
    pub cost: PathCost,
}

impl Alternative {
    /// The `count` cheapest of all pairs of a first and a second part.
    pub(super) fn combined(
        first: &[Alternative],
        second: &[Alternative],
        count: usize,
    ) -> Vec<Alternative> {
        let pairs = first
            .iter()
            .flat_map(|a| second.iter().map(move |b| (a, b)));
        let mut all: Vec<Alternative> = pairs
            .map(|(a, b)| Alternative {
                words: [a.words.as_slice(), &b.words].concat(),
                cost: a.cost + b.cost,
            })
            .collect();
        all.sort_by(|a, b| a.cost.0.total_cmp(&b.cost.0));
        all.truncate(count);
        all
    }
}

//! What a search answers: words, their times, and what the path cost.

use std::ops::{Add, AddAssign, Sub};

use serde::Serialize;

use super::knob::KnobFrames;
use crate::graph::{WORD_END, WORD_MASK, WORD_START};
use crate::units::{Seconds, WordId};

/// The cost of a whole path, `−ln` of its probability up to the scores' scale: smaller is better,
/// often negative. Double precision, because it sums thousands of terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct PathCost(pub f64);

impl PathCost {
    /// No path.
    pub const IMPOSSIBLE: PathCost = PathCost(f64::INFINITY);
}

impl Add for PathCost {
    type Output = PathCost;

    fn add(self, other: PathCost) -> PathCost {
        PathCost(self.0 + other.0)
    }
}

impl AddAssign for PathCost {
    fn add_assign(&mut self, other: PathCost) {
        self.0 += other.0;
    }
}

impl Sub for PathCost {
    type Output = PathCost;

    fn sub(self, other: PathCost) -> PathCost {
        PathCost(self.0 - other.0)
    }
}

/// A word of a hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub id: WordId,
    /// The first score frame of the word.
    pub start: u32,
    /// The frame after the last.
    pub end: u32,
}

impl Word {
    /// Start and end in seconds, given the time from one score frame to the next.
    pub fn seconds(&self, frame_shift: Seconds) -> (Seconds, Seconds) {
        let at = |frame: u32| Seconds(f64::from(frame) * frame_shift.0);
        (at(self.start), at(self.end))
    }
}

/// The best path of a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hypothesis {
    /// The words in order.
    pub words: Vec<Word>,
    /// Total cost of the path, the final state's included.
    pub cost: PathCost,
    /// The acoustic and graph parts of `cost`. Only paths of a lattice have them.
    pub parts: Option<CostParts>,
    /// Whether the path ends in a final state. If no token reached one, the path is that of the
    /// best token of the last frame.
    pub reached_final: bool,
    /// Score frames consumed.
    pub frames: u32,
    /// The work of the search.
    pub effort: Effort,
}

impl Hypothesis {
    /// The words' numbers, in order.
    pub fn word_ids(&self) -> Vec<WordId> {
        self.words.iter().map(|word| word.id).collect()
    }
}

/// The parts of a path's cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CostParts {
    /// The sum of negated scores.
    pub acoustic: PathCost,
    /// All the rest: arc costs and the final cost, in which after rescoring the large language
    /// model's costs stand in place of the small one's.
    pub graph: PathCost,
}

/// Work done by a search, summed over its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Effort {
    /// Score frames consumed.
    pub frames: u32,
    /// Tokens that survived pruning and were expanded.
    pub tokens: u64,
    /// Emitting arcs of expanded tokens that were looked at.
    pub arcs: u64,
    /// Epsilon arcs that were looked at.
    pub epsilon_arcs: u64,
    /// Sum over frames of the largest extra cost over the best token that pruning allowed. Divided
    /// by `frames` it is the effective beam; infinite if no frame was pruned.
    pub cutoff: f64,
    /// Frames in which each knob dropped something.
    pub dropped: KnobFrames,
    /// Sum over frames of the best score. Its negative is a lower bound of every path's acoustic
    /// cost.
    pub best_scores: f64,
}

impl AddAssign for Effort {
    fn add_assign(&mut self, other: Effort) {
        self.frames += other.frames;
        self.tokens += other.tokens;
        self.arcs += other.arcs;
        self.epsilon_arcs += other.epsilon_arcs;
        self.cutoff += other.cutoff;
        self.dropped += other.dropped;
        self.best_scores += other.best_scores;
    }
}

/// A labelled arc on a path: its label, and the frame it consumes (for an epsilon arc, the frame
/// that comes next).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub label: u32,
    pub frame: u32,
}

/// Words with times from the labelled arcs of a path, in order.
///
/// The i-th word starts at the i-th [`WORD_START`] and ends at the next [`WORD_START`] or
/// [`WORD_END`], or with the utterance. Graphs without these flags give each word the span from its
/// label to the next.
pub(super) fn words_of(events: &[Event], frames: u32) -> Vec<Word> {
    let labels = events.iter().filter(|event| event.label & WORD_MASK != 0);
    let flagged = events.iter().any(|event| event.label & WORD_START != 0);
    let bounds: Vec<&Event> = (events.iter())
        .filter(|e| if flagged { e.label & !WORD_MASK != 0 } else { e.label & WORD_MASK != 0 })
        .collect();
    let mut starts =
        bounds.iter().enumerate().filter(|(_, e)| !flagged || e.label & WORD_START != 0);
    let mut words: Vec<Word> = Vec::new();
    for label in labels {
        let (start, end) = match starts.next() {
            Some((at, event)) => {
                (event.frame, bounds.get(at + 1).map_or(frames, |next| next.frame))
            }
            None => (label.frame, frames),
        };
        words.push(Word { id: WordId(label.label & WORD_MASK), start, end: end.max(start) });
    }
    words
}

// `WORD_END` needs no case of its own above: it is a bound that starts nothing.
const _: () = assert!(WORD_END & WORD_MASK == 0 && WORD_END & WORD_START == 0);

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(events: &[(u32, u32)], frames: u32) -> Vec<(u32, u32, u32)> {
        let events: Vec<_> = events.iter().map(|&(label, frame)| Event { label, frame }).collect();
        words_of(&events, frames).iter().map(|w| (w.id.0, w.start, w.end)).collect()
    }

    #[test]
    fn flags_bound_words_wherever_the_labels_sit() {
        let events = [
            (WORD_START, 3),
            (7, 5),
            (WORD_END, 9),
            (WORD_START | 8, 12),
            (WORD_START, 20),
            (9, 30),
        ];
        assert_eq!(spans(&events, 40), [(7, 3, 9), (8, 12, 20), (9, 20, 40)]);
    }

    #[test]
    fn labels_bound_words_where_there_are_no_flags() {
        assert_eq!(spans(&[(7, 5), (8, 12)], 40), [(7, 5, 12), (8, 12, 40)]);
        assert_eq!(spans(&[], 40), []);
    }

    #[test]
    fn a_label_without_a_start_falls_back_to_its_own_frame() {
        assert_eq!(spans(&[(WORD_START | 7, 5), (8, 12)], 40), [(7, 5, 40), (8, 12, 40)]);
    }
}

//! Minimum Bayes risk decoding: the words whose expected edit distance to a lattice's paths is
//! least, where the best path has the words that are most probable as a whole.
//!
//! Xu, Povey, Mangu and Zhu, "Minimum Bayes risk decoding and system combination based on a
//! recursion for edit distance", Computer Speech and Language 2011, Algorithms 1 to 3, as Kaldi's
//! `MinimumBayesRisk` (`lat/sausages.cc`) runs them, with which libvosk answers. A hypothesis has
//! an empty slot before, between and behind its words. What stands in the lattice's paths at each
//! slot is counted, the commonest takes the slot, and that is repeated until nothing changes. Each
//! repetition lowers the expected distance or leaves it, so the result is no worse than where it
//! began; it need not be the best of all.

use std::collections::BTreeMap;

use crate::decode::{Edge, PathGraph};
use crate::units::WordId;

use super::mbr::Table;
use super::posteriors::Posteriors;

/// More repetitions than were ever needed.
const MOST_ROUNDS: usize = 100;
/// A word takes a slot if it is so much more probable than what stands there. Sums are of single
/// precision.
const CLEARLY: f64 = 1e-5;

/// What an insertion costs beyond an error, so that among equals a slot is left empty instead.
const TIE: f32 = 1e-5;

/// What was decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeastRisk {
    /// The words.
    pub words: Vec<WordId>,
    /// For each word, the probability of its standing there; in [0, 1].
    pub posteriors: Vec<f64>,
    /// The expected edit distance, at most; ≥ 0.
    pub errors: f64,
}

/// Decides on the words under the posteriors of `paths`, beginning with those of one path. `go_on`
/// is called between the recursions and can stop the computation.
///
/// # Errors
/// Whatever error `go_on` returns.
pub fn least_risk<E>(
    paths: &PathGraph<'_>,
    posteriors: &Posteriors,
    begin: &[WordId],
    go_on: impl Fn() -> Result<(), E>,
) -> Result<LeastRisk, E> {
    let lattice = Weighed { paths, posteriors };
    let mut words = begin.to_vec();
    let mut rounds = 0;
    loop {
        let slots = with_empty_slots(&words);
        let distances = lattice.distances(&slots);
        go_on()?;
        let counts = lattice.counts(&slots, &distances);
        go_on()?;
        let chosen = slots.iter().zip(&counts).map(|(now, counts)| commonest(*now, counts));
        let chosen: Vec<WordId> = chosen.collect();
        if chosen == slots || rounds == MOST_ROUNDS {
            let spoken = slots.iter().zip(&counts).filter(|(slot, _)| **slot != WordId::EPSILON);
            let posteriors = spoken.map(|(slot, counts)| share(*slot, counts).clamp(0.0, 1.0));
            let posteriors = posteriors.collect();
            return Ok(LeastRisk { words, posteriors, errors: lattice.errors(&distances) });
        }
        words = chosen.into_iter().filter(|word| *word != WordId::EPSILON).collect();
        rounds += 1;
    }
}

/// Words with an empty slot before, between and behind them.
fn with_empty_slots(words: &[WordId]) -> Vec<WordId> {
    let mut slots = vec![WordId::EPSILON];
    slots.extend(words.iter().flat_map(|word| [*word, WordId::EPSILON]));
    slots
}

/// How probably a word stands at a slot.
fn share(word: WordId, counts: &BTreeMap<u32, f64>) -> f64 {
    counts.get(&word.0).copied().unwrap_or(0.0)
}

/// What is commonest at a slot; what stands there unless another is clearly so.
fn commonest(now: WordId, counts: &BTreeMap<u32, f64>) -> WordId {
    let rival = counts.iter().max_by(|a, b| a.1.total_cmp(b.1));
    match rival {
        Some((&word, &most)) if most > share(now, counts) + CLEARLY => WordId(word),
        _ => now,
    }
}

/// What an edge's word does to a column: the cheapest, and among equals the first.
#[derive(Clone, Copy, PartialEq)]
enum Move {
    /// The word stands at the column's slot.
    Stand,
    /// The word stands at no slot.
    Insert,
    /// The slot stays empty.
    Skip,
}

/// The cost of leaving a slot empty.
fn skip_cost(slot: WordId) -> f32 {
    f32::from(u8::from(slot != WordId::EPSILON))
}

/// Paths and their probabilities.
struct Weighed<'p, 'l> {
    paths: &'p PathGraph<'l>,
    posteriors: &'p Posteriors,
}

impl Weighed<'_, '_> {
    fn edges(&self) -> impl DoubleEndedIterator<Item = (&Edge, f32)> {
        let edges = self.paths.all_edges().iter().zip(&self.posteriors.arrival);
        edges.map(|(edge, &arrival)| (edge, arrival as f32))
    }

    /// By node and number of slots: the expected distance between the words so far and what stands
    /// at the first slots.
    fn distances(&self, slots: &[WordId]) -> Table {
        let columns = slots.len() + 1;
        let mut table = Table::new(self.paths.num_nodes(), columns);
        let begin = table.row_mut(0);
        for (at, slot) in slots.iter().enumerate() {
            begin[at + 1] = begin[at] + skip_cost(*slot);
        }
        let (mut row, mut moves) = (vec![0.0; columns], vec![Move::Insert; columns]);
        for (edge, arrival) in self.edges() {
            let word = self.paths.word(edge);
            take(table.row(edge.from), word, slots, (&mut row, &mut moves));
            for (cell, distance) in table.row_mut(edge.next).iter_mut().zip(&row) {
                *cell += arrival * distance;
            }
        }
        table
    }

    /// The expected distance to all slots.
    fn errors(&self, distances: &Table) -> f64 {
        let ends = self.paths.finals().zip(&self.posteriors.ending);
        let last = |node: u32| distances.row(node).last().copied().unwrap_or(0.0);
        ends.map(|((node, _), p)| p * f64::from(last(node))).sum()
    }

    /// By slot: how probably each word stands there, or none.
    fn counts(&self, slots: &[WordId], distances: &Table) -> Vec<BTreeMap<u32, f64>> {
        let columns = slots.len() + 1;
        let mut counts = vec![BTreeMap::new(); slots.len()];
        let mut count = |slot: usize, word: WordId, share: f32| {
            if share > 0.0 {
                *counts[slot].entry(word.0).or_insert(0.0) += f64::from(share);
            }
        };
        let mut mass = Table::new(self.paths.num_nodes(), columns);
        for ((node, _), &ending) in self.paths.finals().zip(&self.posteriors.ending) {
            mass.row_mut(node)[columns - 1] += ending as f32;
        }
        let (mut row, mut share) = (vec![0.0; columns], vec![0.0; columns]);
        let mut moves = vec![Move::Insert; columns];
        for (edge, arrival) in self.edges().rev() {
            let target = mass.row(edge.next).iter();
            target.zip(&mut share).for_each(|(mass, share)| *share = arrival * mass);
            let word = self.paths.word(edge);
            take(distances.row(edge.from), word, slots, (&mut row, &mut moves));
            let back = mass.row_mut(edge.from);
            for column in (0..columns).rev() {
                match moves[column] {
                    Move::Insert => back[column] += share[column],
                    Move::Skip => {
                        count(column - 1, WordId::EPSILON, share[column]);
                        share[column - 1] += share[column];
                    }
                    Move::Stand => {
                        count(column - 1, word, share[column]);
                        back[column - 1] += share[column];
                    }
                }
            }
        }
        let begin = mass.row_mut(0);
        for column in (1..columns).rev() {
            count(column - 1, WordId::EPSILON, begin[column]);
            begin[column - 1] += begin[column];
        }
        counts
    }
}

/// The distances after one more word, and how each came about.
fn take(source: &[f32], word: WordId, slots: &[WordId], to: (&mut [f32], &mut [Move])) {
    let (row, moves) = to;
    if word == WordId::EPSILON {
        row.copy_from_slice(source);
        moves.fill(Move::Insert);
        return;
    }
    let insertion = 1.0 + TIE;
    (row[0], moves[0]) = (source[0] + insertion, Move::Insert);
    for (at, slot) in slots.iter().enumerate() {
        let stand = source[at] + f32::from(u8::from(word != *slot));
        let (insert, skip) = (source[at + 1] + insertion, row[at] + skip_cost(*slot));
        (moves[at + 1], row[at + 1]) = if stand <= insert && stand <= skip {
            (Move::Stand, stand)
        } else if insert <= skip {
            (Move::Insert, insert)
        } else {
            (Move::Skip, skip)
        };
    }
}

//! The risk of an answer among the best word sequences of a lattice, each counted once.
//!
//! Stolcke, König and Weintraub, "Explicit word error minimization in N-best list rescoring",
//! Eurospeech 1997: a word sequence of the list has the probability `exp(−cost)`, over the sum of
//! the whole list's, and is aligned with the answer's words. Sums over all paths of a lattice
//! ([`mbr`](super::mbr)) count a sequence as often as its words' borders can be drawn, which says
//! how vague they are rather than how likely; but they see every path, and so tell apart words that
//! no sequence of the list lacks. Whole answers are judged by the list, words by both
//! (benches/records/2026-11-28/n-best.txt).

use crate::decode::{Hypothesis, PathGraph};
use crate::units::{Cost, WordId};

use super::mbr::Risk;

/// Word sequences of the list, at most.
const LENGTH: usize = 32;
/// How much dearer than the best they may be; dearer ones have a probability of 0.0003 at most.
const BEAM: Cost = Cost(8.0);

/// The best word sequences of some paths, the best first.
pub(super) fn list(paths: &PathGraph<'_>) -> Vec<Hypothesis> {
    paths.n_best_within(LENGTH, BEAM)
}

/// The risk of a word sequence among those of a list, of which it need not be.
pub(super) fn risk(list: &[Hypothesis], heard: &[WordId]) -> Risk {
    let best = list.first().map_or(0.0, |best| best.cost.0);
    let weight = |other: &Hypothesis| (best - other.cost.0).exp();
    let total: f64 = list.iter().map(weight).sum();
    let mut risk = Risk { words: vec![0.0; heard.len()], ..Risk::default() };
    let mut table = Table::default();
    for other in list {
        let share = weight(other) / total;
        let words = other.word_ids();
        if words == heard {
            risk.sequence += share;
        }
        let errors = table.align(heard, &words, |at| risk.words[at] += share);
        risk.errors += share * f64::from(errors);
    }
    // Sums of shares may miss 1 by a rounding error.
    risk.words.iter_mut().chain([&mut risk.sequence]).for_each(|p| *p = p.min(1.0));
    risk
}

/// The distances between the beginnings of two word sequences; reused from one pair to the next.
#[derive(Default)]
struct Table(Vec<u32>);

impl Table {
    /// The edit distance of two word sequences; calls `right` with the place in the first of each
    /// word that it has in common with the second.
    fn align(&mut self, first: &[WordId], second: &[WordId], mut right: impl FnMut(usize)) -> u32 {
        // What they begin and end with in common is aligned with itself.
        let begin = first.iter().zip(second).take_while(|(a, b)| a == b).count();
        let (rest, other) = (&first[begin..], &second[begin..]);
        let end = rest.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
        (0..begin).chain(first.len() - end..first.len()).for_each(&mut right);
        let (a, b) = (&rest[..rest.len() - end], &other[..other.len() - end]);

        let columns = b.len() + 1;
        let at = |i: usize, j: usize| i * columns + j;
        let cells = &mut self.0;
        cells.clear();
        cells.resize((a.len() + 1) * columns, 0);
        (0..columns).for_each(|j| cells[j] = j as u32);
        for i in 1..=a.len() {
            cells[at(i, 0)] = i as u32;
            for j in 1..columns {
                let differs = u32::from(a[i - 1] != b[j - 1]);
                let gap = cells[at(i - 1, j)].min(cells[at(i, j - 1)]) + 1;
                cells[at(i, j)] = gap.min(cells[at(i - 1, j - 1)] + differs);
            }
        }
        let (mut i, mut j) = (a.len(), b.len());
        while i > 0 && j > 0 {
            let (here, same) = (cells[at(i, j)], a[i - 1] == b[j - 1]);
            if here == cells[at(i - 1, j - 1)] + u32::from(!same) {
                (i, j) = (i - 1, j - 1);
                if same {
                    right(begin + i);
                }
            } else if here == cells[at(i - 1, j)] + 1 {
                i -= 1;
            } else {
                j -= 1;
            }
        }
        cells[at(a.len(), b.len())]
    }
}

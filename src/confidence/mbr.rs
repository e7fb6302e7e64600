//! The expected number of errors of a hypothesis, and the probability that each of its words is
//! right.
//!
//! Xu, Povey, Mangu and Zhu, "Minimum Bayes risk decoding and system combination based on a
//! recursion for edit distance", Computer Speech and Language 2011: the expected edit distance
//! between a word sequence and a lattice's paths, by one recursion over its edges (Algorithm 1),
//! and the probability that each word is aligned with itself, by a backward
//! recursion (Algorithm 2). Both choose the alignment at each node without regard to what follows,
//! so the distance is an upper bound.

use crate::decode::PathGraph;
use crate::units::WordId;

use super::posteriors::Posteriors;

/// The Bayes risk of a word sequence, given a lattice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Risk {
    /// Expected number of word errors; ≥ 0.
    pub errors: f64,
    /// For each word, the probability that it is right; in [0, 1].
    pub words: Vec<f64>,
    /// The probability that the whole sequence is right; in [0, 1].
    pub sequence: f64,
}

/// The columns of a recursion: one more than the words of the hypothesis.
pub(super) struct Table {
    cells: Vec<f32>,
    columns: usize,
}

impl Table {
    pub fn new(rows: usize, columns: usize) -> Table {
        Table { cells: vec![0.0; rows * columns], columns }
    }

    pub fn row(&self, row: u32) -> &[f32] {
        &self.cells[row as usize * self.columns..][..self.columns]
    }

    pub fn row_mut(&mut self, row: u32) -> &mut [f32] {
        &mut self.cells[row as usize * self.columns..][..self.columns]
    }
}

/// What became of the words of the hypothesis up to a column, at the end of an edge.
#[derive(Clone, Copy, PartialEq)]
enum Move {
    /// The edge's word stands for the column's.
    Match,
    /// The edge's word is inserted.
    Insert,
    /// The column's word is deleted.
    Delete,
}

/// Computes the risk of `hypothesis` under the posteriors of `paths`. `go_on` is called between the
/// recursions and can stop the computation.
///
/// # Errors
/// Whatever error `go_on` returns.
pub fn risk<E>(
    paths: &PathGraph<'_>,
    posteriors: &Posteriors,
    hypothesis: &[WordId],
    go_on: impl Fn() -> Result<(), E>,
) -> Result<Risk, E> {
    let distances = distances(paths, posteriors, hypothesis);
    let last = hypothesis.len();
    let ends = || paths.finals().zip(&posteriors.ending);
    let errors = ends().map(|((node, _), p)| p * f64::from(distances.row(node)[last])).sum();
    go_on()?;
    let sequences = sequences(paths, posteriors, hypothesis);
    go_on()?;
    let sequence: f64 = ends().map(|((node, _), p)| p * f64::from(sequences.row(node)[last])).sum();
    let words = words(paths, posteriors, hypothesis, &distances);
    Ok(Risk { errors, words, sequence: sequence.clamp(0.0, 1.0) })
}

/// By node and number of words: the expected distance between the words so far and the first words
/// of the hypothesis.
fn distances(paths: &PathGraph<'_>, posteriors: &Posteriors, hypothesis: &[WordId]) -> Table {
    let mut table = Table::new(paths.num_nodes(), hypothesis.len() + 1);
    (0u16..).zip(table.row_mut(0)).for_each(|(q, cell)| *cell = f32::from(q));
    let mut row = vec![0.0; hypothesis.len() + 1];
    for (edge, &arrival) in paths.all_edges().iter().zip(&posteriors.arrival) {
        let word = paths.word(edge);
        step(table.row(edge.from), &mut row, word, hypothesis);
        let share = arrival as f32;
        for (cell, distance) in table.row_mut(edge.next).iter_mut().zip(&row) {
            *cell += share * distance;
        }
    }
    table
}

/// The distances after one more word.
fn step(source: &[f32], row: &mut [f32], word: WordId, hypothesis: &[WordId]) {
    if word == WordId::EPSILON {
        row.copy_from_slice(source);
        return;
    }
    row[0] = source[0] + 1.0;
    for q in 1..row.len() {
        row[q] = best_move(source, row[q - 1], word, (q, hypothesis)).1;
    }
}

/// The cheapest way to column `q`, and its distance.
fn best_move(
    source: &[f32],
    before: f32,
    word: WordId,
    (q, hypothesis): (usize, &[WordId]),
) -> (Move, f32) {
    let differs = word != hypothesis[q - 1];
    let matched = source[q - 1] + f32::from(u8::from(differs));
    let (inserted, deleted) = (source[q] + 1.0, before + 1.0);
    if matched <= inserted && matched <= deleted {
        (Move::Match, matched)
    } else if inserted <= deleted {
        (Move::Insert, inserted)
    } else {
        (Move::Delete, deleted)
    }
}

/// By node and number of words: the probability that the words so far are exactly the first words
/// of the hypothesis.
fn sequences(paths: &PathGraph<'_>, posteriors: &Posteriors, hypothesis: &[WordId]) -> Table {
    let mut table = Table::new(paths.num_nodes(), hypothesis.len() + 1);
    table.row_mut(0)[0] = 1.0;
    let mut row = vec![0.0; hypothesis.len() + 1];
    for (edge, &arrival) in paths.all_edges().iter().zip(&posteriors.arrival) {
        row.copy_from_slice(table.row(edge.from));
        let word = paths.word(edge);
        if word != WordId::EPSILON {
            for q in (1..row.len()).rev() {
                row[q] = if word == hypothesis[q - 1] { row[q - 1] } else { 0.0 };
            }
            row[0] = 0.0;
        }
        let share = arrival as f32;
        for (cell, mass) in table.row_mut(edge.next).iter_mut().zip(&row) {
            *cell += share * mass;
        }
    }
    table
}

/// By word of the hypothesis: the probability that it is aligned with itself.
fn words(
    paths: &PathGraph<'_>,
    posteriors: &Posteriors,
    hypothesis: &[WordId],
    distances: &Table,
) -> Vec<f64> {
    let columns = hypothesis.len() + 1;
    let mut mass = Table::new(paths.num_nodes(), columns);
    for ((node, _), &ending) in paths.finals().zip(&posteriors.ending) {
        mass.row_mut(node)[columns - 1] += ending as f32;
    }
    let mut right = vec![0.0f64; hypothesis.len()];
    let (mut row, mut share, mut moves) =
        (vec![0.0; columns], vec![0.0; columns], vec![Move::Insert; columns]);
    let edges = paths.all_edges().iter().zip(&posteriors.arrival);
    for (edge, &arrival) in edges.rev() {
        let arrival = arrival as f32;
        let target = mass.row(edge.next).iter();
        target.zip(&mut share).for_each(|(m, s)| *s = arrival * m);
        let (source, word) = (distances.row(edge.from), paths.word(edge));
        if word != WordId::EPSILON {
            row[0] = source[0] + 1.0;
            for q in 1..columns {
                (moves[q], row[q]) = best_move(source, row[q - 1], word, (q, hypothesis));
            }
        }
        let back = mass.row_mut(edge.from);
        for q in (0..columns).rev() {
            let moved = if word == WordId::EPSILON || q == 0 { Move::Insert } else { moves[q] };
            match moved {
                Move::Insert => back[q] += share[q],
                Move::Delete => share[q - 1] += share[q],
                Move::Match => {
                    back[q - 1] += share[q];
                    if word == hypothesis[q - 1] {
                        right[q - 1] += f64::from(share[q]);
                    }
                }
            }
        }
    }
    right.iter().map(|p| p.clamp(0.0, 1.0)).collect()
}

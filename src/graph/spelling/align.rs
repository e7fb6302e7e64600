//! Aligns the letters of words with the phones of their pronunciations.
//!
//! The probability of each pair of one or two letters with none to two phones is estimated by
//! expectation maximisation over all ways to cut words into such pairs; then each word is cut in
//! the likeliest way.

use std::collections::BTreeSet;

use super::{Graphone, LONGEST, NONE};
use crate::graph::lexicon::Lexicon;
use crate::graph::words::WordTable;
use crate::units::WordId;

/// Passes of expectation maximisation; more change nothing that matters.
const PASSES: usize = 6;
/// Words that the probabilities are estimated from, evenly spread over the lexicon.
const ESTIMATED_FROM: usize = 20_000;
/// Letters and phones that are told apart; further ones are left out.
const MOST: usize = 120;
/// How many letters and phones a pair has, and its weight before anything is known.
const SHAPES: [(usize, usize, f64); 4] = [(1, 1, 1.0), (2, 1, 0.2), (1, 0, 0.1), (1, 2, 0.05)];

/// One word as codes.
struct Example {
    letters: Vec<u8>,
    phones: Vec<u8>,
}

/// The words of a lexicon, one for each pronunciation.
pub(super) struct Examples {
    /// The letters, by code.
    pub letters: Vec<u32>,
    all: Vec<Example>,
}

impl Examples {
    /// All words without special signs.
    pub fn of(words: &WordTable, lexicon: &Lexicon) -> Examples {
        let spelt = |word: WordId| words.name(word).filter(|name| !name.starts_with('<'));
        let named = || {
            let all = lexicon.iter();
            all.filter_map(|(word, said)| Some((spelt(word)?, said)))
        };
        let letters: BTreeSet<u32> =
            named().flat_map(|(name, _)| name.chars().map(u32::from)).collect();
        let letters: Vec<u32> = letters.into_iter().take(MOST).collect();
        let code = |letter: char| Some(letters.binary_search(&u32::from(letter)).ok()? as u8);
        let mut all = Vec::new();
        for (name, said) in named() {
            let Some(spelling) = name.chars().map(code).collect::<Option<Vec<u8>>>() else {
                continue;
            };
            for pronunciation in said {
                let phones = pronunciation.phones.iter().map(|phone| phone.0);
                let phones: Option<Vec<u8>> = phones
                    .map(|phone| u8::try_from(phone).ok().filter(|&p| usize::from(p) < MOST))
                    .collect();
                let Some(phones) = phones.filter(|_| spelling.len() <= LONGEST) else {
                    continue;
                };
                // What no pairs can cover is no example.
                if phones.len() <= 2 * spelling.len() {
                    let letters = spelling.clone();
                    all.push(Example { letters, phones });
                }
            }
        }
        Examples { letters, all }
    }
}

/// Numbers for pairs: dense tables over letters and phones.
struct Pairs {
    letters: usize,
    phones: usize,
}

impl Pairs {
    fn len(&self) -> usize {
        (self.letters + 1) * self.letters * self.phone_codes()
    }

    fn phone_codes(&self) -> usize {
        1 + self.phones + self.phones * self.phones
    }

    fn index(&self, letters: &[u8], phones: &[u8]) -> usize {
        let second = letters.get(1).map_or(0, |&letter| usize::from(letter) + 1);
        let spelt = usize::from(letters[0]) * (self.letters + 1) + second;
        let said = match *phones {
            [] => 0,
            [only] => 1 + usize::from(only),
            [first, second, ..] => {
                1 + self.phones + usize::from(first) * self.phones + usize::from(second)
            }
        };
        spelt * self.phone_codes() + said
    }
}

/// Each word cut into graphones; those that cannot be cut are left out.
pub(super) fn aligned(examples: &Examples) -> Vec<Vec<Graphone>> {
    let all = &examples.all;
    let most = all.iter().flat_map(|example| &example.phones).max();
    let pairs = Pairs {
        letters: examples.letters.len(),
        phones: most.map_or(1, |&most| usize::from(most) + 1),
    };
    let step = all.len().div_ceil(ESTIMATED_FROM).max(1);
    let mut probability: Option<Vec<f32>> = None;
    for _ in 0..PASSES {
        let mut counts = vec![0f64; pairs.len()];
        for example in all.iter().step_by(step) {
            expect(example, &pairs, probability.as_deref(), &mut counts);
        }
        let total: f64 = counts.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        probability = Some(counts.iter().map(|count| (count / total) as f32).collect());
    }
    let Some(probability) = probability else {
        return Vec::new();
    };
    let cut = |example| likeliest(example, &pairs, &probability);
    all.iter().filter_map(cut).collect()
}

/// A pair's weight in a pass: its probability, or that of its shape.
fn weight(known: Option<&[f32]>, index: usize, shape: f64) -> f64 {
    match known {
        Some(known) => f64::from(known[index]),
        None => shape,
    }
}

/// Adds how often each pair is expected in a word.
fn expect(example: &Example, pairs: &Pairs, known: Option<&[f32]>, counts: &mut [f64]) {
    let (letters, phones) = (&example.letters, &example.phones);
    let (rows, columns) = (letters.len() + 1, phones.len() + 1);
    let at = |row: usize, column: usize| row * columns + column;
    let mut forward = vec![0f64; rows * columns];
    let mut backward = vec![0f64; rows * columns];
    forward[0] = 1.0;
    backward[at(rows - 1, columns - 1)] = 1.0;
    let edges = |row: usize, column: usize| {
        SHAPES.iter().filter_map(move |&(long, loud, shape)| {
            let (to_row, to_column) = (row + long, column + loud);
            (to_row < rows && to_column < columns).then(|| {
                let index = pairs.index(&letters[row..to_row], &phones[column..to_column]);
                (at(to_row, to_column), index, weight(known, index, shape))
            })
        })
    };
    for cell in 0..rows * columns {
        let here = forward[cell];
        if here > 0.0 {
            for (to, _, weight) in edges(cell / columns, cell % columns) {
                forward[to] += here * weight;
            }
        }
    }
    for here in (0..rows * columns).rev() {
        let edges = edges(here / columns, here % columns);
        let sum: f64 = edges.map(|(to, _, weight)| weight * backward[to]).sum();
        backward[here] += sum;
    }
    let whole = forward[at(rows - 1, columns - 1)];
    if whole <= 0.0 {
        return;
    }
    for (at, &before) in forward.iter().enumerate() {
        let here = before / whole;
        if here > 0.0 {
            for (to, index, weight) in edges(at / columns, at % columns) {
                counts[index] += here * weight * backward[to];
            }
        }
    }
}

/// The likeliest cut of a word.
fn likeliest(example: &Example, pairs: &Pairs, known: &[f32]) -> Option<Vec<Graphone>> {
    let (letters, phones) = (&example.letters, &example.phones);
    let (rows, columns) = (letters.len() + 1, phones.len() + 1);
    let at = |row: usize, column: usize| row * columns + column;
    let mut best = vec![(f64::NEG_INFINITY, (0, 0)); rows * columns];
    best[0].0 = 0.0;
    for row in 0..rows {
        for column in 0..columns {
            let here = best[at(row, column)].0;
            for (long, loud, _) in SHAPES {
                let (to_row, to_column) = (row + long, column + loud);
                if to_row >= rows || to_column >= columns || here == f64::NEG_INFINITY {
                    continue;
                }
                let index = pairs.index(&letters[row..to_row], &phones[column..to_column]);
                // A pair that no estimate saw is possible, and unlikely.
                let score = here + f64::from(known[index]).max(1e-12).ln();
                if score > best[at(to_row, to_column)].0 {
                    best[at(to_row, to_column)] = (score, (long, loud));
                }
            }
        }
    }
    let (mut row, mut column) = (rows - 1, columns - 1);
    let mut cut = Vec::new();
    while (row, column) != (0, 0) {
        let (score, (long, loud)) = best[at(row, column)];
        if score == f64::NEG_INFINITY {
            return None;
        }
        (row, column) = (row - long, column - loud);
        let two = |values: &[u8]| [0, 1].map(|at| values.get(at).copied().unwrap_or(NONE));
        cut.push(Graphone {
            letters: two(&letters[row..row + long]),
            phones: two(&phones[column..column + loud]),
        });
    }
    cut.reverse();
    Some(cut)
}

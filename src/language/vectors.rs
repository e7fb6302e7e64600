//! The tied tables of word vectors: what a word is going in, and what it is compared with coming
//! out.

use super::file::{ByteRows, Contents};
use crate::units::WordId;

/// Vectors and biases of all words, by rank.
pub(super) struct Vectors {
    rank: Vec<u16>,
    bias: Vec<f32>,
    frequent: ByteRows,
    rare: ByteRows,
    /// Short vector → full vector: width rows.
    widen: Vec<f32>,
}

impl Vectors {
    pub fn new(contents: &mut Contents) -> Vectors {
        let none = || ByteRows { values: Vec::new(), scales: Vec::new(), width: 0 };
        Vectors {
            rank: std::mem::take(&mut contents.rank),
            bias: std::mem::take(&mut contents.bias),
            frequent: std::mem::replace(&mut contents.frequent, none()),
            rare: std::mem::replace(&mut contents.rare, none()),
            widen: std::mem::take(&mut contents.widen),
        }
    }

    /// Number of words.
    pub fn words(&self) -> usize {
        self.rank.len()
    }

    /// Length of a full vector.
    pub fn width(&self) -> usize {
        self.frequent.width
    }

    /// Length of a short vector.
    pub fn short(&self) -> usize {
        self.rare.width
    }

    fn rank(&self, word: WordId) -> usize {
        usize::from(self.rank[word.0 as usize])
    }

    /// Writes a word's full vector.
    pub fn write(&self, word: WordId, out: &mut [f32]) {
        let rank = self.rank(word);
        match rank.checked_sub(self.frequent.scales.len()) {
            None => {
                let (row, scale) = self.frequent.row(rank);
                for (out, &q) in out.iter_mut().zip(row) {
                    *out = scale * f32::from(q);
                }
            }
            Some(rare) => {
                let (row, scale) = self.rare.row(rare);
                for (out, widen) in out.iter_mut().zip(self.widen.chunks_exact(row.len())) {
                    *out = scale * dot(row, widen);
                }
            }
        }
    }

    /// What the short vectors are compared with, `widenᵀ · hidden`, so that they need not be
    /// widened.
    pub fn shorten(&self, hidden: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for (&h, widen) in hidden.iter().zip(self.widen.chunks_exact(out.len())) {
            for (out, &w) in out.iter_mut().zip(widen) {
                *out += h * w;
            }
        }
    }

    /// The score of a word: the logarithm of its probability up to the normaliser.
    pub fn score(&self, word: WordId, hidden: &[f32], shortened: &[f32]) -> f32 {
        self.score_rank(self.rank(word), hidden, shortened)
    }

    /// The same by rank.
    pub fn score_rank(&self, rank: usize, hidden: &[f32], shortened: &[f32]) -> f32 {
        let ((row, scale), state) = match rank.checked_sub(self.frequent.scales.len()) {
            None => (self.frequent.row(rank), hidden),
            Some(rare) => (self.rare.row(rare), shortened),
        };
        self.bias[rank] + scale * dot(row, state)
    }
}

/// The sum of products, in lanes that the compiler makes vectors of.
fn dot(row: &[i8], state: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0f32; LANES];
    let (rows, rest) = row.as_chunks::<LANES>();
    let (states, state_rest) = state.as_chunks::<LANES>();
    for (row, state) in rows.iter().zip(states) {
        for lane in 0..LANES {
            sums[lane] += f32::from(row[lane]) * state[lane];
        }
    }
    let rest = rest.iter().zip(state_rest).map(|(&q, &s)| f32::from(q) * s);
    sums.iter().sum::<f32>() + rest.sum::<f32>()
}

//! The network, ready to run: from a state and a word to the next state, and from a state to the
//! probability of any word.

use std::path::Path;

use crate::acoustic::Kernels;
use crate::acoustic::gemm::Kernel;
use crate::acoustic::gemm::int8::QuantisedRows;
use crate::graph::ngram::{BEGIN, END};
use crate::units::{Cost, WordId};

use super::LanguageError;
use super::cell::{Gates, advance};
use super::file::{self, Contents};
use super::matrix::Matrix;
use super::vectors::Vectors;
use super::word_gates::{WORDS, WordGates};

/// A recurrent language model. Immutable: share it between threads.
pub struct NeuralModel {
    vectors: Vectors,
    input: Matrix,
    recurrent: Matrix,
    gate_bias: Vec<f32>,
    projection: Matrix,
    cell: usize,
    weight: f32,
    kernel: Kernel,
}

/// What steps write to on their way, and what they need not compute again: clear it with
/// [`Workspace::clear`] before another model uses it.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    words: WordGates,
    hidden: Vec<f32>,
    from_state: Vec<f32>,
    output: Vec<f32>,
    quantised: QuantisedRows,
}

impl Workspace {
    /// Forgets what belongs to a model.
    pub fn clear(&mut self) {
        self.words.clear();
    }
}

/// The state after a word that follows a state.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    /// Place of the state that the word follows; `None` is before any word.
    pub before: Option<u32>,
    /// The word.
    pub word: WordId,
}

/// A state, taken apart: what is compared with full vectors, with short ones, and the cell.
struct Parts<'s> {
    hidden: &'s [f32],
    shortened: &'s [f32],
    cell: &'s [f32],
}

impl NeuralModel {
    /// Reads a model and packs it for these kernels.
    ///
    /// # Errors
    /// The file cannot be read, or is no neural language model of this version.
    pub fn open(path: &Path, kernels: Kernels) -> Result<NeuralModel, LanguageError> {
        NeuralModel::from_bytes(&file::read(path)?, kernels)
    }

    /// The same from a file's bytes.
    ///
    /// # Errors
    /// They are no neural language model of this version.
    pub fn from_bytes(bytes: &[u8], kernels: Kernels) -> Result<NeuralModel, LanguageError> {
        let mut contents = Contents::parse(bytes)?;
        Ok(NeuralModel {
            vectors: Vectors::new(&mut contents),
            input: Matrix::pack(&contents.input, kernels),
            recurrent: Matrix::pack(&contents.recurrent, kernels),
            cell: contents.projection.width,
            projection: Matrix::pack(&contents.projection, kernels),
            gate_bias: contents.gate_bias,
            weight: contents.weight,
            kernel: kernels.float,
        })
    }

    /// Number of words, specials included.
    pub fn num_words(&self) -> usize {
        self.vectors.words()
    }

    /// The share of the network's probability in [`super::Mixture`]; in (0, 1).
    pub fn weight(&self) -> f32 {
        self.weight
    }

    /// Numbers in a state.
    pub fn state_len(&self) -> usize {
        self.vectors.width() + self.vectors.short() + self.cell
    }

    /// Computes what words ask of the gates, for states after them to come: once for all, which is
    /// faster than with each state. Words beyond those that are remembered are left.
    ///
    /// # Panics
    /// The model has no such word.
    pub fn foresee(&self, words: impl Iterator<Item = WordId> + Clone, work: &mut Workspace) {
        let Workspace { words: known, hidden, quantised, .. } = work;
        self.prepare(known, words.take(WORDS), (hidden, quantised));
    }

    /// Computes what words ask of the gates that is not known yet.
    fn prepare(
        &self,
        known: &mut WordGates,
        words: impl Iterator<Item = WordId> + Clone,
        (vectors, quantised): (&mut Vec<f32>, &mut QuantisedRows),
    ) {
        let width = self.vectors.width();
        known.prepare(words, self.gate_bias.len(), |words, gates| {
            vectors.resize(words.len() * width, 0.0);
            for (&word, vector) in words.iter().zip(vectors.chunks_exact_mut(width)) {
                self.vectors.write(word, vector);
            }
            self.input.multiply(vectors, gates, quantised);
        });
    }

    /// Appends the states after words to those that the words come after, in the same order.
    ///
    /// The more at once, the less a state costs: the weights are read once for all of them. Each
    /// comes out as it does alone.
    ///
    /// # Panics
    /// The model has no such word, or there is no such state.
    pub fn extend(&self, states: &mut Vec<f32>, next: &[Next], work: &mut Workspace) {
        let (width, length) = (self.vectors.width(), self.state_len());
        let Workspace { words, hidden, from_state, output, quantised } = work;
        self.prepare(words, next.iter().map(|next| next.word), (hidden, quantised));
        hidden.resize(next.len() * width, 0.0);
        for (next, hidden) in next.iter().zip(hidden.chunks_exact_mut(width)) {
            match next.before {
                Some(before) => hidden.copy_from_slice(self.state(states, before).hidden),
                None => hidden.fill(0.0),
            }
        }
        from_state.resize(next.len() * self.gate_bias.len(), 0.0);
        self.recurrent.multiply(hidden, from_state, quantised);
        output.resize(next.len() * self.cell, 0.0);
        let first = states.len();
        states.resize(first + next.len() * length, 0.0);
        let (known, new) = states.split_at_mut(first);
        let sums = from_state.chunks_exact_mut(self.gate_bias.len());
        let outputs = output.chunks_exact_mut(self.cell);
        for (((next, sums), output), state) in
            next.iter().zip(sums).zip(outputs).zip(new.chunks_exact_mut(length))
        {
            let cell = &mut state[length - self.cell..];
            match next.before {
                Some(before) => cell.copy_from_slice(self.state(known, before).cell),
                None => sums.fill(0.0),
            }
            let input = words.of(next.word);
            advance(self.kernel, Gates { input, state: sums, bias: &self.gate_bias }, cell, output);
        }
        self.projection.multiply(output, hidden, quantised);
        for (state, hidden) in new.chunks_exact_mut(length).zip(hidden.chunks_exact(width)) {
            let (all, rest) = state.split_at_mut(width);
            all.copy_from_slice(hidden);
            self.vectors.shorten(hidden, &mut rest[..self.vectors.short()]);
        }
    }

    /// The cost of `word` after one of the states, as far as the sum over all words is one.
    ///
    /// # Panics
    /// As [`NeuralModel::extend`].
    pub fn cost(&self, states: &[f32], at: u32, word: WordId) -> Cost {
        let Parts { hidden, shortened, .. } = self.state(states, at);
        Cost(-self.vectors.score(word, hidden, shortened))
    }

    /// The costs of words, each after those before it, and of ending after them all.
    ///
    /// # Panics
    /// The model has no such word.
    pub fn costs(&self, words: &[WordId]) -> Vec<Cost> {
        let (mut states, mut work) = (Vec::new(), Workspace::default());
        self.extend(&mut states, &[Next { before: None, word: BEGIN }], &mut work);
        let mut costs = Vec::with_capacity(words.len() + 1);
        for (at, &word) in (0..).zip(words) {
            costs.push(self.cost(&states, at, word));
            self.extend(&mut states, &[Next { before: Some(at), word }], &mut work);
        }
        costs.push(self.cost(&states, words.len() as u32, END));
        costs
    }

    /// The logarithm of the sum over all words, exactly: what the costs after this state lack. It
    /// takes as long as all words; recognition does without.
    ///
    /// # Panics
    /// As [`NeuralModel::extend`].
    pub fn log_normaliser(&self, states: &[f32], at: u32, never: &[WordId]) -> f32 {
        let Parts { hidden, shortened, .. } = self.state(states, at);
        let score = |id: u32| f64::from(self.vectors.score(WordId(id), hidden, shortened));
        let all = (0..self.num_words() as u32).filter(|&id| !never.contains(&WordId(id)));
        all.map(|id| score(id).exp()).sum::<f64>().ln() as f32
    }

    fn state<'s>(&self, states: &'s [f32], at: u32) -> Parts<'s> {
        let state = &states[at as usize * self.state_len()..][..self.state_len()];
        let (hidden, rest) = state.split_at(self.vectors.width());
        let (shortened, cell) = rest.split_at(self.vectors.short());
        Parts { hidden, shortened, cell }
    }
}

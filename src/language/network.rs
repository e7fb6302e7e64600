//! The network, ready to run: from a state and a word to the next state, and from a state to the
//! probability of any word.

use std::path::Path;

use crate::acoustic::Kernels;
use crate::acoustic::gemm::int8::QuantisedRows;
use crate::graph::ngram::{BEGIN, END};
use crate::units::{Cost, WordId};

use super::LanguageError;
use super::cell::{Gates, advance};
use super::file::{self, Contents};
use super::matrix::Matrix;
use super::vectors::Vectors;

/// A recurrent language model. Immutable: share it between threads.
pub struct NeuralModel {
    vectors: Vectors,
    input: Matrix,
    recurrent: Matrix,
    gate_bias: Vec<f32>,
    projection: Matrix,
    cell: usize,
    weight: f32,
}

/// What a step writes to on its way.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    vector: Vec<f32>,
    from_input: Vec<f32>,
    from_state: Vec<f32>,
    output: Vec<f32>,
    quantised: QuantisedRows,
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

    /// Writes the state after `word`, which came after the state `before`; `None` is before any
    /// word.
    ///
    /// # Panics
    /// The model has no such word, or a state has another length than
    /// [`NeuralModel::state_len`].
    pub fn step(
        &self,
        before: Option<&[f32]>,
        word: WordId,
        after: &mut [f32],
        work: &mut Workspace,
    ) {
        let (width, gates) = (self.vectors.width(), self.gate_bias.len());
        work.vector.resize(width, 0.0);
        work.from_input.resize(gates, 0.0);
        work.from_state.resize(gates, 0.0);
        work.output.resize(self.cell, 0.0);
        self.vectors.write(word, &mut work.vector);
        let quantised = &mut work.quantised;
        self.input.multiply(&work.vector, &mut work.from_input, quantised);
        let (head, cell) = after.split_at_mut(width + self.vectors.short());
        match before.map(|state| self.parts(state)) {
            Some(before) => {
                let out = &mut work.from_state;
                self.recurrent.multiply(before.hidden, out, quantised);
                cell.copy_from_slice(before.cell);
            }
            None => {
                work.from_state.fill(0.0);
                cell.fill(0.0);
            }
        }
        let sums =
            Gates { input: &work.from_input, state: &work.from_state, bias: &self.gate_bias };
        advance(sums, cell, &mut work.output);
        let (hidden, shortened) = head.split_at_mut(width);
        self.projection.multiply(&work.output, hidden, quantised);
        self.vectors.shorten(hidden, shortened);
    }

    /// The cost of `word` after a state, as far as the sum over all words is one.
    ///
    /// # Panics
    /// As [`NeuralModel::step`].
    pub fn cost(&self, state: &[f32], word: WordId) -> Cost {
        let Parts { hidden, shortened, .. } = self.parts(state);
        Cost(-self.vectors.score(word, hidden, shortened))
    }

    /// The costs of words, each after those before it, and of ending after them all.
    ///
    /// # Panics
    /// The model has no such word.
    pub fn costs(&self, words: &[WordId]) -> Vec<Cost> {
        let mut work = Workspace::default();
        let [mut state, mut next] = [(); 2].map(|()| vec![0.0; self.state_len()]);
        self.step(None, BEGIN, &mut state, &mut work);
        let mut costs = Vec::with_capacity(words.len() + 1);
        for &word in words {
            costs.push(self.cost(&state, word));
            self.step(Some(&state), word, &mut next, &mut work);
            std::mem::swap(&mut state, &mut next);
        }
        costs.push(self.cost(&state, END));
        costs
    }

    /// The logarithm of the sum over all words, exactly: what the costs after this state lack. It
    /// takes as long as all words; recognition does without.
    ///
    /// # Panics
    /// As [`NeuralModel::step`].
    pub fn log_normaliser(&self, state: &[f32], never: &[WordId]) -> f32 {
        let Parts { hidden, shortened, .. } = self.parts(state);
        let score = |id: u32| f64::from(self.vectors.score(WordId(id), hidden, shortened));
        let all = (0..self.num_words() as u32).filter(|&id| !never.contains(&WordId(id)));
        all.map(|id| score(id).exp()).sum::<f64>().ln() as f32
    }

    fn parts<'s>(&self, state: &'s [f32]) -> Parts<'s> {
        assert_eq!(state.len(), self.state_len(), "a state of this model");
        let (hidden, rest) = state.split_at(self.vectors.width());
        let (shortened, cell) = rest.split_at(self.vectors.short());
        Parts { hidden, shortened, cell }
    }
}

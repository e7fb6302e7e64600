//! What a path's cost is made of, so that others can weigh it anew.

use std::ops::Add;

use serde::Serialize;

use crate::decode::PathCost;

/// The parts of an answer's cost: `acoustic + language + word_penalty + silences` is the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Costs {
    /// The negated scores of the network that listens.
    pub acoustic: PathCost,
    /// What the language models that have the last word charge: the n-gram in the graph, or the one
    /// that rescores, or the mixture of that and the neural network.
    pub language: PathCost,
    /// So much for each word.
    pub word_penalty: PathCost,
    /// The rest: silences between words, and other choices of pronunciation.
    pub silences: PathCost,
    /// What the n-gram in the graph alone charges.
    pub graph_ngram: PathCost,
    /// What the n-gram that rescores alone charges; none where the setting does not rescore.
    pub rescoring_ngram: Option<PathCost>,
    /// What the neural network alone charges; none where the setting does without it.
    pub neural: Option<PathCost>,
}

impl Costs {
    /// Of no segment at all: what others are added to.
    pub(super) const NOTHING: Costs = {
        let nothing = PathCost(0.0);
        Costs {
            acoustic: nothing,
            language: nothing,
            word_penalty: nothing,
            silences: nothing,
            graph_ngram: nothing,
            rescoring_ngram: Some(nothing),
            neural: Some(nothing),
        }
    };
}

impl Add for Costs {
    type Output = Costs;

    /// Of one segment after the other.
    fn add(self, other: Costs) -> Costs {
        let both = |a: Option<PathCost>, b: Option<PathCost>| Some(a? + b?);
        Costs {
            acoustic: self.acoustic + other.acoustic,
            language: self.language + other.language,
            word_penalty: self.word_penalty + other.word_penalty,
            silences: self.silences + other.silences,
            graph_ngram: self.graph_ngram + other.graph_ngram,
            rescoring_ngram: both(self.rescoring_ngram, other.rescoring_ngram),
            neural: both(self.neural, other.neural),
        }
    }
}

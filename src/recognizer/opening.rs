//! How far the opening of a model is, for whoever waits for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is being done to open a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The description and the weights are read.
    Weights,
    /// The graph is read, or first of all compiled.
    Graph,
    /// The graph is compiled, as it is not in the cache.
    Compilation,
    /// The language models are read.
    LanguageModels,
    /// It is open.
    Ready,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Stage; 5] =
        [Stage::Weights, Stage::Graph, Stage::Compilation, Stage::LanguageModels, Stage::Ready];

    /// What is being done, in words.
    pub fn describe(self) -> &'static str {
        match self {
            Stage::Weights => "the weights are being read",
            Stage::Graph => "the graph is being read",
            Stage::Compilation => "the graph is being compiled, which is done once",
            Stage::LanguageModels => "the language models are being read",
            Stage::Ready => "the model is open",
        }
    }
}

/// How far the opening of a model is; clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Opening(Arc<AtomicUsize>);

impl Opening {
    /// What is being done now.
    pub fn stage(&self) -> Stage {
        Stage::ALL[self.0.load(Ordering::Relaxed)]
    }

    pub(super) fn enter(&self, stage: Stage) {
        self.0.store(stage as usize, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_entered_in_any_order() {
        let opening = Opening::default();
        assert_eq!(opening.stage(), Stage::Weights);
        for stage in Stage::ALL {
            opening.enter(stage);
            assert_eq!(opening.clone().stage(), stage);
        }
    }
}

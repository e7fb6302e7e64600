//! On which branch each token is, for global pruning: tokens with the same last word share one.
//!
//! A branch gets the next number when its word is first met in an utterance, so global pruning can
//! count in small arrays. The recorder keeps the branches beside its own notes. A search without
//! global pruning does no work here.

use crate::graph::{GraphView, WORD_MASK};

use super::link::Link;
use super::numbering::Numbering;

/// Set in the index of a labelled link that a token's branch waits for.
const PENDING: u32 = 1 << 31;
/// The branch of a token that no word was put out on the way to.
pub(super) const WORDLESS: u32 = 0;

/// The branch of each token of a frame, and how many branches there are.
#[derive(Clone, Copy, Default)]
pub(super) struct BranchView<'a> {
    /// By token, as far as its cost is up to the cutoff.
    pub of_token: &'a [u32],
    /// Every number is below this.
    pub count: usize,
}

/// The branches of the tokens of a frame.
#[derive(Clone, Default)]
pub(super) struct Branches {
    /// By token of the open frame.
    pub of_token: Vec<u32>,
    /// By token of the frame before.
    pub before: Vec<u32>,
    /// Whether branches compete; else nobody asks for them.
    pub compete: bool,
    /// The words met; a branch's number is its word's and one more, after [`WORDLESS`].
    words: Numbering,
    /// Indices of the best links, and of those of them with a label.
    best: Vec<u32>,
    labelled: Vec<u32>,
    labels: Vec<u32>,
}

impl Branches {
    /// An utterance begins.
    pub(super) fn begin(&mut self, compete: bool) {
        self.compete = compete;
        self.of_token.clear();
        self.before.clear();
        self.words.clear(0);
    }

    /// A frame of so many tokens is opened: their branches are to be filled in.
    pub(super) fn open(&mut self, tokens: usize, unknown: u32) {
        std::mem::swap(&mut self.of_token, &mut self.before);
        self.of_token.clear();
        self.of_token.resize(tokens, unknown);
    }

    /// The branch that an arc with this label leads to from another.
    pub(super) fn after(&mut self, branch: u32, label: u32) -> u32 {
        after(&mut self.words, branch, label)
    }

    /// Notes where the best of a frame's emitting links lead, given what their targets cost; of
    /// equals the first, as in the search.
    ///
    /// Which links are best and which have labels cannot be foretold, so the passes do not branch
    /// on it; the labels, which lie anywhere, are fetched together so that their misses overlap.
    pub(super) fn follow(&mut self, links: &[Link], costs: &[f32], graph: &GraphView<'_>) {
        self.best.resize(links.len() + 1, 0);
        let mut count = 0;
        for (at, link) in (0..).zip(links) {
            self.best[count] = at;
            count += usize::from(link.is_best_of(costs));
        }
        self.labelled.resize(count + 1, 0);
        let mut left = count;
        for &at in self.best[..count].iter().rev() {
            let link = &links[at as usize];
            let branch = self.before[link.from as usize];
            self.labelled[left] = at;
            left -= usize::from(link.is_labelled());
            self.of_token[link.to as usize] = match link.is_labelled() {
                true => PENDING | at,
                false => branch,
            };
        }
        let labelled = &self.labelled[left + 1..];
        self.labels.clear();
        let label = |&at: &u32| graph.label(links[at as usize].arc());
        self.labels.extend(labelled.iter().map(label));
        for (&at, &label) in labelled.iter().zip(&self.labels) {
            let link = &links[at as usize];
            if self.of_token[link.to as usize] == PENDING | at {
                let branch = self.before[link.from as usize];
                self.of_token[link.to as usize] = after(&mut self.words, branch, label);
            }
        }
    }

    pub(super) fn view(&self) -> BranchView<'_> {
        BranchView { of_token: &self.of_token, count: self.words.keys().len() + 1 }
    }
}

/// The branch that an arc with this label leads to from another.
#[inline(always)]
fn after(words: &mut Numbering, branch: u32, label: u32) -> u32 {
    match label & WORD_MASK {
        0 => branch,
        word => words.number(word).0 + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_numbered_as_they_are_met() {
        let mut branches = Branches::default();
        branches.begin(true);
        let words: Vec<u32> = (1..3000).map(|word| word * 512).collect();
        for (number, &word) in (1..).zip(&words) {
            assert_eq!(branches.after(WORDLESS, word), number);
        }
        for (number, &word) in (1..).zip(&words) {
            assert_eq!(branches.after(7, word), number);
        }
        assert_eq!(branches.after(7, !WORD_MASK), 7);
        assert_eq!(branches.view().count, words.len() + 1);
    }
}

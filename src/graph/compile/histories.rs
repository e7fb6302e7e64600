//! The n-gram as the compiler sees it: LM states with what may follow, those that only back off
//! left out.
//!
//! An LM state without successors that can be said (most bigram histories of a pruned model) would
//! be a root with nothing but an epsilon arc. Arcs go to its back-off state at once instead and
//! carry the back-off cost, which the look-ahead then sees a word earlier.

use crate::units::{Cost, PhoneId, WordId};

use super::dictionary::Dictionary;
use super::steps::Steps;

/// A state of the n-gram: a history that the model distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct History(pub(super) u32);

/// A back-off language model as the compiler sees it.
pub(super) trait BackoffModel {
    /// Number of states; they are numbered from 0.
    fn num_states(&self) -> usize;
    /// The state at the start of an utterance.
    fn start(&self) -> History;
    /// Calls `visit` with each explicit successor: word, cost, next state.
    fn successors(&self, history: History, visit: &mut dyn FnMut(WordId, Cost, History));
    /// The next shorter history, and the cost of going there. Chains of back-offs end.
    fn backoff(&self, history: History) -> Option<(History, Cost)>;
    /// The cost of ending the utterance, back-off included.
    fn end(&self, history: History) -> Cost;
}

/// One pronunciation of one word that may follow a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Leaf {
    /// Which pronunciation.
    pub(super) rank: u32,
    /// Everything the word costs: n-gram, skipped back-offs, pronunciation, word penalty.
    pub(super) cost: Steps,
    /// The history after the word.
    pub(super) target: History,
}

/// Histories and their continuations.
pub(super) struct Histories<'a, M> {
    model: &'a M,
    pub(super) dictionary: &'a Dictionary,
    word_penalty: Steps,
    /// For each history the one that stands for it, and the cost of going there.
    stand_in: Vec<(History, Steps)>,
}

/// An explicit end costs this much less or more than the one by back-off before it counts as
/// explicit.
const SAME_END: f32 = 1e-4;

impl<'a, M: BackoffModel> Histories<'a, M> {
    /// Finds which histories are left out.
    pub(super) fn new(model: &'a M, dictionary: &'a Dictionary, word_penalty: Steps) -> Self {
        let mut this = Histories { model, dictionary, word_penalty, stand_in: Vec::new() };
        let skips: Vec<_> = (0..model.num_states() as u32).map(|h| this.skip(History(h))).collect();
        this.stand_in = (0..skips.len() as u32)
            .map(|h| {
                let (mut at, mut cost) = (History(h), Steps::FREE);
                while let Some((next, more)) = skips[at.0 as usize] {
                    (at, cost) = (next, cost + more);
                }
                (at, cost)
            })
            .collect();
        this
    }

    /// Returns the history that replaces one which only backs off, or `None` if it must be kept.
    fn skip(&self, history: History) -> Option<(History, Steps)> {
        let (next, cost) = self.model.backoff(history)?;
        let steps = Steps::of(cost)?;
        let by_backoff = cost + self.model.end(next);
        let end = self.model.end(history);
        let ends_alike = end == by_backoff || (end.0 - by_backoff.0).abs() < SAME_END;
        if history == self.model.start() || !ends_alike {
            return None;
        }
        let mut speaks = false;
        self.model.successors(history, &mut |word, cost, _| {
            speaks |= cost != Cost::IMPOSSIBLE && !self.dictionary.of(word).is_empty();
        });
        (!speaks).then_some((next, steps))
    }

    /// The last phone of a leaf, and the one before it if there is one.
    pub(super) fn last_two(&self, leaf: &Leaf) -> (Option<PhoneId>, PhoneId) {
        match self.dictionary.get(leaf.rank).phones[..] {
            [.., before, last] => (Some(before), last),
            [only] => (None, only),
            [] => unreachable!("pronunciations have phones"),
        }
    }

    /// Number of words that may follow the shortest history and have no pronunciation.
    pub(super) fn unpronounced(&self) -> usize {
        let shorter = |&history: &History| self.model.backoff(history).map(|(next, _)| next);
        let shortest = std::iter::successors(Some(self.start()), shorter).last();
        let mut count = 0;
        self.model.successors(shortest.expect("the start is one"), &mut |word, _, _| {
            count += usize::from(self.dictionary.of(word).is_empty());
        });
        count
    }

    /// Number of histories, those left out included.
    pub(super) fn len(&self) -> usize {
        self.stand_in.len()
    }

    /// The history at the start of an utterance; never left out.
    pub(super) fn start(&self) -> History {
        self.model.start()
    }

    /// The cost of ending the utterance.
    pub(super) fn end(&self, history: History) -> Option<Steps> {
        Steps::of(self.model.end(history))
    }

    /// The next shorter history that is not left out.
    pub(super) fn backoff(&self, history: History) -> Option<(History, Steps)> {
        let (next, cost) = self.model.backoff(history)?;
        let (stand_in, more) = self.stand_in[next.0 as usize];
        Some((stand_in, Steps::of(cost)? + more))
    }

    /// Fills `leaves` with everything that may follow a history, by rank.
    pub(super) fn leaves(&self, history: History, leaves: &mut Vec<Leaf>) {
        leaves.clear();
        self.model.successors(history, &mut |word, cost, next| {
            let Some(cost) = Steps::of(cost) else { return };
            let (target, more) = self.stand_in[next.0 as usize];
            let cost = cost + more + self.word_penalty;
            leaves.extend(self.dictionary.of(word).iter().map(|&rank| {
                let cost = cost + self.dictionary.get(rank).cost;
                Leaf { rank, cost, target }
            }));
        });
        leaves.sort_unstable();
    }
}

//! Which LM states can be reached, and which phones may come before each.

use crate::units::PhoneId;

use super::histories::{BackoffModel, Histories, History};
use super::topology::Topology;

/// A set of phones for each history.
pub(super) struct Contexts {
    /// Words of 64 bits a set.
    stride: usize,
    bits: Vec<u64>,
}

impl Contexts {
    fn new(histories: usize, phones: usize) -> Self {
        let stride = phones.div_ceil(64);
        Contexts { stride, bits: vec![0; histories * stride] }
    }

    fn insert(&mut self, history: History, phone: PhoneId) {
        let at = history.0 as usize * self.stride + phone.index() / 64;
        self.bits[at] |= 1 << (phone.index() % 64);
    }

    /// The phones before a history, ascending.
    pub(super) fn of(&self, history: History) -> impl Iterator<Item = PhoneId> {
        let words = &self.bits[history.0 as usize * self.stride..][..self.stride];
        words.iter().zip(0..).flat_map(|(&word, i)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| PhoneId(i * 64 + bit))
        })
    }
}

/// The reachable histories and the phones before them.
pub(super) struct Reached {
    /// Last phones of words that lead to the history itself, so that a silence may follow.
    pub(super) by_word: Contexts,
    /// Those, silence, and what comes before histories that back off to this one.
    pub(super) by_all: Contexts,
    /// In ascending order.
    pub(super) histories: Vec<History>,
    /// There are silences.
    pub(super) silence: bool,
}

impl Reached {
    /// Follows words and back-offs from the start.
    pub(super) fn find<M: BackoffModel>(
        histories: &Histories<M>,
        topology: &Topology,
        silence: bool,
    ) -> Self {
        let empty = || Contexts::new(histories.len(), topology.phones);
        let mut reached =
            Reached { by_word: empty(), by_all: empty(), histories: Vec::new(), silence };
        let start = histories.start();
        let mut seen = vec![false; histories.len()];
        seen[start.0 as usize] = true;
        let (mut queue, mut leaves) = (vec![start], Vec::new());
        while let Some(history) = queue.pop() {
            reached.histories.push(history);
            let mut visit = |history: History| {
                if !std::mem::replace(&mut seen[history.0 as usize], true) {
                    queue.push(history);
                }
            };
            histories.backoff(history).into_iter().for_each(|(next, _)| visit(next));
            histories.leaves(history, &mut leaves);
            for leaf in &leaves {
                reached.by_word.insert(leaf.target, histories.last_two(leaf).1);
                visit(leaf.target);
            }
        }
        reached.histories.sort_unstable();
        reached.back_off(histories, topology.silence);
        reached
    }

    /// Fills `by_all` from `by_word`.
    fn back_off<M: BackoffModel>(&mut self, histories: &Histories<M>, silence: PhoneId) {
        for &history in &self.histories {
            let mut phones: Vec<_> = self.by_word.of(history).collect();
            if history == histories.start() || self.silence && !phones.is_empty() {
                phones.push(silence);
            }
            let shorter = |&history: &History| histories.backoff(history).map(|(next, _)| next);
            for history in std::iter::successors(Some(history), shorter) {
                phones.iter().for_each(|&phone| self.by_all.insert(history, phone));
            }
        }
    }
}

//! The roots: the states between two words, one for each (LM state, left phone, self-loop) that can occur.
//!
//! The last phone of a word is a state with a self-loop, from which the next word or a silence starts. Were that state
//! apart from the root there would be an epsilon arc between them, taken at every frame; instead the root carries the
//! self-loop itself, and there is one root for each self-loop pdf by which it is entered. Nearly always that is one,
//! since an LM state's last word has one last pair of phones.
//!
//! A *plain* root has no self-loop: back-off arcs lead there. Where a back-off comes from a root with the only self-loop
//! that the target has as well, it goes to the target's looping root and the plain one is not built: more frames of
//! the self-loop there cost the same as before the back-off, so no path gets cheaper.

use crate::units::{PdfId, PhoneId};

use super::histories::{BackoffModel, Histories, History, Leaf};
use super::topology::Topology;

/// Bits of the self-loop in a packed key.
const LOOP_BITS: u32 = 20;
/// Bits of the left phone in a packed key.
const PHONE_BITS: u32 = 12;
/// Number of phones a key can hold.
pub(super) const PHONE_LIMIT: usize = 1 << PHONE_BITS;
/// Number of pdfs a key can hold.
pub(super) const LOOP_LIMIT: usize = (1 << LOOP_BITS) - 1;

/// Which root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RootKey {
    /// The LM state.
    pub(super) history: History,
    /// The phone before: the next phone's left context.
    pub(super) left: PhoneId,
    /// The pdf of the self-loop; `None` for a plain root.
    pub(super) again: Option<PdfId>,
}

impl RootKey {
    fn pack(self) -> u64 {
        let again = self.again.map_or(0, |pdf| u64::from(pdf.0) + 1);
        let history = u64::from(self.history.0) << (PHONE_BITS + LOOP_BITS);
        history | u64::from(self.left.0) << LOOP_BITS | again
    }

    fn unpack(key: u64) -> Self {
        let again = key as u32 & LOOP_LIMIT as u32;
        RootKey {
            history: History((key >> (PHONE_BITS + LOOP_BITS)) as u32),
            left: PhoneId((key >> LOOP_BITS) as u32 & (PHONE_LIMIT as u32 - 1)),
            again: again.checked_sub(1).map(PdfId),
        }
    }
}

/// All roots in ascending order of their keys; a root's position is its state. The *initial* state, where utterances
/// start, comes after them: it is like a plain root of the start history after silence, but may still enter a silence.
pub(super) struct Roots {
    keys: Vec<u64>,
    /// `histories + 1` offsets into `keys`.
    begin: Vec<u32>,
}

impl Roots {
    /// Finds every root that can be reached.
    pub(super) fn find<M: BackoffModel>(
        histories: &Histories<M>,
        topology: &Topology,
        with_silence: bool,
    ) -> Self {
        let contexts = reach(histories, topology, with_silence);
        let mut roots = Roots {
            keys: looping(histories, topology, &contexts),
            begin: Vec::new(),
        };
        roots.index(histories.len());
        let plain = roots.plain(histories, topology.silence);
        roots.keys.extend(plain);
        roots.index(histories.len());
        roots
    }

    /// Number of roots.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The state where utterances start.
    pub(super) fn initial(&self) -> u32 {
        self.len() as u32
    }

    /// The roots of a history, with their states.
    pub(super) fn of(&self, history: History) -> impl Iterator<Item = (u32, RootKey)> {
        (self.begin[history.0 as usize]..self.begin[history.0 as usize + 1])
            .map(|root| (root, RootKey::unpack(self.keys[root as usize])))
    }

    /// The state of the root that is entered from a phone with the self-loop `again`.
    pub(super) fn entered(&self, history: History, left: PhoneId, again: PdfId) -> u32 {
        let key = RootKey {
            history,
            left,
            again: Some(again),
        };
        self.state(key)
            .expect("every root that a word or a silence leads to was found")
    }

    /// The state of the root of `history` that takes over a back-off from a root with this left phone and self-loop.
    pub(super) fn backed_off(&self, history: History, from: RootKey) -> u32 {
        let key = self.takes_over(history, from);
        self.state(key)
            .expect("every root that a back-off leads to was found")
    }

    fn takes_over(&self, history: History, from: RootKey) -> RootKey {
        let plain = RootKey {
            history,
            again: None,
            ..from
        };
        let same = |key: &RootKey| key.left == from.left && key.again.is_some();
        let mut loops = self.of(history).map(|(_, key)| key).filter(same);
        match (loops.next(), loops.next()) {
            (Some(only), None) if only.again == from.again => only,
            _ => plain,
        }
    }

    fn state(&self, key: RootKey) -> Option<u32> {
        let first = self.begin[key.history.0 as usize];
        let end = self.begin[key.history.0 as usize + 1];
        let found = self.keys[first as usize..end as usize].binary_search(&key.pack());
        found.ok().map(|at| first + at as u32)
    }

    /// Puts the keys in order and counts them by history.
    fn index(&mut self, histories: usize) {
        self.keys.sort_unstable();
        self.keys.dedup();
        self.begin = vec![0; histories + 1];
        for &key in &self.keys {
            self.begin[RootKey::unpack(key).history.0 as usize + 1] += 1;
        }
        for history in 0..histories {
            self.begin[history + 1] += self.begin[history];
        }
    }

    /// The plain roots that the looping ones, and the initial state, back off to.
    fn plain<M: BackoffModel>(&self, histories: &Histories<M>, silence: PhoneId) -> Vec<u64> {
        let initial = RootKey {
            history: histories.start(),
            left: silence,
            again: None,
        };
        let mut plain = Vec::new();
        for mut key in self
            .keys
            .iter()
            .map(|&key| RootKey::unpack(key))
            .chain([initial])
        {
            while let Some((history, _)) = histories.backoff(key.history) {
                key = self.takes_over(history, key);
                if key.again.is_some() {
                    break;
                }
                plain.push(key.pack());
            }
        }
        plain
    }
}

/// A set of phones for each history.
struct Contexts {
    stride: usize,
    bits: Vec<u64>,
}

impl Contexts {
    fn new(histories: usize, phones: usize) -> Self {
        let stride = phones.div_ceil(64);
        Contexts {
            stride,
            bits: vec![0; histories * stride],
        }
    }

    fn of(&self, history: History) -> &[u64] {
        &self.bits[history.0 as usize * self.stride..][..self.stride]
    }

    /// False if the phone was in the set already.
    fn insert(&mut self, history: History, phone: PhoneId) -> bool {
        let word = &mut self.bits[history.0 as usize * self.stride + phone.index() / 64];
        let bit = 1 << (phone.index() % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    fn is_empty(&self, history: History) -> bool {
        self.of(history).iter().all(|&word| word == 0)
    }

    fn phones(&self, history: History) -> impl Iterator<Item = PhoneId> {
        let words = self.of(history).iter().enumerate();
        words.flat_map(|(i, &word)| {
            (0..64)
                .filter(move |bit| word >> bit & 1 == 1)
                .map(move |bit| PhoneId(i as u32 * 64 + bit))
        })
    }
}

/// The phones that may come before each history: last phones of words that lead there, or there less a back-off.
struct Reached {
    /// Entered by a word, so that a silence may follow.
    by_word: Contexts,
    /// Entered by a word, a silence, or a back-off.
    by_all: Contexts,
    /// Histories with any, in ascending order.
    histories: Vec<History>,
    silence: bool,
}

fn reach<M: BackoffModel>(histories: &Histories<M>, topology: &Topology, silence: bool) -> Reached {
    let empty = || Contexts::new(histories.len(), topology.phones);
    let (mut by_word, mut by_all) = (empty(), empty());
    let start = histories.start();
    by_all.insert(start, topology.silence);
    let mut queue = vec![start];
    let mut seen = vec![false; histories.len()];
    seen[start.0 as usize] = true;
    let mut leaves = Vec::new();
    while let Some(history) = queue.pop() {
        let mut visit = |history: History| {
            if !std::mem::replace(&mut seen[history.0 as usize], true) {
                queue.push(history);
            }
        };
        histories
            .backoff(history)
            .into_iter()
            .for_each(|(next, _)| visit(next));
        histories.leaves(history, &mut leaves);
        for leaf in &leaves {
            by_word.insert(leaf.target, last_two(histories, leaf).1);
            visit(leaf.target);
        }
    }
    let reached: Vec<_> = (0..histories.len() as u32)
        .map(History)
        .filter(|h| seen[h.0 as usize])
        .collect();
    for &history in &reached {
        let mut phones: Vec<_> = by_word.phones(history).collect();
        phones.extend(
            Some(topology.silence).filter(|_| history == start || silence && !phones.is_empty()),
        );
        let mut at = Some(history);
        while let Some(history) = at {
            phones
                .iter()
                .for_each(|&phone| drop(by_all.insert(history, phone)));
            at = histories.backoff(history).map(|(next, _)| next);
        }
    }
    Reached {
        by_word,
        by_all,
        histories: reached,
        silence,
    }
}

/// The last phone of a pronunciation, and the one before it if there is one.
fn last_two<M>(histories: &Histories<M>, leaf: &Leaf) -> (Option<PhoneId>, PhoneId) {
    match histories.dictionary.get(leaf.rank).phones[..] {
        [.., before, last] => (Some(before), last),
        [only] => (None, only),
        [] => unreachable!("pronunciations have phones"),
    }
}

/// The roots with self-loops: those after each word and after each silence.
fn looping<M: BackoffModel>(
    histories: &Histories<M>,
    topology: &Topology,
    reached: &Reached,
) -> Vec<u64> {
    let mut keys = Vec::new();
    let mut push = |history, before, left| {
        let again = Some(topology.pdfs(before, left).again);
        keys.push(
            RootKey {
                history,
                left,
                again,
            }
            .pack(),
        );
    };
    let mut leaves = Vec::new();
    for &history in &reached.histories {
        histories.leaves(history, &mut leaves);
        for leaf in &leaves {
            match last_two(histories, leaf) {
                (Some(before), last) => push(leaf.target, before, last),
                (None, only) => {
                    let before = reached.by_all.phones(history);
                    before.for_each(|before| push(leaf.target, before, only));
                }
            }
        }
        if reached.silence {
            let initial = (history == histories.start()).then_some(topology.silence);
            let before = reached.by_word.phones(history).chain(initial);
            before.for_each(|before| push(history, before, topology.silence));
        }
    }
    keys
}

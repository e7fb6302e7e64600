//! The roots: the states between two words, one for each (LM state, left phone, self-loop) that can
//! occur.
//!
//! The last phone of a word is a state with a self-loop, from which the next word or a silence
//! starts. Were that state apart from the root there would be an epsilon arc between them, taken at
//! every frame; instead the root carries the self-loop itself, and there is one root for each
//! self-loop pdf by which it is entered. Nearly always that is one, since an LM state's last word
//! has one last pair of phones.
//!
//! A *plain* root has no self-loop: back-off arcs lead there. Where a back-off comes from a root
//! with the only self-loop that the target has as well, it goes to the target's looping root and
//! the plain one is not built: more frames of the self-loop there cost the same as before the
//! back-off, so no path gets cheaper.

use crate::units::{PdfId, PhoneId};

use super::contexts::Reached;
use super::histories::{BackoffModel, Histories, History};
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

/// All roots in ascending order of their keys; a root's position is its state. The *initial* state,
/// where utterances start, comes after them: it is like a plain root of the start history after
/// silence, but may still enter a silence.
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
        let contexts = Reached::find(histories, topology, with_silence);
        let mut roots = Roots { keys: looping(histories, topology, &contexts), begin: Vec::new() };
        roots.index(histories.len());
        let plain = roots.plain(histories, topology.silence);
        roots.keys.extend(plain);
        roots.index(histories.len());
        roots
    }

    /// The roots of one history, numbered 0.
    pub(super) fn of_one_history(keys: impl IntoIterator<Item = RootKey>) -> Self {
        let mut roots =
            Roots { keys: keys.into_iter().map(RootKey::pack).collect(), begin: Vec::new() };
        roots.index(1);
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
        let key = RootKey { history, left, again: Some(again) };
        self.state(key).expect("every root that a word or a silence leads to was found")
    }

    /// The state of the root of `history` that takes over a back-off from a root with this left
    /// phone and self-loop.
    pub(super) fn backed_off(&self, history: History, from: RootKey) -> u32 {
        let key = self.takes_over(history, from);
        self.state(key).expect("every root that a back-off leads to was found")
    }

    fn takes_over(&self, history: History, from: RootKey) -> RootKey {
        let plain = RootKey { history, again: None, ..from };
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
        let initial = RootKey { history: histories.start(), left: silence, again: None };
        let mut plain = Vec::new();
        for mut key in self.keys.iter().map(|&key| RootKey::unpack(key)).chain([initial]) {
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

/// The roots with self-loops: those after each word and after each silence.
fn looping<M: BackoffModel>(
    histories: &Histories<M>,
    topology: &Topology,
    reached: &Reached,
) -> Vec<u64> {
    let mut keys = Vec::new();
    let mut push = |history, before, left| {
        let again = Some(topology.pdfs(before, left).again);
        keys.push(RootKey { history, left, again }.pack());
    };
    let mut leaves = Vec::new();
    for &history in &reached.histories {
        histories.leaves(history, &mut leaves);
        for leaf in &leaves {
            match histories.last_two(leaf) {
                (Some(before), last) => push(leaf.target, before, last),
                (None, only) => {
                    let before = reached.by_all.of(history);
                    before.for_each(|before| push(leaf.target, before, only));
                }
            }
        }
        if reached.silence {
            let initial = (history == histories.start()).then_some(topology.silence);
            let before = reached.by_word.of(history).chain(initial);
            before.for_each(|before| push(history, before, topology.silence));
        }
    }
    keys
}

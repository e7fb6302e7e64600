//! The parts of a `G.carpa`, and what stands at a place of them.

use std::ops::Range;

/// Where the parts of a file lie.
pub(super) struct Layout {
    pub begin: u32,
    pub end: u32,
    /// What stands for words that the model does not know, if anything does.
    pub unknown: Option<u32>,
    pub order: usize,
    pub states: Range<usize>,
    pub unigrams: Range<usize>,
    pub overflow: Range<usize>,
}

/// What follows a history when a word is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Child {
    /// No history: ln p.
    Leaf(f32),
    /// A history that begins here.
    State(i64),
}

/// The parts of a file, of which any may be another's or damaged.
#[derive(Clone, Copy)]
pub(super) struct Parts<'b> {
    pub bytes: &'b [u8],
    pub layout: &'b Layout,
}

/// A file may be changed by others once it is mapped: what is not there reads as 0, and no place is
/// believed.
impl Parts<'_> {
    /// Words of 32 bits in the histories.
    pub fn len(&self) -> usize {
        self.layout.states.len() / 4
    }

    pub fn num_words(&self) -> usize {
        self.layout.unigrams.len() / 8
    }

    /// A word of the histories.
    pub fn int(&self, at: usize) -> i32 {
        let section = self.bytes.get(self.layout.states.clone()).unwrap_or_default();
        let bytes = section.get(at.saturating_mul(4)..).and_then(|rest| rest.first_chunk());
        i32::from_le_bytes(bytes.copied().unwrap_or_default())
    }

    pub fn float(&self, at: usize) -> f32 {
        f32::from_bits(self.int(at).cast_unsigned())
    }

    /// What the file says about where a history begins, 1 more than it is.
    pub fn address(&self, section: &Range<usize>, at: usize) -> i64 {
        let section = self.bytes.get(section.clone()).unwrap_or_default();
        let bytes = section.get(at.saturating_mul(8)..).and_then(|rest| rest.first_chunk());
        i64::from_le_bytes(bytes.copied().unwrap_or_default())
    }

    /// Where the history of a word alone begins, of a word that the model knows.
    pub fn unigram(&self, word: u32) -> Option<usize> {
        let at = usize::try_from(word).ok().filter(|at| *at < self.num_words())?;
        let address = self.address(&self.layout.unigrams, at);
        usize::try_from(address.checked_sub(1)?).ok()
    }

    /// Number of words that follow a history.
    pub fn num_children(&self, state: usize) -> usize {
        let most = self.len().saturating_sub(state + 3) / 2;
        usize::try_from(self.int(state + 2)).unwrap_or(0).min(most)
    }

    /// What follows a history when its `at`th word is said.
    pub fn child_at(&self, state: usize, at: usize) -> (i32, Child) {
        let (word, info) = (self.int(state + 3 + 2 * at), self.int(state + 4 + 2 * at));
        let child = match info {
            info if info % 2 == 0 => Child::Leaf(f32::from_bits(info.cast_unsigned())),
            info if info / 2 > 0 => Child::State((state as i64).saturating_add((info / 2).into())),
            info => {
                let at = usize::try_from(-i64::from(info / 2)).unwrap_or(usize::MAX);
                let known = at < self.layout.overflow.len() / 8;
                let address = if known { self.address(&self.layout.overflow, at) } else { 0 };
                Child::State(address.wrapping_sub(1))
            }
        };
        (word, child)
    }

    pub fn child(&self, state: usize, word: u32) -> Option<Child> {
        let (mut from, mut to) = (0, self.num_children(state));
        while from < to {
            let middle = from + (to - from) / 2;
            let found = self.int(state + 3 + 2 * middle);
            match i64::from(found).cmp(&i64::from(word)) {
                std::cmp::Ordering::Equal => return Some(self.child_at(state, middle).1),
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    pub fn ln_probability(&self, child: Child) -> f32 {
        match child {
            Child::Leaf(probability) => probability,
            Child::State(at) => usize::try_from(at).map_or(f32::NEG_INFINITY, |at| self.float(at)),
        }
    }

    /// Where a history begins, if words follow it, or it is one word alone.
    pub fn state_of(&self, words: &[u32]) -> Option<usize> {
        let (first, others) = words.split_first()?;
        let mut state = self.unigram(*first)?;
        for word in others {
            let Child::State(next) = self.child(state, *word)? else {
                return None;
            };
            state = usize::try_from(next).ok()?;
        }
        Some(state)
    }

    pub fn is_followed(&self, words: &[u32]) -> bool {
        self.state_of(words).is_some_and(|state| self.num_children(state) > 0)
    }
}

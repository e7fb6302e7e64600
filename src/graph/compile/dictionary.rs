//! The pronunciations in lexicographic order of their phones.
//!
//! A pronunciation's position in that order is its *rank*. The pronunciations that may follow an LM
//! state, sorted by rank, are the leaves of its prefix tree from left to right, so the tree is read
//! off without building one.

use crate::units::{PhoneId, WordId};

use super::steps::Steps;

/// One way to say a word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pronunciation {
    /// At least one phone.
    pub(super) phones: Vec<PhoneId>,
    /// The word.
    pub(super) word: WordId,
    /// `−ln` of its probability among the word's pronunciations.
    pub(super) cost: Steps,
}

/// All pronunciations, by rank and by word.
pub(super) struct Dictionary {
    by_rank: Vec<Pronunciation>,
    /// `words + 1` offsets into `ranks`.
    begin: Vec<u32>,
    ranks: Vec<u32>,
}

impl Dictionary {
    /// Sorts the pronunciations; of several that agree in word and phones the cheapest stays.
    pub(super) fn new(mut pronunciations: Vec<Pronunciation>) -> Self {
        pronunciations.sort_unstable();
        pronunciations.dedup_by(|b, a| a.phones == b.phones && a.word == b.word);
        let words = pronunciations.iter().map(|p| p.word.index() + 1).max().unwrap_or(0);
        let mut begin = vec![0; words + 1];
        for pronunciation in &pronunciations {
            begin[pronunciation.word.index() + 1] += 1;
        }
        for word in 0..words {
            begin[word + 1] += begin[word];
        }
        let mut ranks: Vec<u32> = (0..pronunciations.len() as u32).collect();
        ranks.sort_by_key(|&rank| pronunciations[rank as usize].word);
        Dictionary { by_rank: pronunciations, begin, ranks }
    }

    /// The ranks of a word's pronunciations, ascending; none if it has none.
    pub(super) fn of(&self, word: WordId) -> &[u32] {
        match self.begin.get(word.index()..).unwrap_or(&[]) {
            [begin, end, ..] => &self.ranks[*begin as usize..*end as usize],
            _ => &[],
        }
    }

    /// The pronunciation of a rank.
    pub(super) fn get(&self, rank: u32) -> &Pronunciation {
        &self.by_rank[rank as usize]
    }

    /// The word of a rank.
    pub(super) fn word(&self, rank: u32) -> u32 {
        self.get(rank).word.0
    }

    /// The phone at a depth of a rank's pronunciation.
    pub(super) fn phone(&self, rank: u32, depth: usize) -> PhoneId {
        self.get(rank).phones[depth]
    }

    /// Number of phones of a rank's pronunciation.
    pub(super) fn length(&self, rank: u32) -> usize {
        self.get(rank).phones.len()
    }

    /// Number of words that have a pronunciation.
    pub(super) fn num_words(&self) -> usize {
        self.begin.windows(2).filter(|at| at[0] < at[1]).count()
    }

    /// Number of pronunciations.
    pub(super) fn len(&self) -> usize {
        self.by_rank.len()
    }
}

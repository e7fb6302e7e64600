//! The back-off n-gram language model: which word is likely after which.
//!
//! An [`Ngram`] is an automaton. Its states ([`LmState`]) are histories: the empty one, one word,
//! two words, …, as many as the order less one. From a state, [`Ngram::step`] takes a word and
//! gives its cost and the state after it, backing off as far as needed. The model is mapped from a
//! compact file (see `file.rs` for the layout) and used in place.
//!
//! The data is a trie of n-grams, the words of each history in order, in arrays: a 16-bit word and
//! an 8-bit cost code an n-gram; one bit that says whether an n-gram is also a history, and one
//! that says where the list of the next history begins. So the histories are numbered without gaps,
//! and their lists need no offsets; see Germann, Joanis and Larkin, "Tightly packed tries" (2009)
//! and Heafield, "KenLM" (2011) for relatives. Every n-gram's suffix is in the model too, as
//! [`pack`] sees to, so that backing off never skips a length.

pub mod arpa;
mod bits;
mod cache;
pub mod error;
pub mod estimate;
pub mod file;
pub mod interpolate;
pub mod pack;
mod quantise;
#[cfg(test)]
mod tests;
mod unpack;

use std::ops::Range;

use crate::graph::container::Section;
use crate::units::{Cost, WordId};

use bits::Bits;
pub(crate) use cache::Recent;
pub use cache::StepCache;
pub use error::NgramError;

/// Largest order of a model: four 16-bit words are one 64-bit key.
pub const MAX_ORDER: usize = 4;

/// Number of words a model can tell apart.
pub const MAX_WORDS: usize = 1 << 16;

/// The word that starts an utterance; never predicted.
pub const BEGIN: WordId = WordId(1);

/// The word that ends an utterance.
pub const END: WordId = WordId(2);

/// The word that stands for those in no table; nothing predicts it.
pub const UNKNOWN: WordId = WordId(3);

/// Codes of a quantised cost.
const CODES: usize = 256;

/// A history that the model distinguishes, by number: 0 is the empty one, `1 + w` that of the one
/// word `w`, longer ones follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LmState(pub u32);

impl LmState {
    /// The empty history: every back-off ends here.
    pub const EMPTY: LmState = LmState(0);
}

/// The n-grams of one order from 2 up; row = n-gram, sorted by history, then word.
#[derive(Debug)]
struct Level {
    /// Last word of each n-gram.
    words: Section<u16>,
    /// Index of each n-gram's cost in `codebook`.
    codes: Section<u8>,
    /// 256 costs.
    codebook: Section<f32>,
    /// A one where the list of a history begins; empty for order 2, whose offsets are explicit.
    first: (Section<u64>, Section<u32>),
    /// A one where the n-gram is a history; empty for the highest order.
    inner: (Section<u64>, Section<u32>),
    /// Index of each history's back-off cost in `backoff_codebook`.
    backoff_codes: Section<u8>,
    /// 256 costs.
    backoff_codebook: Section<f32>,
}

impl Level {
    fn first(&self) -> Bits<'_> {
        Bits { words: self.first.0.as_slice(), directory: self.first.1.as_slice() }
    }

    fn inner(&self) -> Bits<'_> {
        Bits { words: self.inner.0.as_slice(), directory: self.inner.1.as_slice() }
    }

    fn cost(&self, row: usize) -> Cost {
        decode(&self.codes, &self.codebook, row)
    }

    fn histories(&self) -> usize {
        self.backoff_codes.as_slice().len()
    }
}

fn decode(codes: &Section<u8>, codebook: &Section<f32>, row: usize) -> Cost {
    let code = codes.as_slice().get(row).copied().unwrap_or(0);
    Cost(codebook.as_slice().get(code as usize).copied().unwrap_or(0.0))
}

/// A back-off n-gram model. Immutable and shareable between threads; nothing in a mapped one is
/// trusted.
///
/// ```
/// use paretone::graph::WordTable;
/// use paretone::graph::ngram::{arpa::Arpa, pack::pack};
/// use paretone::units::WordId;
///
/// let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\nyes\n".as_bytes(), "words")?;
/// let text = "\\data\\\nngram 1=3\n\n\\1-grams:\n-99 <s>\n-0.3 </s>\n-0.3 yes\n\n\\end\\\n";
/// let ngram = pack(Arpa::from_reader(text.as_bytes(), "arpa", &words)?, &words, 0)?;
/// let (after_yes, cost) = ngram.step(ngram.start(), WordId(4));
/// assert!((cost.0 - 0.3 * 10f32.ln()).abs() < 0.01); // files hold base-10 logarithms
/// assert!((ngram.end(after_yes).0 - cost.0).abs() < 0.01);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ngram {
    /// Cost of each word after the empty history.
    unigrams: Section<f32>,
    /// Cost of backing off from each one-word history.
    backoffs: Section<f32>,
    /// `words + 1` offsets of the one-word histories' lists in the level of order 2.
    begin: Section<u32>,
    /// Orders 2 and up.
    levels: Vec<Level>,
    /// Checksum of the word table the ids refer to.
    words_sum: u64,
}

/// A history, taken apart: its length and its number among those of its length.
#[derive(Clone, Copy)]
struct History {
    length: usize,
    index: usize,
}

const EMPTY: History = History { length: 0, index: 0 };

impl Ngram {
    /// Length of the longest n-gram in words.
    pub fn order(&self) -> usize {
        1 + self.levels.len()
    }

    /// Number of words, specials included.
    pub fn num_words(&self) -> usize {
        self.unigrams.as_slice().len()
    }

    /// Number of n-grams of each order, order 1 first.
    pub fn num_ngrams(&self) -> Vec<usize> {
        let longer = self.levels.iter().map(|level| level.words.as_slice().len());
        std::iter::once(self.num_words()).chain(longer).collect()
    }

    /// Number of states; they are numbered from 0. States of words that no n-gram starts with have
    /// no successors, and nothing leads to them.
    pub fn num_states(&self) -> usize {
        let longer = self.levels.iter().map(Level::histories);
        1 + self.num_words() + longer.sum::<usize>()
    }

    /// XXH3-64 of the `words.txt` the model was packed with, by which a mix-up of models shows.
    pub fn words_sum(&self) -> u64 {
        self.words_sum
    }

    /// The state at the start of an utterance.
    pub fn start(&self) -> LmState {
        self.number(self.land(EMPTY, BEGIN.index(), BEGIN))
    }

    /// The cost of `word` after `state`, back-off included, and the state after it. A word the
    /// model does not know costs [`Cost::IMPOSSIBLE`] and leads to the empty history.
    pub fn step(&self, state: LmState, word: WordId) -> (LmState, Cost) {
        let mut history = self.history(state);
        let mut cost = Cost::FREE;
        loop {
            if let Some(row) = self.find(history, word) {
                let next = self.number(self.land(history, row, word));
                return (next, cost + self.cost(history, row));
            }
            if history.length == 0 {
                return (LmState::EMPTY, Cost::IMPOSSIBLE);
            }
            cost = cost + self.backoff_cost(history);
            history = self.shorter(history);
        }
    }

    /// The cost of ending the utterance after `state`, back-off included.
    pub fn end(&self, state: LmState) -> Cost {
        self.step(state, END).1
    }

    /// The next shorter history and the cost of backing off to it; `None` for the empty history.
    pub fn backoff(&self, state: LmState) -> Option<(LmState, Cost)> {
        let history = self.history(state);
        (history.length > 0)
            .then(|| (self.number(self.shorter(history)), self.backoff_cost(history)))
    }

    /// What the model lists explicitly after `state`, by word: word, cost, next state. The end of
    /// the utterance is not among it (see [`Ngram::end`]), nor is what costs [`Cost::IMPOSSIBLE`].
    pub fn successors(&self, state: LmState) -> impl Iterator<Item = (WordId, Cost, LmState)> {
        let history = self.history(state);
        self.list(history).filter_map(move |row| {
            let word = self.word(history, row);
            let cost = self.cost(history, row);
            (word != END && cost.0 < f32::INFINITY)
                .then(|| (word, cost, self.number(self.land(history, row, word))))
        })
    }

    /// Takes a state number apart; one that does not exist is the empty history.
    fn history(&self, state: LmState) -> History {
        let Some(mut index) = state.index().checked_sub(1) else {
            return EMPTY;
        };
        let counts =
            std::iter::once(self.num_words()).chain(self.levels.iter().map(Level::histories));
        for (before, count) in counts.enumerate() {
            if index < count {
                return History { length: 1 + before, index };
            }
            index -= count;
        }
        EMPTY
    }

    fn number(&self, history: History) -> LmState {
        let before = match history.length {
            0 => return LmState::EMPTY,
            1 => 0,
            n => {
                self.num_words()
                    + self.levels.iter().take(n - 2).map(Level::histories).sum::<usize>()
            }
        };
        LmState((1 + before + history.index) as u32)
    }

    /// Rows of the n-grams that extend a history, in the level of its length plus one.
    fn list(&self, history: History) -> Range<usize> {
        match history.length {
            0 => 0..self.num_words(),
            1 => match self.begin.as_slice().get(history.index..) {
                Some([begin, end, ..]) => {
                    let rows = self.levels.first().map_or(0, |level| level.words.as_slice().len());
                    *begin as usize..rows.min(*end as usize)
                }
                _ => 0..0,
            },
            n => {
                let Some(level) = self.levels.get(n - 1) else {
                    return 0..0;
                };
                let first = level.first();
                let end =
                    || first.select(history.index + 1).unwrap_or(level.words.as_slice().len());
                first.select(history.index).map_or(0..0, |begin| begin..end())
            }
        }
    }

    /// The row of a word in a history's list.
    #[inline]
    fn find(&self, history: History, word: WordId) -> Option<usize> {
        let list = self.list(history);
        if history.length == 0 {
            return list.contains(&word.index()).then_some(word.index());
        }
        let words = self.levels.get(history.length - 1)?.words.as_slice().get(list.clone())?;
        let at = words.binary_search(&u16::try_from(word.0).ok()?).ok()?;
        Some(list.start + at)
    }

    fn word(&self, history: History, row: usize) -> WordId {
        match history.length {
            0 => WordId(row as u32),
            n => {
                let words = self.levels.get(n - 1).map(|level| level.words.as_slice());
                let word = words.and_then(|words| words.get(row)).copied();
                WordId(u32::from(word.unwrap_or(0)))
            }
        }
    }

    fn cost(&self, history: History, row: usize) -> Cost {
        match history.length {
            0 => Cost(self.unigrams.as_slice().get(row).copied().unwrap_or(f32::INFINITY)),
            n => self.levels.get(n - 1).map_or(Cost::IMPOSSIBLE, |level| level.cost(row)),
        }
    }

    fn backoff_cost(&self, history: History) -> Cost {
        let index = history.index;
        match history.length {
            0 => Cost::FREE,
            1 => Cost(self.backoffs.as_slice().get(index).copied().unwrap_or(0.0)),
            n => self.levels.get(n - 2).map_or(Cost::FREE, |level| {
                decode(&level.backoff_codes, &level.backoff_codebook, index)
            }),
        }
    }

    /// The history without its oldest word.
    fn shorter(&self, history: History) -> History {
        if history.length <= 1 {
            return EMPTY;
        }
        let Some(level) = self.levels.get(history.length - 2) else {
            return EMPTY;
        };
        let Some(row) = level.inner().select(history.index) else {
            return EMPTY;
        };
        let last = WordId(u32::from(level.words.as_slice().get(row).copied().unwrap_or(0)));
        if history.length == 2 {
            return self.land(EMPTY, last.index(), last);
        }
        // The list that holds the row belongs to the history of all words but the last.
        let index = level.first().rank(row + 1).saturating_sub(1);
        let rest = self.shorter(History { length: history.length - 1, index });
        match self.find(rest, last) {
            Some(row) => self.land(rest, row, last),
            None => EMPTY,
        }
    }

    /// The longest history that the n-gram `row`, which is `history` and then `word`, ends with.
    fn land(&self, mut history: History, mut row: usize, word: WordId) -> History {
        loop {
            if history.length == 0 {
                let reached = History { length: 1, index: row };
                return if self.list(reached).is_empty() { EMPTY } else { reached };
            }
            if let Some(level) = self.levels.get(history.length - 1) {
                let inner = level.inner();
                if inner.get(row) {
                    return History { length: history.length + 1, index: inner.rank(row) };
                }
            }
            (history, row) = loop {
                history = self.shorter(history);
                match self.find(history, word) {
                    Some(row) => break (history, row),
                    None if history.length == 0 => return EMPTY,
                    None => {}
                }
            };
        }
    }
}

impl LmState {
    fn index(self) -> usize {
        self.0 as usize
    }
}

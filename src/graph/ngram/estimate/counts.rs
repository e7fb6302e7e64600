//! The n-grams of a text and how often each occurs.
//!
//! An unknown word begins a new stretch of text, as `<s>` does: nothing is predicted across it, and
//! it is never predicted itself, for a recogniser cannot write it.

use super::{UNKNOWN, id_of};
use crate::graph::WordTable;
use crate::graph::ngram::{BEGIN, END};

/// A text as its words' ids, from which n-grams are counted.
#[derive(Clone, Debug, Default)]
pub struct TextCounts {
    tokens: Vec<u16>,
    known: usize,
    unknown: usize,
}

/// All n-grams of one order; the arrays have a row each, ascending by key.
pub(super) struct Table {
    order: usize,
    /// The words, 16 bits each, the last one lowest. Of order 1: all words of the table, by id.
    pub keys: Vec<u64>,
    /// Occurrences.
    pub raw: Vec<f64>,
    /// The row of all words but the last in the table below.
    pub prefix: Vec<u32>,
    /// The row of all words but the first there.
    pub suffix: Vec<u32>,
}

impl TextCounts {
    /// Adds a sentence, its words between spaces.
    pub fn add(&mut self, sentence: &str, words: &WordTable) {
        self.tokens.push(BEGIN.0 as u16);
        for word in sentence.split_whitespace() {
            let id = id_of(word, words);
            match u64::from(id) == UNKNOWN {
                true => self.unknown += 1,
                false => self.known += 1,
            }
            self.tokens.push(id);
        }
        self.tokens.push(END.0 as u16);
    }

    /// How many words of it the table has.
    pub fn known_words(&self) -> usize {
        self.known
    }

    /// How many it lacks.
    pub fn unknown_words(&self) -> usize {
        self.unknown
    }

    /// The tables of the orders up to one, for so many words.
    pub(super) fn tables(&self, order: usize, words: usize) -> Vec<Table> {
        let mut tables = vec![self.unigrams(words)];
        for order in 2..=order {
            let below = tables.last().expect("there is one of order 1");
            let table = self.table(order, below);
            tables.push(table);
        }
        tables
    }

    fn unigrams(&self, words: usize) -> Table {
        let mut raw = vec![0.0; words];
        for &token in &self.tokens {
            raw[usize::from(token)] += 1.0;
        }
        Table {
            order: 1,
            keys: (0..words as u64).collect(),
            raw,
            prefix: vec![0; words],
            suffix: vec![0; words],
        }
    }

    fn table(&self, order: usize, below: &Table) -> Table {
        let is_within = |window: &&[u16]| {
            let mut later = window[1..].iter().map(|&token| u64::from(token));
            later.all(|token| token != u64::from(BEGIN.0) && token != UNKNOWN)
        };
        let key = |window: &[u16]| {
            let words = window.iter();
            words.fold(0u64, |key, &word| key << 16 | u64::from(word))
        };
        let windows = self.tokens.windows(order).filter(is_within);
        let mut all: Vec<u64> = windows.map(key).collect();
        all.sort_unstable();
        let mut table = Table {
            order,
            keys: Vec::new(),
            raw: Vec::new(),
            prefix: Vec::new(),
            suffix: Vec::new(),
        };
        let row = |key: &u64| {
            let row = below.keys.binary_search(key);
            row.expect("the parts of an n-gram are n-grams of the text") as u32
        };
        let mask = (1u64 << (16 * (order - 1))) - 1;
        for same in all.chunk_by(|a, b| a == b) {
            table.keys.push(same[0]);
            table.raw.push(same.len() as f64);
            table.prefix.push(row(&(same[0] >> 16)));
            table.suffix.push(row(&(same[0] & mask)));
        }
        table
    }
}

impl Table {
    /// The first word of a row.
    pub fn first_word(&self, row: usize) -> u64 {
        self.keys[row] >> (16 * (self.order - 1))
    }

    /// Whether no word can stand before a row.
    pub fn starts(&self, row: usize) -> bool {
        let first = self.first_word(row);
        first == u64::from(BEGIN.0) || first == UNKNOWN
    }
}

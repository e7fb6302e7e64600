//! The states of a composition and their numbers: one table for all, twelve bytes a state and four
//! to eight of open addressing.

use xxhash_rust::xxh3::xxh3_64;

/// No state.
const FREE: u32 = u32::MAX;
/// The table's first size, a power of two.
const SMALLEST: usize = 1 << 10;

/// How a state was come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// After a word, or after backing off.
    Fresh,
    /// On the way to a word.
    Ahead,
    /// On the way to the end of this word, which was put out already. Words count from 1.
    Told(u32),
}

/// A state of the composition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// State of the lexicon.
    pub left: u32,
    /// State of the language model.
    pub right: u32,
    /// How it was come to.
    pub way: Way,
}

/// The states by number, and their numbers.
#[derive(Default)]
pub(super) struct Pairs {
    keys: Vec<[u32; 3]>,
    /// Numbers, or [`FREE`]; as many as a power of two.
    table: Vec<u32>,
}

impl Pairs {
    /// A state's number, and whether it is new.
    pub fn number(&mut self, pair: Pair) -> (u32, bool) {
        if 4 * (self.keys.len() + 1) > 3 * self.table.len() {
            self.grow();
        }
        let key = [pair.left, pair.right, way_number(pair.way)];
        let at = self.place(&key);
        match self.table[at] {
            FREE => {
                let number = self.keys.len() as u32;
                self.table[at] = number;
                self.keys.push(key);
                (number, true)
            }
            number => (number, false),
        }
    }

    /// The state of a number.
    pub fn get(&self, number: u32) -> Pair {
        let [left, right, way] = self.keys[number as usize];
        let way = match way {
            0 => Way::Fresh,
            1 => Way::Ahead,
            told => Way::Told(told - 1),
        };
        Pair { left, right, way }
    }

    /// Where a key is, or would be.
    fn place(&self, key: &[u32; 3]) -> usize {
        let mask = self.table.len() - 1;
        let mut at = xxh3_64(bytemuck::bytes_of(key)) as usize & mask;
        loop {
            match self.table[at] {
                FREE => return at,
                number if self.keys[number as usize] == *key => return at,
                _ => at = (at + 1) & mask,
            }
        }
    }

    fn grow(&mut self) {
        self.table = vec![FREE; (2 * self.table.len()).max(SMALLEST)];
        for number in 0..self.keys.len() {
            let at = self.place(&self.keys[number]);
            self.table[at] = number as u32;
        }
    }
}

fn way_number(way: Way) -> u32 {
    match way {
        Way::Fresh => 0,
        Way::Ahead => 1,
        Way::Told(label) => label + 1,
    }
}

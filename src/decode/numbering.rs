//! A hash table that numbers keys in the order in which they are first met: the states of a frame's
//! tokens, or the words of an utterance.
//!
//! Open addressing. A slot takes eight bytes, and for a frame the table is sized to be a quarter
//! full or so, so that it stays in the second-level cache, where a direct map over millions of
//! states would not; it is cleared by filling.

/// An empty slot: no key has this value and number.
const EMPTY: u64 = u64::MAX;
/// Base-2 logarithm of the smallest table.
const MIN_BITS: u32 = 8;

/// Keys and, by key, its number.
#[derive(Clone)]
pub(super) struct Numbering {
    keys: Vec<u32>,
    /// Key and number, in the upper and the lower half.
    slots: Vec<u64>,
    shift: u32,
}

impl Default for Numbering {
    fn default() -> Self {
        Numbering { keys: Vec::new(), slots: vec![EMPTY; 1 << MIN_BITS], shift: 32 - MIN_BITS }
    }
}

impl Numbering {
    /// The keys by number.
    #[inline(always)]
    pub(super) fn keys(&self) -> &[u32] {
        &self.keys
    }

    /// Forgets all keys and makes room for about `expected`.
    pub(super) fn clear(&mut self, expected: usize) {
        self.keys.clear();
        self.resize_table(expected);
    }

    fn resize_table(&mut self, expected: usize) {
        let size = (expected * 4).next_power_of_two().clamp(1 << MIN_BITS, 1 << 31);
        self.shift = 32 - size.trailing_zeros();
        self.slots.clear();
        self.slots.resize(size, EMPTY);
    }

    /// The number of a key, and whether it is new.
    #[inline(always)]
    pub(super) fn number(&mut self, key: u32) -> (u32, bool) {
        let mask = self.slots.len() - 1;
        let mut at = hash(key, self.shift) & mask;
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return (self.insert(at, key), true);
            }
            if (slot >> 32) as u32 == key {
                return (slot as u32, false);
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(always)]
    fn insert(&mut self, at: usize, key: u32) -> u32 {
        let number = self.keys.len();
        self.slots[at] = u64::from(key) << 32 | number as u64;
        self.keys.push(key);
        if self.keys.len() * 2 > self.slots.len() {
            self.grow();
        }
        number as u32
    }

    #[cold]
    fn grow(&mut self) {
        self.resize_table(self.keys.len());
        let mask = self.slots.len() - 1;
        for (number, &key) in self.keys.iter().enumerate() {
            let mut at = hash(key, self.shift) & mask;
            while self.slots[at] != EMPTY {
                at = (at + 1) & mask;
            }
            self.slots[at] = u64::from(key) << 32 | number as u64;
        }
    }
}

/// Fibonacci hashing: neighbouring keys, which are common, fall far apart.
#[inline(always)]
fn hash(key: u32, shift: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

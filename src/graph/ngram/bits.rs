//! Bit vectors that count: how many ones before a place (rank), and where the k-th one is (select).
//!
//! The trie marks with one bit an n-gram what other layouts spend offsets on: "this n-gram begins
//! another history's list" and "this n-gram is itself a history". Jacobson, "Space-efficient static
//! trees and graphs" (1989). A directory of one `u32` for each 512 bits makes rank a look-up and at
//! most eight population counts, select a binary search in the directory and the same counts.

const BLOCK_WORDS: usize = 8;
const BLOCK_BITS: usize = 64 * BLOCK_WORDS;

/// A bit vector being written.
#[derive(Debug, Default)]
pub(super) struct BitsBuilder {
    words: Vec<u64>,
    len: usize,
}

impl BitsBuilder {
    pub(super) fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(64) {
            self.words.push(0);
        }
        let last = self.words.last_mut().expect("just pushed");
        *last |= u64::from(bit) << (self.len % 64);
        self.len += 1;
    }

    /// The words and the directory: the number of ones before each block of 512 bits.
    pub(super) fn finish(self) -> (Vec<u64>, Vec<u32>) {
        let mut ones = 0;
        let directory = self.words.chunks(BLOCK_WORDS).map(|block| {
            let before = ones;
            ones += block.iter().map(|word| word.count_ones()).sum::<u32>();
            before
        });
        let directory = directory.collect();
        (self.words, directory)
    }
}

/// A bit vector being read. Nothing in it is trusted: places that do not exist hold no ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    pub(super) words: &'a [u64],
    pub(super) directory: &'a [u32],
}

impl Bits<'_> {
    /// Whether bit `at` is set.
    #[inline]
    pub(super) fn get(self, at: usize) -> bool {
        let word = self.words.get(at / 64).copied().unwrap_or(0);
        word >> (at % 64) & 1 == 1
    }

    /// Number of ones before place `at`.
    #[inline]
    pub(super) fn rank(self, at: usize) -> usize {
        let block = at / BLOCK_BITS;
        let before = self.directory.get(block).copied().unwrap_or(0) as usize;
        let (first, last) = (block * BLOCK_WORDS, at / 64);
        let whole = self.words.get(first..last).unwrap_or(&[]);
        let part = self.words.get(last).copied().unwrap_or(0) & ((1 << (at % 64)) - 1);
        let ones = |word: &u64| word.count_ones() as usize;
        before + whole.iter().map(ones).sum::<usize>() + part.count_ones() as usize
    }

    /// Place of the one that has `k` ones before it; `None` if there are not so many.
    #[inline]
    pub(super) fn select(self, k: usize) -> Option<usize> {
        let after = self.directory.partition_point(|&before| before as usize <= k);
        let block = after.checked_sub(1)?;
        let mut left = k.checked_sub(self.directory[block] as usize)?;
        let first = block * BLOCK_WORDS;
        let end = self.words.len().min(first + BLOCK_WORDS);
        for (index, &word) in self.words.get(first..end)?.iter().enumerate() {
            let ones = word.count_ones() as usize;
            if left < ones {
                return Some(64 * (first + index) + select_in_word(word, left));
            }
            left -= ones;
        }
        None
    }
}

/// Place of the one of `word` that has `k` ones below it; there must be one.
#[inline]
fn select_in_word(mut word: u64, k: usize) -> usize {
    for _ in 0..k {
        word &= word - 1;
    }
    word.trailing_zeros() as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn rank_and_select_count(bits in prop::collection::vec(prop::bool::weighted(0.2), 0..3000)) {
            let mut builder = BitsBuilder::default();
            bits.iter().for_each(|&bit| builder.push(bit));
            let (words, directory) = builder.finish();
            let view = Bits { words: &words, directory: &directory };
            let mut ones = 0;
            for (at, &bit) in bits.iter().enumerate() {
                prop_assert_eq!(view.get(at), bit);
                prop_assert_eq!(view.rank(at), ones);
                if bit {
                    prop_assert_eq!(view.select(ones), Some(at));
                    ones += 1;
                }
            }
            prop_assert_eq!(view.select(ones), None);
        }
    }

    #[test]
    fn damage_is_not_followed() {
        let view = Bits { words: &[u64::MAX, 0], directory: &[7, 3, 90] };
        assert!(!view.get(1 << 40));
        assert_eq!(view.select(2), None);
        assert_eq!(view.select(200), None);
        let _ = (view.rank(usize::MAX), view.rank(1 << 20));
    }
}

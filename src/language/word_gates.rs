//! What each word asks of the cell's gates, which does not depend on what came before it: computed
//! once for all the histories that it follows.

use std::collections::HashMap;

use crate::units::WordId;

/// Words that are remembered; with more, all are forgotten: about 9 MB for the shipped model.
pub(super) const WORDS: usize = 512;

/// The gates' sums by word.
#[derive(Clone, Debug, Default)]
pub(super) struct WordGates {
    /// Sums, one word after the other.
    sums: Vec<f32>,
    /// How many a word has.
    gates: usize,
    /// Where a word's are.
    places: HashMap<WordId, u32>,
    /// Words that are being computed.
    new: Vec<WordId>,
}

impl WordGates {
    /// Forgets all words.
    pub fn clear(&mut self) {
        self.places.clear();
        self.sums.clear();
    }

    /// Makes sure that all these words are known; `compute` writes the sums of those that are not,
    /// `gates` each.
    pub fn prepare(
        &mut self,
        words: impl Iterator<Item = WordId> + Clone,
        gates: usize,
        compute: impl FnOnce(&[WordId], &mut [f32]),
    ) {
        let new = words.clone().filter(|word| !self.places.contains_key(word)).count();
        if self.places.len() + new > WORDS {
            self.clear();
        }
        self.gates = gates;
        self.new.clear();
        for word in words {
            let place = self.places.len() as u32;
            self.places.entry(word).or_insert_with(|| {
                self.new.push(word);
                place
            });
        }
        if !self.new.is_empty() {
            let known = self.sums.len();
            self.sums.resize(self.places.len() * gates, 0.0);
            compute(&self.new, &mut self.sums[known..]);
        }
    }

    /// The sums of a word that was prepared.
    pub fn of(&self, word: WordId) -> &[f32] {
        &self.sums[self.places[&word] as usize * self.gates..][..self.gates]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each word is computed once, until there are too many; what was prepared is there.
    #[test]
    fn words_are_remembered_and_forgotten_in_the_end() {
        let (mut gates, mut computed) = (WordGates::default(), 0);
        let mut prepare = |gates: &mut WordGates, ids: std::ops::Range<u32>| {
            let words: Vec<WordId> = ids.map(WordId).collect();
            gates.prepare(words.iter().copied(), 2, |words, sums| {
                computed += words.len();
                for (word, sums) in words.iter().zip(sums.chunks_exact_mut(2)) {
                    sums.fill(word.0 as f32);
                }
            });
            for &word in &words {
                assert_eq!(gates.of(word), [word.0 as f32; 2]);
            }
            computed
        };
        assert_eq!(prepare(&mut gates, 0..40), 40);
        assert_eq!(prepare(&mut gates, 20..60), 60);
        assert_eq!(prepare(&mut gates, 60..WORDS as u32 - 1), WORDS - 1);
        assert_eq!(prepare(&mut gates, 0..2), WORDS - 1, "what is known is no more");
        let more = WORDS as u32..WORDS as u32 + 2;
        assert_eq!(prepare(&mut gates, more), WORDS + 1, "all were forgotten");
        assert_eq!(gates.sums.len(), 4);
    }
}

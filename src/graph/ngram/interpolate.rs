//! Two models as one: `p = w · p(domain) + (1 − w) · p(general)` for every n-gram that either
//! lists.
//!
//! What neither lists costs what backing off gives, with weights by which all words sum to one; so
//! the result is a back-off model like any other, a little off the mixture where only one of the
//! two knew a history (Stolcke, "SRILM", 2002, calls that static interpolation). The weight is the
//! one under which text that no model has seen is likeliest, found by expectation maximisation.

use super::arpa::{Arpa, ArpaEntry};
use super::{BEGIN, END, LmState, Ngram, UNKNOWN};
use crate::units::{Cost, WordId};

/// Rounds of expectation maximisation; the weight has settled by then.
const ROUNDS: usize = 50;
/// The share that either model has at least.
const LEAST_SHARE: f64 = 0.01;
/// Least probability that is left to what is not listed.
const LEAST: f64 = 1e-9;

/// A general model and one of a domain, of the same word table.
pub struct Mixture<'m> {
    /// The general model.
    pub general: &'m Ngram,
    /// The domain's.
    pub domain: &'m Ngram,
    /// By id: words that mean something else in the general model, which says nothing of them.
    pub strange: &'m [bool],
}

/// What models make of a text that they have not seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// The domain's share under which it is likeliest.
    pub weight: f64,
    /// The perplexity of the general model on the words that it knows.
    pub general: f64,
    /// The perplexity of both models together.
    pub mixed: f64,
}

impl Mixture<'_> {
    /// The best weight for sentences that neither model has seen, without `<s>` and `</s>`. Words
    /// that neither predicts are passed over.
    pub fn weigh<'t>(&self, sentences: impl Iterator<Item = &'t [WordId]>) -> HeldOut {
        let mut pairs = Vec::new();
        for sentence in sentences {
            let (mut general, mut domain) = (self.general.start(), self.domain.start());
            for &word in sentence.iter().chain([&END]) {
                let (p, next) = self.both((general, domain), word);
                (general, domain) = next;
                if word != UNKNOWN && p.0 + p.1 > 0.0 {
                    pairs.push(p);
                }
            }
        }
        let mut weight = 0.5;
        for _ in 0..ROUNDS {
            let share = |&(general, domain): &(f64, f64)| {
                weight * domain / (weight * domain + (1.0 - weight) * general)
            };
            let sum: f64 = pairs.iter().map(share).sum();
            let mean = if pairs.is_empty() { 0.5 } else { sum / pairs.len() as f64 };
            weight = mean.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
        }
        let known: Vec<f64> = pairs.iter().map(|p| p.0).filter(|p| *p > 0.0).collect();
        let mixed =
            pairs.iter().map(|(general, domain)| weight * domain + (1.0 - weight) * general);
        HeldOut { weight, general: perplexity(known.into_iter()), mixed: perplexity(mixed) }
    }

    /// The model of both at a weight of the domain's.
    pub fn model(&self, weight: f64) -> Arpa {
        let orders = self.general.order().max(self.domain.order());
        let (general, domain) = (self.general.unpack(), self.domain.unpack());
        let mut mixed: Vec<Vec<ArpaEntry>> = Vec::with_capacity(orders);
        for order in 1..=orders {
            let listed = [&general, &domain].map(|arpa| arpa.orders.get(order - 1));
            let mut keys: Vec<u64> = Vec::new();
            for (entries, is_general) in listed.into_iter().zip([true, false]) {
                let all = entries.into_iter().flatten().map(|entry| entry.key);
                keys.extend(all.filter(|&key| !is_general || !self.has_strange(key, order)));
            }
            keys.sort_unstable();
            keys.dedup();
            let mut entries = Vec::with_capacity(keys.len());
            for same in keys.chunk_by(|a, b| a >> 16 == b >> 16) {
                self.after_history(same, order, weight, &mut entries);
            }
            if order == 1 {
                to_one(&mut entries);
            }
            mixed.push(entries);
        }
        weigh_backoffs(&mut mixed);
        Arpa { orders: mixed, left_out: 0 }
    }

    /// The n-grams of one history, weighed.
    fn after_history(&self, keys: &[u64], order: usize, weight: f64, entries: &mut Vec<ArpaEntry>) {
        let states = self.states(keys[0] >> 16, order - 1);
        for &key in keys {
            let word = WordId((key & 0xFFFF) as u32);
            let ((general, domain), _) = self.both(states, word);
            let p = weight * domain + (1.0 - weight) * general;
            let cost = match order == 1 && word == BEGIN {
                true => f32::INFINITY,
                false => -(p.ln() as f32),
            };
            entries.push(ArpaEntry { key, cost, backoff: 0.0 });
        }
    }

    /// The states after a history.
    fn states(&self, history: u64, length: usize) -> (LmState, LmState) {
        let mut states = (LmState::EMPTY, LmState::EMPTY);
        for place in (0..length).rev() {
            let word = WordId((history >> (16 * place)) as u32 & 0xFFFF);
            states = self.both(states, word).1;
        }
        states
    }

    /// What a word's probability is in both models, and the states after it.
    fn both(
        &self,
        (general, domain): (LmState, LmState),
        word: WordId,
    ) -> ((f64, f64), (LmState, LmState)) {
        let p = |cost: Cost| f64::from(-cost.0).exp();
        let (domain, by_domain) = self.domain.step(domain, word);
        if self.is_strange(word) {
            return ((0.0, p(by_domain)), (LmState::EMPTY, domain));
        }
        let (general, by_general) = self.general.step(general, word);
        ((p(by_general), p(by_domain)), (general, domain))
    }

    fn is_strange(&self, word: WordId) -> bool {
        self.strange.get(word.0 as usize).copied().unwrap_or(false)
    }

    fn has_strange(&self, key: u64, order: usize) -> bool {
        (0..order).any(|place| self.is_strange(WordId((key >> (16 * place)) as u32 & 0xFFFF)))
    }
}

fn perplexity(probabilities: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for p in probabilities {
        sum -= p.ln();
        count += 1.0;
    }
    if count > 0.0 { f64::exp(sum / count) } else { 1.0 }
}

fn p(cost: f32) -> f64 {
    f64::from(-cost).exp()
}

/// Has the words sum to one.
fn to_one(unigrams: &mut [ArpaEntry]) {
    let sum: f64 = unigrams.iter().map(|entry| p(entry.cost)).sum();
    let more = sum.max(f64::MIN_POSITIVE).ln() as f32;
    unigrams.iter_mut().for_each(|entry| entry.cost += more);
}

/// Has all words after a history sum to one, lower orders first.
fn weigh_backoffs(orders: &mut [Vec<ArpaEntry>]) {
    for order in 2..=orders.len() {
        let (below, rest) = orders.split_at_mut(order - 1);
        let entries = &rest[0];
        let mask = (1u64 << (16 * (order - 1))) - 1;
        let below = &mut below[order - 2];
        for same in entries.chunk_by(|a, b| a.key >> 16 == b.key >> 16) {
            let (mut left, mut lower) = (1.0, 1.0);
            for entry in same {
                left -= p(entry.cost);
                // Every n-gram's suffix is listed too.
                let suffix = below.binary_search_by_key(&(entry.key & mask), |entry| entry.key);
                lower -= suffix.map_or(0.0, |at| p(below[at].cost));
            }
            let history = below.binary_search_by_key(&(same[0].key >> 16), |entry| entry.key);
            if let Ok(at) = history {
                below[at].backoff = -((left.max(LEAST) / lower.max(LEAST)).ln() as f32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::WordTable;
    use crate::graph::ngram::estimate::{EstimateOptions, TextCounts, estimate};
    use crate::graph::ngram::pack::pack;

    fn words() -> WordTable {
        let words = "<eps>\n<s>\n</s>\n<unk>\na\nb\nc\nd\n";
        WordTable::from_reader(words.as_bytes(), "words").unwrap()
    }

    fn model(text: &[&str]) -> Ngram {
        let words = words();
        let mut counts = TextCounts::default();
        text.iter().for_each(|line| counts.add(line, &words));
        let arpa = estimate(&counts, &words, &EstimateOptions::default()).unwrap();
        pack(arpa, &words, 0).unwrap()
    }

    fn sentence(text: &str) -> Vec<WordId> {
        let words = words();
        text.split(' ').map(|word| words.id(word).unwrap()).collect()
    }

    #[test]
    fn the_weight_is_that_of_the_text_and_the_mixture_sums_to_one() {
        let general = model(&["a b a b", "b a b", "a a b", "b b a a"]);
        let domain = model(&["c d", "c d c d", "a c d"]);
        let mut strange = vec![false; 8];
        let mixture = Mixture { general: &general, domain: &domain, strange: &strange };
        let near = sentence("c d c d");
        let far = sentence("a b a b");
        let weights = [&near, &far].map(|text| mixture.weigh([text.as_slice()].into_iter()));
        assert!(weights[0].weight > 0.9 && weights[1].weight < 0.2, "{weights:?}");
        assert!(weights[0].mixed < weights[0].general);
        for is_strange in [false, true] {
            strange[5] = is_strange;
            let mixture = Mixture { general: &general, domain: &domain, strange: &strange };
            let mixed = pack(mixture.model(0.3), &words(), 0).unwrap();
            for state in (0..mixed.num_states() as u32).map(LmState) {
                let p = |word| f64::from(-mixed.step(state, WordId(word)).1.0).exp();
                let sum: f64 = [2, 3, 4, 5, 6, 7].into_iter().map(p).sum();
                assert!((sum - 1.0).abs() < 1e-3, "{state:?}: {sum}");
            }
        }
    }

    #[test]
    fn what_both_list_has_both_probabilities() {
        let general = model(&["a b a b", "b a b"]);
        let domain = model(&["a b c", "a b d"]);
        let mixture = Mixture { general: &general, domain: &domain, strange: &[] };
        let mixed = pack(mixture.model(0.25), &words(), 0).unwrap();
        let after = |model: &Ngram, text: &str| {
            let mut state = model.start();
            let mut cost = 0.0;
            for word in sentence(text) {
                let (next, step) = model.step(state, word);
                (state, cost) = (next, step.0);
            }
            p(cost)
        };
        let expected = 0.25 * after(&domain, "a b") + 0.75 * after(&general, "a b");
        assert!((after(&mixed, "a b") - expected).abs() < 1e-3);
    }
}

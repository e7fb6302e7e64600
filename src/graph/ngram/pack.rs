//! Builds the packed trie from the n-grams of an ARPA file.
//!
//! Every n-gram's prefix and suffix are put into the model first, where pruning has left gaps, with
//! the cost that backing off gives them: this changes no probability, and lets the trie back off
//! one word at a time. The back-off weight of a history that no n-gram extends is one in every
//! model that sums to one; where a file says otherwise, it is taken for one.

use super::arpa::{Arpa, ArpaEntry};
use super::bits::BitsBuilder;
use super::quantise::quantise;
use super::{Level, MAX_WORDS, Ngram, NgramError};
use crate::graph::WordTable;
use crate::graph::container::Section;

/// Most n-grams of one order: ranks and offsets are `u32`.
const MAX_NGRAMS: usize = u32::MAX as usize / 2;

/// Packs a model; `words_sum` is the XXH3-64 of the file that `words` was read from.
///
/// # Errors
/// [`NgramError::Duplicate`] for an n-gram that stands twice, [`NgramError::TooLarge`] beyond the
/// format's limits.
pub fn pack(arpa: Arpa, words: &WordTable, words_sum: u64) -> Result<Ngram, NgramError> {
    let mut orders = arpa.orders;
    if orders.is_empty() {
        orders.push(Vec::new());
    }
    sort(&mut orders, words)?;
    drop_idle_weights(&mut orders);
    close(&mut orders);
    let largest = orders.iter().map(Vec::len).max().unwrap_or(0);
    if largest > MAX_NGRAMS || words.len() > MAX_WORDS {
        return Err(NgramError::TooLarge { what: "n-grams", found: largest, limit: MAX_NGRAMS });
    }
    let mut unigrams = vec![f32::INFINITY; words.len()];
    let mut backoffs = vec![0.0; words.len()];
    for entry in &orders[0] {
        unigrams[entry.key as usize] = entry.cost;
        backoffs[entry.key as usize] = entry.backoff;
    }
    let bigrams = orders.get(1).map_or(&[][..], Vec::as_slice);
    let begin = (0..=words.len() as u64)
        .map(|word| bigrams.partition_point(|entry| entry.key >> 16 < word) as u32)
        .collect();
    Ok(Ngram {
        unigrams: Section::Owned(unigrams),
        backoffs: Section::Owned(backoffs),
        begin: Section::Owned(begin),
        levels: (2..=orders.len()).map(|order| level(&orders, order)).collect(),
        words_sum,
    })
}

/// Sorts each order's n-grams by key; no key may stand twice.
fn sort(orders: &mut [Vec<ArpaEntry>], words: &WordTable) -> Result<(), NgramError> {
    for (order, entries) in (1..).zip(orders) {
        entries.sort_unstable_by_key(|entry| entry.key);
        if let Some(pair) = entries.windows(2).find(|pair| pair[0].key == pair[1].key) {
            let words = spell(pair[0].key, order, words);
            return Err(NgramError::Duplicate { order, words });
        }
    }
    Ok(())
}

/// The words of a key.
fn spell(key: u64, order: usize, words: &WordTable) -> String {
    let ids = (0..order).rev().map(|place| key >> (16 * place) & 0xFFFF);
    let names = ids.map(|id| words.name(crate::units::WordId(id as u32)).unwrap_or("?"));
    names.collect::<Vec<_>>().join(" ")
}

/// The key of the last `order − 1` words.
fn suffix(key: u64, order: usize) -> u64 {
    key & ((1 << (16 * (order - 1))) - 1)
}

/// Sets the back-off cost of every n-gram that none extends to nothing.
fn drop_idle_weights(orders: &mut [Vec<ArpaEntry>]) {
    for order in 1..=orders.len() {
        let (entries, longer) = orders.split_at_mut(order);
        let entries = entries.last_mut().expect("order is one at least");
        for entry in entries.iter_mut().filter(|entry| entry.backoff != 0.0) {
            let extended = longer.first().is_some_and(|longer| {
                let at = longer.partition_point(|longer| longer.key >> 16 < entry.key);
                longer.get(at).is_some_and(|longer| longer.key >> 16 == entry.key)
            });
            if !extended {
                entry.backoff = 0.0;
            }
        }
    }
}

/// Adds the prefixes and suffixes that are missing, with the costs that backing off gives them.
fn close(orders: &mut [Vec<ArpaEntry>]) {
    for order in (2..=orders.len()).rev() {
        let (below, above) = orders.split_at_mut(order - 1);
        let present = below.last_mut().expect("order is two at least");
        let has = |key: u64| present.binary_search_by_key(&key, |entry| entry.key).is_ok();
        let parts = above[0].iter().flat_map(|entry| [entry.key >> 16, suffix(entry.key, order)]);
        let mut missing: Vec<u64> = parts.filter(|&key| !has(key)).collect();
        missing.sort_unstable();
        missing.dedup();
        // The cost is settled below, once all shorter n-grams are in place.
        let added = missing.iter().map(|&key| ArpaEntry { key, cost: f32::NAN, backoff: 0.0 });
        present.extend(added);
        present.sort_unstable_by_key(|entry| entry.key);
    }
    for order in 1..=orders.len() {
        let (below, rest) = orders.split_at_mut(order - 1);
        for entry in rest[0].iter_mut().filter(|entry| entry.cost.is_nan()) {
            entry.cost = backed_off(below, entry.key, order);
        }
    }
}

/// The cost of an n-gram that is not listed, from all shorter ones.
fn backed_off(below: &[Vec<ArpaEntry>], key: u64, order: usize) -> f32 {
    let Some(shorter) = below.last() else {
        return f32::INFINITY;
    };
    let find = |key| {
        let at = shorter.binary_search_by_key(&key, |entry: &ArpaEntry| entry.key);
        at.ok().map(|at| shorter[at])
    };
    let weight = find(key >> 16).map_or(0.0, |history| history.backoff);
    let suffix = suffix(key, order);
    let rest = find(suffix).map(|entry| entry.cost);
    weight + rest.unwrap_or_else(|| backed_off(&below[..below.len() - 1], suffix, order - 1))
}

/// The trie's arrays for the n-grams of one order.
fn level(orders: &[Vec<ArpaEntry>], order: usize) -> Level {
    let entries = &orders[order - 1];
    let (mut first, mut inner) = (BitsBuilder::default(), BitsBuilder::default());
    let mut previous = None;
    for entry in entries.iter().filter(|_| order > 2) {
        first.push(previous != Some(entry.key >> 16));
        previous = Some(entry.key >> 16);
    }
    let mut backoffs = Vec::new();
    if let Some(longer) = orders.get(order) {
        let mut longer = longer.iter().map(|entry| entry.key >> 16).peekable();
        for entry in entries {
            let mut extended = false;
            while longer.next_if_eq(&entry.key).is_some() {
                extended = true;
            }
            inner.push(extended);
            if extended {
                backoffs.push(entry.backoff);
            }
        }
    }
    let costs = quantise(&entries.iter().map(|entry| entry.cost).collect::<Vec<_>>());
    let backoffs = quantise(&backoffs);
    let (first, inner) = (first.finish(), inner.finish());
    Level {
        words: Section::Owned(entries.iter().map(|entry| entry.key as u16).collect()),
        codes: Section::Owned(costs.codes),
        codebook: Section::Owned(costs.codebook),
        first: (Section::Owned(first.0), Section::Owned(first.1)),
        inner: (Section::Owned(inner.0), Section::Owned(inner.1)),
        backoff_codes: Section::Owned(backoffs.codes),
        backoff_codebook: Section::Owned(backoffs.codebook),
    }
}

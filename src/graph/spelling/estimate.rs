//! The n-gram over graphones: interpolated Kneser–Ney, one discount an order, in back-off form.
//!
//! Reference: Chen and Goodman, "An empirical study of smoothing techniques for language modeling",
//! 1999, section 2.7 and appendix.

use std::collections::HashMap;

use super::{BEGIN, END, Follower, Known, ORDER, key};

/// From this order on, what was seen once is left out: it says little and is most of the model.
const PRUNED_FROM: usize = 4;

/// A sequence of at most [`ORDER`] graphones, the rest zero.
type Gram = [u16; ORDER];

/// The counts of one order.
type Counts = HashMap<Gram, u32>;

/// The hash table of the histories of these words, and what follows them.
pub(super) fn histories(words: impl Iterator<Item = Vec<u16>>) -> (Vec<Known>, Vec<Follower>) {
    let counts = counts(words);
    let mut found: HashMap<Gram, (f64, f64)> = HashMap::new();
    let unigrams = &counts[0];
    let total: f64 = unigrams.values().map(|&count| f64::from(count)).sum();
    for (gram, &count) in unigrams {
        found.insert(*gram, (f64::from(count) / total, 1.0));
    }
    for length in 2..=ORDER {
        add_order(&counts[length - 1], length, &mut found);
    }
    by_history(&found)
}

fn by_history(found: &HashMap<Gram, (f64, f64)>) -> (Vec<Known>, Vec<Follower>) {
    let cost = |probability: f64| -probability.max(1e-30).ln() as f32;
    let mut sorted: Vec<(usize, Gram, f64)> =
        found.iter().map(|(gram, value)| (length(gram), *gram, value.0)).collect();
    sorted.sort_unstable_by_key(|(length, gram, _)| (*length, *gram));
    let same = |a: &(usize, Gram, f64), b: &(usize, Gram, f64)| {
        a.0 == b.0 && a.1[..a.0 - 1] == b.1[..b.0 - 1]
    };
    let groups = || sorted.chunk_by(same);
    let mut table = vec![Known::default(); (2 * groups().count()).next_power_of_two().max(2)];
    let mask = table.len() - 1;
    let mut followers = Vec::with_capacity(sorted.len());
    for group in groups() {
        let (longest, gram, _) = group[0];
        let mut history = [0; ORDER];
        history[..longest - 1].copy_from_slice(&gram[..longest - 1]);
        let key = key(&gram[..longest - 1]);
        let mut slot = key as usize & mask;
        while table[slot].key != 0 {
            slot = (slot + 1) & mask;
        }
        table[slot] = Known {
            key,
            backoff: found.get(&history).map_or(0.0, |(_, backoff)| cost(*backoff)),
            first: followers.len() as u32,
            count: group.len() as u32,
            reserved: 0,
        };
        followers.extend(group.iter().map(|(length, gram, probability)| Follower {
            cost: cost(*probability),
            number: gram[length - 1],
            reserved: 0,
        }));
    }
    (table, followers)
}

fn length(gram: &Gram) -> usize {
    gram.iter().take_while(|&&graphone| graphone != 0).count()
}

/// How often sequences of each length occur: the longest, and those from a word's beginning, as
/// often as they do; shorter ones by how many graphones they follow.
fn counts(words: impl Iterator<Item = Vec<u16>>) -> Vec<Counts> {
    let mut counts: Vec<Counts> = vec![Counts::new(); ORDER];
    for word in words {
        if word.contains(&0) {
            continue; // A graphone beyond those that can be numbered.
        }
        let whole: Vec<u16> = [BEGIN].into_iter().chain(word).chain([END]).collect();
        for end in 1..whole.len() {
            let longest = (end + 1).min(ORDER);
            let mut gram = [0; ORDER];
            gram[..longest].copy_from_slice(&whole[end + 1 - longest..=end]);
            *counts[longest - 1].entry(gram).or_default() += 1;
        }
    }
    for length in (1..ORDER).rev() {
        let (shorter, longer) = counts.split_at_mut(length);
        for gram in longer[0].keys() {
            let mut rest = [0; ORDER];
            rest[..length].copy_from_slice(&gram[1..=length]);
            *shorter[length - 1].entry(rest).or_default() += 1;
        }
    }
    counts
}

/// Probabilities of an order from those of the one before, and its histories' back-offs.
fn add_order(counts: &Counts, length: usize, found: &mut HashMap<Gram, (f64, f64)>) {
    let with = |wanted: u32| counts.values().filter(|&&count| count == wanted).count() as f64;
    let (once, twice) = (with(1), with(2));
    let discount = match once + twice {
        0.0 => 0.5,
        _ => (once / (once + 2.0 * twice)).clamp(0.1, 0.95),
    };
    let history = |gram: &Gram| {
        let mut history = *gram;
        history[length - 1] = 0;
        history
    };
    let kept = |count: u32| length < PRUNED_FROM || count > 1;
    // Of each history: all it was seen with, and what is kept of that after discounting.
    let mut seen: HashMap<Gram, (f64, f64)> = HashMap::new();
    for (gram, &count) in counts {
        let sums = seen.entry(history(gram)).or_default();
        sums.0 += f64::from(count);
        if kept(count) {
            sums.1 += f64::from(count) - discount;
        }
    }
    let mut added = Vec::new();
    for (gram, &count) in counts.iter().filter(|(_, count)| kept(**count)) {
        let (total, sum) = seen[&history(gram)];
        let mut shorter = [0; ORDER];
        shorter[..length - 1].copy_from_slice(&gram[1..length]);
        let below = probability(&shorter, length - 1, found);
        let own = (f64::from(count) - discount) / total;
        added.push((*gram, own + (1.0 - sum / total) * below));
    }
    for (history, (total, sum)) in seen {
        if let Some(entry) = found.get_mut(&history) {
            entry.1 = 1.0 - sum / total;
        }
    }
    for (gram, probability) in added {
        found.entry(gram).or_insert((0.0, 1.0)).0 = probability;
    }
}

/// The probability of a sequence's last graphone after the others, backing off where it was left
/// out.
fn probability(gram: &Gram, length: usize, found: &HashMap<Gram, (f64, f64)>) -> f64 {
    if let Some((probability, _)) = found.get(gram) {
        return *probability;
    }
    if length <= 1 {
        return 1e-7;
    }
    let mut history = *gram;
    history[length - 1] = 0;
    let backoff = found.get(&history).map_or(1.0, |(_, backoff)| *backoff);
    let mut shorter = [0; ORDER];
    shorter[..length - 1].copy_from_slice(&gram[1..length]);
    backoff * probability(&shorter, length - 1, found)
}

//! The estimation against the one in Python, whose model of a made-up text is in `tests/golden`.

use serde::Deserialize;

use super::*;
use crate::graph::ngram::LmState;
use crate::graph::ngram::pack::pack;

/// What `scripts/train/lm_golden.py` writes.
#[derive(Deserialize)]
struct Golden {
    words: Vec<String>,
    text: Vec<String>,
    prune: f64,
    whole: Vec<Vec<Gram>>,
    pruned: Vec<Vec<Gram>>,
}

/// Words, probability, back-off weight.
type Gram = (String, f64, Option<f64>);

/// The golden model, its word table and its text; none where the package was fetched without it.
fn golden() -> Option<(Golden, WordTable, TextCounts)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/kneser_ney.json");
    let Ok(json) = std::fs::read(path) else {
        eprintln!("skipped: {path} is not here");
        return None;
    };
    let golden: Golden = serde_json::from_slice(&json).unwrap();
    let words = WordTable::from_reader(golden.words.join("\n").as_bytes(), "words").unwrap();
    let mut text = TextCounts::default();
    golden.text.iter().for_each(|line| text.add(line, &words));
    Some((golden, words, text))
}

fn compare(arpa: &Arpa, expected: &[Vec<Gram>], words: &WordTable) {
    assert_eq!(arpa.orders.len(), expected.len());
    for (found, expected) in arpa.orders.iter().zip(expected) {
        let specials = |entry: &&ArpaEntry| ![1, UNKNOWN].contains(&entry.key);
        let found: Vec<&ArpaEntry> = found.iter().filter(specials).collect();
        assert_eq!(found.len(), expected.len());
        for (found, (gram, p, gamma)) in found.into_iter().zip(expected) {
            let ids = gram.split(' ').map(|word| u64::from(words.id(word).unwrap().0));
            assert_eq!(found.key, ids.fold(0, |key, id| key << 16 | id), "{gram}");
            let near = |cost: f32, p: f64| (f64::from(-cost).exp() / p - 1.0).abs() < 1e-5;
            assert!(near(found.cost, *p), "{gram}: {found:?}, not {p}");
            // A history that nothing extends has no weight of its own.
            let weight = gamma.filter(|_| found.backoff != 0.0).unwrap_or(1.0);
            assert!(near(found.backoff, weight), "{gram}: {found:?}, not {gamma:?}");
        }
    }
}

#[test]
fn probabilities_are_those_of_the_reference() {
    let Some((golden, words, text)) = golden() else {
        return;
    };
    let whole = estimate(&text, &words, &EstimateOptions::default()).unwrap();
    compare(&whole, &golden.whole, &words);
    let options = EstimateOptions::default().prune(golden.prune);
    let pruned = estimate(&text, &words, &options).unwrap();
    compare(&pruned, &golden.pruned, &words);
}

#[test]
fn after_any_history_all_words_sum_to_one() {
    let Some((_, words, text)) = golden() else {
        return;
    };
    for prune in [0.0, 1e-3, 1e-2, 1.0] {
        let options = EstimateOptions::default().prune(prune);
        let ngram = pack(estimate(&text, &words, &options).unwrap(), &words, 0).unwrap();
        let unknown = (-ngram.step(LmState::EMPTY, WordId(3)).1.0).exp();
        for state in 0..ngram.num_states() as u32 {
            let p = |word| f64::from(-ngram.step(LmState(state), WordId(word)).1.0).exp();
            // The unknown word is listed with less than its share, which is small.
            let sum: f64 = (2..words.len() as u32).filter(|&word| word != 3).map(p).sum();
            assert!((0.95..1.01).contains(&sum), "{prune} {state}: {sum} {unknown}");
        }
    }
}

#[test]
fn texts_without_known_words_and_orders_beyond_the_format_are_refused() {
    let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\na\n".as_bytes(), "w").unwrap();
    let mut text = TextCounts::default();
    text.add("B C <s>", &words);
    assert_eq!((text.known_words(), text.unknown_words()), (0, 3));
    let options = EstimateOptions::default();
    let error = estimate(&text, &words, &options).unwrap_err().to_string();
    assert!(error.contains("tr A-Z a-z"), "{error}");
    text.add("a", &words);
    assert!(estimate(&text, &words, &options.order(5)).is_err());
    for order in 0..=4 {
        estimate(&text, &words, &options.order(order)).unwrap();
    }
}

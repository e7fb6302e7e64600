//! The packed model against hand-computed probabilities, a naive back-off model, and damage.

use std::collections::HashMap;
use std::io::Write;

use proptest::prelude::*;

use super::arpa::Arpa;
use super::pack::pack;
use super::*;
use crate::graph::WordTable;

const TINY: &str = "comment\n\\data\\\nngram 1=5\nngram 2=4\nngram 3=2\n\n\\1-grams:\n-99\t<s>\t-0.3\n-0.5\t</s>\n\
    -0.4\ta\t-0.2\n-0.6\tb\t-0.1\n-1.0\tc\n\n\\2-grams:\n-0.3\t<s> a\t-0.05\n-0.2\ta b\t-0.15\n-0.4\tb </s>\n\
    -0.7\tb a\n\n\\3-grams:\n-0.1\t<s> a b\n-0.35\ta b a\n\\end\\\n";

fn words(count: usize) -> WordTable {
    let specials = ["<eps>", "<s>", "</s>", "<unk>"].map(str::to_owned).into_iter();
    let letters = (0..count).map(|i| char::from(b'a' + i as u8).to_string());
    let lines: Vec<_> = specials.chain(letters).collect();
    WordTable::from_reader(lines.join("\n").as_bytes(), "words").unwrap()
}

fn read(text: &str, words: &WordTable) -> Result<Ngram, NgramError> {
    pack(Arpa::from_reader(text.as_bytes(), "tiny.arpa", words)?, words, 7)
}

const A: WordId = WordId(4);
const B: WordId = WordId(5);
const C: WordId = WordId(6);

/// Base-10 logarithm of what a path of words costs in sum.
fn log10(ngram: &Ngram, path: &[WordId]) -> f32 {
    let mut state = ngram.start();
    let mut total = 0.0;
    for &word in path {
        let (next, cost) = ngram.step(state, word);
        total -= cost.0 / std::f32::consts::LN_10;
        state = next;
    }
    total
}

#[test]
fn tiny_model_by_hand() {
    let ngram = read(TINY, &words(3)).unwrap();
    assert_eq!((ngram.order(), ngram.num_ngrams()), (3, vec![7, 4, 2]));
    let near = |path: &[WordId], expected: f32| {
        let found = log10(&ngram, path);
        assert!((found - expected).abs() < 1e-5, "{path:?}: {found}, not {expected}");
    };
    near(&[A], -0.3); // <s> a
    near(&[A, B], -0.3 - 0.1); // <s> a b
    near(&[A, B, A], -0.3 - 0.1 - 0.35); // a b a
    near(&[A, B, END], -0.3 - 0.1 - 0.15 - 0.4); // bow(a b) + b </s>
    near(&[A, A], -0.3 - 0.05 - 0.2 - 0.4); // bow(<s> a) + bow(a) + a
    near(&[B], -0.3 - 0.6); // bow(<s>) + b
    near(&[B, A, C], -0.3 - 0.6 - 0.7 - 0.2 - 1.0); // "b a" is no history: bow(a) + c
    near(&[C, B], -0.3 - 1.0 - 0.6); // c is no history
    assert_eq!(ngram.step(ngram.start(), WordId(1)).1, Cost::IMPOSSIBLE);
    assert_eq!(ngram.step(ngram.start(), WordId(99)), (LmState::EMPTY, Cost::IMPOSSIBLE));
    assert_eq!(ngram.backoff(LmState::EMPTY), None);
    let after_start: Vec<_> = ngram.successors(ngram.start()).map(|(word, ..)| word).collect();
    assert_eq!(after_start, [A]);
    assert_eq!(ngram.successors(LmState::EMPTY).count(), 3);
}

#[test]
fn bad_arpa_names_the_line() {
    let bad = [
        ("\\data\\", "", 0),
        ("ngram 2=4", "ngram 2=5", 0),
        ("ngram 2=4", "ngram 4=4", 4),
        ("ngram 2=4", "ngram 2=99999999999999999999", 4),
        ("\\2-grams:", "\\3-grams:", 14),
        ("-0.6\tb\t-0.1", "nan\tb\t-0.1", 11),
        ("-0.6\tb\t-0.1", "0.6\tb\t-0.1", 11),
        ("-0.6\tb\t-0.1", "-0.6\tb\t-0.1\t7", 11),
        ("-0.6\tb\t-0.1", "-0.6", 11),
        ("-0.2\ta b", "-0.2\ta", 0),
        ("\\end\\", "", 0),
    ];
    for (from, to, expected) in bad {
        let text = TINY.replacen(from, to, 1);
        assert_ne!(text, TINY);
        let error = read(&text, &words(3)).unwrap_err();
        let NgramError::Text(crate::graph::TextError::Line { line, .. }) = error else {
            panic!("{to}: {error}");
        };
        assert!(expected == 0 || line == expected, "{to}: line {line}, not {expected}");
    }
    let twice = TINY.replace("-0.7\tb a", "-0.7\tb </s>");
    assert!(matches!(read(&twice, &words(3)), Err(NgramError::Duplicate { order: 2, .. })));
    let huge = "\\data\\\nngram 1=1\nngram 2=1\nngram 3=1\nngram 4=1\nngram 5=1\n\n\\1-grams:\n";
    assert!(matches!(read(huge, &words(3)), Err(NgramError::TooLarge { found: 5, .. })));
}

fn compressed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn the_forms_that_tools_write_say_the_same() {
    let bytes = |ngram: Ngram| {
        let mut bytes = Vec::new();
        ngram.write(&mut bytes).unwrap();
        bytes
    };
    let arpa = |text: &[u8]| Arpa::from_reader(text, "tiny.arpa", &words(3)).unwrap();
    let packed = |text: &[u8]| bytes(pack(arpa(text), &words(3), 7).unwrap());
    let plain = packed(TINY.as_bytes());
    let forms = [
        compressed(TINY),
        format!("\u{feff}{TINY}").into_bytes(),
        TINY.replace('\n', "\r\n").into_bytes(),
        TINY.replace('\t', " ").into_bytes(),
        TINY.replace("<s>", "<S>").replace("</s>", "</S>").into_bytes(),
        TINY.replace("\\end", "\\3-grams:\n\\end")
            .replace("ngram 3=2", "ngram 3=2\nngram 4=0")
            .replace("\\3-grams:\n\\end", "\\end")
            .into_bytes(),
    ];
    for form in &forms[..5] {
        assert_eq!(packed(form), plain, "{}", String::from_utf8_lossy(form));
    }
    let empty_order = Ngram::num_ngrams(&pack(arpa(&forms[5]), &words(3), 7).unwrap());
    assert_eq!(empty_order, [7, 4, 2, 0]);
    let unknown = TINY.replace("-1.0\tc", "-1.0\t<UNK>");
    let ngram = read(&unknown, &words(3)).unwrap();
    assert!((ngram.step(LmState::EMPTY, WordId(3)).1.0 - 10f32.ln()).abs() < 1e-5);
}

/// N-grams of words that the table lacks: the others keep their costs.
#[test]
fn words_of_other_tables_are_left_out_and_counted() {
    let arpa = Arpa::from_reader(TINY.as_bytes(), "tiny.arpa", &words(1)).unwrap();
    assert_eq!(arpa.left_out, 2 + 3 + 2);
    let ngram = pack(arpa, &words(1), 7).unwrap();
    assert_eq!(ngram.num_ngrams(), [5, 1, 0]);
    // No n-gram extends `<s> a` and `a` any more, so backing off from them costs nothing.
    assert_eq!(log10(&ngram, &[A, END]), -0.3 - 0.5);
}

#[test]
fn what_a_model_needs_is_asked_for() {
    let lacks = |text: &str, table: &WordTable| match read(text, table).unwrap_err() {
        NgramError::Lacks { what, .. } => what,
        other => panic!("{other}"),
    };
    let without = |line: &str| TINY.replacen(line, "", 1).replace("ngram 1=5", "ngram 1=4");
    assert!(lacks(&without("-99\t<s>\t-0.3\n"), &words(3)).contains("<s>"));
    assert!(lacks(&without("-0.5\t</s>\n"), &words(3)).contains("</s>"));
    assert!(lacks(&TINY.replace("-0.5\t</s>", "-99\t</s>"), &words(3)).contains("</s>"));
    assert!(
        lacks(&TINY.replace("\ta", "\tA").replace("\tb", "\tB").replace("\tc", "\tC"), &words(3))
            .contains("word table")
    );
    let table = WordTable::from_reader("<eps>\na\n<s>\n</s>\n".as_bytes(), "w").unwrap();
    assert!(lacks(TINY, &table).contains("word table"));
}

/// Sum of the probabilities of all words after a state, the end included.
fn total(ngram: &Ngram, state: LmState) -> f64 {
    let words = (0..ngram.num_words() as u32).map(WordId);
    words.map(|word| f64::from(-ngram.step(state, word).1.0).exp()).sum()
}

#[test]
fn sums_to_one_after_every_history() {
    // Unigrams .1 .2 .3 .4; after <s>: a .5, b .1, so its weight is .4 / (1 - .2 - .3); after "<s>
    // a": b .7, with the weight .3 / (1 - p(b|a)); after a: b .25, with the weight .75 / .7; "b"
    // and "c" are no histories.
    let log = |p: f64| p.log10();
    let text = format!(
        "\\data\\\nngram 1=5\nngram 2=3\nngram 3=1\n\\1-grams:\n-99 <s> {}\n{} </s>\n{} a {}\n{} b\n{} c\n\
        \\2-grams:\n{} <s> a {}\n{} <s> b\n{} a b\n\\3-grams:\n{} <s> a b\n\\end\\\n",
        log(0.4 / 0.5),
        log(0.1),
        log(0.2),
        log(0.75 / 0.7),
        log(0.3),
        log(0.4),
        log(0.5),
        log(0.3 / 0.75),
        log(0.1),
        log(0.25),
        log(0.7),
    );
    let ngram = read(&text, &words(3)).unwrap();
    for state in (0..ngram.num_states() as u32).map(LmState) {
        assert!((total(&ngram, state) - 1.0).abs() < 1e-6, "{state:?}");
    }
}

#[test]
fn shipped_graph_model_sums_to_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en/graph.ngram");
    let ngram = Ngram::verify(std::path::Path::new(path)).unwrap();
    let states = ngram.num_states() as u32;
    for state in [LmState::EMPTY, ngram.start(), LmState(states / 2), LmState(states - 1)] {
        let total = total(&ngram, state);
        // Eight-bit costs err by a few hundredths each.
        assert!((total - 1.0).abs() < 0.03, "{state:?}: {total}");
    }
}

/// A back-off model in hash maps, as the definition has it.
struct Naive {
    cost: HashMap<Vec<u32>, f32>,
    backoff: HashMap<Vec<u32>, f32>,
}

impl Naive {
    fn new(arpa: &Arpa) -> Naive {
        let (mut cost, mut backoff) = (HashMap::new(), HashMap::new());
        for (order, entries) in (1..).zip(&arpa.orders) {
            for entry in entries {
                let gram: Vec<u32> =
                    (0..order).rev().map(|i| (entry.key >> (16 * i)) as u32 & 0xFFFF).collect();
                cost.insert(gram.clone(), entry.cost);
                backoff.insert(gram, entry.backoff);
            }
        }
        // A weight counts only for a history that some n-gram extends.
        backoff.retain(|gram, _| cost.keys().any(|longer| longer.split_last().unwrap().1 == gram));
        Naive { cost, backoff }
    }

    fn cost(&self, history: &[u32], word: u32) -> f32 {
        let mut gram = history.to_vec();
        gram.push(word);
        if let Some(&cost) = self.cost.get(&gram) {
            return cost;
        }
        match history {
            [] => f32::INFINITY,
            [_, shorter @ ..] => {
                self.backoff.get(history).copied().unwrap_or(0.0) + self.cost(shorter, word)
            }
        }
    }
}

/// An ARPA model of random n-grams over words 1 to 9, with gaps: prefixes and suffixes may be
/// missing.
fn arbitrary_arpa() -> impl Strategy<Value = Arpa> {
    // Multiples of 1/16 are exact in f32 sums and few enough for exact codebooks.
    let value = || (0u8..200).prop_map(|v| f32::from(v) / 16.0);
    let order = move |n: usize, most: usize| {
        let gram = prop::collection::vec(1u64..10, n);
        prop::collection::btree_map(gram, (value(), value()), 0..most).prop_map(|map| {
            map.into_iter()
                .map(|(gram, (cost, backoff))| arpa::ArpaEntry {
                    key: gram.iter().fold(0, |key, word| key << 16 | word),
                    cost,
                    backoff,
                })
                .collect::<Vec<_>>()
        })
    };
    let orders = (order(1, 10), order(2, 30), order(3, 60), order(4, 60), 1..=4usize);
    orders.prop_map(|(one, two, three, four, order)| {
        let mut orders = vec![one, two, three, four];
        orders.truncate(order);
        Arpa { orders, left_out: 0 }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn equals_the_naive_model(arpa in arbitrary_arpa(), path in prop::collection::vec(1u32..10, 1..40)) {
        let naive = Naive::new(&arpa);
        let order = arpa.orders.len();
        let ngram = pack(arpa, &words(6), 0).unwrap();
        let mut cache = StepCache::default();
        let mut state = ngram.start();
        let mut history = vec![1u32];
        for &word in &path {
            history.drain(..history.len().saturating_sub(order - 1));
            let (next, cost) = cache.step(&ngram, state, WordId(word));
            prop_assert_eq!((next, cost), ngram.step(state, WordId(word)));
            let expected = naive.cost(&history, word);
            prop_assert!(cost.0 == expected || (cost.0 - expected).abs() < 1e-3, "{} {}", cost.0, expected);
            history.push(word);
            state = next;
        }
        for state in (0..ngram.num_states() as u32).map(LmState) {
            for (word, cost, next) in ngram.successors(state) {
                prop_assert_eq!(ngram.step(state, word), (next, cost));
            }
        }
    }
}

/// Writes a model, lets `change` damage its bytes, and opens and verifies it.
fn reopened(ngram: &Ngram, change: impl FnOnce(&mut Vec<u8>)) -> [Result<Ngram, NgramError>; 2] {
    let mut bytes = Vec::new();
    ngram.write(&mut bytes).unwrap();
    change(&mut bytes);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&bytes).unwrap();
    [Ngram::open(file.path()), Ngram::verify(file.path())]
}

/// Asks everything of a model; what it answers does not matter.
fn exercise(ngram: &Ngram) {
    for state in (0..(ngram.num_states() as u32).min(200) + 2).map(LmState) {
        let _ = (ngram.backoff(state), ngram.end(state), ngram.successors(state).count());
        for word in (0..9).map(WordId) {
            let _ = ngram.step(state, word);
        }
    }
}

#[test]
fn saved_and_mapped_is_the_same() {
    let ngram = read(TINY, &words(3)).unwrap();
    for mapped in reopened(&ngram, |_| {}) {
        let mapped = mapped.unwrap();
        assert_eq!(mapped.words_sum(), 7);
        assert_eq!(mapped.num_ngrams(), ngram.num_ngrams());
        for state in (0..ngram.num_states() as u32).map(LmState) {
            for word in (0..9).map(WordId) {
                assert_eq!(mapped.step(state, word), ngram.step(state, word));
            }
        }
    }
}

#[test]
fn every_damaged_byte_is_found() {
    let ngram = read(TINY, &words(3)).unwrap();
    let mut whole = Vec::new();
    ngram.write(&mut whole).unwrap();
    let mut padding = 0;
    for at in 0..whole.len() {
        let [opened, verified] = reopened(&ngram, |bytes| bytes[at] ^= 0x55);
        // Only the zeros between sections are not summed.
        padding += usize::from(verified.is_ok());
        assert!(verified.is_err() || whole[at] == 0, "byte {at}");
        opened.iter().for_each(exercise);
    }
    assert!(padding < 64 * file_sections(), "{padding} bytes unchecked");
    for length in [0, 7, 1023, 1024, whole.len() / 2, whole.len() - 1] {
        let [opened, verified] = reopened(&ngram, |bytes| bytes.truncate(length));
        opened.iter().for_each(exercise);
        assert!(verified.is_err(), "cut to {length}");
    }
    let [opened, _] = reopened(&ngram, |bytes| bytes[8] = 2);
    assert!(matches!(opened, Err(NgramError::Version { found: 2, .. })));
}

fn file_sections() -> usize {
    3 + 2 * 9
}

//! The network against PyTorch, its readers against damage, the tree of histories against the plain
//! way.

use std::path::PathBuf;

use serde::Deserialize;

use super::*;
use crate::acoustic::{Kernels, Precision};
use crate::graph::ngram::{BEGIN, END};
use crate::units::{Cost, WordId};

/// A sentence of `costs.json`.
#[derive(Deserialize)]
struct Golden {
    words: Vec<u32>,
    costs: Vec<f32>,
    log_normalisers: Vec<f32>,
}

/// What `nlm_golden.py` leaves out of its sums.
const NEVER: [WordId; 3] = [WordId(0), WordId(1), WordId(3)];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/language")
}

fn file() -> Vec<u8> {
    std::fs::read(folder().join("neural.safetensors")).unwrap()
}

fn goldens() -> Vec<Golden> {
    serde_json::from_slice(&std::fs::read(folder().join("costs.json")).unwrap()).unwrap()
}

fn ids(golden: &Golden) -> Vec<WordId> {
    golden.words.iter().map(|&id| WordId(id)).collect()
}

fn model(precision: Precision) -> NeuralModel {
    NeuralModel::from_bytes(&file(), precision.kernels()).unwrap()
}

/// Costs by kernel: floats equal PyTorch's, integers nearly.
#[test]
fn costs_equal_those_of_pytorch() {
    for (precision, tolerance) in [(Precision::F32, 1e-3), (Precision::Int8, 0.1)] {
        let model = model(precision);
        for golden in goldens() {
            let ours = model.costs(&ids(&golden));
            assert_eq!(ours.len(), golden.costs.len());
            for (at, (ours, theirs)) in ours.iter().zip(&golden.costs).enumerate() {
                let difference = (ours.0 - theirs).abs();
                assert!(difference < tolerance, "{precision} {at}: {ours:?} {theirs}");
            }
        }
    }
}

#[test]
fn the_normaliser_equals_pytorch() {
    let model = model(Precision::F32);
    for golden in goldens() {
        let (mut states, mut work) = (Vec::new(), Workspace::default());
        model.extend(&mut states, &[Next { before: None, word: BEGIN }], &mut work);
        for (at, &word) in (0..).zip(&golden.words) {
            model.extend(&mut states, &[Next { before: Some(at), word: WordId(word) }], &mut work);
        }
        for (at, theirs) in (0..).zip(&golden.log_normalisers) {
            let ours = model.log_normaliser(&states, at, &NEVER);
            assert!((ours - theirs).abs() < 1e-3, "{ours} {theirs}");
        }
    }
}

/// However the tree grew, a history has the costs of its words read in order, and each state is
/// computed once.
#[test]
fn histories_equal_plain_sentences() {
    let model = model(Precision::Auto);
    let mut histories = Histories::default();
    for _ in 0..2 {
        histories.clear(BEGIN);
        for golden in goldens().iter().chain(&goldens()) {
            let mut history = 0;
            let mut costs = Vec::new();
            for &word in &ids(golden) {
                let (next, _, cost) = histories.step(&model, history, word, usize::MAX);
                costs.push(cost.unwrap());
                history = next;
            }
            costs.push(histories.cost(&model, history, END, usize::MAX).unwrap());
            assert_eq!(costs, model.costs(&ids(golden)));
        }
        let words: usize = goldens().iter().map(|golden| golden.words.len()).sum();
        assert_eq!(histories.steps(), 1 + words, "the sentences share their beginning only");
    }
}

/// Looked at together or alone, a history has the same costs, for more of them than are computed
/// at once too.
#[test]
fn histories_that_are_prepared_together_cost_the_same() {
    let model = model(Precision::Auto);
    let words: Vec<WordId> = (4..model.num_words() as u32).map(WordId).collect();
    let costs = |together: bool| {
        let mut histories = Histories::default();
        histories.clear(BEGIN);
        let mut level = vec![0];
        let mut costs = Vec::new();
        for _ in 0..3 {
            if together {
                histories.prepare(&model, level.iter().copied(), usize::MAX);
            }
            let mut next = Vec::new();
            for (&history, &word) in
                level.iter().flat_map(|history| words.iter().map(move |word| (history, word)))
            {
                let (number, _, cost) = histories.step(&model, history, word, usize::MAX);
                next.push(number);
                costs.push(cost.unwrap());
            }
            next.truncate(150);
            level = next;
        }
        (costs, histories.steps())
    };
    let (together, steps) = costs(true);
    assert!(steps > 150, "{steps}");
    assert_eq!((together, steps), costs(false));
}

#[test]
fn no_more_states_than_the_limit_are_computed() {
    let model = model(Precision::Auto);
    let mut histories = Histories::default();
    histories.clear(BEGIN);
    let mut history = 0;
    for at in 0..6 {
        let (next, new, cost) = histories.step(&model, history, WordId(5), 3);
        assert!(new);
        assert_eq!(cost.is_some(), at < 3, "word {at}");
        history = next;
    }
    assert_eq!(histories.cost(&model, history, END, 3), None);
    assert_eq!(histories.steps(), 3);
    histories.prepare(&model, [history], 3);
    assert_eq!(histories.steps(), 3);
    // What is known stays known.
    let (known, new, cost) = histories.step(&model, 0, WordId(5), 3);
    assert_eq!((known, new, cost.is_some()), (1, false, true));
}

/// Every prefix and every damaged header byte is an error or a model that can be asked, never a
/// panic.
#[test]
fn damaged_files_are_errors() {
    let bytes = file();
    let open = |bytes: &[u8]| NeuralModel::from_bytes(bytes, Precision::Auto.kernels());
    for length in (0..bytes.len()).step_by(5) {
        assert!(open(&bytes[..length]).is_err(), "{length} bytes");
    }
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x15;
        if let Ok(model) = open(&damaged) {
            let last = WordId(model.num_words() as u32 - 1);
            let _: Vec<Cost> = model.costs(&[last, END]);
        }
    }
}

#[test]
fn errors_name_what_is_wrong() {
    let mut bytes = file();
    let found = |bytes: &[u8]| {
        let kernels: Kernels = Precision::Auto.kernels();
        NeuralModel::from_bytes(bytes, kernels).err().unwrap().to_string()
    };
    let at = bytes.windows(6).position(|bytes| bytes == b"\"rank\"").unwrap();
    bytes[at + 1] = b'b';
    assert!(found(&bytes).contains("no tensor `rank`"));
    let mut bytes = file();
    let at = bytes.windows(7).position(|bytes| bytes == b"model 1").unwrap();
    bytes[at + 6] = b'2';
    assert!(found(&bytes).contains("export it again"));
    let mut bytes = file();
    let at = bytes.windows(3).position(|bytes| bytes == b"0.4").unwrap();
    bytes[at] = b'7';
    assert!(found(&bytes).contains("between 0 and 1"));
}

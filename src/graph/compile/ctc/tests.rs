//! The graph against CTC by enumeration: every string of tokens and blanks over a few frames,
//! collapsed and cut into words in every way.

use proptest::prelude::*;

use super::super::histories::History;
use super::super::literal::LiteralModel;
use super::super::oracle::Plain;
use super::super::steps::Steps;
use super::super::tests::{exact, model, pronunciations};
use super::*;

/// Column 0, as in the compiler's other tests the silence.
const BLANK: u32 = 0;
const TOKENS: u32 = 4;

/// What a string of labels says: repetitions are one, and blanks nothing.
fn collapsed(labels: &[u32]) -> Vec<u32> {
    let mut said: Vec<u32> = labels.to_vec();
    said.dedup();
    said.retain(|&label| label != BLANK);
    said
}

/// The least cost of saying exactly these tokens after a history, by words and back-offs in every
/// way.
fn cheapest(
    model: &LiteralModel,
    all: &[Pronunciation],
    tokens: &[u32],
    history: History,
    penalty: Steps,
) -> f64 {
    let mut best = match tokens {
        [] => f64::from(model.end(history).0),
        _ => f64::INFINITY,
    };
    if let Some((shorter, cost)) = model.backoff(history) {
        let rest = cheapest(model, all, tokens, shorter, penalty);
        best = best.min(f64::from(cost.0) + rest);
    }
    model.successors(history, &mut |word, cost, next| {
        for said in all.iter().filter(|said| said.word == word) {
            let phones = said.phones.iter().map(|phone| phone.0);
            if tokens.len() >= said.phones.len()
                && phones.eq(tokens[..said.phones.len()].iter().copied())
            {
                let rest = cheapest(model, all, &tokens[said.phones.len()..], next, penalty);
                let word = cost.0 + said.cost.cost().0 + penalty.cost().0;
                best = best.min(f64::from(word) + rest);
            }
        }
    });
    best
}

/// The least cost of all label strings over these frames.
fn enumerated(case: &Case) -> f64 {
    let count = TOKENS.pow(case.frames.len() as u32);
    let strings = (0..count).map(|number| {
        let digit = |frame| number / TOKENS.pow(frame as u32) % TOKENS;
        (0..case.frames.len()).map(digit).collect::<Vec<u32>>()
    });
    let cost = |labels: Vec<u32>| {
        let heard: f64 =
            { labels.iter().zip(&case.frames) }.map(|(&label, frame)| frame[label as usize]).sum();
        let start = case.model.start();
        let penalty = Steps::of(case.penalty).unwrap();
        heard + cheapest(&case.model, &case.pronunciations, &collapsed(&labels), start, penalty)
    };
    strings.map(cost).fold(f64::INFINITY, f64::min)
}

#[derive(Debug)]
struct Case {
    pronunciations: Vec<Pronunciation>,
    model: LiteralModel,
    penalty: Cost,
    frames: Vec<Vec<f64>>,
}

fn case() -> impl Strategy<Value = Case> {
    let frame = prop::collection::vec(exact(0..3000).prop_map(f64::from), TOKENS as usize);
    let frames = prop::collection::vec(frame, 0..6);
    let penalty = exact(-200..200).prop_map(Cost);
    (pronunciations(), model(), penalty, frames).prop_map(|(mut all, model, penalty, frames)| {
        all.sort();
        all.dedup_by(|a, b| a.phones == b.phones && a.word == b.word);
        Case { pronunciations: all, model, penalty, frames }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_graph_costs_what_enumeration_does(case in case()) {
        let topology = Topology::without_context(TOKENS as usize, PhoneId(BLANK));
        let built = assemble(&topology, case.pronunciations.clone(), &case.model, case.penalty);
        match built {
            Ok((graph, _)) => {
                let (cost, _) = Plain::of_graph(&graph).viterbi(&case.frames);
                let expected = enumerated(&case);
                prop_assert!(
                    cost == expected || (cost - expected).abs() < 1e-3,
                    "{cost} and not {expected}"
                );
            }
            Err(CompileError::NoWords) => {}
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }
}

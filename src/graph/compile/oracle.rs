//! The obvious twin of the compiler for tests: L∘G, C∘LG and H∘CLG by general composition, nothing
//! optimised, and exact searches over either graph.

use std::sync::Arc;

use rustfst::algorithms::compose::compose;
use rustfst::prelude::*;

use crate::graph::{Graph, WORD_MASK};
use crate::units::{StateId, WordId};

use super::CompileOptions;
use super::dictionary::Pronunciation;
use super::histories::{BackoffModel, History};
use super::literal::LiteralModel;
use super::topology::Topology;

type Fst = VectorFst<TropicalWeight>;

/// An automaton over frames, in the form both sides are searched in.
pub(super) struct Plain {
    start: usize,
    arcs: Vec<Vec<PlainArc>>,
    finals: Vec<f64>,
}

#[derive(Clone, Copy)]
struct PlainArc {
    pdf: Option<usize>,
    word: u32,
    cost: f64,
    next: usize,
}

impl Plain {
    pub(super) fn of_graph(graph: &Graph) -> Self {
        let mut arcs = vec![Vec::new(); graph.state_limit()];
        for state in graph.states() {
            let own = graph.emitting_arcs(state).chain(graph.epsilon_arcs(state));
            arcs[state.index()] = own
                .map(|arc| PlainArc {
                    pdf: arc.pdf.map(|pdf| pdf.index()),
                    word: arc.label & WORD_MASK,
                    cost: arc.cost.0.into(),
                    next: arc.next.index(),
                })
                .collect();
        }
        let states = (0..graph.state_limit() as u32).map(StateId);
        Plain {
            start: graph.start().index(),
            arcs,
            finals: states.map(|state| graph.final_cost(state).0.into()).collect(),
        }
    }

    fn of_fst(fst: &Fst) -> Self {
        let arcs = fst.states_iter().map(|state| {
            let trs = fst.get_trs(state).unwrap();
            let arc = |tr: &Tr<TropicalWeight>| PlainArc {
                pdf: (tr.ilabel as usize).checked_sub(1),
                word: tr.olabel,
                cost: (*tr.weight.value()).into(),
                next: tr.nextstate as usize,
            };
            trs.trs().iter().map(arc).collect()
        });
        let end =
            |state| fst.final_weight(state).unwrap().map_or(f64::INFINITY, |w| (*w.value()).into());
        Plain {
            start: fst.start().unwrap() as usize,
            arcs: arcs.collect(),
            finals: fst.states_iter().map(end).collect(),
        }
    }

    /// Cost of the cheapest path that consumes the frames (each a cost for each pdf), and its
    /// words.
    pub(super) fn viterbi(&self, frames: &[Vec<f64>]) -> (f64, Vec<u32>) {
        let mut tokens = vec![None; self.arcs.len()];
        tokens[self.start] = Some((0.0, vec![]));
        self.close(&mut tokens);
        for frame in frames {
            let mut next = vec![None; self.arcs.len()];
            for (state, token) in tokens.iter().enumerate() {
                let Some(token) = token else { continue };
                for arc in &self.arcs[state] {
                    let Some(pdf) = arc.pdf else { continue };
                    relax(&mut next, token, arc, frame[pdf]);
                }
            }
            self.close(&mut next);
            tokens = next;
        }
        let ended = tokens.into_iter().zip(&self.finals);
        let ended = ended.filter_map(|(token, end)| token.map(|(cost, words)| (cost + end, words)));
        ended.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((f64::INFINITY, vec![]))
    }

    /// The part of the automaton that puts out exactly these words: its states are (state, words so
    /// far).
    pub(super) fn saying(&self, words: &[u32]) -> Plain {
        let positions = words.len() + 1;
        let mut said = Plain {
            start: self.start * positions,
            arcs: vec![vec![]; self.arcs.len() * positions],
            finals: vec![f64::INFINITY; self.arcs.len() * positions],
        };
        for (state, arcs) in self.arcs.iter().enumerate() {
            for position in 0..positions {
                let from = state * positions + position;
                for arc in arcs
                    .iter()
                    .filter(|arc| arc.word == 0 || words.get(position) == Some(&arc.word))
                {
                    let next = arc.next * positions + position + usize::from(arc.word != 0);
                    said.arcs[from].push(PlainArc { next, ..*arc });
                }
            }
            said.finals[state * positions + words.len()] = self.finals[state];
        }
        said
    }

    /// Cost of the cheapest path of any length, frames free of charge.
    pub(super) fn cheapest(&self) -> f64 {
        let mut tokens = vec![None; self.arcs.len()];
        tokens[self.start] = Some((0.0, vec![]));
        let free = |arc: &PlainArc| PlainArc { pdf: None, word: 0, ..*arc };
        let arcs = self.arcs.iter().map(|arcs| arcs.iter().map(free).collect()).collect();
        Plain { start: self.start, arcs, finals: vec![] }.close(&mut tokens);
        let ended = tokens.into_iter().zip(&self.finals);
        let ended = ended.filter_map(|(token, end)| token.map(|(cost, _)| cost + end));
        ended.fold(f64::INFINITY, f64::min)
    }

    fn close(&self, tokens: &mut [Token]) {
        let mut queue: Vec<usize> = (0..tokens.len()).filter(|&s| tokens[s].is_some()).collect();
        while let Some(state) = queue.pop() {
            let token = tokens[state].clone().unwrap();
            for arc in self.arcs[state].iter().filter(|arc| arc.pdf.is_none()) {
                if relax(tokens, &token, arc, 0.0) {
                    queue.push(arc.next);
                }
            }
        }
    }
}

type Token = Option<(f64, Vec<u32>)>;

fn relax(tokens: &mut [Token], from: &(f64, Vec<u32>), arc: &PlainArc, acoustic: f64) -> bool {
    let cost = from.0 + arc.cost + acoustic;
    let better = tokens[arc.next].as_ref().is_none_or(|token| cost < token.0 - 1e-9);
    if better {
        let mut words = from.1.clone();
        words.extend(Some(arc.word).filter(|&word| word != 0));
        tokens[arc.next] = Some((cost, words));
    }
    better
}

/// H∘(C∘(L∘G)).
pub(super) fn hclg(
    topology: &Topology,
    pronunciations: &[Pronunciation],
    model: &LiteralModel,
    options: &CompileOptions,
) -> Plain {
    let lg = composed(lexicon(pronunciations, options), grammar(model));
    let clg = composed(context(topology), lg);
    Plain::of_fst(&composed(hmm(topology), clg))
}

fn composed(mut a: Fst, mut b: Fst) -> Fst {
    tr_sort(&mut a, OLabelCompare {});
    tr_sort(&mut b, ILabelCompare {});
    compose::<TropicalWeight, Fst, Fst, Fst, Arc<Fst>, Arc<Fst>>(Arc::new(a), Arc::new(b)).unwrap()
}

fn arc(fst: &mut Fst, from: u32, labels: (u32, u32), cost: f32, to: u32) {
    fst.add_tr(from, Tr::new(labels.0, labels.1, cost, to)).unwrap();
}

/// Phones (id + 1) to words, with optional silences at the start and after each word; silence is
/// phone 0.
fn lexicon(pronunciations: &[Pronunciation], options: &CompileOptions) -> Fst {
    let mut l = Fst::new();
    let (start, between, silence) = (l.add_state(), l.add_state(), l.add_state());
    l.set_start(start).unwrap();
    l.set_final(between, 0.0).unwrap();
    let p = options.silence_probability;
    let pauses = [(between, -(1.0 - p).ln()), (silence, -p.ln())];
    let pauses = &pauses[..if p > 0.0 { 2 } else { 1 }];
    arc(&mut l, silence, (1, 0), 0.0, between);
    for &(to, cost) in pauses {
        arc(&mut l, start, (0, 0), cost, to);
    }
    for pronunciation in pronunciations {
        let first = options.word_penalty.0 + pronunciation.cost.cost().0;
        let (mut at, mut labels, mut cost) = (between, (0, pronunciation.word.0), first);
        for phone in &pronunciation.phones {
            labels.0 = phone.0 + 1;
            let next = l.add_state();
            arc(&mut l, at, labels, cost, next);
            (at, labels, cost) = (next, (0, 0), 0.0);
        }
        for &(to, cost) in pauses {
            arc(&mut l, at, (0, 0), cost, to);
        }
    }
    l
}

fn grammar(model: &LiteralModel) -> Fst {
    let mut g = Fst::new();
    g.add_states(model.num_states());
    g.set_start(model.start().0).unwrap();
    for history in 0..model.num_states() as u32 {
        model.successors(History(history), &mut |WordId(word), cost, next| {
            arc(&mut g, history, (word, word), cost.0, next.0);
        });
        if let Some((next, cost)) = model.backoff(History(history)) {
            arc(&mut g, history, (0, 0), cost.0, next.0);
        }
        let end = model.end(History(history)).0;
        if end.is_finite() {
            g.set_final(history, end).unwrap();
        }
    }
    g
}

/// Pairs (left phone, phone) to phones; a state is the left phone.
fn context(topology: &Topology) -> Fst {
    let phones = topology.phones as u32;
    let mut c = Fst::new();
    c.add_states(topology.phones);
    c.set_start(topology.silence.0).unwrap();
    for left in 0..phones {
        c.set_final(left, 0.0).unwrap();
        for phone in 0..phones {
            arc(&mut c, left, (left * phones + phone + 1, phone + 1), 0.0, phone);
        }
    }
    c
}

/// Pdfs (id + 1) to pairs (left phone, phone).
fn hmm(topology: &Topology) -> Fst {
    let mut h = Fst::new();
    let between = h.add_state();
    h.set_start(between).unwrap();
    h.set_final(between, 0.0).unwrap();
    for (pair, pdfs) in topology.table.iter().enumerate() {
        let inside = h.add_state();
        arc(&mut h, between, (pdfs.entry.0 + 1, pair as u32 + 1), 0.0, inside);
        arc(&mut h, inside, (pdfs.again.0 + 1, 0), 0.0, inside);
        arc(&mut h, inside, (0, 0), 0.0, between);
    }
    h
}

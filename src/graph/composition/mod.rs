//! The decoding graph of two automata: a lexicon over transitions (`HCLr.fst`) and a language model
//! (`Gr.fst`), composed once and for all, as libvosk does step by step while it searches.
//!
//! A state of the composition is a state of either and how it was come to:
//!
//! - *fresh*: after a word, after backing off, or at the start. Only here the language model may
//!   back off, so that no path is there twice (the sequence filter of epsilons);
//! - *ahead*: on the way to a word. What the words to come cost at least has been paid in advance
//!   (`ahead`), and is taken off at the next step;
//! - *told*: but one word can come, so that it was put out and paid already; what is left of its
//!   pronunciation puts out nothing.
//!
//! The lexicon goes on without a word only where the language model has one of those to come, so
//! that next to nothing leads nowhere, and what does is left out at last (`trim`).
//!
//! Rows lie in the order of a depth-first walk, so that what is searched together lies together.
//!
//! Reference: C. Allauzen, M. Riley and J. Schalkwyk, "A Generalized Composition Algorithm for
//! Weighted Finite-State Transducers", Interspeech 2009.

mod ahead;
mod layout;
mod pairs;
#[cfg(test)]
mod tests;
mod trim;

use std::time::Instant;

use tracing::info;

use super::error::GraphError;
use super::openfst::{Automaton, FstArc, LookAhead};
use super::rows::{ARC_LIMIT, COST_MIN};
use ahead::{Ahead, Coming};
use pairs::{Pair, Pairs, Way};
use trim::trim;

/// States between two reports of how far it is.
const REPORT: usize = 2_000_000;

/// Composes; arcs whose input is `silent` read nothing.
///
/// # Errors
/// The composition is larger than a graph can be, has a cost that a graph cannot hold, or no path.
pub(super) fn compose(
    lexicon: &LookAhead,
    language: &Automaton,
    silent: &[u32],
) -> Result<Automaton, GraphError> {
    let mut composer = Composer::new(lexicon, language, silent);
    composer.walk()?;
    let composed = composer.finish()?;
    trim(composed)
}

/// What is composed so far.
struct Composer<'a> {
    lexicon: &'a LookAhead,
    language: &'a Automaton,
    ahead: Ahead<'a>,
    /// Inputs that read nothing, ascending.
    silent: Vec<u32>,
    pairs: Pairs,
    /// States that have no row yet.
    waiting: Vec<u32>,
    /// By state: its row's number, in the order of the walk.
    order: Vec<u32>,
    /// Where each row begins, and where the last ends.
    rows: Vec<u32>,
    /// The targets are numbered as they were met, not as their rows are.
    arcs: Vec<FstArc>,
    finals: Vec<f32>,
    /// Rows without an arc that reads: a graph needs an arc that stands for none there.
    deaf: usize,
}

impl<'a> Composer<'a> {
    fn new(lexicon: &'a LookAhead, language: &'a Automaton, silent: &[u32]) -> Self {
        let mut silent = silent.to_vec();
        silent.sort_unstable();
        Composer {
            lexicon,
            language,
            ahead: Ahead::new(&lexicon.reach, language),
            silent,
            pairs: Pairs::default(),
            waiting: Vec::new(),
            order: Vec::new(),
            rows: vec![0],
            arcs: Vec::new(),
            finals: Vec::new(),
            deaf: 0,
        }
    }

    fn walk(&mut self) -> Result<(), GraphError> {
        let started = Instant::now();
        let (left, right) = (self.lexicon.automaton.start(), self.language.start());
        self.state(Pair { left, right, way: Way::Fresh });
        while let Some(state) = self.waiting.pop() {
            self.order[state as usize] = self.finals.len() as u32;
            let begin = self.arcs.len();
            let last = self.expand(state)?;
            self.finals.push(last);
            self.rows.push(self.arcs.len() as u32);
            self.deaf += usize::from(self.arcs[begin..].iter().all(|arc| arc.input == 0));
            let found = (self.arcs.len() + self.deaf) as u64;
            if found > ARC_LIMIT as u64 {
                let limit = ARC_LIMIT as u64;
                return Err(GraphError::TooLarge { what: "arcs", found, limit });
            }
            if self.finals.len().is_multiple_of(REPORT) {
                info!(
                    "{} million states and {} million arcs composed in {:.0} s, {} states to come",
                    self.finals.len() / 1_000_000,
                    self.arcs.len() / 1_000_000,
                    started.elapsed().as_secs_f64(),
                    self.waiting.len(),
                );
            }
        }
        Ok(())
    }

    /// The number of a state, which is to get a row if it is new.
    fn state(&mut self, pair: Pair) -> u32 {
        let (state, is_new) = self.pairs.number(pair);
        if is_new {
            self.waiting.push(state);
            self.order.push(u32::MAX);
        }
        state
    }

    fn put(&mut self, input: u32, output: u32, cost: f32, to: Pair) -> Result<(), GraphError> {
        if cost == f32::INFINITY {
            return Ok(());
        }
        let next = self.state(to);
        if cost.is_nan() || cost <= COST_MIN {
            return Err(GraphError::BadCost { state: next, cost });
        }
        let input = match self.silent.binary_search(&input) {
            Ok(_) => 0,
            Err(_) => input,
        };
        self.arcs.push(FstArc { input, output, cost, next });
        Ok(())
    }

    /// Makes the row of a state; returns what ending there costs.
    fn expand(&mut self, state: u32) -> Result<f32, GraphError> {
        let pair = self.pairs.get(state);
        let paid = match pair.way {
            Way::Told(label) => {
                self.go_on_told(pair, label)?;
                return Ok(f32::INFINITY);
            }
            Way::Fresh => {
                self.back_off(pair)?;
                0.0
            }
            Way::Ahead => match self.ahead.coming(pair.left, pair.right) {
                Some(Coming::Some(cost)) => cost,
                // No state is met this way of which this is not so.
                Some(Coming::One(_)) | None => 0.0,
            },
        };
        self.go_on(pair, paid)?;
        self.meet(pair, paid)?;
        let ends =
            [self.lexicon.automaton.final_cost(pair.left), self.language.final_cost(pair.right)];
        Ok(ends[0] + ends[1] - paid)
    }

    /// What is left of a word that was put out.
    fn go_on_told(&mut self, pair: Pair, label: u32) -> Result<(), GraphError> {
        let LookAhead { automaton, reach } = self.lexicon;
        for arc in automaton.row(pair.left) {
            let way = match arc.output {
                0 if reach.has(arc.next, label) => Way::Told(label),
                output if output == label => Way::Fresh,
                _ => continue,
            };
            self.put(arc.input, 0, arc.cost, Pair { left: arc.next, way, ..pair })?;
        }
        Ok(())
    }

    /// The language model goes on without a word.
    fn back_off(&mut self, pair: Pair) -> Result<(), GraphError> {
        let silent = self.language.row(pair.right).iter().take_while(|arc| arc.input == 0);
        for arc in silent {
            let to = Pair { right: arc.next, way: Way::Fresh, ..pair };
            self.put(0, arc.output, arc.cost, to)?;
        }
        Ok(())
    }

    /// The lexicon goes on without a word, to where one comes that the language model has.
    fn go_on(&mut self, pair: Pair, paid: f32) -> Result<(), GraphError> {
        let follows = self.language.row(pair.right).last().is_some_and(|arc| arc.input != 0);
        if !follows && self.language.final_cost(pair.right) == f32::INFINITY {
            return Ok(());
        }
        let silent = self.lexicon.automaton.row(pair.left);
        for arc in silent.iter().take_while(|arc| arc.output == 0) {
            match self.ahead.coming(arc.next, pair.right) {
                None => {}
                Some(Coming::Some(cost)) => {
                    let to = Pair { left: arc.next, way: Way::Ahead, ..pair };
                    self.put(arc.input, 0, arc.cost + cost - paid, to)?;
                }
                Some(Coming::One(word)) => {
                    let to = Pair { left: arc.next, right: word.next, way: Way::Told(word.input) };
                    self.put(arc.input, word.output, arc.cost + word.cost - paid, to)?;
                }
            }
        }
        Ok(())
    }

    /// Both go on with the same word: each of the fewer ones is looked up among the others.
    fn meet(&mut self, pair: Pair, paid: f32) -> Result<(), GraphError> {
        let ours = self.lexicon.automaton.row(pair.left);
        let ours = &ours[ours.partition_point(|arc| arc.output == 0)..];
        let theirs = self.language.row(pair.right);
        let theirs = &theirs[theirs.partition_point(|arc| arc.input == 0)..];
        let mut both = |one: &FstArc, other: &FstArc| {
            let to = Pair { left: one.next, right: other.next, way: Way::Fresh };
            self.put(one.input, other.output, one.cost + other.cost - paid, to)
        };
        if ours.len() <= theirs.len() {
            for one in ours {
                let from = theirs.partition_point(|arc| arc.input < one.output);
                let same = theirs[from..].iter().take_while(|arc| arc.input == one.output);
                same.into_iter().try_for_each(|other| both(one, other))?;
            }
        } else {
            for other in theirs {
                let from = ours.partition_point(|arc| arc.output < other.input);
                let mut same = ours[from..].iter().take_while(|arc| arc.output == other.input);
                same.try_for_each(|one| both(one, other))?;
            }
        }
        Ok(())
    }

    /// The rows in the order of the walk.
    fn finish(self) -> Result<Automaton, GraphError> {
        let Composer { order, rows, mut arcs, finals, pairs, .. } = self;
        drop(pairs);
        for arc in &mut arcs {
            arc.next = order[arc.next as usize];
        }
        Automaton::new(0, rows, arcs, finals)
    }
}

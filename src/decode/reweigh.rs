//! The paths of a lattice under a language model that never forgets.
//!
//! An n-gram remembers a few words, so that paths through a lattice meet again; a recurrent network
//! remembers all of them. Its paths are therefore a tree, and what makes it affordable is that few
//! of them matter: edges off every good path are left out by the costs that the paths have already,
//! and each node keeps the few cheapest histories [Sundermeyer et al. 2014, "Lattice decoding and
//! rescoring with long-span neural network language models"; Liu et al. 2016].

use crate::units::{Cost, WordId};

use super::cancel::Cancel;
use super::error::DecodeError;
use super::partials::{NONE, Partials, numbers};
use super::paths::{Edge, PathGraph};

/// The words of a path so far, by a number that a [`SequenceModel`] gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryId(pub u32);

/// A model whose opinion of a word depends on all words before it. It may remember what it was
/// asked, hence the `&mut`.
pub trait SequenceModel {
    /// Before the first word.
    fn start(&mut self) -> HistoryId;
    /// The history with one more word, and what to add to what that word costs already; no path
    /// says a word that costs infinitely much.
    fn step(&mut self, history: HistoryId, word: WordId) -> (HistoryId, Cost);
    /// What to add to the cost of ending after these words.
    fn end(&mut self, history: HistoryId) -> Cost;
    /// Once, before the first step: all words that may be asked about. A model may look at them
    /// now. What it answers afterwards is the same.
    fn foresee(&mut self, _words: &[WordId]) {}
    /// Words are about to be asked after these histories: a model that is faster for several at
    /// once may look at them now. What it answers afterwards is the same.
    fn prepare(&mut self, _histories: &[HistoryId]) {}
}

/// How to weigh paths anew.
#[derive(Clone, Copy, Debug)]
pub struct Reweighing<'m> {
    /// Only edges on paths that cost at most so much more than the best, as it is, are looked at.
    /// Larger: slower, more accurate.
    pub beam: Cost,
    /// At most so many histories are followed from one node; ≥ 1. Larger: slower, more accurate.
    pub histories: usize,
    /// Whether the model also has an opinion of ends that are no final states.
    pub every_end: bool,
    /// What may stop it. Looked at now and then.
    pub cancel: Option<&'m Cancel>,
}

/// Nodes that are weighed between two looks at [`Reweighing::cancel`]: about a millisecond.
const NODES_A_LOOK: usize = 32;

impl<'l> PathGraph<'l> {
    /// The paths with a model's opinion added to their costs: each node once for every history that
    /// was kept.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] if [`Reweighing::cancel`] says so.
    pub fn reweighed<M: SequenceModel>(
        &self,
        how: &Reweighing<'_>,
        model: &mut M,
    ) -> Result<PathGraph<'l>, DecodeError> {
        let left = self.costs_left();
        let limit = self.best_cost().0 + f64::from(how.beam.0);
        let good = |edge: &&Edge| {
            let whole = self.forward(edge.from).0 + f64::from(edge.cost.0);
            whole + left[edge.next as usize] <= limit
        };
        model.foresee(&self.words_of(good));
        let mut partials = Partials::new(self.num_nodes(), model.start());
        let (mut places, mut edges, mut order) = (Vec::new(), Vec::new(), Vec::new());
        let (mut run, mut asked) = (Vec::new(), Vec::new());
        let (newest, mut looked) = (self.newest_sources(), 0);
        let mut start = 0;
        while start < newest.len() {
            if let Some(cancel) = how.cancel.filter(|_| start >= looked) {
                cancel.check(self.num_frames() as usize)?;
                looked = start + NODES_A_LOOK;
            }
            let end = end_of_run(&newest, start);
            run.clear();
            asked.clear();
            for node in start as u32..end as u32 {
                let first = order.len();
                partials.cheapest(node, how.histories.max(1), &mut order);
                run.resize(run.len() + order.len() - first, node);
                let mut words = self.edges(node).iter().filter(good).map(|edge| self.word(edge));
                if words.any(|word| word != WordId::EPSILON) {
                    asked.extend(order[first..].iter().map(|&held| partials.get(held).history));
                }
            }
            model.prepare(&asked);
            for &node in &run {
                let (from, held) = (places.len() as u32, order[places.len()]);
                places.push(self.place(node));
                for edge in self.edges(node).iter().filter(good) {
                    let edge = (edge, self.word(edge));
                    edges.extend(weighed(&mut partials, (from, held), edge, model));
                }
            }
            start = end;
        }
        let number = numbers(&order, partials.len());
        edges.iter_mut().for_each(|edge| edge.next = number[edge.next as usize]);
        edges.retain(|edge| edge.next != NONE);
        let finals = self.reweighed_ends(how, (&partials, &number), model);
        Ok(self.with_edges(places, edges, finals))
    }

    /// The words of some edges, each once.
    fn words_of(&self, wanted: impl Fn(&&Edge) -> bool) -> Vec<WordId> {
        let edges = self.all_edges().iter().filter(wanted).map(|edge| self.word(edge));
        let mut words: Vec<WordId> = edges.filter(|&word| word != WordId::EPSILON).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// By node: the newest node that an edge comes from; the first if none does.
    fn newest_sources(&self) -> Vec<u32> {
        let mut newest = vec![0; self.num_nodes()];
        for edge in self.all_edges() {
            let held = &mut newest[edge.next as usize];
            *held = edge.from.max(*held);
        }
        newest
    }

    /// Where the partials that were kept may end, by their new numbers.
    fn reweighed_ends<M: SequenceModel>(
        &self,
        how: &Reweighing<'_>,
        (partials, number): (&Partials<HistoryId>, &[u32]),
        model: &mut M,
    ) -> Vec<(u32, f64)> {
        let mut ends = Vec::new();
        for (node, last) in self.finals() {
            for at in partials.of(node).filter(|&at| number[at as usize] != NONE) {
                let mut cost = last.0;
                // Without a final state no end was charged, so there is none to have an opinion of.
                if self.reached_final() || how.every_end {
                    cost += f64::from(model.end(partials.get(at).history).0);
                }
                if cost < f64::INFINITY {
                    ends.push((number[at as usize], cost));
                }
            }
        }
        ends
    }
}

/// Where the nodes from `start` on end that no edge joins: all that leads to them is weighed, so
/// they can be weighed together.
fn end_of_run(newest: &[u32], start: usize) -> usize {
    let rest = &newest[start + 1..];
    let joined = |&newest: &u32| newest as usize >= start;
    start + 1 + rest.iter().position(joined).unwrap_or(rest.len())
}

/// An edge from a partial under the model, to the number of the partial that it leads to; `None`
/// if no path may say its word.
fn weighed<M: SequenceModel>(
    partials: &mut Partials<HistoryId>,
    (from, held): (u32, u32),
    (edge, word): (&Edge, WordId),
    model: &mut M,
) -> Option<Edge> {
    let source = partials.get(held);
    let (history, added) = match word {
        WordId::EPSILON => (source.history, Cost::FREE),
        word => model.step(source.history, word),
    };
    let cost = edge.cost + added;
    (cost.0 != f32::INFINITY).then(|| {
        let next = partials.arrive(edge.next, history, source.cost + f64::from(cost.0)).at;
        Edge { from, next, cost, arc: edge.arc }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{cases_without_loops, chain, every_path};
    use super::super::{Decoder, Pruning, Scratch};
    use super::*;

    /// A model that prices a word by a scramble of all words before it.
    #[derive(Default)]
    struct Scramble {
        histories: Vec<Vec<u32>>,
    }

    fn price(words: &[u32]) -> Cost {
        let scrambled = (words.iter()).fold(7u32, |sum, word| (sum * 31 + word * 17) % 1009);
        Cost(scrambled as f32 / 500.0 - 1.0)
    }

    /// What a whole sentence is charged.
    fn price_of_all(words: &[u32]) -> f64 {
        let prefixes = (1..=words.len()).map(|n| f64::from(price(&words[..n]).0));
        prefixes.sum::<f64>() + f64::from(price(&[words, &[99]].concat()).0)
    }

    impl SequenceModel for Scramble {
        fn start(&mut self) -> HistoryId {
            self.histories = vec![Vec::new()];
            HistoryId(0)
        }

        fn step(&mut self, history: HistoryId, word: WordId) -> (HistoryId, Cost) {
            let words = [self.histories[history.0 as usize].as_slice(), &[word.0]].concat();
            let cost = price(&words);
            let known = self.histories.iter().position(|known| *known == words);
            let number = known.unwrap_or(self.histories.len());
            if known.is_none() {
                self.histories.push(words);
            }
            (HistoryId(number as u32), cost)
        }

        fn end(&mut self, history: HistoryId) -> Cost {
            price(&[self.histories[history.0 as usize].as_slice(), &[99]].concat())
        }
    }

    fn how(beam: f32, histories: usize) -> Reweighing<'static> {
        Reweighing { beam: Cost(beam), histories, every_end: false, cancel: None }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        /// With nothing left out, the paths are the same ones and each costs what its words are
        /// charged; with little kept, the best is still one of them.
        #[test]
        fn reweighed_paths_are_the_old_ones_at_new_costs(case in cases_without_loops(), kept in 1usize..4) {
            let graph = case.graph();
            let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
            let Ok(lattice) = decoder.lattice(&case.scores, &mut Scratch::new()) else {
                return Ok(());
            };
            let paths = lattice.paths();
            let Some(every) = every_path(&paths) else { return Ok(()) };
            let charged = |words: &[u32], cost: f64| match paths.reached_final() {
                true => cost + price_of_all(words),
                false => cost + price_of_all(words) - f64::from(price(&[words, &[99]].concat()).0),
            };
            let mut expected: Vec<f64> = every.iter().map(|(words, cost, _)| charged(words, *cost)).collect();
            let all = paths.reweighed(&how(f32::INFINITY, usize::MAX), &mut Scramble::default()).unwrap();
            let mut found: Vec<f64> = every_path(&all).unwrap().iter().map(|path| path.1).collect();
            expected.sort_by(f64::total_cmp);
            found.sort_by(f64::total_cmp);
            prop_assert_eq!(expected.len(), found.len());
            prop_assert!(expected.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-3));
            let few = paths.reweighed(&how(1.0, kept), &mut Scramble::default()).unwrap();
            let best = few.best();
            let words: Vec<u32> = best.words.iter().map(|word| word.id.0).collect();
            let among = every.iter().any(|(theirs, cost, _)| {
                *theirs == words && (charged(theirs, *cost) - best.cost.0).abs() < 1e-3
            });
            prop_assert!(among, "{best:?}");
        }
    }

    #[test]
    fn it_stops_where_it_is_told() {
        let case = chain();
        let graph = case.graph();
        let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
        let lattice = decoder.lattice(&case.scores, &mut Scratch::new()).unwrap();
        let cancel = Cancel::default();
        cancel.cancel();
        let how = Reweighing { cancel: Some(&cancel), ..how(8.0, 4) };
        let stopped = lattice.paths().reweighed(&how, &mut Scramble::default());
        assert!(matches!(stopped, Err(DecodeError::Cancelled { .. })));
    }
}

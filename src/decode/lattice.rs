//! Raw lattices: every path within a beam of the best, acoustic and graph costs apart.
//!
//! A node is a token: a graph state after a number of frames. Nodes are in topological order, so
//! one forward pass finds the best path and one backward pass the posteriors. The lattice is not
//! determinised, which may need exponential time and memory; posteriors and rescoring work on the
//! raw lattice.

use crate::graph::GraphView;
use crate::units::Cost;

use super::Scorer;
use super::extremes::count_from;
use super::hypothesis::{CostParts, Effort, Event, Hypothesis, PathCost, words_of};
use super::link::Link;
use super::links::Links;
use super::search::{End, SearchedFrame};

/// An arc of a lattice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatticeArc {
    /// The node it leads to, always a later one.
    pub next: u32,
    /// Flags and word of the graph's arc, 0 for none.
    pub label: u32,
    /// Negated score of the frame consumed; 0 if none is.
    pub acoustic: Cost,
    /// Cost of the graph's arc.
    pub graph: Cost,
}

/// The paths that a search kept: those within the lattice beam of the best, as far as pruning left
/// them.
///
/// ```
/// use ndarray::array;
/// use paretone::decode::{Decoder, Pruning, Scratch};
/// # use paretone::graph::GraphBuilder;
/// # use paretone::units::{Cost, PdfId};
/// # let mut builder = GraphBuilder::new();
/// # let [start, one, two] = [(); 3].map(|()| builder.add_state());
/// # builder.set_start(start);
/// # for (word, state) in [(1, one), (2, two)] {
/// #     builder.set_final(state, Cost::FREE);
/// #     builder.add_arc(start, Some(PdfId(word - 1)), word, Cost::FREE, state);
/// #     builder.add_arc(state, Some(PdfId(word - 1)), 0, Cost::FREE, state);
/// # }
/// # let graph = builder.build()?;
///
/// let decoder = Decoder::new(&graph, Pruning::default())?;
/// let lattice = decoder.lattice(&array![[-0.2, -1.8], [-0.4, -1.1]], &mut Scratch::new())?;
/// assert_eq!(lattice.best_path().words[0].id.0, 1);
/// let answers = lattice.paths().n_best(5);
/// assert_eq!(answers.len(), 2); // there are no more words to say
/// assert!(answers[0].cost < answers[1].cost);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Lattice {
    /// Frames consumed before each node.
    pub(super) frames: Vec<u32>,
    /// `nodes + 1` offsets into `arcs`.
    first_arc: Vec<u32>,
    arcs: Vec<LatticeArc>,
    /// Nodes where a path may end, ascending, and the graph's cost of ending there.
    finals: Vec<(u32, Cost)>,
    reached_final: bool,
    effort: Effort,
    /// What the search knew of each frame.
    pub(super) searched: Vec<SearchedFrame>,
    /// By frame: the logarithm of how many scores are rivals of the best, itself among them.
    pub(super) rivals: Vec<f32>,
}

/// How the tokens of the last frame end.
pub(super) struct Ends<'a> {
    /// By token: how much worse than the best path, and the final cost.
    pub costs: &'a [(f32, f32)],
    pub beam: f32,
}

/// A score is a rival of the best if it is less by no more than this. Of 1, 2, 4 and 7 this made
/// confidences best on development speech.
pub const RIVAL: f32 = 2.0;

/// No node.
const NONE: u32 = u32::MAX;
/// A node whose number is not known yet.
const MET: u32 = u32::MAX - 1;

impl Lattice {
    /// Number of nodes; node 0 is the start.
    pub fn num_nodes(&self) -> usize {
        self.frames.len()
    }

    /// Number of arcs.
    pub fn num_arcs(&self) -> usize {
        self.arcs.len()
    }

    /// Score frames consumed before a node.
    pub fn frame(&self, node: u32) -> u32 {
        self.frames[node as usize]
    }

    /// Score frames of the utterance.
    pub fn num_frames(&self) -> u32 {
        self.frames.last().copied().unwrap_or(0)
    }

    /// Sum over frames of the logarithm of how many scores are at most [`RIVAL`] less than the
    /// best, itself among them; ≥ 0. Larger: the sound is less clear.
    pub fn rivals(&self) -> f64 {
        self.rivals.iter().copied().map(f64::from).sum()
    }

    /// The arcs that leave a node.
    pub fn arcs(&self, node: u32) -> &[LatticeArc] {
        let node = node as usize;
        &self.arcs[self.first_arc[node] as usize..self.first_arc[node + 1] as usize]
    }

    /// The nodes where a path can end, in ascending order, with the final cost of each.
    pub fn finals(&self) -> &[(u32, Cost)] {
        &self.finals
    }

    /// Whether paths end in final states. If no token reached one, paths can end at every token of
    /// the last frame instead.
    pub fn reached_final(&self) -> bool {
        self.reached_final
    }

    /// The work of the search that made the lattice.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    /// The words and costs of a path, given as (node, arc index) pairs and what it costs in all.
    pub(super) fn hypothesis(
        &self,
        path: impl Iterator<Item = (u32, u32)>,
        cost: PathCost,
    ) -> Hypothesis {
        let mut acoustic = PathCost(0.0);
        let mut events = Vec::new();
        for (node, arc) in path {
            let arc = self.arc(arc);
            acoustic += PathCost(f64::from(arc.acoustic.0));
            if arc.label != 0 {
                events.push(Event { label: arc.label, frame: self.frame(node) });
            }
        }
        let frames = self.num_frames();
        Hypothesis {
            words: words_of(&events, frames),
            cost,
            parts: Some(CostParts { acoustic, graph: cost - acoustic }),
            reached_final: self.reached_final,
            frames,
            effort: self.effort,
        }
    }

    /// An arc by its index.
    pub(super) fn arc(&self, index: u32) -> &LatticeArc {
        &self.arcs[index as usize]
    }

    /// Index of the first arc of a node.
    pub(super) fn first_arc(&self, node: u32) -> u32 {
        self.first_arc[node as usize]
    }

    /// Lays out the links of a search that was pruned to its ends.
    pub(super) fn build(
        graph: &GraphView<'_>,
        links: &Links,
        scorer: &impl Scorer,
        ends: &Ends<'_>,
    ) -> Lattice {
        let mut lattice = Lattice::default();
        let mut loose: Vec<(u32, LatticeArc)> = Vec::with_capacity(links.len());
        let (mut nodes, mut before) = (FrameNodes::default(), FrameNodes::default());
        let mut arrived: &[Link] = &[];
        let last = links.frames().len() - 1;
        for (frame, (tokens, epsilon, onward)) in links.frames().enumerate() {
            std::mem::swap(&mut nodes, &mut before);
            let first = lattice.frames.len();
            let ends = (frame == last).then_some(ends);
            let count = nodes.number(first as u32, tokens, arrived, epsilon, onward, ends);
            lattice.frames.resize(first + count, frame as u32);
            let scores = match frame {
                0 => &[],
                _ => scorer.frame(frame - 1),
            };
            loose.extend(arrived.iter().map(|link| {
                let arc = graph.arc(link.arc());
                let arc = LatticeArc {
                    next: nodes.of(link.to),
                    label: label(graph, link),
                    acoustic: Cost(-scores[arc.pdf().index()]),
                    graph: arc.cost(),
                };
                (before.of(link.from), arc)
            }));
            let ascends = |link: &&Link| nodes.of(link.from) < nodes.of(link.to);
            loose.extend(epsilon.iter().filter(ascends).map(|link| {
                let arc = LatticeArc {
                    next: nodes.of(link.to),
                    label: label(graph, link),
                    acoustic: Cost::FREE,
                    graph: graph.arc(link.arc()).cost(),
                };
                (nodes.of(link.from), arc)
            }));
            arrived = onward;
        }
        lattice.finals = ends
            .tokens()
            .map(|token| (nodes.of(token), Cost(ends.costs[token as usize].1)))
            .collect();
        lattice.finals.sort_by_key(|&(node, _)| node);
        lattice.group(&loose);
        lattice
    }

    /// What the search that made the lattice has to say of it.
    pub(super) fn with_search(
        self,
        end: &End,
        searched: &[SearchedFrame],
        scorer: &impl Scorer,
    ) -> Lattice {
        let frames = searched.iter().enumerate();
        let count = |(at, frame): (usize, &SearchedFrame)| {
            count_from(scorer.frame(at), frame.best - RIVAL).max(1) as f32
        };
        Lattice {
            reached_final: end.reached_final,
            effort: end.effort,
            searched: searched.to_vec(),
            rivals: frames.map(count).map(f32::ln).collect(),
            ..self
        }
    }

    /// Groups arcs by the node they leave, given with each.
    fn group(&mut self, loose: &[(u32, LatticeArc)]) {
        // Counted two places up, a node's entry becomes where its next arc goes, and in the end
        // where the arcs of the node after it begin.
        self.first_arc = vec![0; self.num_nodes() + 2];
        for &(node, _) in loose {
            self.first_arc[node as usize + 2] += 1;
        }
        for node in 0..self.num_nodes() {
            self.first_arc[node + 2] += self.first_arc[node + 1];
        }
        let nothing = LatticeArc { next: 0, label: 0, acoustic: Cost::FREE, graph: Cost::FREE };
        self.arcs = vec![nothing; loose.len()];
        for &(node, arc) in loose {
            let place = &mut self.first_arc[node as usize + 1];
            self.arcs[*place as usize] = arc;
            *place += 1;
        }
        self.first_arc.pop();
    }
}

impl Ends<'_> {
    /// The tokens where a path within the beam may end.
    fn tokens(&self) -> impl Iterator<Item = u32> {
        let costs = (0u32..).zip(self.costs);
        costs.filter_map(|(token, &(extra, _))| (extra <= self.beam).then_some(token))
    }
}

/// The label of a link's arc: read only if it has one, since labels lie apart.
fn label(graph: &GraphView<'_>, link: &Link) -> u32 {
    match link.is_labelled() {
        true => graph.label(link.arc()),
        false => 0,
    }
}

/// The nodes of one frame: tokens that some link uses, numbered so that epsilon links lead upward.
#[derive(Default)]
struct FrameNodes {
    /// By token; [`NONE`] if no link uses it.
    nodes: Vec<u32>,
    /// The tokens that are used, as they are met.
    used: Vec<u32>,
    order: Order,
}

/// Scratch of [`FrameNodes`]: what puts tokens in order.
#[derive(Default)]
struct Order {
    /// By token: where its epsilon links begin, which follow each other.
    begin: Vec<usize>,
    /// By token: epsilon links that lead to it, from tokens that are not placed yet.
    waiting: Vec<u32>,
    /// By token: whether its best way in is placed.
    reachable: Vec<bool>,
    ready: Vec<u32>,
}

impl FrameNodes {
    fn of(&self, token: u32) -> u32 {
        self.nodes[token as usize]
    }

    /// Numbers the tokens that links arrive at, stay within or leave, of so many, from `first` on,
    /// and counts them. `ends` is given for the last frame.
    fn number(
        &mut self,
        first: u32,
        tokens: usize,
        arrived: &[Link],
        epsilon: &[Link],
        onward: &[Link],
        ends: Option<&Ends<'_>>,
    ) -> usize {
        self.nodes.clear();
        self.nodes.resize(tokens, NONE);
        self.used.clear();
        if first == 0 {
            self.meet(0);
        }
        arrived.iter().for_each(|link| self.meet(link.to));
        for link in epsilon {
            self.meet(link.from);
            self.meet(link.to);
        }
        onward.iter().for_each(|link| self.meet(link.from));
        for token in ends.iter().flat_map(|ends| ends.tokens()) {
            self.meet(token);
        }
        // In the order in which the search made them, which settles ties as the search did.
        self.used.sort_unstable();
        match epsilon.is_empty() {
            true => {
                for (node, &token) in (first..).zip(&self.used) {
                    self.nodes[token as usize] = node;
                }
            }
            false => self.place(first, arrived, epsilon),
        }
        self.used.len()
    }

    fn meet(&mut self, token: u32) {
        let node = &mut self.nodes[token as usize];
        if *node == NONE {
            *node = MET;
            self.used.push(token);
        }
    }

    /// Numbers the tokens so that epsilon links lead forward (Kahn's algorithm). Where links form a
    /// loop, it is entered at a token whose best way in is already placed, so the best path to
    /// every token stays.
    fn place(&mut self, first: u32, arrived: &[Link], epsilon: &[Link]) {
        let tokens = self.nodes.len();
        let Order { begin, waiting, reachable, ready } = &mut self.order;
        begin.clear();
        begin.resize(tokens, epsilon.len());
        waiting.clear();
        waiting.resize(tokens, 0);
        reachable.clear();
        reachable.resize(tokens, false);
        for (at, link) in epsilon.iter().enumerate().rev() {
            begin[link.from as usize] = at;
            waiting[link.to as usize] += 1;
        }
        reachable[0] = first == 0;
        for link in arrived {
            reachable[link.to as usize] |= link.is_best();
        }
        ready.clear();
        ready.extend((self.used.iter().rev()).filter(|&&token| waiting[token as usize] == 0));
        for node in first..first + self.used.len() as u32 {
            let token = ready.pop().unwrap_or_else(|| {
                let mut open =
                    (self.used.iter()).filter(|&&token| self.nodes[token as usize] == MET);
                let best = open.clone().find(|&&token| reachable[token as usize]);
                *best.or_else(|| open.next()).expect("one is left")
            });
            self.nodes[token as usize] = node;
            let links = epsilon[begin[token as usize]..].iter();
            for link in links.take_while(|link| link.from == token) {
                waiting[link.to as usize] -= 1;
                reachable[link.to as usize] |= link.is_best();
                if waiting[link.to as usize] == 0 && self.nodes[link.to as usize] == MET {
                    ready.push(link.to);
                }
            }
        }
    }
}

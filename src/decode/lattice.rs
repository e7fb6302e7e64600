//! Raw lattices: every path within a beam of the best, acoustic and graph costs apart.
//!
//! A node is a token: a graph state after a number of frames. Nodes are in topological order, so
//! that one pass forward finds the best path and one backward the posteriors. Nothing is
//! determinised: posteriors and rescoring work on the raw lattice, and cannot blow up.

use crate::graph::GraphView;
use crate::units::Cost;

use super::Scorer;
use super::hypothesis::{CostParts, Effort, Event, Hypothesis, PathCost, words_of};
use super::links::{Link, Links};

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

/// The paths a search found worth keeping.
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
}

/// How the tokens of the last frame end.
pub(super) struct Ends<'a> {
    /// By token: how much worse than the best path, and the final cost.
    pub costs: &'a [(f32, f32)],
    pub beam: f32,
}

/// No node.
const NONE: u32 = u32::MAX;

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

    /// The arcs that leave a node.
    pub fn arcs(&self, node: u32) -> &[LatticeArc] {
        let node = node as usize;
        &self.arcs[self.first_arc[node] as usize..self.first_arc[node + 1] as usize]
    }

    /// Nodes where a path may end, ascending, with the graph's cost of ending there.
    pub fn finals(&self) -> &[(u32, Cost)] {
        &self.finals
    }

    /// Whether the ends are final states; if no token reached one, every token of the last frame is
    /// an end.
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
                events.push(Event {
                    label: arc.label,
                    frame: self.frame(node),
                });
            }
        }
        let frames = self.num_frames();
        Hypothesis {
            words: words_of(&events, frames),
            cost,
            parts: Some(CostParts {
                acoustic,
                graph: cost - acoustic,
            }),
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
        let mut loose: Vec<(u32, LatticeArc)> = Vec::new();
        let mut set = NodeSet::default();
        let mut arrived: Vec<Link> = Vec::new();
        let last = links.num_sets() - 1;
        for frame in 0..=last {
            let (epsilon, emitting) = links.of_frame(frame);
            let before = std::mem::take(&mut set);
            let first = lattice.frames.len() as u32;
            set = NodeSet::number(
                &arrived,
                epsilon,
                emitting,
                (frame == last).then_some(ends),
                first,
            );
            lattice
                .frames
                .resize(first as usize + set.count, frame as u32);
            for link in &arrived {
                let arc = graph.emitting.arcs[link.arc() as usize];
                let acoustic = Cost(-scorer.frame(frame - 1)[arc.pdf().index()]);
                let label = graph.emitting.label(link.arc());
                let next = set.node(link.to);
                loose.push((
                    before.node(link.from),
                    LatticeArc {
                        next,
                        label,
                        acoustic,
                        graph: arc.cost(),
                    },
                ));
            }
            for link in epsilon
                .iter()
                .filter(|link| set.node(link.from) < set.node(link.to))
            {
                let cost = graph.epsilon.arcs[link.arc() as usize].cost();
                let label = graph.epsilon.label(link.arc());
                let arc = LatticeArc {
                    next: set.node(link.to),
                    label,
                    acoustic: Cost::FREE,
                    graph: cost,
                };
                loose.push((set.node(link.from), arc));
            }
            arrived.clear();
            arrived.extend_from_slice(emitting);
        }
        lattice.finals = (0u32..)
            .zip(ends.costs)
            .filter(|(_, (extra, _))| *extra <= ends.beam)
            .map(|(token, &(_, last))| (set.node(token), Cost(last)))
            .filter(|&(node, _)| node != NONE)
            .collect();
        lattice.finals.sort_by_key(|&(node, _)| node);
        lattice.group(loose);
        lattice
    }

    pub(super) fn with_outcome(self, reached_final: bool, effort: Effort) -> Lattice {
        Lattice {
            reached_final,
            effort,
            ..self
        }
    }

    /// Groups arcs by the node they leave.
    fn group(&mut self, mut loose: Vec<(u32, LatticeArc)>) {
        loose.sort_by_key(|&(node, _)| node);
        self.first_arc = vec![0; self.num_nodes() + 1];
        for &(node, _) in &loose {
            self.first_arc[node as usize + 1] += 1;
        }
        for node in 0..self.num_nodes() {
            self.first_arc[node + 1] += self.first_arc[node];
        }
        self.arcs = loose.into_iter().map(|(_, arc)| arc).collect();
    }
}

/// The nodes of one frame: tokens that some link uses, numbered so that epsilon links lead upward.
#[derive(Default)]
struct NodeSet {
    /// By token.
    nodes: Vec<u32>,
    count: usize,
}

impl NodeSet {
    fn node(&self, token: u32) -> u32 {
        self.nodes.get(token as usize).copied().unwrap_or(NONE)
    }

    /// Numbers the tokens that links arrive at, stay within or leave, from `first` on. `ends` is
    /// given for the last frame.
    fn number(
        arrived: &[Link],
        epsilon: &[Link],
        emitting: &[Link],
        ends: Option<&Ends<'_>>,
        first: u32,
    ) -> NodeSet {
        let mut used: Vec<u32> = if first == 0 { vec![0] } else { Vec::new() };
        used.extend(arrived.iter().map(|link| link.to));
        used.extend(epsilon.iter().flat_map(|link| [link.from, link.to]));
        used.extend(emitting.iter().map(|link| link.from));
        if let Some(ends) = ends {
            let ends = (0u32..)
                .zip(ends.costs)
                .filter(|(_, (extra, _))| *extra <= ends.beam);
            used.extend(ends.map(|(token, _)| token));
        }
        used.sort_unstable();
        used.dedup();
        let roots: Vec<u32> = if first == 0 {
            vec![0]
        } else {
            arrived
                .iter()
                .filter(|link| link.is_best())
                .map(|link| link.to)
                .collect()
        };
        let order = topological(&used, epsilon, &roots);
        let mut nodes = vec![NONE; used.last().map_or(0, |&token| token as usize + 1)];
        for (node, &token) in (first..).zip(&order) {
            nodes[token as usize] = node;
        }
        NodeSet {
            nodes,
            count: order.len(),
        }
    }
}

/// Orders tokens so that epsilon links lead forward (Kahn's algorithm). Where links form a loop, it
/// is entered at a token whose best way in is already placed, so the best path to every token
/// stays; `roots` are the tokens whose best way in is not an epsilon link.
fn topological(used: &[u32], epsilon: &[Link], roots: &[u32]) -> Vec<u32> {
    if epsilon.is_empty() {
        return used.to_vec();
    }
    let place = |token: u32| {
        used.binary_search(&token)
            .expect("every link's end is used")
    };
    let ends: Vec<_> = epsilon
        .iter()
        .map(|link| (place(link.from), place(link.to)))
        .collect();
    let mut waiting = vec![0; used.len()];
    let mut reachable = vec![false; used.len()];
    let mut placed = vec![false; used.len()];
    let mut out: Vec<Vec<usize>> = vec![Vec::new(); used.len()];
    for (link, &(from, to)) in ends.iter().enumerate() {
        waiting[to] += 1;
        out[from].push(link);
    }
    for &root in roots {
        reachable[place(root)] = true;
    }
    let mut ready: Vec<usize> = (0..used.len())
        .rev()
        .filter(|&at| waiting[at] == 0)
        .collect();
    let mut order = Vec::with_capacity(used.len());
    while order.len() < used.len() {
        let at = ready.pop().unwrap_or_else(|| {
            let open = |&at: &usize| !placed[at] && reachable[at];
            (0..used.len())
                .find(open)
                .or_else(|| placed.iter().position(|&p| !p))
                .expect("one is left")
        });
        if std::mem::replace(&mut placed[at], true) {
            continue;
        }
        order.push(used[at]);
        for &link in &out[at] {
            let to = ends[link].1;
            waiting[to] -= 1;
            reachable[to] |= epsilon[link].is_best();
            if waiting[to] == 0 {
                ready.push(to);
            }
        }
    }
    order
}

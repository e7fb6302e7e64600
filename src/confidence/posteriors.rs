//! Posterior probabilities of a lattice's paths, by the forward algorithm.

use crate::decode::PathGraph;

/// Posterior probabilities of the edges of a lattice, and of its ends.
#[derive(Clone, Debug, Default)]
pub struct Posteriors {
    /// For each edge, in the order of [`PathGraph::all_edges`]: the probability that a path through
    /// the edge's target uses this edge. The edges into one node add up to 1.
    pub arrival: Vec<f64>,
    /// For each node where paths can end, in the order of [`PathGraph::finals`]: the probability of
    /// ending there. They add up to 1.
    pub ending: Vec<f64>,
}

/// Computes posteriors after multiplying every cost by `scale`: 1 leaves costs unchanged, a smaller
/// scale makes the distribution flatter.
///
/// The sums are over extra costs relative to the best path to each node, in the logarithmic domain,
/// so neither long lattices nor flat ones overflow.
///
/// ```
/// use ndarray::array;
/// use paretone::confidence::posteriors::posteriors;
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
/// let lattice = decoder.lattice(&array![[-0.7, -0.7]], &mut Scratch::new())?;
/// // Two words, equally likely.
/// assert!(posteriors(&lattice.paths(), 1.0).ending.iter().all(|p| (p - 0.5).abs() < 1e-3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn posteriors(paths: &PathGraph<'_>, scale: f64) -> Posteriors {
    let mut total = vec![f64::NEG_INFINITY; paths.num_nodes()];
    total[0] = 0.0;
    let weight = |edge: &crate::decode::Edge| {
        let way = paths.forward(edge.from).0 + f64::from(edge.cost.0);
        scale * (paths.forward(edge.next).0 - way)
    };
    for edge in paths.all_edges() {
        let way = total[edge.from as usize] + weight(edge);
        let held = &mut total[edge.next as usize];
        *held = log_add(*held, way);
    }
    let arrival = paths.all_edges().iter().map(|edge| {
        let way = total[edge.from as usize] + weight(edge);
        (way - total[edge.next as usize]).exp()
    });
    let best = paths.best_cost().0;
    let end = |(node, last): (u32, crate::decode::PathCost)| {
        total[node as usize] + scale * (best - paths.forward(node).0 - last.0)
    };
    let all = paths.finals().map(end).fold(f64::NEG_INFINITY, log_add);
    Posteriors {
        arrival: arrival.collect(),
        ending: paths.finals().map(|last| (end(last) - all).exp()).collect(),
    }
}

/// `ln(eᵃ + eᵇ)`.
fn log_add(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY {
        return high;
    }
    high + (low - high).exp().ln_1p()
}

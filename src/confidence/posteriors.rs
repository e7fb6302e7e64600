//! Posterior probabilities of a lattice's paths, by the forward algorithm.

use crate::decode::PathGraph;

/// How probable each way into each node is, given that a path goes through it.
#[derive(Clone, Debug, Default)]
pub struct Posteriors {
    /// By edge, in the order of [`PathGraph::all_edges`]: the probability that a path through the
    /// edge's target came by this edge. Those into one node add up to 1.
    pub arrival: Vec<f64>,
    /// The probability of ending at each final, in the order of [`PathGraph::finals`]; they add up
    /// to 1, or there are none.
    pub ending: Vec<f64>,
}

/// The posteriors when costs count `scale` times: 1 takes them as they are, less flattens them.
///
/// Sums run over how much worse than the best way to its node each way is, in logarithms, so
/// neither long nor flat lattices overflow.
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

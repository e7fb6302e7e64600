//! Which path is cheapest? Beam search over the graph.

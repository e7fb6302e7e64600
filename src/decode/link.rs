//! Steps of the search along arcs: as they are taken ([`Step`]), and as a lattice under way keeps
//! them ([`Link`]).

/// A step along an arc, as a recorder sees it.
#[derive(Clone, Copy)]
pub(super) struct Step {
    /// What [`Recorder::source`](super::recorder::Recorder::source) returned for the token the arc
    /// leaves.
    pub source: u32,
    /// Index of the arc in the graph.
    pub arc: u32,
    /// Whether the arc has a label.
    pub labelled: bool,
}

/// A step that is kept, from a token to a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// Token the link leaves, by its index in its frame.
    pub from: u32,
    /// Token it leads to: in the next frame for an onward link, in the same for an epsilon link.
    pub to: u32,
    /// Index of the arc in the graph, and [`LABELLED`].
    arc: u32,
    /// Extra cost over the best link to the same token; ≥ 0. Until the first backward pruning: the
    /// cost at which it arrives.
    pub slack: f32,
}

/// Set in a link's arc index if the arc has a label.
const LABELLED: u32 = 1 << 31;

impl Link {
    /// A step to a token that it arrives at with this cost.
    #[inline(always)]
    pub(super) fn new(step: Step, to: u32, cost: f32) -> Link {
        Link {
            from: step.source,
            to,
            arc: step.arc | if step.labelled { LABELLED } else { 0 },
            slack: cost,
        }
    }

    /// Index of the arc in the graph.
    pub(super) fn arc(&self) -> u32 {
        self.arc & !LABELLED
    }

    pub(super) fn is_labelled(&self) -> bool {
        self.arc & LABELLED != 0
    }

    /// Whether the link is the best one to its token.
    pub(super) fn is_best(&self) -> bool {
        self.slack == 0.0
    }

    /// The same before the first backward pruning, given the costs of the tokens of that frame.
    pub(super) fn is_best_of(&self, costs: &[f32]) -> bool {
        self.slack == costs[self.to as usize]
    }
}

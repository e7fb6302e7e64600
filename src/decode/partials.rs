//! The cheapest few histories of each node of a lattice: what reweighing and N-best lists follow
//! through it.

/// Not there: no partial, or one that was dropped or is not numbered yet.
pub(super) const NONE: u32 = u32::MAX;

/// A node with a history: the words before it, as far as they matter.
#[derive(Clone, Copy)]
pub(super) struct Partial<H> {
    pub history: H,
    /// Cost of the best way there.
    pub cost: f64,
    /// Another partial of the same node.
    next: u32,
}

/// Partials by number, and those of each node as one list.
pub(super) struct Partials<H> {
    all: Vec<Partial<H>>,
    /// By node: its newest partial.
    heads: Vec<u32>,
}

/// What became of a way that arrived at a node.
pub(super) struct Arrival {
    /// The number of its partial.
    pub at: u32,
    /// Whether it is the best way there so far.
    pub is_best: bool,
}

impl<H: Copy + PartialEq> Partials<H> {
    /// The first of so many nodes has a history, at no cost.
    pub fn new(nodes: usize, start: H) -> Partials<H> {
        let first = Partial { history: start, cost: 0.0, next: NONE };
        let mut heads = vec![NONE; nodes];
        heads[0] = 0;
        Partials { all: vec![first], heads }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// A partial by its number.
    pub fn get(&self, at: u32) -> Partial<H> {
        self.all[at as usize]
    }

    /// The numbers of a node's partials.
    pub fn of(&self, node: u32) -> impl Iterator<Item = u32> {
        let some = |at: u32| (at != NONE).then_some(at);
        std::iter::successors(some(self.heads[node as usize]), move |&at| {
            some(self.all[at as usize].next)
        })
    }

    /// A way arrives at a node: a partial is made where none has its history, and the cheaper cost
    /// stays.
    pub fn arrive(&mut self, node: u32, history: H, cost: f64) -> Arrival {
        let same = self.of(node).find(|&at| self.all[at as usize].history == history);
        if let Some(at) = same {
            let held = &mut self.all[at as usize].cost;
            let is_best = cost < *held;
            *held = held.min(cost);
            return Arrival { at, is_best };
        }
        let at = self.all.len() as u32;
        let next = std::mem::replace(&mut self.heads[node as usize], at);
        self.all.push(Partial { history, cost, next });
        Arrival { at, is_best: true }
    }

    /// Appends the numbers of a node's cheapest partials, at most `count`, the cheapest first.
    pub fn cheapest(&self, node: u32, count: usize, kept: &mut Vec<u32>) {
        let first = kept.len();
        kept.extend(self.of(node));
        let cost = |at: u32| self.all[at as usize].cost;
        kept[first..].sort_by(|&a, &b| cost(a).total_cmp(&cost(b)).then(a.cmp(&b)));
        kept.truncate(first.saturating_add(count));
    }
}

/// The place of each of `count` partials in `order`.
pub(super) fn numbers(order: &[u32], count: usize) -> Vec<u32> {
    let mut number = vec![NONE; count];
    for (place, &partial) in (0u32..).zip(order) {
        number[partial as usize] = place;
    }
    number
}

//! All pruning of the search, in one place: which tokens go on, which expansions are kept.
//!
//! Each knob is off at infinity, and all off is exact Viterbi search. *Network* pruning compares
//! every token of a frame with the frame's best; *local* pruning compares the expansions of one
//! token with each other. The cutoff follows Kaldi's `LatticeFasterDecoder::GetCutoff`; the N-th
//! best cost is found by a histogram and one selection inside a bucket, which reads the costs twice
//! in order where `nth_element` would move them.

use crate::units::Cost;

use super::error::DecodeError;

/// How much of the search space is given up for speed. Larger values are slower and more accurate,
/// without exception.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pruning {
    /// A token goes on if it costs at most this much more than the best of its frame; ≥ 0, default
    /// 13.
    pub network_beam: Cost,
    /// At most so many tokens of a frame go on (more only if they tie with the last); ≥ 1, default
    /// 7000.
    pub network_top_n: usize,
    /// An emitting expansion of a token is kept if it costs at most this much more than the token's
    /// best; ≥ 0, default infinity.
    pub local_beam: Cost,
    /// At most so many emitting expansions of a token are kept; ≥ 1, default `usize::MAX`.
    pub local_top_n: usize,
    /// Tokens are expanded best first until so many arcs of the frame have been looked at; ≥ 1,
    /// default `usize::MAX`. It bounds the work on noise and foreign speech, where beams do not.
    pub arc_budget: usize,
    /// A lattice keeps what lies on a path at most this much worse than the best; ≥ 0, default 8.
    /// Searches for the best path alone do not read it.
    pub lattice_beam: Cost,
}

impl Default for Pruning {
    fn default() -> Self {
        Pruning {
            network_beam: Cost(13.0),
            network_top_n: 7000,
            lattice_beam: Cost(8.0),
            ..Pruning::OFF
        }
    }
}

impl Pruning {
    /// Exact search: nothing is pruned.
    pub const OFF: Pruning = Pruning {
        network_beam: Cost::IMPOSSIBLE,
        network_top_n: usize::MAX,
        local_beam: Cost::IMPOSSIBLE,
        local_top_n: usize::MAX,
        arc_budget: usize::MAX,
        lattice_beam: Cost::IMPOSSIBLE,
    };

    /// Checks that every knob means something.
    ///
    /// # Errors
    /// [`DecodeError::BadPruning`] names the first that does not.
    pub fn validate(&self) -> Result<(), DecodeError> {
        let beams = [
            ("network_beam", self.network_beam),
            ("local_beam", self.local_beam),
            ("lattice_beam", self.lattice_beam),
        ];
        let counts = [
            ("network_top_n", self.network_top_n),
            ("local_top_n", self.local_top_n),
            ("arc_budget", self.arc_budget),
        ];
        let beam = beams
            .iter()
            .find(|(_, beam)| beam.0.is_nan() || beam.0 < 0.0);
        let count = counts.iter().find(|&&(_, count)| count == 0);
        let bad = beam.map(|&(knob, beam)| (knob, f64::from(beam.0)));
        match bad.or(count.map(|&(knob, _)| (knob, 0.0))) {
            Some((knob, value)) => Err(DecodeError::BadPruning { knob, value }),
            None => Ok(()),
        }
    }

    /// Whether expansions of one token compete with each other.
    pub(super) fn has_local(&self) -> bool {
        self.local_beam.0 < f32::INFINITY || self.local_top_n < usize::MAX
    }

    /// Keeps the expansions that local pruning allows, cheapest first; ties go by arc index.
    pub(super) fn keep_local(&self, expansions: &mut Vec<Expansion>) {
        expansions.sort_unstable_by(|a, b| a.cost.total_cmp(&b.cost).then(a.arc.cmp(&b.arc)));
        let best = expansions.first().map_or(0.0, |expansion| expansion.cost);
        let in_beam = expansions.partition_point(|e| e.cost <= best + self.local_beam.0);
        expansions.truncate(in_beam.min(self.local_top_n));
    }
}

/// One emitting expansion of a token, for local pruning.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expansion {
    /// Cost after the arc, scores included.
    pub cost: f32,
    /// Index of the arc.
    pub arc: u32,
}

/// Which tokens of a frame go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cutoff {
    /// Index of the best token, the first of equals.
    pub best: usize,
    /// Tokens that cost at most this go on.
    pub cost: f32,
    /// The beam to build the next frame with: narrower than the network beam where the top-N bit.
    pub beam: f32,
    /// Whether the top-N bit.
    pub crowded: bool,
}

/// How much wider than the N-th token the next frame is built, so that its own top-N still has a
/// choice (Kaldi's `beam_delta`).
const BEAM_DELTA: f32 = 0.5;
/// Buckets of the histogram: fine enough that one holds about a hundredth of a crowded frame.
const BUCKETS: usize = 512;

/// Finds cutoffs and orders tokens; keeps its buffers between frames.
#[derive(Default)]
pub(super) struct Pruner {
    counts: Vec<u32>,
    bucket: Vec<f32>,
    survivors: Vec<u32>,
    ordered: Vec<u32>,
}

impl Pruner {
    /// The cutoff of a frame's tokens; `None` if there are none.
    pub(super) fn cutoff(&mut self, costs: &[f32], pruning: &Pruning) -> Option<Cutoff> {
        let lowest = costs.iter().copied().fold(f32::INFINITY, f32::min);
        let best = costs.iter().position(|&cost| cost == lowest)?;
        let beam = pruning.network_beam.0;
        let limit = (lowest + beam).min(f32::MAX);
        let open = Cutoff {
            best,
            cost: limit,
            beam,
            crowded: false,
        };
        if costs.len() <= pruning.network_top_n {
            return Some(open);
        }
        let nth = self.nth_cost(costs, lowest, limit, pruning.network_top_n);
        Some(nth.map_or(open, |cost| {
            let beam = beam.min(cost - lowest + BEAM_DELTA);
            Cutoff {
                best,
                cost,
                beam,
                crowded: true,
            }
        }))
    }

    /// The `n`-th smallest of the costs up to `limit`, or `None` if there are no more than `n`.
    fn nth_cost(&mut self, costs: &[f32], lowest: f32, limit: f32, n: usize) -> Option<f32> {
        let in_beam = |cost: &&f32| **cost <= limit;
        if costs.iter().filter(in_beam).count() <= n {
            return None;
        }
        let highest = costs.iter().filter(in_beam).copied().fold(lowest, f32::max);
        let scale = (BUCKETS - 1) as f32 / (highest - lowest).max(f32::MIN_POSITIVE);
        let bucket_of = |cost: f32| (((cost - lowest) * scale) as usize).min(BUCKETS - 1);
        self.counts.clear();
        self.counts.resize(BUCKETS, 0);
        for &cost in costs.iter().filter(in_beam) {
            self.counts[bucket_of(cost)] += 1;
        }
        let mut below = 0;
        let mut chosen = 0;
        while below + (self.counts[chosen] as usize) < n {
            below += self.counts[chosen] as usize;
            chosen += 1;
        }
        self.bucket.clear();
        let inside = |cost: &&f32| in_beam(cost) && bucket_of(**cost) == chosen;
        self.bucket.extend(costs.iter().filter(inside).copied());
        let (_, nth, _) = self
            .bucket
            .select_nth_unstable_by(n - 1 - below, f32::total_cmp);
        Some(*nth)
    }

    /// The tokens that go on: the best first, so that it sets a tight bound for the rest, then in
    /// order of creation; or, under an arc budget, all from best to worst (in steps of a hundredth
    /// or so of the beam).
    pub(super) fn survivors(&mut self, costs: &[f32], cut: &Cutoff, pruning: &Pruning) -> &[u32] {
        self.survivors.resize(costs.len() + 1, 0);
        self.survivors[0] = cut.best as u32;
        let mut count = 1;
        for (index, &cost) in costs.iter().enumerate() {
            self.survivors[count] = index as u32;
            count += usize::from(cost <= cut.cost && index != cut.best);
        }
        self.survivors.truncate(count);
        if pruning.arc_budget < usize::MAX {
            self.order_by_cost(costs, cut);
        }
        &self.survivors
    }

    /// Sorts the survivors into buckets of cost; stable, so the best stays first.
    fn order_by_cost(&mut self, costs: &[f32], cut: &Cutoff) {
        let lowest = costs[cut.best];
        let highest = (self.survivors.iter()).fold(lowest, |high, &i| high.max(costs[i as usize]));
        let scale = (BUCKETS - 1) as f32 / (highest - lowest).max(f32::MIN_POSITIVE);
        let bucket_of = |i: u32| (((costs[i as usize] - lowest) * scale) as usize).min(BUCKETS - 1);
        self.counts.clear();
        self.counts.resize(BUCKETS + 1, 0);
        for &index in &self.survivors {
            self.counts[bucket_of(index) + 1] += 1;
        }
        for bucket in 0..BUCKETS {
            self.counts[bucket + 1] += self.counts[bucket];
        }
        self.ordered.resize(self.survivors.len(), 0);
        for &index in &self.survivors {
            let place = &mut self.counts[bucket_of(index)];
            self.ordered[*place as usize] = index;
            *place += 1;
        }
        std::mem::swap(&mut self.ordered, &mut self.survivors);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn top_n_is_the_nth_cost_in_the_beam(
            costs in prop::collection::vec(0u32..40, 1..200),
            n in 1usize..50,
            beam in 0.0f32..30.0,
        ) {
            let costs: Vec<f32> = costs.iter().map(|&c| c as f32 * 0.7).collect();
            let pruning =
                Pruning { network_beam: Cost(beam), network_top_n: n, ..Pruning::OFF };
            let cut = Pruner::default().cutoff(&costs, &pruning).unwrap();
            let mut sorted = costs.clone();
            sorted.sort_by(f32::total_cmp);
            let limit = sorted[0] + beam;
            sorted.retain(|&c| c <= limit);
            let kept = costs.iter().filter(|&&c| c <= cut.cost).count();
            let expected = sorted.iter().filter(|&&c| c <= sorted[n.min(sorted.len()) - 1]).count();
            prop_assert_eq!(kept, expected);
            let mut pruner = Pruner::default();
            let survivors = pruner.survivors(&costs, &cut, &pruning);
            prop_assert_eq!(survivors.len(), kept);
            prop_assert_eq!(costs[survivors[0] as usize], sorted[0]);
        }
    }
}

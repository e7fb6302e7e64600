//! Network pruning: all tokens of a frame compete with its best. Also the order of the arc budget.
//!
//! The cutoff follows Kaldi's `LatticeFasterDecoder::GetCutoff`; the N-th best cost is found by a
//! histogram and one selection inside a bucket, which reads the costs twice in order where
//! `nth_element` would move them.

use super::FrameTokens;
use super::global::BranchPruner;
use crate::decode::extremes::lowest_of;
use crate::decode::knob::{AtLeast, Knob, KnobFrames, Pruning};

/// Which tokens of a frame are expanded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::decode) struct Cutoff {
    /// Index of the best token, the first of equals.
    pub best: usize,
    /// Tokens that cost at most this are expanded.
    pub cost: f32,
    /// The beam for building the next frame: narrower than the network beam if the top-N dropped
    /// tokens, wider if too few were within it.
    pub beam: f32,
    /// Whether the top-N dropped tokens.
    pub crowded: bool,
}

/// How much wider than the N-th token the next frame is built, so that its own top-N still has a
/// choice (Kaldi's `beam_delta`).
const BEAM_DELTA: f32 = 0.5;
/// Buckets of the histogram: fine enough that one holds about a hundredth of a crowded frame.
const BUCKETS: usize = 512;

/// Finds cutoffs and orders tokens; keeps its buffers between frames.
#[derive(Clone, Default)]
pub(in crate::decode) struct Pruner {
    counts: Vec<u32>,
    bucket: Vec<f32>,
    survivors: Vec<u32>,
    ordered: Vec<u32>,
    branches: BranchPruner,
}

impl Pruner {
    /// Returns the cutoff of a frame's tokens, or `None` if there are none.
    ///
    /// ```text
    /// cutoff = best + network_beam
    /// if more than network_top_n tokens are within it: cutoff = the network_top_n-th smallest cost
    /// if fewer than min_active tokens are within it: cutoff = the min_active-th smallest cost
    /// ```
    pub(in crate::decode) fn cutoff(&mut self, costs: &[f32], pruning: &Pruning) -> Option<Cutoff> {
        let lowest = lowest_of(costs);
        let best = costs.iter().position(|&cost| cost == lowest)?;
        let beam = pruning.network_beam.0;
        let limit = (lowest + beam).min(f32::MAX);
        let open = Cutoff { best, cost: limit, beam, crowded: false };
        if costs.len() > pruning.network_top_n
            && let Some(cost) = self.nth_cost(costs, lowest, limit, pruning.network_top_n)
        {
            let beam = beam.min(cost - lowest + BEAM_DELTA);
            return Some(Cutoff { best, cost, beam, crowded: true });
        }
        let AtLeast(least) = pruning.min_active;
        let least = least.min(pruning.network_top_n);
        if least == 0 || costs.iter().filter(|&&cost| cost <= limit).count() >= least {
            return Some(open);
        }
        let nth = self.nth_cost(costs, lowest, f32::MAX, least);
        Some(nth.map_or(Cutoff { cost: f32::MAX, beam: f32::MAX, ..open }, |cost| {
            let (cost, beam) = (cost.max(limit), beam.max(cost - lowest + BEAM_DELTA));
            Cutoff { cost, beam, ..open }
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
        let (_, nth, _) = self.bucket.select_nth_unstable_by(n - 1 - below, f32::total_cmp);
        Some(*nth)
    }

    /// Returns the tokens that survive network and global pruning, and notes in `dropped` which
    /// knob dropped tokens.
    ///
    /// ```text
    /// survivors = the tokens whose cost is at most the cutoff        (1)
    /// for each branch: drop what global pruning drops               (global)
    /// ```
    ///
    /// 1. The best token comes first, so that it sets a tight bound; the others follow in order of
    ///    creation. Under an arc budget all are ordered from best to worst, in buckets of about a
    ///    hundredth of the beam.
    pub(in crate::decode) fn survivors(
        &mut self,
        frame: FrameTokens<'_>,
        cut: &Cutoff,
        pruning: &Pruning,
        dropped: &mut KnobFrames,
    ) -> &[u32] {
        let costs = frame.costs;
        self.survivors.resize(costs.len() + 1, 0);
        self.survivors[0] = cut.best as u32;
        let mut count = 1;
        for (index, &cost) in costs.iter().enumerate() {
            self.survivors[count] = index as u32;
            count += usize::from(cost <= cut.cost && index != cut.best);
        }
        self.survivors.truncate(count);
        let knob = match cut.crowded {
            true => Knob::NetworkTopN,
            false => Knob::NetworkBeam,
        };
        dropped[knob] |= u32::from(count < costs.len());
        if pruning.has_global() {
            self.branches.keep(&mut self.survivors, frame, pruning, dropped);
        }
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
    use crate::decode::branch::BranchView;
    use crate::units::Cost;

    proptest! {
        /// A frame keeps what the beam keeps, and of a sparse one the best all the same.
        #[test]
        fn at_least_so_many_are_kept(
            costs in prop::collection::vec(0u32..40, 1..200),
            (least, top_n) in (0usize..60, 1usize..90),
            beam in 0.0f32..30.0,
        ) {
            let costs: Vec<f32> = costs.iter().map(|&c| c as f32 * 0.7).collect();
            let pruning = Pruning {
                network_beam: Cost(beam), network_top_n: top_n, ..Pruning::OFF
            };
            let without = Pruner::default().cutoff(&costs, &pruning).unwrap();
            let kept = |cut: Cutoff| costs.iter().filter(|&&c| c <= cut.cost).count();
            let floor = Pruning { min_active: AtLeast(least), ..pruning };
            let cut = Pruner::default().cutoff(&costs, &floor).unwrap();
            let least = least.min(top_n);
            if kept(without) >= least {
                prop_assert_eq!(cut, without);
            } else {
                let mut sorted = costs.clone();
                sorted.sort_by(f32::total_cmp);
                let last = sorted[least.min(costs.len()) - 1];
                let ties = costs.iter().filter(|&&c| c <= last).count();
                prop_assert_eq!(kept(cut), ties);
                prop_assert!(cut.beam > without.beam && !cut.crowded);
            }
        }

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
            let frame = FrameTokens { costs: &costs, branches: BranchView::default() };
            let mut dropped = KnobFrames::default();
            let survivors = pruner.survivors(frame, &cut, &pruning, &mut dropped);
            prop_assert_eq!(survivors.len(), kept);
            prop_assert_eq!(costs[survivors[0] as usize], sorted[0]);
            let dropped = dropped[Knob::NetworkTopN] + dropped[Knob::NetworkBeam];
            prop_assert_eq!(dropped, u32::from(kept < costs.len()));
        }
    }
}

//! Global pruning: the tokens of one branch compete with the best of them.
//!
//! A branch is all tokens of a frame with the same last word: one copy of the lexical tree, in the
//! terms of word-conditioned tree search (Ney and Ortmanns, "Progress in dynamic programming search
//! for LVCSR", Proceedings of the IEEE 2000), whose pruning per tree copy this is.

use super::FrameTokens;
use crate::decode::knob::{Knob, KnobFrames, Pruning};

/// The tokens of one branch that are still kept.
#[derive(Clone, Copy)]
struct Branch {
    /// Cost of the best.
    best: f32,
    count: u32,
    /// Rank of the last token that is kept.
    last: u64,
    /// End of its tokens in [`BranchPruner::ranks`], if it has too many.
    end: u32,
}

/// A branch without tokens.
const EMPTY: Branch = Branch { best: f32::INFINITY, count: 0, last: u64::MAX, end: 0 };

/// Prunes branches; keeps its buffers between frames.
#[derive(Clone, Default)]
pub(super) struct BranchPruner {
    /// By number; branches without a token in this frame are empty.
    branches: Vec<Branch>,
    /// Numbers of the branches that have tokens.
    present: Vec<u32>,
    /// Ranks of the tokens of crowded branches, branch by branch.
    ranks: Vec<u64>,
}

impl BranchPruner {
    /// Keeps the tokens that global pruning allows, in their order, and notes in `dropped` which
    /// knob dropped tokens. The first token must be the best of all; it is always kept.
    ///
    /// ```text
    /// for each branch: keep its tokens within global_beam of its best, and the global_top_n best
    /// of them
    /// ```
    pub(super) fn keep(
        &mut self,
        tokens: &mut Vec<u32>,
        frame: FrameTokens<'_>,
        pruning: &Pruning,
        dropped: &mut KnobFrames,
    ) {
        let (costs, all) = (frame.costs, tokens.len());
        let reach = costs[tokens[0] as usize] + pruning.global_beam.0;
        let crowded = all > pruning.global_top_n;
        if !crowded && tokens.iter().all(|&token| costs[token as usize] <= reach) {
            return;
        }
        self.count(tokens, frame);
        if pruning.global_beam.0 < f32::INFINITY {
            self.keep_near(tokens, frame, pruning.global_beam.0);
            dropped[Knob::GlobalBeam] |= u32::from(tokens.len() < all);
        }
        let limit = u32::try_from(pruning.global_top_n).unwrap_or(u32::MAX);
        if self.rank_last(tokens, frame, limit) {
            dropped[Knob::GlobalTopN] = 1;
            self.keep_first(tokens, frame);
        }
        for &branch in &self.present {
            self.branches[branch as usize] = EMPTY;
        }
        self.present.clear();
    }

    /// Finds the best cost and the number of tokens of each branch.
    fn count(&mut self, tokens: &[u32], frame: FrameTokens<'_>) {
        self.branches.resize(frame.branches.count, EMPTY);
        for &token in tokens {
            let number = frame.branches.of_token[token as usize];
            let branch = &mut self.branches[number as usize];
            if branch.count == 0 {
                self.present.push(number);
            }
            branch.count += 1;
            branch.best = branch.best.min(frame.costs[token as usize]);
        }
    }

    /// Keeps the tokens within the beam of their branch.
    fn keep_near(&mut self, tokens: &mut Vec<u32>, frame: FrameTokens<'_>, beam: f32) {
        let mut kept = 0;
        for at in 0..tokens.len() {
            let token = tokens[at];
            let branch = frame.branches.of_token[token as usize];
            let branch = &mut self.branches[branch as usize];
            let stays = frame.costs[token as usize] <= branch.best + beam;
            branch.count -= u32::from(!stays);
            tokens[kept] = token;
            kept += usize::from(stays);
        }
        tokens.truncate(kept);
    }

    /// Finds the `limit`-th token of each branch with more; returns whether there are any.
    fn rank_last(&mut self, tokens: &[u32], frame: FrameTokens<'_>, limit: u32) -> bool {
        let mut ranked = 0;
        for &number in &self.present {
            let branch = &mut self.branches[number as usize];
            branch.end = ranked;
            ranked += if branch.count > limit { branch.count } else { 0 };
        }
        if ranked == 0 {
            return false;
        }
        self.ranks.resize(ranked as usize, 0);
        for &token in tokens {
            let number = frame.branches.of_token[token as usize];
            let branch = &mut self.branches[number as usize];
            if branch.count > limit {
                self.ranks[branch.end as usize] = rank(frame.costs, token);
                branch.end += 1;
            }
        }
        for &number in &self.present {
            let branch = &mut self.branches[number as usize];
            if branch.count > limit {
                let ranks =
                    &mut self.ranks[(branch.end - branch.count) as usize..branch.end as usize];
                branch.last = *ranks.select_nth_unstable(limit as usize - 1).1;
            }
        }
        true
    }

    /// Keeps the tokens up to the last of their branch that stays.
    fn keep_first(&self, tokens: &mut Vec<u32>, frame: FrameTokens<'_>) {
        let mut kept = 0;
        for at in 0..tokens.len() {
            let token = tokens[at];
            let branch = frame.branches.of_token[token as usize];
            tokens[kept] = token;
            kept += usize::from(rank(frame.costs, token) <= self.branches[branch as usize].last);
        }
        tokens.truncate(kept);
    }
}

/// Orders tokens by cost, and equals by creation.
fn rank(costs: &[f32], token: u32) -> u64 {
    let bits = costs[token as usize].to_bits();
    // The order of `f32::total_cmp` as that of unsigned integers.
    let ordered = bits ^ ((bits as i32 >> 31) as u32 | 1 << 31);
    u64::from(ordered) << 32 | u64::from(token)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::decode::branch::BranchView;
    use crate::units::Cost;

    proptest! {
        /// The definition, by sorting each branch.
        #[test]
        fn keeps_the_best_of_each_branch(
            tokens in prop::collection::vec((0u8..30, 0u32..6), 1..120),
            beam in 0.0f32..35.0,
            n in 1usize..9,
        ) {
            let costs: Vec<f32> = tokens.iter().map(|&(cost, _)| f32::from(cost)).collect();
            let of_token: Vec<u32> = tokens.iter().map(|&(_, branch)| branch).collect();
            let branches = BranchView { of_token: &of_token, count: 6 };
            let frame = FrameTokens { costs: &costs, branches };
            let pruning = Pruning { global_beam: Cost(beam), global_top_n: n, ..Pruning::OFF };
            let best = (0..costs.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap();
            let mut kept: Vec<u32> = vec![best as u32];
            kept.extend((0..costs.len() as u32).filter(|&token| token != best as u32));
            let mut pruner = BranchPruner::default();
            pruner.keep(&mut kept, frame, &pruning, &mut KnobFrames::default());

            let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (token, &branch) in of_token.iter().enumerate() {
                groups.entry(branch).or_default().push(token as u32);
            }
            let mut expected = Vec::new();
            for mut branch in groups.into_values() {
                branch.sort_by_key(|&token| (costs[token as usize] as u8, token));
                let limit = costs[branch[0] as usize] + beam;
                branch.retain(|&token| costs[token as usize] <= limit);
                branch.truncate(n);
                expected.extend(branch);
            }
            expected.sort_unstable_by_key(|&token| (token != best as u32, token));
            prop_assert_eq!(kept, expected);
        }
    }
}

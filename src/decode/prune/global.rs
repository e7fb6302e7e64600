//! Global pruning: the tokens of one branch against the best of them.
//!
//! A branch is all tokens of a frame with the same last word: one copy of the lexical tree, in the
//! terms of word-conditioned tree search (Ney and Ortmanns, "Progress in dynamic programming search
//! for LVCSR", Proceedings of the IEEE 2000), whose pruning per tree copy this is.

use super::{FrameTokens, Pruning};
use crate::decode::hypothesis::KnobFrames;

/// Free slot of the branch table.
const FREE: u32 = u32::MAX;

/// The tokens of one branch that are still in.
#[derive(Clone, Copy)]
struct Branch {
    word: u32,
    best: f32,
    count: u32,
    /// Where its tokens end in [`BranchPruner::grouped`], once they are grouped.
    end: u32,
}

/// Prunes branches; keeps its buffers between frames.
#[derive(Clone, Default)]
pub(super) struct BranchPruner {
    /// Open addressing from a word to its branch.
    slots: Vec<u32>,
    branches: Vec<Branch>,
    /// By survivor: its branch.
    branch_of: Vec<u32>,
    /// Survivors, branch by branch.
    grouped: Vec<u32>,
}

impl BranchPruner {
    /// Keeps those of `tokens` that global pruning allows, in their order; notes in `bit` which knob
    /// dropped some. The first token must be the best of all; it stays.
    pub(super) fn keep(
        &mut self,
        tokens: &mut Vec<u32>,
        frame: FrameTokens<'_>,
        pruning: &Pruning,
        bit: &mut KnobFrames,
    ) {
        let (costs, all) = (frame.costs, tokens.len());
        let reach = costs[tokens[0] as usize] + pruning.global_beam.0;
        let crowded = all > pruning.global_top_n;
        if !crowded && tokens.iter().all(|&token| costs[token as usize] <= reach) {
            return;
        }
        self.find_branches(tokens, frame);
        let mut kept = 0;
        for at in 0..all {
            let (token, branch) = (tokens[at], self.branch_of[at]);
            let held = &mut self.branches[branch as usize];
            let stays = costs[token as usize] <= held.best + pruning.global_beam.0;
            held.count -= u32::from(!stays);
            (tokens[kept], self.branch_of[kept]) = (token, branch);
            kept += usize::from(stays);
        }
        tokens.truncate(kept);
        bit.global_beam |= u32::from(kept < all);
        let limit = u32::try_from(pruning.global_top_n).unwrap_or(u32::MAX);
        if self.branches.iter().any(|branch| branch.count > limit) {
            bit.global_top_n = 1;
            self.keep_top(tokens, costs, limit);
        }
    }

    /// Numbers the branches and finds the best cost and the number of tokens of each.
    fn find_branches(&mut self, tokens: &[u32], frame: FrameTokens<'_>) {
        let size = (tokens.len() * 2).next_power_of_two().max(64);
        self.slots.clear();
        self.slots.resize(size, FREE);
        self.branches.clear();
        self.branch_of.clear();
        for &token in tokens {
            let cost = frame.costs[token as usize];
            let branch = self.branch(frame.words[token as usize]);
            let held = &mut self.branches[branch as usize];
            held.best = held.best.min(cost);
            held.count += 1;
            self.branch_of.push(branch);
        }
    }

    /// The number of a word's branch; a new one if it is the word's first token.
    fn branch(&mut self, word: u32) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (word.wrapping_mul(0x9E37_79B1) >> 7) as usize & mask;
        loop {
            match self.slots[at] {
                FREE => break,
                branch if self.branches[branch as usize].word == word => return branch,
                _ => at = (at + 1) & mask,
            }
        }
        let branch = self.branches.len() as u32;
        self.slots[at] = branch;
        self.branches.push(Branch {
            word,
            best: f32::INFINITY,
            count: 0,
            end: 0,
        });
        branch
    }

    /// Keeps the `limit` cheapest of each branch.
    fn keep_top(&mut self, tokens: &mut Vec<u32>, costs: &[f32], limit: u32) {
        self.group(tokens);
        for branch in &self.branches {
            let end = branch.end as usize;
            let group = &mut self.grouped[end - branch.count as usize..end];
            if branch.count > limit {
                group.select_nth_unstable_by(limit as usize - 1, |&a, &b| {
                    let (x, y) = (costs[a as usize], costs[b as usize]);
                    x.total_cmp(&y).then(a.cmp(&b))
                });
                group[limit as usize..].fill(FREE);
            }
        }
        self.grouped.retain(|&token| token != FREE);
        // Back to the order of the survivors: the best first, the others by creation.
        let best = tokens[0];
        self.grouped
            .sort_unstable_by_key(|&token| (token != best, token));
        std::mem::swap(tokens, &mut self.grouped);
    }

    /// Sorts the tokens by branch (counting sort).
    fn group(&mut self, tokens: &[u32]) {
        let mut begin = 0;
        for branch in &mut self.branches {
            branch.end = begin;
            begin += branch.count;
        }
        self.grouped.clear();
        self.grouped.resize(tokens.len(), 0);
        for (&token, &branch) in tokens.iter().zip(&self.branch_of) {
            let place = &mut self.branches[branch as usize].end;
            self.grouped[*place as usize] = token;
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
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
            let words: Vec<u32> = tokens.iter().map(|&(_, word)| word << 20).collect();
            let frame = FrameTokens { costs: &costs, words: &words };
            let pruning = Pruning { global_beam: Cost(beam), global_top_n: n, ..Pruning::OFF };
            let best = (0..costs.len()).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap();
            let mut kept: Vec<u32> = vec![best as u32];
            kept.extend((0..costs.len() as u32).filter(|&token| token != best as u32));
            let mut pruner = BranchPruner::default();
            pruner.keep(&mut kept, frame, &pruning, &mut KnobFrames::default());

            let mut branches: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (token, &word) in words.iter().enumerate() {
                branches.entry(word).or_default().push(token as u32);
            }
            let mut expected = Vec::new();
            for mut branch in branches.into_values() {
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

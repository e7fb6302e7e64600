//! Local pruning: the emitting expansions of one token compete with the best of them.

use crate::decode::knob::{Knob, KnobFrames, Pruning};

/// One emitting expansion of a token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::decode) struct Expansion {
    /// Cost after the arc, scores included.
    pub cost: f32,
    /// Index of the arc among the token's.
    pub arc: u32,
}

impl Pruning {
    /// Keeps the expansions that local pruning allows and notes in `dropped` which knob dropped
    /// some. The order of the result is the same on every run, but otherwise unspecified.
    pub(in crate::decode) fn keep_local(
        &self,
        expansions: &mut Vec<Expansion>,
        dropped: &mut KnobFrames,
    ) {
        let all = expansions.len();
        let best = (expansions.iter()).fold(f32::INFINITY, |best, e| best.min(e.cost));
        expansions.retain(|expansion| expansion.cost <= best + self.local_beam.0);
        let in_beam = expansions.len();
        dropped[Knob::LocalBeam] |= u32::from(in_beam < all);
        if in_beam > self.local_top_n {
            dropped[Knob::LocalTopN] = 1;
            expansions.select_nth_unstable_by(self.local_top_n - 1, |a, b| {
                a.cost.total_cmp(&b.cost).then(a.arc.cmp(&b.arc))
            });
            expansions.truncate(self.local_top_n);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Cost;

    proptest! {
        /// The definition, by sorting.
        #[test]
        fn keeps_the_best_in_the_beam(
            costs in prop::collection::vec(0u8..20, 0..30),
            beam in 0.0f32..25.0,
            n in 1usize..9,
        ) {
            let expansion = |(arc, &cost): (usize, &u8)| {
                Expansion { cost: f32::from(cost), arc: arc as u32 }
            };
            let all: Vec<Expansion> = costs.iter().enumerate().map(expansion).collect();
            let pruning = Pruning { local_beam: Cost(beam), local_top_n: n, ..Pruning::OFF };
            let mut kept = all.clone();
            pruning.keep_local(&mut kept, &mut KnobFrames::default());
            kept.sort_by_key(|e| (e.cost as u8, e.arc));
            let mut expected = all;
            expected.sort_by_key(|e| (e.cost as u8, e.arc));
            let best = expected.first().map_or(0.0, |e| e.cost);
            expected.retain(|e| e.cost <= best + beam);
            expected.truncate(n);
            prop_assert_eq!(kept, expected);
        }
    }
}

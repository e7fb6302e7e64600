//! The tokens of one frame: states and costs in parallel arrays, and an open-addressing table from
//! state to token.
//!
//! The table holds eight bytes a slot and is sized to the frame (a quarter full or so), so it stays
//! in the second-level cache, where a direct map over millions of states would not; it is cleared
//! by filling.

/// What became of an arrival at a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The first at this state; the token's index is the highest so far.
    New(u32),
    /// Cheaper than what was there.
    Better(u32),
    /// Not cheaper, so the earlier arrival stays: this is the rule for ties.
    Worse(u32),
}

/// Tokens of one frame, at most one a state.
#[derive(Clone)]
pub(super) struct TokenSet {
    pub states: Vec<u32>,
    pub costs: Vec<f32>,
    slots: Vec<u64>,
    shift: u32,
}

/// A slot nobody took: no token has this state and index.
const EMPTY: u64 = u64::MAX;
/// Base-2 logarithm of the smallest table.
const MIN_BITS: u32 = 10;

impl Default for TokenSet {
    fn default() -> Self {
        TokenSet {
            states: Vec::new(),
            costs: Vec::new(),
            slots: vec![EMPTY; 1 << MIN_BITS],
            shift: 32 - MIN_BITS,
        }
    }
}

impl TokenSet {
    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// Empties the set and makes room for about `expected` tokens.
    pub(super) fn clear(&mut self, expected: usize) {
        self.states.clear();
        self.costs.clear();
        self.resize_table(expected);
    }

    fn resize_table(&mut self, expected: usize) {
        let size = (expected * 4)
            .next_power_of_two()
            .clamp(1 << MIN_BITS, 1 << 31);
        self.shift = 32 - size.trailing_zeros();
        self.slots.clear();
        self.slots.resize(size, EMPTY);
    }

    /// Records that `state` is reached at `cost`.
    #[inline(always)]
    pub(super) fn arrive(&mut self, state: u32, cost: f32) -> Arrival {
        let mask = self.slots.len() - 1;
        let mut at = hash(state, self.shift) & mask;
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return self.insert(at, state, cost);
            }
            if (slot >> 32) as u32 == state {
                let index = slot as u32;
                let held = &mut self.costs[index as usize];
                if cost < *held {
                    *held = cost;
                    return Arrival::Better(index);
                }
                return Arrival::Worse(index);
            }
            at = (at + 1) & mask;
        }
    }

    /// The token at a state.
    pub(super) fn find(&self, state: u32) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = hash(state, self.shift) & mask;
        loop {
            match self.slots[at] {
                EMPTY => return None,
                slot if (slot >> 32) as u32 == state => return Some(slot as u32),
                _ => at = (at + 1) & mask,
            }
        }
    }

    #[inline(always)]
    fn insert(&mut self, at: usize, state: u32, cost: f32) -> Arrival {
        let index = self.states.len();
        self.slots[at] = u64::from(state) << 32 | index as u64;
        self.states.push(state);
        self.costs.push(cost);
        if self.states.len() * 2 > self.slots.len() {
            self.grow();
        }
        Arrival::New(index as u32)
    }

    #[cold]
    fn grow(&mut self) {
        self.resize_table(self.states.len());
        let mask = self.slots.len() - 1;
        for (index, &state) in self.states.iter().enumerate() {
            let mut at = hash(state, self.shift) & mask;
            while self.slots[at] != EMPTY {
                at = (at + 1) & mask;
            }
            self.slots[at] = u64::from(state) << 32 | index as u64;
        }
    }
}

/// Fibonacci hashing: neighbouring states, which are common, fall far apart.
#[inline(always)]
fn hash(state: u32, shift: u32) -> usize {
    (state.wrapping_mul(0x9E37_79B1) >> shift) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_map_from_state_to_least_cost(
            arrivals in prop::collection::vec((0u32..3000, 0u32..100), 0..4000),
        ) {
            let mut tokens = TokenSet::default();
            tokens.clear(10);
            let mut least = HashMap::new();
            for &(state, cost) in &arrivals {
                let state = state * 65_536;
                tokens.arrive(state, cost as f32);
                let held = least.entry(state).or_insert(cost);
                *held = cost.min(*held);
            }
            prop_assert_eq!(tokens.len(), least.len());
            for (&state, &cost) in &least {
                let index = tokens.find(state).unwrap() as usize;
                prop_assert_eq!(tokens.costs[index], cost as f32);
            }
        }
    }
}

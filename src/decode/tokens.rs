//! The tokens of one frame: states and costs in parallel arrays, found by state.

use super::numbering::Numbering;

/// The effect of an arrival at a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The first at this state; the token's index is the highest so far.
    New(u32),
    /// Cheaper than the token that was there, which it replaces.
    Better(u32),
    /// Not cheaper, so the earlier arrival stays: this is the rule for ties.
    Worse(u32),
}

impl Arrival {
    /// The token at the state.
    #[inline(always)]
    pub(super) fn token(self) -> u32 {
        let (Arrival::New(token) | Arrival::Better(token) | Arrival::Worse(token)) = self;
        token
    }

    /// Keeps what is remembered of the token, by its index, where the arrival made or replaced it.
    #[inline(always)]
    pub(super) fn note<T>(self, by_token: &mut Vec<T>, value: T) {
        match self {
            Arrival::New(_) => by_token.push(value),
            Arrival::Better(index) => by_token[index as usize] = value,
            Arrival::Worse(_) => {}
        }
    }
}

/// Tokens of one frame, at most one a state.
#[derive(Clone, Default)]
pub(super) struct TokenSet {
    states: Numbering,
    pub costs: Vec<f32>,
}

impl TokenSet {
    pub(super) fn len(&self) -> usize {
        self.costs.len()
    }

    /// By token, its state.
    #[inline(always)]
    pub(super) fn states(&self) -> &[u32] {
        self.states.keys()
    }

    /// Empties the set and makes room for about `expected` tokens.
    pub(super) fn clear(&mut self, expected: usize) {
        self.states.clear(expected);
        self.costs.clear();
    }

    /// Records that `state` is reached at `cost`.
    #[inline(always)]
    pub(super) fn arrive(&mut self, state: u32, cost: f32) -> Arrival {
        let (index, is_new) = self.states.number(state);
        if is_new {
            self.costs.push(cost);
            return Arrival::New(index);
        }
        let held = &mut self.costs[index as usize];
        if cost < *held {
            *held = cost;
            return Arrival::Better(index);
        }
        Arrival::Worse(index)
    }

    /// Collects the tokens in the first `states` states that cost at most `limit`, in order. A
    /// processor cannot predict which they are, so there is no branch.
    pub(super) fn select(&self, states: u32, limit: f32, selected: &mut Vec<u32>) {
        selected.clear();
        selected.resize(self.len(), 0);
        let mut count = 0;
        for (token, (&state, &cost)) in (0u32..).zip(self.states().iter().zip(&self.costs)) {
            selected[count] = token;
            count += usize::from(state < states) & usize::from(cost <= limit);
        }
        selected.truncate(count);
    }
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
                let index = tokens.states().iter().position(|&held| held == state).unwrap();
                prop_assert_eq!(tokens.costs[index], cost as f32);
            }
        }
    }
}

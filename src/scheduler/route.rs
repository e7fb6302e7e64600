//! A policy applied to one request: what to do next, from what is known so far.
//!
//! A pure function of both versions' states, so that it can be held against the replay of recorded
//! outcomes ([`replay::serve`](crate::tiers::replay::serve)) without threads.

use crate::tiers::Policy;

/// Which of a policy's versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// The first, or the only one.
    First,
    /// The second.
    Second,
}

/// How far a version is with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// It has not been asked, or runs.
    Pending,
    /// It has no answer. Its partner may have one.
    Failed,
    /// It has answered, with this confidence.
    Answered(f64),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing, until a version is done.
    Wait,
    /// Have the second version run, if it does not yet.
    AskSecond,
    /// Answer with what this side made of the request.
    Take(Side),
}

/// The next step of a request under a policy.
pub(super) fn next(policy: &Policy, first: State, second: State) -> Step {
    let pair = match policy.pair() {
        _ if first == State::Pending => return Step::Wait,
        None => return Step::Take(Side::First),
        Some(pair) => pair,
    };
    match (first, second) {
        _ if !escalates(policy, first) => Step::Take(Side::First),
        (_, State::Pending) => Step::AskSecond,
        (State::Answered(first), State::Answered(second))
            if pair.choice.takes_first(first, second) =>
        {
            Step::Take(Side::First)
        }
        _ => Step::Take(Side::Second),
    }
}

/// Whether the first version's answer is not enough (full operation).
pub(super) fn escalates(policy: &Policy, first: State) -> bool {
    let sure = |threshold| matches!(first, State::Answered(sure) if sure >= threshold);
    policy.pair().is_some_and(|pair| !sure(pair.threshold))
}

#[cfg(test)]
mod tests {
    use super::State::{Answered, Failed, Pending};
    use super::*;
    use crate::tiers::{Choice, Pair};

    #[test]
    fn every_state_has_its_step() {
        let pair = |choice| Pair { first: 0, second: 1, threshold: 0.9, choice };
        let (first, second) = (Step::Take(Side::First), Step::Take(Side::Second));
        for policy in [Policy::Seq(pair(Choice::Confident)), Policy::Conc(pair(Choice::Confident))]
        {
            for (a, b, expected) in [
                (Pending, Pending, Step::Wait),
                (Pending, Answered(1.0), Step::Wait),
                (Answered(0.9), Pending, first),
                (Answered(0.9), Answered(1.0), first),
                (Answered(0.8), Pending, Step::AskSecond),
                (Answered(f64::NAN), Pending, Step::AskSecond),
                (Failed, Pending, Step::AskSecond),
                (Answered(0.8), Answered(0.7), first),
                (Answered(0.8), Answered(0.8), second),
                (Answered(0.8), Failed, second),
                (Failed, Answered(0.1), second),
            ] {
                assert_eq!(next(&policy, a, b), expected, "{a:?} {b:?}");
            }
        }
        let slow = Policy::Seq(pair(Choice::Second));
        assert_eq!(next(&slow, Answered(0.8), Answered(0.1)), second);
        let osfa = Policy::Single { version: 3 };
        assert_eq!(next(&osfa, Pending, Pending), Step::Wait);
        assert_eq!(next(&osfa, Failed, Pending), first);
    }
}

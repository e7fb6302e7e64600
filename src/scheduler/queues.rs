//! Who is served next.
//!
//! What was begun is finished first: a second version's run goes before new requests. Among tiers,
//! that whose last start is longest ago has its turn; within a tier, requests start in the order
//! they came. A tier whose version has no free worker keeps its turn, and none behind it takes that
//! version, nor starts a request that may come to need one that is waited for: so no tier starves,
//! and no more second runs wait than there are workers.

use std::collections::VecDeque;

use super::Options;
use crate::tiers::Policy;

/// The waiting work of all tiers, and how many workers each version has.
pub(super) struct Queues<T> {
    tiers: Vec<Tier<T>>,
    /// Places of the tiers, that whose turn it is first.
    turns: VecDeque<usize>,
    /// Runs of second versions, with their version, in the order they were asked for.
    follow_ups: VecDeque<(usize, T)>,
    /// Workers by version, and the most there may be.
    running: Vec<usize>,
    limits: Vec<usize>,
    capacity: usize,
    closed: bool,
}

struct Tier<T> {
    first: usize,
    second: Option<usize>,
    waiting: VecDeque<T>,
}

impl<T> Tier<T> {
    fn new(policy: &Policy) -> Self {
        let (first, second) = match policy {
            Policy::Osfa { version } => (*version, None),
            Policy::Seq(pair) | Policy::Conc(pair) => (pair.first, Some(pair.second)),
        };
        Tier {
            first,
            second,
            waiting: VecDeque::new(),
        }
    }
}

impl<T> Queues<T> {
    pub(super) fn new(policies: &[Policy], workers: usize, options: &Options) -> Self {
        let tiers: Vec<Tier<T>> = policies.iter().map(Tier::new).collect();
        let named = tiers
            .iter()
            .map(|tier| tier.first.max(tier.second.unwrap_or(0)));
        let versions = named.max().map_or(0, |last| last + 1);
        let limit = |version| options.limits.get(version).copied().unwrap_or(workers);
        Queues {
            turns: (0..tiers.len()).collect(),
            tiers,
            follow_ups: VecDeque::new(),
            running: vec![0; versions],
            limits: (0..versions).map(|version| limit(version).max(1)).collect(),
            capacity: options.capacity,
            closed: false,
        }
    }

    /// Puts a request at the end of its tier's queue; fails with the number that waits there where
    /// that is all it holds.
    pub(super) fn push(&mut self, tier: usize, item: T) -> Result<(), usize> {
        let waiting = &mut self.tiers[tier].waiting;
        if waiting.len() >= self.capacity {
            return Err(waiting.len());
        }
        waiting.push_back(item);
        Ok(())
    }

    /// Asks for a run of a second version.
    pub(super) fn follow_up(&mut self, version: usize, item: T) {
        self.follow_ups.push_back((version, item));
    }

    /// The next work, and the version whose worker does it; [`Queues::done`] frees that worker.
    pub(super) fn next(&mut self) -> Option<(usize, T)> {
        let next = self.next_follow_up().or_else(|| self.next_start());
        if let Some((version, _)) = next {
            self.running[version] += 1;
        }
        next
    }

    fn is_free(&self, version: usize) -> bool {
        self.running[version] < self.limits[version]
    }

    fn next_follow_up(&mut self) -> Option<(usize, T)> {
        let mut follow_ups = self.follow_ups.iter();
        let place = follow_ups.position(|&(version, _)| self.is_free(version))?;
        self.follow_ups.remove(place)
    }

    fn next_start(&mut self) -> Option<(usize, T)> {
        let mut claimed = vec![false; self.running.len()];
        for &(version, _) in &self.follow_ups {
            claimed[version] = true;
        }
        for place in 0..self.turns.len() {
            let tier = &self.tiers[self.turns[place]];
            if tier.waiting.is_empty() {
                continue;
            }
            let first = tier.first;
            let clear = !claimed[first] && tier.second.is_none_or(|second| !claimed[second]);
            if clear && self.is_free(first) {
                return Some((first, self.start(place)));
            }
            claimed[first] = true;
        }
        None
    }

    /// Starts the first request of the tier at a place in the order of turns.
    fn start(&mut self, place: usize) -> T {
        let tier = self.turns.remove(place).expect("a place in the order");
        self.turns.push_back(tier);
        let waiting = &mut self.tiers[tier].waiting;
        waiting.pop_front().expect("a tier that has requests")
    }

    /// How many requests wait in each tier.
    pub(super) fn waiting(&self) -> Vec<usize> {
        self.tiers.iter().map(|tier| tier.waiting.len()).collect()
    }

    /// How many workers run each version.
    pub(super) fn running(&self) -> Vec<usize> {
        self.running.clone()
    }

    /// Frees a version's worker.
    pub(super) fn done(&mut self, version: usize) {
        self.running[version] -= 1;
    }

    /// Nothing more will be pushed.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Whether nothing is left to do, nor can come of what is being done.
    pub(super) fn is_finished(&self) -> bool {
        let idle = self.running.iter().all(|&running| running == 0);
        let empty = self.tiers.iter().all(|tier| tier.waiting.is_empty());
        self.closed && idle && empty && self.follow_ups.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::{Choice, Pair};

    fn osfa(version: usize) -> Policy {
        Policy::Osfa { version }
    }

    fn seq(first: usize, second: usize) -> Policy {
        Policy::Seq(Pair {
            first,
            second,
            threshold: 0.5,
            choice: Choice::Confident,
        })
    }

    fn queues(policies: &[Policy], limits: &[usize]) -> Queues<&'static str> {
        let options = Options {
            workers: 4,
            limits: limits.to_vec(),
            capacity: 3,
        };
        Queues::new(policies, 4, &options)
    }

    #[test]
    fn tiers_take_turns_and_each_is_first_come_first_served() {
        let mut queues = queues(&[osfa(0), osfa(0)], &[]);
        for item in ["a1", "a2", "a3"] {
            queues.push(0, item).unwrap();
        }
        assert_eq!(queues.push(0, "a4"), Err(3));
        queues.push(1, "b1").unwrap();
        let mut served = || queues.next().unwrap().1;
        assert_eq!(
            [served(), served(), served(), served()],
            ["a1", "b1", "a2", "a3"]
        );
        assert_eq!(queues.next(), None);
        queues.close();
        assert!(!queues.is_finished());
        (0..4).for_each(|_| queues.done(0));
        assert!(queues.is_finished());
    }

    #[test]
    fn a_version_without_a_free_worker_keeps_its_turn_and_second_runs_do_not_pile_up() {
        let mut queues = queues(&[osfa(1), seq(0, 1), osfa(0)], &[4, 1]);
        for (tier, item) in [(0, "slow 1"), (0, "slow 2"), (1, "pair"), (2, "fast")] {
            queues.push(tier, item).unwrap();
        }
        assert_eq!(queues.next(), Some((1, "slow 1")));
        assert_eq!(queues.next(), Some((0, "pair")));
        assert_eq!(queues.next(), Some((0, "fast")));
        queues.follow_up(1, "pair's second");
        queues.push(1, "pair 2").unwrap();
        assert_eq!(queues.next(), None, "version 1 is taken and waited for");
        queues.done(1);
        assert_eq!(queues.next(), Some((1, "pair's second")));
        assert_eq!(queues.next(), None, "the slow request has its turn first");
        queues.done(1);
        assert_eq!(queues.next(), Some((1, "slow 2")));
        assert_eq!(queues.next(), Some((0, "pair 2")));
    }
}

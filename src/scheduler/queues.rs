//! Who is served next.
//!
//! What was begun is finished first: a second version's run goes before new requests. Among
//! clients, that whose last start is longest ago has its turn, and among the tiers that it asks for
//! likewise; within a tier, a client's requests start in the order they came. A tier whose version
//! has no free worker keeps its turn, and none behind it takes that version, nor starts a request
//! that may come to need one that is waited for: so no tier starves, and no more second runs wait
//! than there are workers.
//!
//! Each tier has a bound, and all that waits shares another. A tier may have as much of that as it
//! leaves free for others, and a client twice that: one tier alone gets half, one client two
//! thirds, and there is room for one more that has none. (Choudhury and Hahne, "Dynamic queue
//! length thresholds for shared-memory packet switches", 1998, with the factors 1 and 2.) For a
//! client of which nothing waits yet a tier's share is twice as large, so that no client keeps
//! another out of a tier.

use std::collections::VecDeque;

use super::Options;
use super::client::Client;
use crate::tiers::Policy;

/// The waiting work of all tiers, and how many workers each version has.
pub(super) struct Queues<T> {
    tiers: Vec<Tier>,
    /// Places of the tiers, that whose turn it is first.
    turns: VecDeque<usize>,
    /// Clients that have requests waiting, that whose turn it is first.
    clients: VecDeque<Requests<T>>,
    /// Runs of second versions, with their version, in the order they were asked for.
    follow_ups: VecDeque<(usize, T)>,
    /// Workers by version, and the most there may be.
    running: Vec<usize>,
    limits: Vec<usize>,
    capacity: usize,
    most: usize,
    /// Requests that wait, over all tiers.
    total: usize,
    closed: bool,
}

struct Tier {
    first: usize,
    second: Option<usize>,
    /// Requests that wait in it.
    waiting: usize,
}

/// What one client waits for, in the order it came, with the tiers.
struct Requests<T> {
    client: Client,
    waiting: VecDeque<(usize, T)>,
}

impl Tier {
    fn new(policy: &Policy) -> Self {
        let (first, second) = match policy {
            Policy::Single { version } => (*version, None),
            Policy::Seq(pair) | Policy::Conc(pair) => (pair.first, Some(pair.second)),
        };
        Tier { first, second, waiting: 0 }
    }
}

impl<T> Queues<T> {
    pub(super) fn new(policies: &[Policy], workers: usize, options: &Options) -> Self {
        let tiers: Vec<Tier> = policies.iter().map(Tier::new).collect();
        let named = tiers.iter().map(|tier| tier.first.max(tier.second.unwrap_or(0)));
        let versions = named.max().map_or(0, |last| last + 1);
        let limit = |version| options.limits.get(version).copied().unwrap_or(workers);
        Queues {
            turns: (0..tiers.len()).collect(),
            tiers,
            clients: VecDeque::new(),
            follow_ups: VecDeque::new(),
            running: vec![0; versions],
            limits: (0..versions).map(|version| limit(version).max(1)).collect(),
            capacity: options.capacity,
            most: options.total,
            total: 0,
            closed: false,
        }
    }

    /// Has a client's request wait in a tier; fails with the number that waits in all where tier or
    /// client has its share already.
    pub(super) fn push(&mut self, tier: usize, client: Client, item: T) -> Result<(), usize> {
        let place = self.clients.iter().position(|other| other.client == client);
        let of_client = place.map_or(0, |place| self.clients[place].waiting.len());
        let free = self.most.saturating_sub(self.total);
        let of_tier = self.tiers[tier].waiting;
        let room = self.capacity.min(free);
        let is_new = of_client == 0 && room > 0 && of_tier <= room.saturating_mul(2);
        if !is_new && (of_tier >= room || of_client >= free.saturating_mul(2)) {
            return Err(self.total);
        }
        self.tiers[tier].waiting += 1;
        self.total += 1;
        match place {
            Some(place) => self.clients[place].waiting.push_back((tier, item)),
            None => {
                self.clients.push_back(Requests { client, waiting: VecDeque::from([(tier, item)]) })
            }
        }
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
        for place in 0..self.clients.len() {
            for turn in 0..self.turns.len() {
                let number = self.turns[turn];
                let Some(oldest) = self.clients[place].oldest(number) else {
                    continue;
                };
                let tier = &self.tiers[number];
                let first = tier.first;
                let clear = !claimed[first] && tier.second.is_none_or(|second| !claimed[second]);
                if clear && self.is_free(first) {
                    return Some((first, self.start(place, turn, oldest)));
                }
                claimed[first] = true;
            }
        }
        None
    }

    /// Starts a request of the client and the tier at these places in their orders of turns.
    fn start(&mut self, client: usize, turn: usize, request: usize) -> T {
        let tier = self.turns.remove(turn).expect("a place in the order");
        self.turns.push_back(tier);
        let mut of_client = self.clients.remove(client).expect("a place in the order");
        let (_, item) = of_client.waiting.remove(request).expect("it waits");
        if !of_client.waiting.is_empty() {
            self.clients.push_back(of_client);
        }
        self.tiers[tier].waiting -= 1;
        self.total -= 1;
        item
    }

    /// How many requests wait in each tier.
    pub(super) fn waiting(&self) -> Vec<usize> {
        self.tiers.iter().map(|tier| tier.waiting).collect()
    }

    /// How many workers run each version.
    pub(super) fn running(&self) -> Vec<usize> {
        self.running.clone()
    }

    /// Whether a request or a second run waits.
    pub(super) fn is_empty(&self) -> bool {
        self.total == 0 && self.follow_ups.is_empty()
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
        self.closed && idle && self.is_empty()
    }
}

impl<T> Requests<T> {
    /// The place of its oldest request in a tier.
    fn oldest(&self, tier: usize) -> Option<usize> {
        self.waiting.iter().position(|&(of, _)| of == tier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::{Choice, Pair};

    const ANN: Client = Client(1);
    const BOB: Client = Client(2);

    fn osfa(version: usize) -> Policy {
        Policy::Single { version }
    }

    fn seq(first: usize, second: usize) -> Policy {
        Policy::Seq(Pair { first, second, threshold: 0.5, choice: Choice::Confident })
    }

    fn queues(policies: &[Policy], limits: &[usize]) -> Queues<&'static str> {
        let options =
            Options { workers: 4, limits: limits.to_vec(), capacity: 3, total: usize::MAX };
        Queues::new(policies, 4, &options)
    }

    #[test]
    fn tiers_take_turns_and_each_is_first_come_first_served() {
        let mut queues = queues(&[osfa(0), osfa(0)], &[]);
        for item in ["a1", "a2", "a3"] {
            queues.push(0, ANN, item).unwrap();
        }
        assert_eq!(queues.push(0, ANN, "a4"), Err(3));
        queues.push(1, ANN, "b1").unwrap();
        let mut served = || queues.next().unwrap().1;
        assert_eq!([served(), served(), served(), served()], ["a1", "b1", "a2", "a3"]);
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
            queues.push(tier, ANN, item).unwrap();
        }
        assert_eq!(queues.next(), Some((1, "slow 1")));
        assert_eq!(queues.next(), Some((0, "pair")));
        assert_eq!(queues.next(), Some((0, "fast")));
        queues.follow_up(1, "pair's second");
        queues.push(1, ANN, "pair 2").unwrap();
        assert_eq!(queues.next(), None, "version 1 is taken and waited for");
        queues.done(1);
        assert_eq!(queues.next(), Some((1, "pair's second")));
        assert_eq!(queues.next(), None, "the slow request has its turn first");
        queues.done(1);
        assert_eq!(queues.next(), Some((1, "slow 2")));
        assert_eq!(queues.next(), Some((0, "pair 2")));
    }

    #[test]
    fn one_who_sprays_over_tiers_keeps_nobody_out_and_waits_its_turn() {
        let tiers: Vec<Policy> = (0..97).map(|_| osfa(0)).collect();
        let options = Options { workers: 1, limits: Vec::new(), capacity: 20, total: 40 };
        let mut queues = Queues::new(&tiers, 1, &options);
        let taken = |queues: &mut Queues<_>, client, name: &'static str| {
            (0..1000).filter(|at| queues.push(at % 97, client, name).is_ok()).count()
        };
        assert_eq!(taken(&mut queues, ANN, "Ann's"), 27);
        assert_eq!(queues.push(0, BOB, "Bob's"), Ok(()));
        let mut order = Vec::new();
        while let Some((version, item)) = queues.next() {
            queues.done(version);
            order.push(item);
        }
        assert_eq!(&order[..3], ["Ann's", "Bob's", "Ann's"]);
        assert_eq!(order.len(), 28);
    }

    #[test]
    fn one_who_fills_a_tier_keeps_nobody_out_of_it() {
        let options = Options { workers: 1, limits: Vec::new(), capacity: 4, total: 8 };
        let mut queues = Queues::new(&[osfa(0), osfa(0)], 1, &options);
        let of_tier = |queues: &mut Queues<_>, tier, client| {
            (0..20).filter(|_| queues.push(tier, client, "").is_ok()).count()
        };
        assert_eq!(of_tier(&mut queues, 0, ANN), 4);
        assert_eq!(of_tier(&mut queues, 1, ANN), 2);
        assert_eq!(queues.push(0, BOB, ""), Ok(()));
        // Many clients leave room for another tier, too.
        let clients = (3..20).map(Client);
        let taken = clients.filter(|&client| queues.push(0, client, "").is_ok());
        assert_eq!(taken.count(), 0);
        assert_eq!(queues.push(1, BOB, ""), Err(7), "who has one waits like all");
        assert_eq!(queues.push(1, Client(20), ""), Ok(()));
        assert_eq!(queues.push(1, Client(21), ""), Err(8), "all is taken");
    }
}

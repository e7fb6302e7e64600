//! All that waits for workers: requests, and steps of streams.
//!
//! Where both wait, that kind has its turn on which workers have spent less time; what one kind did
//! not ask for while nothing of it waited is not made up for.

use std::sync::Arc;
use std::time::Duration;

use super::Options;
use super::client::Client;
use super::job::Job;
use super::queues::Queues;
use super::route::Side;
use super::service::Service;
use super::steps::{Steps, StreamId, Taken};
use crate::tiers::Policy;

/// A step of a stream; it must not panic.
pub(super) type Step = Box<dyn FnOnce() + Send>;

/// A request's run on one side of its policy.
pub(super) struct Task<S: Service> {
    pub(super) job: Arc<Job<S>>,
    pub(super) side: Side,
}

/// What a worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crew {
    /// Requests and steps of streams.
    Everything,
    /// Steps of streams alone.
    Steps,
}

/// All that waits.
pub(super) struct Waiting<S: Service> {
    pub(super) requests: Queues<Task<S>>,
    steps: Steps<Step>,
    /// Workers' time on requests, and on steps.
    on_requests: Duration,
    on_steps: Duration,
}

/// What a worker does next.
pub(super) enum Work<S: Service> {
    /// A version's run.
    Run { version: usize, task: Task<S> },
    /// A step of a stream.
    Step { taken: Taken, step: Step },
}

/// What a worker has done.
pub(super) enum Done {
    /// A run of this version.
    Run(usize),
    /// A step.
    Step(Taken),
}

impl<S: Service> Waiting<S> {
    pub(super) fn new(tiers: &[Policy], workers: usize, options: &Options) -> Self {
        Waiting {
            requests: Queues::new(tiers, workers, options),
            steps: Steps::default(),
            on_requests: Duration::ZERO,
            on_steps: Duration::ZERO,
        }
    }

    /// As [`Queues::push`].
    pub(super) fn push(&mut self, tier: usize, client: Client, task: Task<S>) -> Result<(), usize> {
        if self.requests.is_empty() {
            self.on_requests = self.on_requests.max(self.on_steps);
        }
        self.requests.push(tier, client, task)
    }

    /// Has a step of a stream wait.
    pub(super) fn push_step(&mut self, stream: StreamId, step: Step) {
        if self.steps.is_empty() {
            self.on_steps = self.on_steps.max(self.on_requests);
        }
        self.steps.push(stream, step);
    }

    /// What a worker of this crew does next.
    pub(super) fn next(&mut self, crew: Crew) -> Option<Work<S>> {
        match crew {
            Crew::Steps => self.next_step(),
            Crew::Everything if self.on_steps <= self.on_requests => {
                self.next_step().or_else(|| self.next_run())
            }
            Crew::Everything => self.next_run().or_else(|| self.next_step()),
        }
    }

    fn next_run(&mut self) -> Option<Work<S>> {
        let (version, task) = self.requests.next()?;
        Some(Work::Run { version, task })
    }

    fn next_step(&mut self) -> Option<Work<S>> {
        let (taken, step) = self.steps.next()?;
        Some(Work::Step { taken, step })
    }

    /// A worker is done with what it took, which took this long.
    pub(super) fn done(&mut self, done: Done, time: Duration) {
        match done {
            Done::Run(version) => {
                self.requests.done(version);
                self.on_requests += time;
            }
            Done::Step(taken) => {
                self.steps.done(&taken, time);
                self.on_steps += time;
            }
        }
    }

    /// How many steps wait.
    pub(super) fn steps(&self) -> usize {
        self.steps.waiting()
    }

    /// Whether nothing is left to do, nor can come of what is being done.
    pub(super) fn is_finished(&self) -> bool {
        self.requests.is_finished() && self.steps.is_empty()
    }
}

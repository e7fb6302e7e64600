//! Rules in force: the scheduler that follows them, and which of its tiers serves whom.
//!
//! Immutable. A reload makes another one and puts it in this one's place; requests that were
//! admitted here are answered here, after which it goes, and its workers with it. Only then may the
//! next reload begin ([`WorkerSets`]): each set of workers is as many as there are processors.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Rejection;
use super::options::Options;
use super::request::Ask;
use crate::WithCauses;
use crate::recognizer::{Recognizer, Transcript};
use crate::scheduler::{
    self, Admitted, Answer, Recognition, Reply, Routing, Scheduler, Served, Spoken, Statistics,
    StreamId, Terms, TierId, Turn, Unfit,
};
use crate::tiers::{Objective, Policy, Rules, RulesError};

/// Sets of workers there may be: of the rules in force, and of those before them, which answer what
/// they admitted.
const MOST_ALIVE: usize = 2;

/// The sets of workers that there are.
pub struct WorkerSets(Arc<Semaphore>);

/// One set of workers; ends when dropped.
pub struct WorkerSet(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Default for WorkerSets {
    fn default() -> Self {
        WorkerSets(Arc::new(Semaphore::new(MOST_ALIVE)))
    }
}

impl WorkerSets {
    /// Waits until there may be another; who asked first goes first.
    pub async fn begin(&self) -> WorkerSet {
        let set = Arc::clone(&self.0).acquire_owned().await;
        WorkerSet(set.expect("the semaphore is never closed"))
    }

    /// Another, where there may be one now.
    pub fn try_begin(&self) -> Option<WorkerSet> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(WorkerSet)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        MOST_ALIVE - self.0.available_permits()
    }
}

/// How a request is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As a tier's rule says.
    Tier(TierId),
    /// By the most accurate version, with words of the caller's, for which nothing is certified.
    OwnWords,
}

/// The name of the way of own words, where tiers have theirs.
const OWN_WORDS: &str = "own-words";

/// Rules in force.
pub struct Serving {
    /// The rules, and which of their policies serves whom; each policy has a queue of the
    /// scheduler.
    pub routing: Routing,
    /// The policy of requests with own words, and the scheduler's queue for it.
    own_words: (Policy<String>, usize),
    /// Taken only when dropped.
    workers: Option<(Scheduler<Recognition>, WorkerSet)>,
}

/// Why rules cannot be put in force, or the service not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// They cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// There are none, and no version could answer without them.
    #[error(
        "the model has no versions to serve: `paretone tune --model DIR --manifest CORPUS` makes them"
    )]
    NoVersions,
    /// They are for another model.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Jobs cannot be kept.
    #[error(transparent)]
    Jobs(#[from] super::job_store::StoreError),
    /// They were not read to the end.
    #[error("reading the rules broke off")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl ServingError {
    /// Whether there are no rules that were learnt for this model, as opposed to damaged ones.
    fn is_lack(&self) -> bool {
        match self {
            ServingError::Unfit(_) => true,
            ServingError::Rules(RulesError::Read { source, .. }) => {
                source.kind() == ErrorKind::NotFound
            }
            _ => false,
        }
    }
}

impl Serving {
    /// Puts the rules of a file in force.
    ///
    /// # Errors
    /// There are none, or they do not fit the model.
    pub fn open(
        path: &Path,
        recognizer: &Arc<Recognizer>,
        options: &Options,
        workers: WorkerSet,
    ) -> Result<Self, ServingError> {
        Self::new(Rules::open(path)?, recognizer, options, workers)
    }

    /// Puts rules in force.
    ///
    /// # Errors
    /// They do not fit the model.
    pub fn new(
        rules: Rules,
        recognizer: &Arc<Recognizer>,
        options: &Options,
        workers: WorkerSet,
    ) -> Result<Self, ServingError> {
        let service = Recognition::new(Arc::clone(recognizer));
        let routing = Routing::new(rules, &service)?;
        let reference = &routing.rules().certificate.reference;
        let best = recognizer.versions().most_accurate().map(|best| &best.name);
        let own_words = Policy::Single { version: best.unwrap_or(reference).clone() };
        let mut queues = routing.queues();
        let policy = service.policy(&own_words)?;
        let place = queues.iter().position(|queue| *queue == policy);
        let place = place.unwrap_or_else(|| {
            queues.push(policy);
            queues.len() - 1
        });
        let options = scheduler::Options {
            workers: options.workers,
            capacity: options.queue,
            total: options.queue.saturating_mul(2),
            ..scheduler::Options::default()
        };
        Ok(Serving {
            workers: Some((Scheduler::new(service, queues, &options), workers)),
            own_words: (own_words, place),
            routing,
        })
    }

    /// Has the most accurate version answer at every tolerance, where the options say so and the
    /// rules are missing or do not fit.
    ///
    /// # Errors
    /// What is wrong with the rules is not that, or the model has no versions.
    pub fn uncertified(
        why: ServingError,
        recognizer: &Arc<Recognizer>,
        options: &Options,
        workers: WorkerSet,
    ) -> Result<Self, ServingError> {
        if !(options.uncertified && why.is_lack()) {
            return Err(why);
        }
        let best = recognizer.versions().most_accurate().ok_or(ServingError::NoVersions)?;
        tracing::warn!(
            "{}: {}; until then {} answers at every tolerance, and nothing is certified",
            options.rules.display(),
            WithCauses(&why),
            best.name
        );
        let rules = Rules::uncertified(&best.name);
        Self::new(rules, recognizer, options, workers)
    }

    fn scheduler(&self) -> &Scheduler<Recognition> {
        let workers = self.workers.as_ref();
        &workers.expect("the workers are taken by drop alone").0
    }

    /// Which tier serves a request: without a tolerance the strictest, without an objective that
    /// for the response time.
    ///
    /// # Errors
    /// The rules have no tiers for the objective.
    pub fn tier(&self, ask: Ask) -> Result<TierId, Rejection> {
        let objective = ask.objective.unwrap_or(Objective::ResponseTime);
        let tier = self.routing.tier(ask.tolerance.unwrap_or_default(), objective);
        tier.map_err(|missing| Rejection::Unprocessable(missing.to_string()))
    }

    /// The name of a way: that of its tier.
    pub fn name(&self, way: Way) -> String {
        match way {
            Way::Tier(tier) => self.routing.tier_name(tier),
            Way::OwnWords => OWN_WORDS.to_owned(),
        }
    }

    /// The answer that came of a way.
    pub fn answer(&self, way: Way, served: Served<Transcript>) -> Answer {
        match way {
            Way::Tier(tier) => self.routing.answer(tier, served),
            Way::OwnWords => {
                let policy = self.own_words.0.clone();
                self.routing.uncertified(self.name(way), policy, served)
            }
        }
    }

    /// Has an utterance, such as a whole recording, recognised in a way; a worker tells the reply.
    ///
    /// # Errors
    /// As many requests wait as may.
    pub fn submit(
        &self,
        spoken: impl Into<Spoken>,
        way: Way,
        client: scheduler::Client,
        deadline: Duration,
        tell: impl FnOnce(Reply<Recognition>) + Send + 'static,
    ) -> Result<Admitted, Rejection> {
        let terms = Terms {
            tier: match way {
                Way::Tier(tier) => self.routing.queue(tier),
                Way::OwnWords => self.own_words.1,
            },
            client,
            deadline: Some(deadline),
        };
        Ok(self.scheduler().submit_to(spoken, terms, tell)?)
    }

    /// Waits until a worker stands aside for a stream's next step; blocks the thread.
    pub fn turn(&self, stream: StreamId) -> Turn {
        self.scheduler().turn(stream)
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.scheduler().workers()
    }

    /// How many steps of streams wait.
    pub fn waiting_steps(&self) -> usize {
        self.scheduler().waiting_steps()
    }

    /// The policies and how many requests wait for each.
    pub fn waiting(&self) -> impl Iterator<Item = (&Policy<String>, usize)> {
        self.routing.policies().zip(self.scheduler().waiting())
    }

    /// The versions and how many workers run each.
    pub fn running(&self) -> impl Iterator<Item = (&String, usize)> {
        self.routing.versions().iter().zip(self.scheduler().running())
    }

    /// What its scheduler has done.
    pub fn statistics(&self) -> Statistics {
        self.scheduler().statistics()
    }
}

impl Drop for Serving {
    /// The last request that holds it may be on a thread that must not wait for the workers.
    fn drop(&mut self) {
        if let Some((scheduler, workers)) = self.workers.take() {
            std::thread::spawn(move || {
                drop(scheduler);
                drop(workers);
            });
        }
    }
}

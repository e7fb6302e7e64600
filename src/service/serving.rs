//! Rules in force: the scheduler that follows them, and which of its tiers serves whom.
//!
//! Immutable. A reload makes another one and puts it in this one's place; requests that were
//! admitted here are answered here, after which it goes, and its workers with it. Only then may the
//! next reload begin ([`Lives`]): each set of workers is as many as there are processors.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Rejection;
use super::options::Options;
use super::request::Ask;
use crate::audio::Waveform;
use crate::recognizer::Recognizer;
use crate::scheduler::{self, Admitted, Recognition, Reply, Scheduler, Statistics, Unfit};
use crate::tiers::{Objective, Policy, Rule, Rules, RulesError};

/// Digits of a certificate's name.
const ID_DIGITS: usize = 16;

/// Sets of workers there may be: of the rules in force, and of those before them, which answer what
/// they admitted.
const MOST_ALIVE: usize = 2;

/// The sets of workers that there are.
pub struct Lives(Arc<Semaphore>);

/// One set of workers; ends when dropped.
pub struct Life(#[expect(dead_code, reason = "held")] OwnedSemaphorePermit);

impl Default for Lives {
    fn default() -> Self {
        Lives(Arc::new(Semaphore::new(MOST_ALIVE)))
    }
}

impl Lives {
    /// Waits until there may be another; who asked first goes first.
    pub async fn begin(&self) -> Life {
        let life = Arc::clone(&self.0).acquire_owned().await;
        Life(life.expect("the semaphore is never closed"))
    }

    /// Another, where there may be one now.
    pub fn try_begin(&self) -> Option<Life> {
        Arc::clone(&self.0).try_acquire_owned().ok().map(Life)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        MOST_ALIVE - self.0.available_permits()
    }
}

/// Rules in force.
pub struct Serving {
    /// The rules.
    pub rules: Rules,
    /// The name of these rules: the first digits of the SHA-256 of their text.
    pub certificate: String,
    /// Taken only when dropped.
    workers: Option<(Scheduler<Recognition>, Life)>,
    /// Names of the model's versions.
    versions: Vec<String>,
    /// The distinct policies, one tier of the scheduler each.
    policies: Vec<Policy<String>>,
    /// The scheduler's tier of each rule.
    tiers: Vec<usize>,
}

/// Why rules cannot be put in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServingError {
    /// They cannot be read.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// They are for another model.
    #[error("{0}; learn rules for this model with `paretone tiers train`")]
    Unfit(#[from] Unfit),
    /// They were not read to the end.
    #[error("reading the rules broke off: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// The place of the rule that serves a request, in [`Rules::tiers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(pub usize);

impl Serving {
    /// Puts the rules of a file in force.
    ///
    /// # Errors
    /// There are none, or they do not fit the model.
    pub fn open(
        path: &Path,
        recognizer: &Arc<Recognizer>,
        options: &Options,
        life: Life,
    ) -> Result<Self, ServingError> {
        Self::new(Rules::open(path)?, recognizer, options, life)
    }

    /// Puts rules in force.
    ///
    /// # Errors
    /// They do not fit the model.
    pub fn new(
        rules: Rules,
        recognizer: &Arc<Recognizer>,
        options: &Options,
        life: Life,
    ) -> Result<Self, ServingError> {
        let service = Recognition::new(Arc::clone(recognizer));
        let (mut policies, mut tiers) = (Vec::new(), Vec::new());
        for rule in &rules.tiers {
            let known = policies.iter().position(|policy| *policy == rule.policy);
            tiers.push(known.unwrap_or(policies.len()));
            if known.is_none() {
                policies.push(rule.policy.clone());
            }
        }
        let numbered = policies.iter().map(|policy| service.policy(policy));
        let numbered = numbered.collect::<Result<Vec<Policy>, Unfit>>()?;
        let options = scheduler::Options {
            workers: options.workers,
            capacity: options.queue,
            ..scheduler::Options::default()
        };
        Ok(Serving {
            certificate: id(&rules),
            versions: recognizer.versions().names().map(str::to_owned).collect(),
            rules,
            workers: Some((Scheduler::new(service, numbered, &options), life)),
            policies,
            tiers,
        })
    }

    fn scheduler(&self) -> &Scheduler<Recognition> {
        let workers = self.workers.as_ref();
        &workers.expect("the workers are taken by drop alone").0
    }

    /// Which rule serves a request: without a tolerance the strictest, without an objective that
    /// for the response time.
    ///
    /// # Errors
    /// The rules have no tiers for the objective.
    pub fn place(&self, ask: Ask) -> Result<Place, Rejection> {
        let objective = ask.objective.unwrap_or(Objective::ResponseTime);
        let place = self.rules.place(ask.tolerance.unwrap_or(0.0), objective);
        let missing = || {
            let name = objective.name();
            Rejection::Unprocessable(format!(
                "the rules in force have no tiers for the objective {name}"
            ))
        };
        place.map(Place).ok_or_else(missing)
    }

    /// The rule at a place.
    pub fn rule(&self, place: Place) -> &Rule {
        &self.rules.tiers[place.0]
    }

    /// The name of the tier at a place, such as `response-time/0.05`.
    pub fn tier_name(&self, place: Place) -> String {
        let rule = self.rule(place);
        format!("{}/{}", rule.objective.name(), rule.tolerance)
    }

    /// Names of the model's versions, by number.
    pub fn version_names(&self) -> &[String] {
        &self.versions
    }

    /// Has a waveform recognised as a rule says; a worker tells the reply.
    ///
    /// # Errors
    /// As many requests wait for that policy as may.
    pub fn submit(
        &self,
        waveform: Waveform,
        place: Place,
        deadline: Duration,
        tell: impl FnOnce(Reply<Recognition>) + Send + 'static,
    ) -> Result<Admitted, Rejection> {
        let tier = self.tiers[place.0];
        Ok(self
            .scheduler()
            .submit_to(waveform, tier, Some(deadline), tell)?)
    }

    /// The policies and how many requests wait for each.
    pub fn waiting(&self) -> impl Iterator<Item = (&Policy<String>, usize)> {
        self.policies.iter().zip(self.scheduler().waiting())
    }

    /// The versions and how many workers run each.
    pub fn running(&self) -> impl Iterator<Item = (&String, usize)> {
        self.versions.iter().zip(self.scheduler().running())
    }

    /// What its scheduler has done.
    pub fn statistics(&self) -> Statistics {
        self.scheduler().statistics()
    }
}

impl Drop for Serving {
    /// The last request that holds it may be on a thread that must not wait for the workers.
    fn drop(&mut self) {
        if let Some((scheduler, life)) = self.workers.take() {
            std::thread::spawn(move || {
                drop(scheduler);
                drop(life);
            });
        }
    }
}

fn id(rules: &Rules) -> String {
    let digest = Sha256::digest(rules.to_text().as_bytes());
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>()[..ID_DIGITS].to_owned()
}

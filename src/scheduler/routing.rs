//! Rules made ready for a model: which policy serves whom, and how an answer came about.
//!
//! The one way from a tolerance to a policy. [`Tiers`](super::Tiers) follows the policy on the
//! caller's thread; the HTTP service puts the request into the policy's queue of a
//! [`Scheduler`](super::Scheduler).

use serde::Serialize;

use super::job::Served;
use super::recognition::{Recognition, Unfit};
use crate::recognizer::Transcript;
use crate::tiers::{Objective, Policy, Rule, Rules, Tolerance};
use crate::units::Seconds;

/// Rules whose policies a model can follow.
#[derive(Clone, Debug)]
pub struct Routing {
    rules: Rules,
    certificate: String,
    /// Names of the model's versions.
    versions: Vec<String>,
    /// The distinct policies, versions by name and by number.
    policies: Vec<(Policy<String>, Policy)>,
    /// The place of each rule's policy.
    places: Vec<usize>,
}

/// A tier: the place of its rule in [`Rules::tiers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TierId(pub usize);

/// What stands for the certificate where there is none, as in [`Rules::id`].
const UNCERTIFIED: &str = "none";

/// There is no rule for an objective.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are no rules for {}: choose another objective, or learn them with `paretone tiers train`",
    objective.name()
)]
pub struct NoTier {
    /// The objective asked for.
    pub objective: Objective,
}

/// What was heard, and how the answer came about.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// The words with their times and confidences.
    pub transcript: Transcript,
    /// Which tier and versions it came from, how sure it is, and what it took.
    pub account: TierAccount,
}

/// How a tier came by an answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TierAccount {
    /// The tier: its objective and the tolerance from which it serves, such as
    /// `response-time/0.05`.
    pub tier: String,
    /// The certified bound on the tier's degradation, relative to the reference version's errors.
    pub bound: f64,
    /// The policy that the tier follows, versions by name.
    pub policy: Policy<String>,
    /// The versions that ran, or began to, the policy's first before its second.
    pub versions: Vec<String>,
    /// The version whose answer it is; of a long recording, that which answered most segments.
    pub answered_by: String,
    /// Which version ran on how many segments of the recording, and answered how many.
    pub segments: Vec<SegmentShare>,
    /// Whether the first version's answer was not enough, in any segment.
    pub escalated: bool,
    /// The calibrated probability that every word is right; of several segments, the share of words
    /// that is expected to be right. 0 where nothing is known.
    pub confidence: f64,
    /// From the request to the answer, a wait in a queue included.
    pub response: Seconds,
    /// Time of all threads that worked on it, cancelled work included: what the answer cost.
    pub cost: Seconds,
    /// The name of the certificate that the tier rests on ([`Rules::id`]).
    pub certificate: String,
}

/// How many segments of a recording a version worked on. Decisions are made segment by segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentShare {
    /// The version.
    pub version: String,
    /// Segments that it ran on, or began to.
    pub ran: usize,
    /// Segments whose words are its own.
    pub answered: usize,
}

impl Routing {
    /// Checks that a model can follow every policy of the rules.
    ///
    /// # Errors
    /// The rules were learnt for other parts or do not say for which, the model lacks a version, or
    /// a policy compares confidences that are not calibrated.
    pub fn new(rules: Rules, recognition: &Recognition) -> Result<Self, Unfit> {
        let changed = rules.made_for.changed(recognition.recognizer().made_for());
        if !changed.is_empty() {
            let parts = changed.join(" and ");
            return Err(Unfit::MadeForAnother { parts });
        }
        let known = recognition.recognizer().made_for().model.is_some();
        if known && rules.is_certified() && rules.made_for.model.is_none() {
            return Err(Unfit::MadeForUnknown);
        }
        let (mut policies, mut places) = (Vec::<(Policy<String>, Policy)>::new(), Vec::new());
        for rule in &rules.tiers {
            let known = policies.iter().position(|(named, _)| *named == rule.policy);
            places.push(known.unwrap_or(policies.len()));
            if known.is_none() {
                policies.push((rule.policy.clone(), recognition.policy(&rule.policy)?));
            }
        }
        Ok(Routing {
            certificate: rules.id(),
            versions: recognition.version_names(),
            rules,
            policies,
            places,
        })
    }

    /// The rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The name of the rules' certificate ([`Rules::id`]).
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Names of the model's versions, by number.
    pub fn versions(&self) -> &[String] {
        &self.versions
    }

    /// The tier that serves a tolerance: the last whose own tolerance is not above it.
    ///
    /// # Errors
    /// The rules have no tier for the objective.
    pub fn tier(&self, tolerance: Tolerance, objective: Objective) -> Result<TierId, NoTier> {
        let place = self.rules.place(tolerance, objective);
        place.map(TierId).ok_or(NoTier { objective })
    }

    /// The rule of a tier.
    pub fn rule(&self, tier: TierId) -> &Rule {
        &self.rules.tiers[tier.0]
    }

    /// The name of a tier, such as `response-time/0.05`.
    pub fn tier_name(&self, tier: TierId) -> String {
        let rule = self.rule(tier);
        format!("{}/{}", rule.objective.name(), rule.tolerance.as_share())
    }

    /// The distinct policies, versions by name.
    pub fn policies(&self) -> impl Iterator<Item = &Policy<String>> {
        self.policies.iter().map(|(named, _)| named)
    }

    /// The distinct policies, versions by number: the queues of a scheduler.
    pub fn queues(&self) -> Vec<Policy> {
        let numbered = self.policies.iter().map(|(_, numbered)| numbered.clone());
        numbered.collect()
    }

    /// The place of a tier's policy in [`Routing::queues`].
    pub fn queue(&self, tier: TierId) -> usize {
        self.places[tier.0]
    }

    /// A tier's policy, versions by number.
    pub(super) fn policy(&self, tier: TierId) -> &Policy {
        &self.policies[self.queue(tier)].1
    }

    /// The answer that following a tier's policy gave.
    pub fn answer(&self, tier: TierId, served: Served<Transcript>) -> Answer {
        let rule = self.rule(tier);
        let mut answer = self.uncertified(self.tier_name(tier), rule.policy.clone(), served);
        answer.account.bound = rule.bound;
        answer.account.certificate.clone_from(&self.certificate);
        answer
    }

    /// The answer of the most accurate version to a request that no tier is certified for.
    pub fn uncertified(
        &self,
        tier: String,
        policy: Policy<String>,
        served: Served<Transcript>,
    ) -> Answer {
        let account = served.account;
        let name = |&version: &usize| self.versions[version].clone();
        let segments = account.shares.iter().map(|share| SegmentShare {
            version: name(&share.version),
            ran: share.ran,
            answered: share.answered,
        });
        Answer {
            transcript: served.answer,
            account: TierAccount {
                tier,
                bound: 0.0,
                policy,
                versions: account.ran.iter().map(name).collect(),
                answered_by: name(&account.taken),
                segments: segments.collect(),
                escalated: account.escalated,
                confidence: account.confidence,
                response: account.response,
                cost: account.machine,
                certificate: UNCERTIFIED.to_owned(),
            },
        }
    }
}

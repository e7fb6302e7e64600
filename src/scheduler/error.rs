//! Why a request was not admitted, or not answered with words.

use std::time::Duration;

/// A request that was not admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// As many requests wait as may, or as the tier or the client has a share in.
    #[error(
        "{waiting} requests wait, and tier {tier} or its caller has its share of the room; try again in {:.3} s",
        retry_after.as_secs_f64()
    )]
    Full {
        /// The tier.
        tier: usize,
        /// Requests that wait, over all tiers.
        waiting: usize,
        /// In about this time the workers have done as much as waits, by what requests took so far.
        retry_after: Duration,
    },
    /// There is no such tier.
    #[error("there is no tier {tier}")]
    UnknownTier {
        /// The tier asked for.
        tier: usize,
    },
}

/// Why an admitted request has no answer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure<E> {
    /// Its deadline passed first.
    #[error("the deadline passed before there was an answer")]
    Late,
    /// Its caller cancelled it.
    #[error("cancelled by its caller")]
    Cancelled,
    /// The service panicked: a defect of the service.
    #[error("the service panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
    /// The service failed.
    #[error(transparent)]
    Service(E),
}

impl<E> Failure<E> {
    /// Whether no other version need be tried.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Failure::Late | Failure::Cancelled)
    }
}

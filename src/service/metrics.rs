//! What is counted while the service runs; `exposition` tells it.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::serving::{Serving, Way};
use crate::recognizer::RecognizerError;
use crate::recognizer::Transcript;
use crate::scheduler::{Failure, Served};

/// What a worker replied.
type Made = Result<Served<Transcript>, Failure<RecognizerError>>;

/// A tier.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct TierLabel {
    tier: String,
}

/// A version.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct VersionLabel {
    pub(super) version: String,
}

/// An HTTP exchange.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct ExchangeLabel {
    path: String,
    status: u16,
}

/// How something ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct OutcomeLabel {
    outcome: &'static str,
}

type Histograms = Family<TierLabel, Histogram, fn() -> Histogram>;

/// What has been counted; clones count together.
#[derive(Clone)]
pub struct Metrics {
    pub(super) response: Histograms,
    pub(super) machine: Histograms,
    pub(super) runs: Family<VersionLabel, Counter>,
    pub(super) escalated: Family<TierLabel, Counter>,
    pub(super) refused: Family<TierLabel, Counter>,
    /// Admitted requests without an answer, by why.
    pub(super) failed: Family<OutcomeLabel, Counter>,
    pub(super) exchanges: Family<ExchangeLabel, Counter>,
    pub(super) reloads: Family<OutcomeLabel, Counter>,
    pub(super) audio: Counter<f64, AtomicU64>,
    /// Disagreement with the reference version on shadowed requests.
    pub shadow: ShadowMetrics,
    /// Connections that are open.
    pub connections: Gauge,
}

/// Disagreement with the reference version on shadowed requests.
#[derive(Clone, Default)]
pub struct ShadowMetrics {
    /// Requests that were shadowed.
    pub requests: Counter,
    /// Words in which answer and shadow differ.
    pub distance: Counter,
    /// Words of the shadows.
    pub words: Counter,
    /// Evidence of drift, as odds.
    pub evidence: Gauge<f64, AtomicU64>,
    /// 1 once the alarm is on.
    pub alarm: Gauge,
}

/// From 5 ms to 40 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
}

impl Default for Metrics {
    fn default() -> Self {
        let histograms = || Family::new_with_constructor(seconds as fn() -> Histogram);
        Metrics {
            response: histograms(),
            machine: histograms(),
            runs: Family::default(),
            escalated: Family::default(),
            refused: Family::default(),
            failed: Family::default(),
            exchanges: Family::default(),
            reloads: Family::default(),
            audio: Counter::default(),
            shadow: ShadowMetrics::default(),
            connections: Gauge::default(),
        }
    }
}

impl Metrics {
    /// A worker replied to a request.
    pub(super) fn answered(&self, serving: &Serving, way: Way, made: &Made) {
        let served = match made {
            Ok(served) => served,
            Err(failure) => return self.failed(failure),
        };
        let label = TierLabel { tier: serving.name(way) };
        let account = &served.account;
        self.response.get_or_create(&label).observe(account.response.0);
        self.machine.get_or_create(&label).observe(account.machine.0);
        self.escalated.get_or_create(&label).inc_by(account.escalated.into());
        self.audio.inc_by(served.answer.audio.0);
        for &version in &account.ran {
            let version = serving.routing.versions()[version].clone();
            self.runs.get_or_create(&VersionLabel { version }).inc();
        }
    }

    fn failed(&self, failure: &Failure<RecognizerError>) {
        let outcome = match failure {
            Failure::Late => "late",
            Failure::Cancelled => "cancelled",
            Failure::Service(RecognizerError::Audio(_)) => "audio",
            _ => "defect",
        };
        self.failed.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// A request was refused because tier or client had its share of the queue.
    pub(super) fn refused(&self, serving: &Serving, way: Way) {
        let tier = serving.name(way);
        self.refused.get_or_create(&TierLabel { tier }).inc();
    }

    /// Rules were read again.
    pub(super) fn reloaded(&self, is_done: bool) {
        let outcome = if is_done { "done" } else { "refused" };
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// An exchange ended; `path` is the route's, not the caller's.
    pub(super) fn exchanged(&self, path: String, status: u16) {
        self.exchanges.get_or_create(&ExchangeLabel { path, status }).inc();
    }
}

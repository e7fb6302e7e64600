//! What has been counted, as Prometheus reads it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::error::Rejection;
use super::serving::Serving;
use super::state::App;
use crate::recognizer::RecognizerError;
use crate::recognizer::Transcript;
use crate::scheduler::TierId;
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
    version: String,
}

/// A policy.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct PolicyLabel {
    policy: String,
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
    response: Histograms,
    machine: Histograms,
    runs: Family<VersionLabel, Counter>,
    escalated: Family<TierLabel, Counter>,
    refused: Family<TierLabel, Counter>,
    /// Admitted requests without an answer, by why.
    failed: Family<OutcomeLabel, Counter>,
    exchanges: Family<ExchangeLabel, Counter>,
    reloads: Family<OutcomeLabel, Counter>,
    audio: Counter<f64, AtomicU64>,
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
    pub(super) fn answered(&self, serving: &Serving, tier: TierId, made: &Made) {
        let served = match made {
            Ok(served) => served,
            Err(failure) => return self.failed(failure),
        };
        let label = TierLabel {
            tier: serving.routing.tier_name(tier),
        };
        let account = &served.account;
        self.response
            .get_or_create(&label)
            .observe(account.response.0);
        self.machine
            .get_or_create(&label)
            .observe(account.machine.0);
        self.escalated
            .get_or_create(&label)
            .inc_by(account.escalated.into());
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

    /// A request was refused because its queue was full.
    pub(super) fn refused(&self, serving: &Serving, tier: TierId) {
        let tier = serving.routing.tier_name(tier);
        self.refused.get_or_create(&TierLabel { tier }).inc();
    }

    /// Rules were read again.
    pub(super) fn reloaded(&self, is_done: bool) {
        let outcome = if is_done { "done" } else { "refused" };
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// An exchange ended; `path` is the route's, not the caller's.
    pub(super) fn exchanged(&self, path: String, status: u16) {
        self.exchanges
            .get_or_create(&ExchangeLabel { path, status })
            .inc();
    }

    /// All counts in a registry of their own, with what only the scheduler knows.
    fn registry(&self, app: &App) -> Registry {
        let mut registry = Registry::with_prefix("paretone");
        let s = || Unit::Seconds;
        registry.register_with_unit(
            "response",
            "From admission to answer, by tier",
            s(),
            self.response.clone(),
        );
        registry.register_with_unit(
            "machine",
            "Time of all workers for a request, by tier",
            s(),
            self.machine.clone(),
        );
        registry.register_with_unit("audio", "Recordings answered", s(), self.audio.clone());
        registry.register("runs", "Runs of a version, begun", self.runs.clone());
        registry.register(
            "escalations",
            "Requests whose first version was not sure enough",
            self.escalated.clone(),
        );
        registry.register(
            "refusals",
            "Requests refused because their queue was full",
            self.refused.clone(),
        );
        registry.register(
            "failures",
            "Admitted requests without an answer",
            self.failed.clone(),
        );
        registry.register(
            "exchanges",
            "HTTP exchanges by route and status",
            self.exchanges.clone(),
        );
        registry.register(
            "reloads",
            "Times the rules were read again",
            self.reloads.clone(),
        );
        registry.register(
            "connections",
            "Connections that are open",
            self.connections.clone(),
        );
        self.shadow.register(&mut registry);
        let lives: Gauge = Gauge::default();
        show(&lives, app.lives.count());
        registry.register(
            "rules_alive",
            "Rules that have workers: those in force, and older ones that still have requests",
            lives,
        );
        register_scheduler(&mut registry, &app.serving());
        registry
    }
}

impl ShadowMetrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "shadow_requests",
            "Requests the reference version answered too",
            self.requests.clone(),
        );
        registry.register(
            "shadow_distance",
            "Words in which answers and shadows differ",
            self.distance.clone(),
        );
        registry.register("shadow_words", "Words of the shadows", self.words.clone());
        registry.register(
            "shadow_evidence",
            "Odds that traffic has drifted",
            self.evidence.clone(),
        );
        registry.register(
            "shadow_alarm",
            "Whether the drift alarm is on",
            self.alarm.clone(),
        );
    }
}

fn show(gauge: &Gauge, count: usize) {
    gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
}

/// What the scheduler of the rules in force knows.
fn register_scheduler(registry: &mut Registry, serving: &Serving) {
    let waiting = Family::<PolicyLabel, Gauge>::default();
    for (policy, count) in serving.waiting() {
        let policy = policy.to_string();
        show(&waiting.get_or_create(&PolicyLabel { policy }), count);
    }
    registry.register("queue", "Requests that wait, by policy", waiting);
    let running = Family::<VersionLabel, Gauge>::default();
    for (version, count) in serving.running() {
        let version = version.clone();
        show(&running.get_or_create(&VersionLabel { version }), count);
    }
    registry.register("running", "Workers that run a version", running);
    let stopped: Counter = Counter::default();
    stopped.inc_by(serving.statistics().stopped);
    registry.register(
        "stopped_runs",
        "Runs that another version's answer stopped, under the rules in force",
        stopped,
    );
}

/// All counts, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "All counts", content_type = "application/openmetrics-text", body = String),
))]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Rejection> {
    let registry = app.metrics.registry(&app);
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Rejection::Internal(error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}

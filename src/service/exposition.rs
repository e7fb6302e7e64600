//! `GET /metrics`: what has been counted, and how things stand, as Prometheus reads it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::error::Rejection;
use super::job_store::State as JobState;
use super::log;
use super::metrics::{Metrics, ShadowMetrics, VersionLabel};
use super::process;
use super::serving::Serving;
use super::state::App;

/// A policy.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct PolicyLabel {
    policy: String,
}

/// How far jobs are.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

/// All counts, for Prometheus
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "All counts", content_type = "application/openmetrics-text", body = String),
))]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<impl IntoResponse, Rejection> {
    let jobs = match &app.jobs {
        Some(jobs) => Some(jobs.counts().await?),
        None => None,
    };
    let mut registry = Registry::default();
    process::register(registry.sub_registry_with_prefix("process"));
    let ours = registry.sub_registry_with_prefix("paretone");
    register_counts(ours, &app.metrics);
    register_shadow(ours, &app.metrics.shadow);
    register_state(ours, &app);
    register_scheduler(ours, &app.serving());
    if let Some(jobs) = &jobs {
        register_jobs(ours, jobs);
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Rejection::Internal(error.to_string()))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text))
}

fn register_counts(registry: &mut Registry, counts: &Metrics) {
    registry.register_with_unit(
        "response",
        "From admission to answer, by tier",
        Unit::Seconds,
        counts.response.clone(),
    );
    registry.register_with_unit(
        "machine",
        "Time of all workers for a request, by tier",
        Unit::Seconds,
        counts.machine.clone(),
    );
    registry.register_with_unit(
        "audio",
        "Recordings answered",
        Unit::Seconds,
        counts.audio.clone(),
    );
    registry.register("runs", "Runs of a version, begun", counts.runs.clone());
    registry.register(
        "escalations",
        "Requests whose first version was not sure enough",
        counts.escalated.clone(),
    );
    registry.register(
        "refusals",
        "Requests refused because their queue was full",
        counts.refused.clone(),
    );
    registry.register("failures", "Admitted requests without an answer", counts.failed.clone());
    registry.register("exchanges", "HTTP exchanges by route and status", counts.exchanges.clone());
    registry.register("reloads", "Times the rules were read again", counts.reloads.clone());
    registry.register("connections", "Connections that are open", counts.connections.clone());
}

/// How things stand now.
fn register_state(registry: &mut Registry, app: &App) {
    let mut gauge = |name, help, count| registry.register(name, help, gauge_of(count));
    gauge(
        "rules_alive",
        "Rules that have workers: those in force, and older ones that still have requests",
        app.worker_sets.count(),
    );
    gauge("streams", "Streams that are open", app.stream_limits.count());
    let lost: Counter = Counter::default();
    lost.inc_by(log::lost_lines());
    let mut memory = |name: &str, of: &str, held: usize| {
        registry.register_with_unit(name, of, Unit::Bytes, gauge_of(held));
    };
    memory("memory_held", "Memory that uploads, waveforms and scores hold", app.memory.held());
    memory("stream_memory_held", "Memory that streams hold", app.stream_memory.held());
    registry.register(
        "log_lines_lost",
        "Lines of the log that were left out or could not be written",
        lost,
    );
    let model = app.recognizer.name().to_owned();
    let labels = vec![
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("model", model),
        ("certificate", app.serving().routing.certificate().to_owned()),
    ];
    registry.register("build", "What runs here", Info::new(labels));
}

fn register_shadow(registry: &mut Registry, shadow: &ShadowMetrics) {
    registry.register(
        "shadow_requests",
        "Requests the reference version answered too",
        shadow.requests.clone(),
    );
    registry.register(
        "shadow_distance",
        "Words in which answers and shadows differ",
        shadow.distance.clone(),
    );
    registry.register("shadow_words", "Words of the shadows", shadow.words.clone());
    registry.register("shadow_evidence", "Odds that traffic has drifted", shadow.evidence.clone());
    registry.register("shadow_alarm", "Whether the drift alarm is on", shadow.alarm.clone());
}

fn register_jobs(registry: &mut Registry, counts: &[(JobState, u64, u64)]) {
    let jobs = Family::<StateLabel, Gauge>::default();
    for state in JobState::ALL {
        let of = |(found, ..): &&(JobState, u64, u64)| *found == state;
        let count = counts.iter().find(of).map_or(0, |(_, count, _)| *count);
        let state = state.name();
        show(&jobs.get_or_create(&StateLabel { state }), count as usize);
    }
    let held = gauge_of(counts.iter().map(|(.., bytes)| *bytes as usize).sum());
    registry.register("jobs", "Jobs that are kept, by state", jobs);
    let help = "Recordings and answers of jobs on the disk";
    registry.register_with_unit("jobs_held", help, Unit::Bytes, held);
}

fn gauge_of(count: usize) -> Gauge {
    let gauge = Gauge::default();
    show(&gauge, count);
    gauge
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
    let total: usize = serving.waiting().map(|(_, count)| count).sum();
    for (name, help, count) in [
        ("queue_length", "Requests that wait, over all policies", total),
        ("queue_steps", "Steps of streams that wait for a worker", serving.waiting_steps()),
        ("workers", "Workers there are", serving.workers()),
    ] {
        registry.register(name, help, gauge_of(count));
    }
    let busy: Counter<f64, std::sync::atomic::AtomicU64> = Counter::default();
    busy.inc_by(serving.statistics().busy.0);
    registry.register_with_unit(
        "workers_busy",
        "Time that workers worked, under the rules in force",
        Unit::Seconds,
        busy,
    );
    let stopped: Counter = Counter::default();
    stopped.inc_by(serving.statistics().stopped);
    registry.register(
        "stopped_runs",
        "Runs that another version's answer stopped, under the rules in force",
        stopped,
    );
}

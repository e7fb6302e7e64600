//! Rows of outcomes from what was recognised.

use super::measure::{Heard, Prepared};
use super::score::Judged;
use crate::tiers::Outcome;
use crate::units::Seconds;

/// The counters of a speech outcome, in the order of [`counters`].
pub(super) const COUNTERS: &[&str] = &[
    "substitutions",
    "deletions",
    "insertions",
    "audio_seconds",
    "scores_seconds",
    "search_seconds",
    "rescore_seconds",
    "frames",
    "tokens",
    "arcs",
    "epsilon_arcs",
];

/// The outcome of one version on one utterance. Its cost is its response time: one worker did it
/// all.
pub(super) fn outcome(
    version: &str,
    judged: &Judged,
    prepared: &Prepared,
    heard: &Heard,
) -> Outcome {
    let scored = &judged.scored;
    let response = Seconds(micros(prepared.scores.0 + heard.total().0));
    Outcome {
        id: scored.id.clone(),
        group: scored.speaker.clone(),
        set: scored.set.clone(),
        version: version.to_owned(),
        errors: scored.counts.errors() as u32,
        words: scored.counts.reference as u32,
        response,
        cost: response,
        confidence: 0.0,
        counters: counters(judged, prepared, heard),
    }
}

fn counters(judged: &Judged, prepared: &Prepared, heard: &Heard) -> Vec<f64> {
    let counts = judged.scored.counts;
    let effort = heard.transcript.effort;
    vec![
        counts.substitutions as f64,
        counts.deletions as f64,
        counts.insertions as f64,
        micros(heard.transcript.audio.0),
        micros(prepared.scores.0),
        micros(heard.search.0),
        micros(heard.rescore.0),
        f64::from(effort.frames),
        effort.tokens as f64,
        effort.arcs as f64,
        effort.epsilon_arcs as f64,
    ]
}

/// Rounded to the microsecond, which is finer than the measurement.
fn micros(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

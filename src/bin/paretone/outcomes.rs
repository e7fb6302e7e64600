//! Rows of outcomes from what was recognised.

use anyhow::Context;

use super::measure::{Heard, Prepared};
use super::score::Judged;
use paretone::confidence::Evidence;
use paretone::tiers::{Outcome, Outcomes};
use paretone::units::Seconds;

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
    "words_heard",
    "expected_errors",
    "posterior",
    "weakest_word",
    "reached_final",
    "crowded_frames",
    "acoustic_gap",
    "improvable",
    "oov",
    "search_error",
    "lattice_errors",
];

/// What is known of an utterance by comparing with its reference, beyond the errors.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Analysis {
    /// Reference words that cannot be recognised.
    pub oov: u32,
    /// The reference's own path costs less than the answer: the search missed it.
    pub search_error: bool,
    /// The least errors that any path of the lattice has.
    pub lattice_errors: u32,
}

/// The outcome of one version on one utterance. Its cost is its response time: one worker did it
/// all.
pub(super) fn outcome(
    version: &str,
    judged: &Judged,
    prepared: &Prepared,
    heard: &Heard,
) -> Outcome {
    let scored = &judged.scored;
    let confidence = heard.transcript.confidence;
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
        confidence: digits(confidence.map_or(0.0, |confidence| confidence.right)),
        counters: counters(judged, prepared, heard),
    }
}

fn counters(judged: &Judged, prepared: &Prepared, heard: &Heard) -> Vec<f64> {
    let counts = judged.scored.counts;
    let effort = heard.transcript.effort;
    let evidence = heard.transcript.evidence.unwrap_or_default();
    let analysis = heard.analysis;
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
        f64::from(evidence.words),
        digits(evidence.expected_errors),
        digits(evidence.posterior),
        digits(evidence.weakest_word),
        f64::from(u8::from(evidence.reached_final)),
        f64::from(evidence.crowded_frames),
        digits(evidence.acoustic_gap),
        digits(heard.transcript.confidence.map_or(0.0, |c| c.improvable)),
        f64::from(analysis.oov),
        f64::from(u8::from(analysis.search_error)),
        f64::from(analysis.lattice_errors),
    ]
}

/// The evidence behind a recorded outcome.
///
/// # Errors
/// The table lacks a counter.
pub(super) fn evidence(outcomes: &Outcomes, row: &Outcome) -> anyhow::Result<Evidence> {
    let counter = |name: &str| {
        let at = outcomes.counter(name);
        let at = at.with_context(|| format!("the outcomes have no column `{name}`"))?;
        anyhow::Ok(row.counters[at])
    };
    Ok(Evidence {
        words: counter("words_heard")? as u32,
        expected_errors: counter("expected_errors")?,
        posterior: counter("posterior")?,
        weakest_word: counter("weakest_word")?,
        frames: counter("frames")? as u32,
        reached_final: counter("reached_final")? > 0.0,
        arcs: counter("arcs")? as u64,
        crowded_frames: counter("crowded_frames")? as u32,
        acoustic_gap: counter("acoustic_gap")?,
    })
}

/// Rounded to the millionth: for seconds finer than they are measured, for evidence all that a
/// calibration can use.
pub(super) fn micros(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Rounded to five significant digits, in which a logarithm does not feel it.
fn digits(value: f64) -> f64 {
    format!("{value:.4e}")
        .parse()
        .expect("a number was written")
}

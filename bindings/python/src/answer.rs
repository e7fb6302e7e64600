//! What was heard, as objects of the package's plain classes (`paretone._result`).

use paretone::TierAccount;
use paretone::recognizer::{Alternative, Transcript};
use paretone::scheduler::SegmentShare;
use paretone::tiers::Tolerance;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::hearing::Heard;

/// A `paretone.Result`.
///
/// # Errors
/// The package's classes cannot be made.
pub fn result(py: Python<'_>, heard: &Heard) -> PyResult<Py<PyAny>> {
    let transcript = &heard.transcript;
    let classes = py.import("paretone._result")?;
    let fields = PyDict::new(py);
    fields.set_item("words", words(&classes, transcript)?)?;
    let right = transcript.confidence.map(|confidence| confidence.right);
    fields.set_item("confidence", right)?;
    let versions: Vec<&str> = match &heard.tier {
        Some((_, account)) => account.versions.iter().map(String::as_str).collect(),
        None => heard.version.iter().map(String::as_str).collect(),
    };
    fields.set_item("versions", PyTuple::new(py, versions)?)?;
    fields.set_item("audio_seconds", transcript.audio.0)?;
    fields.set_item("seconds", seconds(&classes, transcript)?)?;
    fields.set_item("cost", transcript.cost.0)?;
    fields.set_item("reached_final", transcript.reached_final)?;
    fields.set_item("alternatives", alternatives(&classes, transcript)?)?;
    let tier = heard.tier.as_ref();
    let tier = tier.map(|(tolerance, account)| tier_of(&classes, *tolerance, account));
    fields.set_item("tier", tier.transpose()?)?;
    fields.set_item("partly_read", heard.partly_read.as_deref())?;
    let result = classes.getattr("Result")?.call((), Some(&fields))?;
    Ok(result.unbind())
}

fn words<'py>(
    classes: &Bound<'py, PyModule>,
    transcript: &Transcript,
) -> PyResult<Bound<'py, PyTuple>> {
    let class = classes.getattr("Word")?;
    let word = |word: &paretone::TranscriptWord| {
        class.call1((&word.word, word.start.0, word.end.0, word.confidence))
    };
    let words: PyResult<Vec<_>> = transcript.words.iter().map(word).collect();
    PyTuple::new(classes.py(), words?)
}

fn seconds<'py>(
    classes: &Bound<'py, PyModule>,
    transcript: &Transcript,
) -> PyResult<Bound<'py, PyAny>> {
    let spent = &transcript.timings;
    let stages = (spent.features.0, spent.acoustic.0, spent.search.0, spent.rescore.0);
    classes.getattr("Seconds")?.call1(stages)
}

fn alternatives<'py>(
    classes: &Bound<'py, PyModule>,
    transcript: &Transcript,
) -> PyResult<Bound<'py, PyTuple>> {
    let class = classes.getattr("Alternative")?;
    let one = |other: &Alternative| {
        let cost = other.cost.0;
        class.call1((other.words.join(" "), cost, other.posterior, other.confidence))
    };
    let all: PyResult<Vec<_>> = transcript.alternatives.iter().map(one).collect();
    PyTuple::new(classes.py(), all?)
}

fn tier_of<'py>(
    classes: &Bound<'py, PyModule>,
    tolerance: Tolerance,
    account: &TierAccount,
) -> PyResult<Bound<'py, PyAny>> {
    let py = classes.py();
    let fields = PyDict::new(py);
    fields.set_item("tolerance", tolerance.as_share())?;
    fields.set_item("name", &account.tier)?;
    fields.set_item("bound", account.bound)?;
    fields.set_item("policy", account.policy.to_string())?;
    fields.set_item("versions", PyTuple::new(py, &account.versions)?)?;
    fields.set_item("answered_by", &account.answered_by)?;
    let share = |share: &SegmentShare| (share.version.clone(), share.ran, share.answered);
    fields.set_item("segments", PyTuple::new(py, account.segments.iter().map(share))?)?;
    fields.set_item("escalated", account.escalated)?;
    fields.set_item("response_seconds", account.response.0)?;
    fields.set_item("machine_seconds", account.cost.0)?;
    fields.set_item("certificate", &account.certificate)?;
    classes.getattr("Tier")?.call((), Some(&fields))
}

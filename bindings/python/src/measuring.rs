//! Corpora measured utterance by utterance, for `paretone.ray`: the same rows as `paretone sweep`
//! and `paretone bench` write.

use std::path::PathBuf;
use std::sync::Mutex;

use paretone::decode::Cancel;
use paretone::eval::corpus::{self, Part, Utterance};
use paretone::eval::{AlignmentRule, Judging, Normaliser};
use paretone::recognizer::{RecognizerError, RecognizerScratch, ScoredAudio, Setting};
use paretone::sweep::identity::{claim, identity};
use paretone::sweep::words::{self, HeardWord, heard_words};
use paretone::sweep::{
    Heard, Measurement, MeasurementLog, Prepared, measure, outcome, point, space,
};
use paretone::tiers::{Counter, Outcome, Outcomes};
use paretone::units::Seconds;
use paretone::{ProvenanceError, WithCauses};
use pyo3::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::errors::{of_class, of_decode, of_recognizer, value, value_of};
use crate::interrupt::interruptible;
use crate::network::{Network, setting};
use crate::recognizer::Recognizer;

/// An utterance: id, audio, text, speaker, set, and where it starts and ends in the audio, if it is
/// a part.
pub type Said = (String, PathBuf, String, String, String, Option<(f64, Option<f64>)>);
/// The fields of a [`Measurement`], in their order.
pub type Row = (String, String, u32, u32, f64, f64, f64, f64, u32, u64, u64, u64);
/// The fields of an [`Outcome`]: id, group, set, version, errors, words, response, cost,
/// confidence, counters.
pub type OutcomeRow = (String, String, String, String, u32, u32, f64, f64, f64, Vec<f64>);

/// How words are compared, and how often each utterance is searched.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Rule {
    strict: bool,
    alignment: String,
    repeats: usize,
}

impl Rule {
    fn judging(&self) -> PyResult<Judging> {
        let rule = match self.alignment.as_str() {
            "minimal" => AlignmentRule::Minimal,
            "sclite" => AlignmentRule::Sclite,
            other => {
                return Err(value(format!(
                    "no alignment {other}: there are \"minimal\" and \"sclite\""
                )));
            }
        };
        if self.repeats == 0 {
            return Err(value("repeats are 1 or more"));
        }
        let join_compounds = !self.strict;
        Ok(Judging { normaliser: Normaliser { join_compounds }, rule })
    }
}

pub fn utterance((id, audio, text, speaker, set, part): Said) -> Utterance {
    let part = part.map(|(start, end)| Part { start: Seconds(start), end: end.map(Seconds) });
    Utterance { id, audio, text, speaker, set, part, ..Utterance::default() }
}

pub fn said(one: Utterance) -> Said {
    let part = one.part.map(|part| (part.start.0, part.end.map(|end| end.0)));
    (one.id, one.audio, one.text, one.speaker, one.set, part)
}

/// Any error with its causes, as `paretone.Error`.
pub fn error(error: &(dyn std::error::Error + 'static)) -> PyErr {
    of_class("Error", WithCauses(error).to_string())
}

/// The utterances of a corpus of any layout that the command line reads.
#[pyfunction]
#[pyo3(signature = (path, *, split=None, sets=None, limit=None))]
pub fn corpus_of(
    py: Python<'_>,
    path: PathBuf,
    split: Option<&str>,
    sets: Option<Vec<String>>,
    limit: Option<usize>,
) -> PyResult<Vec<Said>> {
    let mut all = py.detach(|| corpus::open(&path)).map_err(|told| error(&told))?;
    let is_asked = |one: &Utterance| {
        split.is_none_or(|split| split == one.split)
            && sets.as_ref().is_none_or(|sets| sets.contains(&one.set))
    };
    all.retain(is_asked);
    if let Some(limit) = limit {
        all = corpus::spread(all, limit);
    }
    if all.is_empty() {
        return Err(value("no utterance is of the split and sets asked for"));
    }
    Ok(all.into_iter().map(said).collect())
}

/// Random settings around a base, each once: those of `paretone sweep --search random`.
#[pyfunction]
pub fn random_settings(base: &str, count: usize, seed: u64) -> PyResult<Vec<String>> {
    let base: Setting = base.parse().map_err(|error| value_of(&error))?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let drawn = space::random(&base, count, &mut random);
    Ok(drawn.iter().map(Setting::to_string).collect())
}

/// Settings in the form in which logs have them.
///
/// # Errors
/// A `ValueError`: one is none.
#[pyfunction]
pub fn plain_settings(settings: Vec<String>) -> PyResult<Vec<String>> {
    let plain = |text: &String| text.parse().map(|setting: Setting| setting.to_string());
    let plain: Result<Vec<String>, _> = settings.iter().map(plain).collect();
    plain.map_err(|error| value_of(&error))
}

/// What measurements are of: as a sweep's folder says it, and all that the model was made of.
#[pyfunction]
pub fn kind_of(
    recognizer: &Recognizer,
    corpus: Vec<Said>,
    rule: Rule,
) -> PyResult<(String, String)> {
    let all: Vec<Utterance> = corpus.into_iter().map(utterance).collect();
    let (model, numbers) = (&recognizer.inner, recognizer.precision.here().to_string());
    let kind = identity(model.made_for(), &numbers, &all, rule.judging()?, rule.repeats);
    Ok((kind, model.made_for().to_string()))
}

/// The same of the scores of any network.
#[pyfunction]
pub fn kind_of_network(network: &Network, corpus: Vec<Said>, rule: Rule) -> PyResult<String> {
    let all: Vec<Utterance> = corpus.into_iter().map(utterance).collect();
    let made_for = network.inner.made_for();
    Ok(identity(made_for, "scores of a network", &all, rule.judging()?, rule.repeats))
}

/// Marks a sweep's folder as one of these measurements.
#[pyfunction]
pub fn claim_folder(folder: PathBuf, kind: &str) -> PyResult<()> {
    claim(&folder, kind).map_err(|told| error(&told))
}

/// An utterance, scored once and searched at each setting.
fn heard(
    py: Python<'_>,
    recognizer: &Recognizer,
    one: &Utterance,
    settings: &[Setting],
    repeats: usize,
) -> PyResult<(Prepared, Vec<Heard>)> {
    let stop = [Cancel::new()];
    let work = |scratch: &mut RecognizerScratch| -> Result<_, RecognizerError> {
        scratch.cancel_by(Some(stop[0].clone()));
        let prepared = measure::prepare(&recognizer.inner, one, repeats, scratch)?;
        let mut all = Vec::new();
        for setting in settings {
            let alone = std::slice::from_ref(setting);
            all.extend(measure::hear(&recognizer.inner, &prepared, alone, repeats, scratch)?);
        }
        Ok((prepared, all))
    };
    let made = interruptible(py, &stop, || recognizer.with_scratch(work))?;
    made.map_err(of_recognizer)
}

/// A matrix of any network's scores, searched at each setting; making it took so many processor
/// seconds.
fn heard_scores(
    py: Python<'_>,
    network: &Network,
    (log_probs, seconds): (&Bound<'_, PyAny>, f64),
    settings: &[Setting],
    repeats: usize,
) -> PyResult<(Prepared, Vec<Heard>)> {
    let scores = network.scores_of(log_probs)?;
    let all = network.heard(py, |scratch| {
        let mut all = Vec::new();
        for setting in settings {
            let alone = std::slice::from_ref(setting);
            let heard = measure::hear_scores(&network.inner, &scores, alone, repeats, scratch);
            all.extend(heard.map_err(|error| of_decode(&error))?);
        }
        Ok(all)
    })?;
    let mut scored = ScoredAudio::of_scores(scores);
    scored.forget_scores();
    Ok((Prepared { scored, reading: Seconds(0.0), scores: Seconds(seconds) }, all))
}

fn settings_of(settings: &[String]) -> PyResult<Vec<Setting>> {
    settings.iter().map(|text| setting(text)).collect()
}

/// A sweep's rows of an utterance, one a setting.
#[pyfunction]
pub fn measure_settings(
    py: Python<'_>,
    recognizer: &Recognizer,
    said: Said,
    settings: Vec<String>,
    rule: Rule,
) -> PyResult<Vec<Row>> {
    let (one, settings) = (utterance(said), settings_of(&settings)?);
    let (prepared, all) = heard(py, recognizer, &one, &settings, rule.repeats)?;
    rows_of(&one, &settings, (&prepared, &all), &rule)
}

/// The same of any network's scores, which took so many processor seconds to make.
#[pyfunction]
pub fn measure_settings_of_scores(
    py: Python<'_>,
    network: &Network,
    said: Said,
    scores: (Bound<'_, PyAny>, f64),
    settings: Vec<String>,
    rule: Rule,
) -> PyResult<Vec<Row>> {
    let (one, settings) = (utterance(said), settings_of(&settings)?);
    let scores = (&scores.0, scores.1);
    let (prepared, all) = heard_scores(py, network, scores, &settings, rule.repeats)?;
    rows_of(&one, &settings, (&prepared, &all), &rule)
}

fn rows_of(
    one: &Utterance,
    settings: &[Setting],
    (prepared, all): (&Prepared, &[Heard]),
    rule: &Rule,
) -> PyResult<Vec<Row>> {
    let judging = rule.judging()?;
    let row = |(setting, heard): (&Setting, &Heard)| {
        let judged = judging.judge(one, &heard.transcript.text());
        let judged = judged.map_err(|told| error(&told))?;
        Ok(row_of(Measurement::new(setting, &judged, prepared, heard)))
    };
    settings.iter().zip(all).map(row).collect()
}

fn row_of(one: Measurement) -> Row {
    (
        one.setting,
        one.id,
        one.errors,
        one.words,
        one.audio_seconds,
        one.scores_seconds,
        one.search_seconds,
        one.rescore_seconds,
        one.frames,
        one.tokens,
        one.arcs,
        one.epsilon_arcs,
    )
}

fn measurement(row: Row) -> Measurement {
    Measurement {
        setting: row.0,
        id: row.1,
        errors: row.2,
        words: row.3,
        audio_seconds: row.4,
        scores_seconds: row.5,
        search_seconds: row.6,
        rescore_seconds: row.7,
        frames: row.8,
        tokens: row.9,
        arcs: row.10,
        epsilon_arcs: row.11,
    }
}

/// A sweep's log on disk, `measurements.csv`.
#[pyclass(frozen, module = "paretone._paretone")]
pub struct Log {
    log: Mutex<MeasurementLog>,
}

#[pymethods]
impl Log {
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        let log = MeasurementLog::open(&path).map_err(|told| error(&told))?;
        Ok(Log { log: Mutex::new(log) })
    }

    /// What it held when it was opened: setting and id.
    #[getter]
    fn found(&self) -> Vec<(String, String)> {
        let log = self.log.lock().expect("no thread panics with the lock");
        let key = |one: &Measurement| (one.setting.clone(), one.id.clone());
        log.found.iter().map(key).collect()
    }

    /// Appends rows.
    fn append(&self, rows: Vec<Row>) -> PyResult<()> {
        let log = self.log.lock().expect("no thread panics with the lock");
        let mut rows = rows.into_iter().map(measurement);
        rows.try_for_each(|row| log.append(&row)).map_err(|told| error(&told))
    }
}

/// Adds a sweep's log up, and writes `points.csv`, `points.json` and `front.txt` beside it.
#[pyfunction]
pub fn save_points(folder: PathBuf) -> PyResult<()> {
    let log = MeasurementLog::open(&folder.join("measurements.csv"));
    let points = point::points(&log.map_err(|told| error(&told))?.found);
    Ok(point::save(&folder, &points)?)
}

/// An utterance's outcomes, one a version, with all counters; and the words that the versions
/// heard, as JSON.
#[pyfunction]
pub fn measure_versions(
    py: Python<'_>,
    recognizer: &Recognizer,
    said: Said,
    versions: Vec<String>,
    rule: Rule,
) -> PyResult<(Vec<OutcomeRow>, Vec<String>)> {
    let one = utterance(said);
    let setting = |name: &String| crate::hearing::setting(&recognizer.inner, Some(name), None);
    let settings: Vec<Setting> = versions.iter().map(setting).collect::<PyResult<_>>()?;
    let (prepared, all) = heard(py, recognizer, &one, &settings, rule.repeats)?;
    outcomes_of(&one, &versions, (&prepared, &all), &rule)
}

/// The same of any network's scores, which took so many processor seconds to make, at all versions.
#[pyfunction]
pub fn measure_versions_of_scores(
    py: Python<'_>,
    network: &Network,
    said: Said,
    scores: (Bound<'_, PyAny>, f64),
    rule: Rule,
) -> PyResult<(Vec<OutcomeRow>, Vec<String>)> {
    let versions = &network.inner.versions().list;
    let settings: Vec<Setting> = versions.iter().map(|version| version.setting).collect();
    let names: Vec<String> = versions.iter().map(|version| version.name.clone()).collect();
    let (one, scores) = (utterance(said), (&scores.0, scores.1));
    let (prepared, all) = heard_scores(py, network, scores, &settings, rule.repeats)?;
    outcomes_of(&one, &names, (&prepared, &all), &rule)
}

fn outcomes_of(
    one: &Utterance,
    versions: &[String],
    (prepared, all): (&Prepared, &[Heard]),
    rule: &Rule,
) -> PyResult<(Vec<OutcomeRow>, Vec<String>)> {
    let judging = rule.judging()?;
    let (mut rows, mut words) = (Vec::new(), Vec::new());
    for (version, heard) in versions.iter().zip(all) {
        let judged = judging.judge(one, &heard.transcript.text());
        let judged = judged.map_err(|told| error(&told))?;
        let heard_words = heard_words(version, &heard.transcript, &judged, &judging);
        let json = |word: &HeardWord| serde_json::to_string(word).expect("rows are plain values");
        words.extend(heard_words.iter().map(json));
        rows.push(outcome_row(outcome(version, &judged, prepared, heard)));
    }
    Ok((rows, words))
}

fn outcome_row(row: Outcome) -> OutcomeRow {
    let times = (row.response.0, row.cost.0);
    let counts = (row.errors, row.words);
    let (id, group, set, version) = (row.id, row.group, row.set, row.version);
    (id, group, set, version, counts.0, counts.1, times.0, times.1, row.confidence, row.counters)
}

/// Writes a table of heard words, as `paretone bench --words` does.
#[pyfunction]
pub fn save_words(path: PathBuf, words: Vec<String>) -> PyResult<()> {
    let words: Result<Vec<HeardWord>, _> =
        words.iter().map(|row| serde_json::from_str(row)).collect();
    words::write(&path, &words.map_err(|told| value_of(&told))?).map_err(|told| error(&told))
}

/// Writes a table of outcomes, as `paretone bench --outcomes` does.
#[pyfunction]
pub fn save_outcomes(made_for: &str, path: PathBuf, rows: Vec<OutcomeRow>) -> PyResult<()> {
    let row = |row: OutcomeRow| Outcome {
        id: row.0,
        group: row.1,
        set: row.2,
        version: row.3,
        errors: row.4,
        words: row.5,
        response: Seconds(row.6),
        cost: Seconds(row.7),
        confidence: row.8,
        counters: row.9,
    };
    let outcomes = Outcomes {
        made_for: made_for.parse().map_err(|told: ProvenanceError| value_of(&told))?,
        rows: rows.into_iter().map(row).collect(),
        ..Outcomes::with_counters(Counter::ALL)
    };
    let mut bytes = Vec::new();
    outcomes.write(&mut bytes).map_err(|told| error(&told))?;
    Ok(std::fs::write(path, bytes)?)
}

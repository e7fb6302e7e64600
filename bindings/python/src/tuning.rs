//! The steps of `paretone.tune` that are the library's: which speech, which settings, which
//! versions, their confidence and the rules.

use std::path::{Path, PathBuf};

use numpy::PyArray1;
use paretone::MadeFor;
use paretone::audio::Waveform;
use paretone::eval::corpus::{self, Utterance, halves};
use paretone::recognizer::Setting;
use paretone::sweep::fitting::{Examples, FitError};
use paretone::sweep::tuning::{self, Step};
use paretone::sweep::{MeasurementLog, Point, pick, point, space, words};
use paretone::tiers::learn::{Origin, learn, reference};
use paretone::tiers::{Costing, Options, Outcomes, Table};
use paretone::units::Hertz;
use pyo3::prelude::*;

use crate::errors::{of_recognizer, value, value_of};
use crate::measuring::{Said, error, said, utterance};
use crate::network::setting;
use crate::recognizer::Recognizer;

/// The speech to learn on and that to certify on, written as manifests to a folder.
#[pyfunction]
#[pyo3(signature = (path, folder, splits=None))]
pub fn part_speech(
    py: Python<'_>,
    path: PathBuf,
    folder: PathBuf,
    splits: Option<(String, String)>,
) -> PyResult<(Vec<Said>, Vec<Said>)> {
    let all = py.detach(|| corpus::open(&path)).map_err(|told| error(&told))?;
    let splits = splits.as_ref().map(|(learn, certify)| (learn.as_str(), certify.as_str()));
    let [learn, certify] = halves::halves(all, splits).map_err(|told| value_of(&told))?;
    for (name, part) in [("learn.tsv", &learn), ("certify.tsv", &certify)] {
        halves::keep(&folder.join(name), part).map_err(|told| error(&told))?;
    }
    let list = |part: Vec<Utterance>| part.into_iter().map(said).collect();
    Ok((list(learn), list(certify)))
}

/// The names of a tuning's steps, in their order.
#[pyfunction]
pub fn tuning_steps() -> Vec<&'static str> {
    Step::ALL.map(Step::name).into()
}

/// The utterances on which many settings are tried, evenly spread.
#[pyfunction]
pub fn tried_on(corpus: Vec<Said>) -> Vec<Said> {
    let all = corpus.into_iter().map(utterance).collect();
    corpus::spread(all, tuning::TRIED_ON).into_iter().map(said).collect()
}

/// The settings that a tuning's sweeps start from.
#[pyfunction]
pub fn tuning_bases(recognizer: &Recognizer) -> Vec<String> {
    let model = &recognizer.inner;
    let bases = tuning::bases(model.setting(), model.has_neural_model());
    bases.iter().map(Setting::to_string).collect()
}

/// An utterance's samples at a rate.
#[pyfunction]
pub fn samples_of<'py>(
    py: Python<'py>,
    said: Said,
    rate: u32,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let one = utterance(said);
    let heard = py.detach(|| one.waveform().and_then(|waveform| waveform.at_rate(Hertz(rate))));
    let Waveform { samples, .. } = heard.map_err(|told| of_recognizer(told.into()))?;
    Ok(PyArray1::from_vec(py, samples))
}

/// A grid around each base: of these levels, else of beams and numbers of tokens around the first
/// one's.
#[pyfunction]
#[pyo3(signature = (bases, levels=None))]
pub fn grid_settings(
    bases: Vec<String>,
    levels: Option<Vec<(String, Vec<f64>)>>,
) -> PyResult<Vec<String>> {
    let bases: PyResult<Vec<Setting>> = bases.iter().map(|base| setting(base)).collect();
    let bases = bases?;
    let first = bases.first().ok_or_else(|| value("a grid has a base"))?;
    let levels = match levels {
        None => space::levels_around(first).into(),
        Some(levels) => levels
            .into_iter()
            .map(|(name, values)| Ok((crate::decoder::knob(&name)?, values)))
            .collect::<PyResult<Vec<_>>>()?,
    };
    let all = bases.iter().flat_map(|base| space::grid(base, &levels));
    Ok(all.map(|setting| setting.to_string()).collect())
}

fn points(folder: &Path) -> PyResult<Vec<Point>> {
    let log = MeasurementLog::open(&folder.join("measurements.csv"));
    Ok(point::points(&log.map_err(|told| error(&told))?.found))
}

/// The settings of a sweep that are on its front or close enough to it to be measured on all, for
/// versions of which the fastest has so much more errors.
#[pyfunction]
pub fn close_settings(folder: PathBuf, gap: f64) -> PyResult<Vec<String>> {
    let points = points(&folder)?;
    let close = space::close(&points, tuning::gap_to_measure(gap));
    Ok(close.into_iter().map(|at| points[at].setting.clone()).collect())
}

/// The text of `versions.toml`, for a sweep.
#[pyfunction]
pub fn pick_versions(
    folder: PathBuf,
    count: usize,
    gap: f64,
    made_for: &str,
    measured_on: String,
) -> PyResult<String> {
    let made_for: MadeFor =
        made_for.parse().map_err(|told: paretone::ProvenanceError| value_of(&told))?;
    let versions = pick::versions(&points(&folder)?, (count, gap), made_for, measured_on);
    Ok(versions.map_err(|told| error(&told))?.to_text())
}

fn table_of(outcomes: &Path) -> PyResult<Table> {
    let outcomes = Outcomes::open(outcomes).map_err(|told| error(&told))?;
    Table::new(&outcomes).map_err(|told| error(&told))
}

/// The text of `confidence.json`, or why there is too little to make one from.
#[pyfunction]
pub fn fit_confidence(
    py: Python<'_>,
    outcomes: PathBuf,
    heard: PathBuf,
) -> PyResult<(Option<String>, String)> {
    let table = table_of(&outcomes)?;
    let heard = words::read(&heard).map_err(|told| error(&told))?;
    let examples = Examples::new(&table, &heard).map_err(|told| error(&told))?;
    let calibration = match py.detach(|| examples.fit()) {
        Ok(calibration) => calibration,
        Err(told @ (FitError::TooFew(_) | FitError::NoLattices(_))) => {
            return Ok((None, told.to_string()));
        }
        Err(told) => return Err(error(&told)),
    };
    let text = serde_json::to_string_pretty(&calibration).expect("heads are plain numbers");
    Ok((Some(text + "\n"), String::new()))
}

/// The text of `rules.toml`, for a table of outcomes.
#[pyfunction]
pub fn learn_rules(
    py: Python<'_>,
    outcomes: PathBuf,
    date: String,
    outcomes_sha256: String,
) -> PyResult<String> {
    let table = table_of(&outcomes)?;
    let most_accurate = reference(&table, None).map_err(|told| error(&told))?;
    let how = (Costing::default(), Options::default());
    let origin = Origin { date, outcomes_sha256 };
    let (_, rules) = py.detach(|| learn(&table, most_accurate, how, None, origin));
    Ok(rules.to_text())
}

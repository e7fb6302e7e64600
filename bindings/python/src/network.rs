//! A graph for the scores of any network, with what a tuning learnt of its answers.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use numpy::PyUntypedArrayMethods;
use paretone::WithCauses;
use paretone::acoustic::Scores;
use paretone::decode::{Cancel, Scratch};
use paretone::recognizer::{AnyNetwork, AnyNetworkError, NetworkScores, Setting};
use paretone::tiers::{RULES_FILE, Rules};
use paretone::units::Seconds;
use pyo3::prelude::*;

use crate::answer::result;
use crate::arrays;
use crate::errors::{of_class, of_decode, value, value_of};
use crate::graph::Graph;
use crate::hearing::{self, Heard};
use crate::interrupt::interruptible;
use crate::routing::{Tier, tier_of};

/// A model's folder, opened: the graph, how scores are read, versions and confidence.
#[pyclass(frozen, module = "paretone._paretone")]
pub struct Network {
    pub inner: AnyNetwork,
    folder: PathBuf,
    scratches: Mutex<Vec<Scratch>>,
}

/// Why a folder is no model.
fn model_error(error: &AnyNetworkError) -> PyErr {
    match error {
        AnyNetworkError::Description { .. } => value_of(error),
        _ => of_class("ModelError", WithCauses(error).to_string()),
    }
}

#[pymethods]
impl Network {
    #[new]
    fn new(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let inner = py.detach(|| AnyNetwork::open(&folder)).map_err(|error| model_error(&error))?;
        Ok(Network { inner, folder, scratches: Mutex::default() })
    }

    /// Makes a model of a graph.
    #[staticmethod]
    fn save(
        py: Python<'_>,
        folder: PathBuf,
        graph: &Graph,
        network: String,
        frame_shift: f64,
        acoustic_scale: f32,
    ) -> PyResult<()> {
        let scores = NetworkScores { network, frame_shift: Seconds(frame_shift), acoustic_scale };
        let saved =
            py.detach(|| AnyNetwork::save(&folder, &graph.automaton, &graph.words, &scores));
        saved.map_err(|error| model_error(&error))
    }

    /// What measurements depend on.
    #[getter]
    fn made_for(&self) -> String {
        self.inner.made_for().to_string()
    }

    /// Names and settings of the versions, fastest first.
    #[getter]
    fn versions<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        crate::recognizer::versions_of(py, self.inner.versions())
    }

    /// What scores say at a version, and how sure it is that no other version does better.
    #[pyo3(signature = (log_probs, version=None))]
    fn search<'py>(
        &self,
        py: Python<'py>,
        log_probs: &Bound<'py, PyAny>,
        version: Option<&str>,
    ) -> PyResult<(Py<PyAny>, f64)> {
        let versions = self.inner.versions();
        let found = version.map_or_else(|| versions.most_accurate(), |name| versions.get(name));
        let found = found.ok_or_else(|| {
            let names: Vec<&str> = versions.names().collect();
            value(format!("there is no such version: there are {}", names.join(", ")))
        })?;
        let scores = self.scores_of(log_probs)?;
        let transcript = self.heard(py, |scratch| {
            self.inner.search(&found.setting, &scores, scratch).map_err(|error| of_decode(&error))
        })?;
        let sure = transcript.confidence.map_or(0.0, |known| 1.0 - known.improvable);
        let version = Some(found.name.clone());
        let heard = Heard { transcript, tier: None, version, partly_read: None };
        Ok((result(py, &heard)?, sure))
    }

    /// The tier of a tolerance and an objective, as `Routing.tier` gives it.
    fn tier(&self, tolerance: &Bound<'_, PyAny>, objective: Option<&str>) -> PyResult<Tier> {
        let (tolerance, objective) =
            (hearing::tolerance(tolerance)?, hearing::objective(objective)?);
        let rules = Rules::open(&self.folder.join(RULES_FILE))
            .map_err(|error| of_class("TierError", WithCauses(&error).to_string()))?;
        let changed = rules.made_for.changed(self.inner.made_for());
        if !changed.is_empty() {
            let changed = changed.join(" and ");
            return Err(of_class(
                "TierError",
                format!("the rules were learnt before the {changed} changed: tune the model again"),
            ));
        }
        let rule = rules.rule(tolerance, objective).ok_or_else(|| {
            of_class("TierError", format!("there are no rules for {}", objective.name()))
        })?;
        let name = format!("{}/{}", rule.objective.name(), rule.tolerance.as_share());
        Ok(tier_of(name, rule, &rules.id()))
    }
}

impl Network {
    /// The scores of an array, as the search wants them.
    pub fn scores_of(&self, log_probs: &Bound<'_, PyAny>) -> PyResult<Scores> {
        let matrix = arrays::matrix(log_probs)?;
        let columns = matrix.shape()[1];
        if columns == 0 {
            return Err(value("the scores have no columns"));
        }
        Ok(self.inner.scaled(matrix.as_slice()?, columns))
    }

    /// Searches without Python's lock, until a signal.
    pub fn heard<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Scratch) -> PyResult<T> + Send,
    ) -> PyResult<T> {
        let free = || self.scratches.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = free().pop().unwrap_or_default();
        let stop = [Cancel::new()];
        scratch.cancel = Some(stop[0].clone());
        let made = interruptible(py, &stop, || {
            let made = work(&mut scratch);
            scratch.cancel = None;
            (made, scratch)
        });
        let (made, scratch) = made?;
        free().push(scratch);
        made
    }
}

/// The setting of this text.
pub fn setting(text: &str) -> PyResult<Setting> {
    text.parse().map_err(|error: paretone::recognizer::SettingError| value_of(&error))
}

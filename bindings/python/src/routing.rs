//! Tiers for `paretone.ray.serve`, whose versions run elsewhere: which policy serves a tolerance,
//! one version's answer with what policies compare, and the watch for drift.

use std::sync::{Arc, Mutex, PoisonError};

use paretone::decode::Cancel;
use paretone::eval::disagreement;
use paretone::scheduler::Routing as Routes;
use paretone::tiers::drift::{self, Limits};
use paretone::tiers::{Choice, Policy, Rule};
use paretone::{Tiers, TiersError};
use pyo3::prelude::*;

use crate::answer::result;
use crate::errors::{of_tiers, value_of};
use crate::hearing::{self, How};
use crate::interrupt::interruptible;
use crate::recognizer::Recognizer;

/// A token that stops a hearing.
#[pyclass(frozen, module = "paretone._paretone")]
pub struct Stop {
    token: Cancel,
}

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Stop { token: Cancel::new() }
    }

    /// Stops the hearing within a frame.
    fn stop(&self) {
        self.token.cancel();
    }
}

/// What a version hears in a recording, and how sure it is that no other version does better, from
/// 0 to 1.
#[pyfunction]
pub fn hear_version(
    py: Python<'_>,
    recognizer: &Recognizer,
    audio: &Bound<'_, PyAny>,
    version: &str,
    stop: &Stop,
) -> PyResult<(Py<PyAny>, f64)> {
    let setting = hearing::setting(&recognizer.inner, Some(version), None)?;
    let how = How::Setting { setting, n_best: 0 };
    let recording = recognizer.recording(audio, None)?;
    let source = recording.source(None)?;
    let tokens = [stop.token.clone(), Cancel::new()];
    let heard = interruptible(py, &tokens.clone(), || {
        recognizer.with_scratch(|scratch| how.hear(&recognizer.inner, &source, scratch, tokens))
    })?;
    let heard = heard.map_err(of_tiers)?;
    let known = heard.transcript.confidence;
    let sure = known.map_or(0.0, |known| 1.0 - known.improvable);
    Ok((result(py, &heard)?, sure))
}

/// Which policy serves a tolerance, by the rules of a model.
#[pyclass(frozen, module = "paretone._paretone")]
pub struct Routing {
    tiers: Arc<Tiers>,
}

/// A tier: name, bound, certificate, policy as text; its kind, versions, threshold, and whether the
/// second version's answer is always given once both have run.
pub type Tier = (String, f64, String, String, String, Vec<String>, f64, bool);

/// A rule as a tier of this name.
pub fn tier_of(name: String, rule: &Rule, certificate: &str) -> Tier {
    let (kind, versions, pair) = match &rule.policy {
        Policy::Single { version } => ("osfa", vec![version.clone()], None),
        Policy::Seq(pair) => ("seq", vec![pair.first.clone(), pair.second.clone()], Some(pair)),
        Policy::Conc(pair) => ("conc", vec![pair.first.clone(), pair.second.clone()], Some(pair)),
    };
    (
        name,
        rule.bound,
        certificate.into(),
        rule.policy.to_string(),
        kind.into(),
        versions,
        pair.map_or(0.0, |pair| pair.threshold),
        pair.is_some_and(|pair| pair.choice == Choice::Second),
    )
}

#[pymethods]
impl Routing {
    #[new]
    fn new(py: Python<'_>, recognizer: &Recognizer) -> PyResult<Self> {
        let tiers = recognizer.tiers(py)?;
        Ok(Routing { tiers })
    }

    /// The tier of a tolerance and an objective, as Python writes them.
    fn tier(&self, tolerance: &Bound<'_, PyAny>, objective: Option<&str>) -> PyResult<Tier> {
        let (name, rule) = self.rule(tolerance, objective)?;
        Ok(tier_of(name, rule, self.tiers.routing().certificate()))
    }

    /// Whether a share of requests that are answered by the most accurate version too, unseen by
    /// their callers, has the request of this id.
    fn shadows(
        &self,
        tolerance: &Bound<'_, PyAny>,
        objective: Option<&str>,
        id: &str,
        share: f64,
    ) -> PyResult<bool> {
        let rule = self.rule(tolerance, objective)?.1;
        Ok(drift::shadows(rule, id, share))
    }

    /// The versions that any tier asks for, fastest first.
    #[getter]
    fn asked(&self) -> Vec<String> {
        let routes = self.tiers.routing();
        let asks = |name: &String| {
            let names = |policy: &Policy<String>| match policy {
                Policy::Single { version } => version == name,
                Policy::Seq(pair) | Policy::Conc(pair) => {
                    pair.first == *name || pair.second == *name
                }
            };
            routes.policies().any(names)
        };
        { routes.versions().iter() }.filter(|name| asks(name)).cloned().collect()
    }
}

impl Routing {
    /// The rule that serves a tolerance, with the tier's name.
    fn rule(
        &self,
        tolerance: &Bound<'_, PyAny>,
        objective: Option<&str>,
    ) -> PyResult<(String, &Rule)> {
        let tolerance = hearing::tolerance(tolerance)?;
        let objective = hearing::objective(objective)?;
        let routes: &Routes = self.tiers.routing();
        let tier = routes.tier(tolerance, objective);
        let tier = tier.map_err(|error| of_tiers(TiersError::from(error)))?;
        Ok((routes.tier_name(tier), routes.rule(tier)))
    }
}

/// Watches whether traffic still is like the speech that rules were learnt from.
#[pyclass(frozen, module = "paretone._paretone")]
pub struct Watch {
    /// None where the rules leave nothing to watch for.
    inner: Mutex<Option<drift::Watch>>,
}

#[pymethods]
impl Watch {
    /// A watch by the rules' limits, which has seen nothing.
    #[new]
    fn new(routing: &Routing) -> Self {
        let limits = Limits::of(routing.tiers.routing().rules());
        Watch { inner: Mutex::new(drift::Watch::new(limits).ok()) }
    }

    /// Takes an answer's words and its shadow's: the words in which they differ, those of the
    /// shadow, the evidence of drift as odds, and whether the alarm is on.
    fn compare(&self, answer: Vec<String>, shadow: Vec<String>) -> PyResult<(u32, u32, f64, bool)> {
        let unit = disagreement(&answer, &shadow).map_err(|told| value_of(&told))?;
        let mut watch = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (evidence, is_on) = watch.as_mut().map_or((1.0, false), |watch| {
            let is_on = watch.update(unit);
            (watch.evidence(), is_on)
        });
        Ok((unit.distance, unit.words, evidence, is_on))
    }
}

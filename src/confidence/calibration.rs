//! Calibration: from measurements of a search to probabilities that can be taken at face value.
//!
//! Each version has four regressions (*heads*). *Right* predicts that every word is right.
//! *Improvable* predicts that the most accurate version makes fewer errors, which is what routing
//! needs. *Errors* predicts how many word errors there are. *Word* predicts that one word is right.
//! They are fitted on development speech and stored in `confidence.json` beside the model.
//!
//! The heads for whole answers are fitted twice: to the answers of all versions together, and from
//! there to those of each version, with a strong ridge (partial pooling: Gelman and Hill, "Data
//! Analysis Using Regression and Multilevel/Hierarchical Models", 2007, chapter 12). A version that
//! the most accurate one seldom improves on has too few examples to learn from alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, FEATURES};
use super::logistic::Logistic;
use super::poisson::Poisson;
use super::regression::Rows;
use super::word::{WORD_FEATURES, WordEvidence};
use crate::provenance::{MadeFor, hash};

/// The file's name, in the model's folder.
pub const CONFIDENCE_FILE: &str = "confidence.json";
/// Largest size of a calibration file in bytes; a longer file is refused.
const MAX_BYTES: u64 = 1 << 20;
/// Knots of each input.
const KNOTS: usize = 2;
/// Weight of the ridge of what the versions have in common, for standardised inputs.
const COMMON_RIDGE: f64 = 100.0;
/// Weight of the ridge that draws a version to what the versions have in common.
const OWN_RIDGE: f64 = 100.0;
/// Weight of the ridge for words.
const WORD_RIDGE: f64 = 30.0;

/// The calibrated confidence of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confidence {
    /// The probability that every word is right; in [0, 1].
    pub right: f64,
    /// The probability that the most accurate version makes fewer errors; in [0, 1].
    pub improvable: f64,
}

/// The heads of one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    right: Logistic,
    improvable: Logistic,
    /// Errors per score frame; `None` in calibrations from before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    errors: Option<Poisson>,
    /// `None` if no words were recorded to fit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    word: Option<Logistic>,
}

/// One answer with its measurements and its outcome, for fitting.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The measurements of its search.
    pub evidence: Evidence,
    /// Whether every word was right.
    pub right: bool,
    /// Whether the most accurate version made fewer errors.
    pub improvable: bool,
    /// How many word errors were made.
    pub errors: u32,
    /// How much it counts where examples abound, for being right and for errors; above 0. That the
    /// most accurate version does better is rare, and there each counts the same.
    pub weight: f64,
}

/// One word with its measurements and its outcome, for fitting.
#[derive(Clone, Copy, Debug)]
pub struct WordExample {
    /// The measurements of the word.
    pub evidence: WordEvidence,
    /// Whether the word was said.
    pub right: bool,
}

impl Heads {
    /// Fits the heads for whole answers of each version.
    pub fn fit(versions: &BTreeMap<String, Vec<Example>>) -> BTreeMap<String, Heads> {
        let common = Heads::common(versions);
        let own = |(name, examples): (&String, &Vec<Example>)| {
            let answers = Answers::of(examples);
            let (even, weighted) = (answers.even(), answers.weighted());
            let heads = Heads {
                right: common.right.refit(weighted, &answers.right, OWN_RIDGE),
                improvable: common.improvable.refit(even, &answers.improvable, OWN_RIDGE),
                errors: common.errors.as_ref().map(|errors| {
                    errors.refit(weighted, &answers.errors, &answers.frames, OWN_RIDGE)
                }),
                word: None,
            };
            (name.clone(), heads)
        };
        versions.iter().map(own).collect()
    }

    /// Fits what the versions have in common.
    fn common(versions: &BTreeMap<String, Vec<Example>>) -> Heads {
        let all = Answers::of(versions.values().flatten());
        // A version that nothing improves on teaches nothing, unless there is no other.
        let teaches = |examples: &&Vec<Example>| {
            examples.iter().any(|example| example.improvable) || !all.improvable.contains(&true)
        };
        let improved = Answers::of(versions.values().filter(teaches).flatten());
        let (right, errors) = (
            Logistic::fit(all.weighted(), &all.right, KNOTS, COMMON_RIDGE),
            Poisson::fit(all.weighted(), &all.errors, &all.frames, KNOTS, COMMON_RIDGE),
        );
        let improvable = Logistic::fit(improved.even(), &improved.improvable, KNOTS, COMMON_RIDGE);
        Heads { right, improvable, errors: Some(errors), word: None }
    }

    /// Fits the head for words; without words the head is removed.
    pub fn fit_words(&mut self, words: &[WordExample]) {
        let features = |word: &WordExample| word.evidence.features().to_vec();
        let inputs: Vec<Vec<f64>> = words.iter().map(features).collect();
        let labels: Vec<bool> = words.iter().map(|word| word.right).collect();
        self.word = (!words.is_empty())
            .then(|| Logistic::fit(Rows::even(&inputs), &labels, KNOTS, WORD_RIDGE));
    }

    /// Returns the probability that a word is right. Without a head for words it is the lattice's
    /// own.
    pub fn word(&self, word: &WordEvidence) -> f64 {
        match &self.word {
            Some(head) => head.probability(&word.features()),
            None => word.posterior,
        }
    }

    /// Returns the calibrated confidence of an answer with these measurements.
    pub fn confidence(&self, evidence: &Evidence) -> Confidence {
        let features = evidence.features();
        Confidence {
            right: self.right.probability(&features),
            improvable: self.improvable.probability(&features),
        }
    }

    /// Whether there is a head for errors.
    pub fn expect_errors(&self) -> bool {
        self.errors.is_some()
    }

    /// Returns how many word errors are expected of an answer with these measurements: words added,
    /// left out or replaced; `None` without a head for them. Those of a recording's segments are
    /// added up.
    pub fn expected_errors(&self, evidence: &Evidence) -> Option<f64> {
        let errors = self.errors.as_ref()?;
        Some(frames(evidence) * errors.rate(&evidence.features()))
    }

    fn fits(&self) -> bool {
        let whole = [&self.right.0, &self.improvable.0].into_iter();
        let errors = self.errors.iter().map(|head| &head.0);
        whole.chain(errors).all(|head| head.is_sound(FEATURES))
            && self.word.as_ref().is_none_or(|head| head.0.is_sound(WORD_FEATURES))
    }
}

/// Answers, as heads are fitted to them.
#[derive(Default)]
struct Answers {
    inputs: Vec<Vec<f64>>,
    weights: Vec<f64>,
    right: Vec<bool>,
    improvable: Vec<bool>,
    errors: Vec<f64>,
    frames: Vec<f64>,
}

impl Answers {
    fn of<'a>(examples: impl IntoIterator<Item = &'a Example>) -> Answers {
        let mut answers = Answers::default();
        for example in examples {
            answers.inputs.push(example.evidence.features().to_vec());
            answers.weights.push(example.weight);
            answers.right.push(example.right);
            answers.improvable.push(example.improvable);
            answers.errors.push(f64::from(example.errors));
            answers.frames.push(frames(&example.evidence));
        }
        answers
    }

    /// Where all count the same.
    fn even(&self) -> Rows<'_> {
        Rows::even(&self.inputs)
    }

    /// By how much each counts.
    fn weighted(&self) -> Rows<'_> {
        Rows::weighted(&self.inputs, &self.weights)
    }
}

/// What errors are counted in; at least 1.
fn frames(evidence: &Evidence) -> f64 {
    f64::from(evidence.frames.max(1))
}

/// The heads of each version of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The model, front end and versions whose answers it was fitted to.
    #[serde(default, skip_serializing_if = "MadeFor::is_unknown")]
    pub made_for: MadeFor,
    /// By the version's name.
    pub versions: BTreeMap<String, Heads>,
}

/// Why a calibration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrationError {
    /// The file cannot be read.
    #[error("{} cannot be read or written", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A version was fitted to other measurements, as those of another edition of this library.
    #[error("{}: {version} was fitted to other evidence; fit it again with `paretone confidence fit`", path.display())]
    OtherEvidence {
        /// The file.
        path: PathBuf,
        /// The version.
        version: String,
    },
    /// The file is not what it should be.
    #[error("{}: {problem}; fit it again with `paretone confidence fit`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

impl Calibration {
    /// A hash of the heads that tiers depend on, those for whole answers being right or improvable;
    /// `None` if the calibration is empty.
    pub fn hash(&self) -> Option<String> {
        let mut versions = self.versions.clone();
        versions.values_mut().for_each(|heads| (heads.errors, heads.word) = (None, None));
        let heads = serde_json::to_vec(&versions).expect("heads are plain numbers");
        (!versions.is_empty()).then(|| hash([heads.as_slice()]))
    }

    /// The calibration in a model's folder; empty if it has none.
    ///
    /// # Errors
    /// The file cannot be read or is malformed.
    pub fn of_model(folder: &Path) -> Result<Calibration, CalibrationError> {
        let path = folder.join(CONFIDENCE_FILE);
        if !path.exists() {
            return Ok(Calibration::default());
        }
        let io = |source| CalibrationError::Io { path: path.clone(), source };
        if std::fs::metadata(&path).map_err(io)?.len() > MAX_BYTES {
            return Err(CalibrationError::Format {
                problem: format!("more than {MAX_BYTES} bytes"),
                path,
            });
        }
        Calibration::parse(&std::fs::read(&path).map_err(io)?, &path)
    }

    /// As [`Calibration::of_model`], but one that was fitted to other evidence is empty, and a
    /// warning says so: without it a model is as good as it was, but for its confidences.
    ///
    /// # Errors
    /// As [`Calibration::of_model`].
    pub fn for_use(folder: &Path) -> Result<Calibration, CalibrationError> {
        match Calibration::of_model(folder) {
            Err(error @ CalibrationError::OtherEvidence { .. }) => {
                tracing::warn!("{error}; until then confidences are withheld");
                Ok(Calibration::default())
            }
            calibration => calibration,
        }
    }

    /// Parses the bytes of a calibration found at `path`.
    ///
    /// # Errors
    /// No JSON, missing or unknown fields, numbers that are not finite or too few.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Calibration, CalibrationError> {
        let format = |problem: String| CalibrationError::Format { path: path.into(), problem };
        let calibration: Calibration =
            serde_json::from_slice(bytes).map_err(|error| format(error.to_string()))?;
        let misfit = calibration.versions.iter().find(|(_, heads)| !heads.fits());
        match misfit {
            Some((version, _)) => {
                Err(CalibrationError::OtherEvidence { path: path.into(), version: version.clone() })
            }
            None => Ok(calibration),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::WordFit;

    fn examples() -> Vec<Example> {
        let example = |i: u32| {
            let doubtful = i.is_multiple_of(3);
            Example {
                evidence: Evidence {
                    words: 4 + i % 5,
                    expected_errors: if doubtful { 1.5 } else { 0.1 },
                    posterior: if doubtful { 0.05 } else { 0.9 },
                    weakest_word: if doubtful { 0.3 } else { 0.98 },
                    frames: 100 + i,
                    ..Evidence::default()
                },
                right: !doubtful || i.is_multiple_of(4),
                improvable: doubtful && i % 4 == 1,
                errors: if doubtful { 1 + i % 3 } else { 0 },
                weight: 1.0,
            }
        };
        (0..200).map(example).collect()
    }

    /// Every third word is doubtful, and wrong three times of four.
    fn word_examples() -> [WordExample; 90] {
        std::array::from_fn(|i| {
            let doubtful = i.is_multiple_of(3);
            let evidence = WordEvidence {
                posterior: if doubtful { 0.6 } else { 0.99 },
                listed: if doubtful { 0.5 } else { 1.0 },
                before: 1.0,
                after: 1.0,
                seconds: 0.3,
                letters: 4 + i as u32 % 3,
                fit: WordFit::default(),
                answer: Evidence::default(),
            };
            WordExample { evidence, right: !doubtful || i.is_multiple_of(4) }
        })
    }

    #[test]
    fn doubt_lowers_confidence_and_files_are_read_back() {
        let examples = examples();
        let mut fitted = Heads::fit(&BTreeMap::from([("v1".to_owned(), examples.clone())]));
        let mut heads = fitted.remove("v1").unwrap();
        let words = word_examples();
        heads.fit_words(&words);
        let word = |at: usize| heads.word(&words[at].evidence);
        assert!(word(1) > 0.8 && word(0) < 0.5, "{} {}", word(1), word(0));
        let [sure, doubtful] = [1, 0].map(|i| heads.confidence(&examples[i].evidence));
        assert!(sure.right > 0.9 && doubtful.right < 0.5, "{sure:?} {doubtful:?}");
        assert!(sure.improvable < 0.1 && doubtful.improvable > sure.improvable);
        let [few, many] = [1, 0].map(|i| heads.expected_errors(&examples[i].evidence).unwrap());
        assert!(few < 0.3 && many > 0.6, "{few} {many}");
        let versions = BTreeMap::from([("v1".to_owned(), heads)]);
        let calibration = Calibration { versions, ..Calibration::default() };
        let bytes = serde_json::to_vec(&calibration).unwrap();
        let read = Calibration::parse(&bytes, Path::new(CONFIDENCE_FILE)).unwrap();
        let again = read.versions["v1"].confidence(&examples[0].evidence);
        assert!((again.right - doubtful.right).abs() < 1e-12);
    }

    /// Of ten examples alone a version could not learn what doubt means; from others it does, and
    /// its own level is its own.
    #[test]
    fn a_version_learns_from_the_others() {
        let many = (0..20).flat_map(|_| examples()).collect::<Vec<_>>();
        let few: Vec<Example> = many[..10]
            .iter()
            .map(|example| Example { improvable: false, errors: 0, ..*example })
            .collect();
        let names = ["v1", "v2"].map(str::to_owned);
        let versions = BTreeMap::from_iter(names.into_iter().zip([many.clone(), few]));
        let heads = Heads::fit(&versions);
        let right = |name: &str, at: usize| heads[name].confidence(&many[at].evidence).right;
        assert!(right("v1", 1) > 0.95 && right("v1", 0) < 0.4, "{}", right("v1", 0));
        assert!(right("v2", 1) - right("v2", 0) > 0.3, "{}", right("v2", 0));
        // Nothing improves on v2, and it never errs.
        let of_v2 = &heads["v2"];
        assert!(of_v2.confidence(&many[0].evidence).improvable < 0.1);
        assert!(of_v2.expected_errors(&many[0].evidence).unwrap() < 0.2);
    }

    #[test]
    fn one_version_alone_can_be_calibrated() {
        let alone = |example: Example| Example { improvable: false, ..example };
        let examples: Vec<Example> = examples().into_iter().map(alone).collect();
        let heads = Heads::fit(&BTreeMap::from([("v1".to_owned(), examples.clone())]));
        let calibration = Calibration { versions: heads, ..Calibration::default() };
        let bytes = serde_json::to_vec(&calibration).unwrap();
        let read = Calibration::parse(&bytes, Path::new(CONFIDENCE_FILE)).unwrap();
        assert!(read.versions["v1"].confidence(&examples[0].evidence).improvable < 0.01);
    }

    #[test]
    fn other_files_are_refused() {
        let said = |text: &str| {
            let parsed = Calibration::parse(text.as_bytes(), Path::new("c.json"));
            parsed.unwrap_err().to_string()
        };
        assert!(said("[]").contains("confidence fit"));
        let short = r#"{"mean": [0], "deviation": [1], "weights": [1], "bias": 0}"#;
        let text = format!(
            r#"{{"versions": {{"v1": {{"right": {short}, "improvable": {short}, "errors": {short}}}}}}}"#
        );
        assert!(said(&text).contains("v1 was fitted to other evidence; fit it again"));
        // What no fit gives would make infinities of either sign, and no number of their sum.
        let versions = Heads::fit(&BTreeMap::from([("v1".to_owned(), examples())]));
        let calibration = Calibration { versions, ..Calibration::default() };
        let mut json = serde_json::to_value(&calibration).unwrap();
        assert!(Calibration::parse(json.to_string().as_bytes(), Path::new("c.json")).is_ok());
        json["versions"]["v1"]["right"]["weights"][0] = serde_json::json!(1e300);
        assert!(said(&json.to_string()).contains("fit it again"));
    }
}

//! How far to trust it? Posteriors, expected errors and calibrated confidence of an answer.
//!
//! [`posteriors`] turns the costs of a lattice's paths into probabilities, and [`mbr`] into
//! expected errors; [`least_risk`] chooses the words that have the fewest. [`Evidence`] collects
//! the measurements from which a [`Calibration`] computes a confidence.

mod calibration;
mod evidence;
pub mod least_risk;
pub mod logistic;
pub mod mbr;
mod n_best_risk;
pub mod poisson;
pub mod posteriors;
pub mod regression;
#[cfg(test)]
mod tests;
mod word;

pub use calibration::{
    CONFIDENCE_FILE, Calibration, CalibrationError, Confidence, Example, Heads, WordExample,
};
pub use evidence::{Evidence, FEATURES, Findings, doubt, least_risk_words};
pub use word::{WORD_FEATURES, WordEvidence};

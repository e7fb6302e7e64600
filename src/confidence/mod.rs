//! How far to trust it? What a lattice says about its best path.
//!
//! [`posteriors`] turns path costs into probabilities, [`mbr`] into expected errors, and
//! [`Evidence`] gathers what a [`Calibration`] reads.

mod calibration;
mod evidence;
pub mod logistic;
pub mod mbr;
pub mod posteriors;
#[cfg(test)]
mod tests;
mod word;

pub use calibration::{
    CONFIDENCE_FILE, Calibration, CalibrationError, Confidence, Example, Heads, WordExample,
};
pub use evidence::{Evidence, FEATURES, doubt};
pub use word::{WORD_FEATURES, WordEvidence};

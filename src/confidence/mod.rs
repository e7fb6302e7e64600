//! How far to trust it? What a lattice says about its best path.
//!
//! [`posteriors`] turns path costs into probabilities, [`mbr`] into expected errors, and
//! [`Evidence`] gathers what a calibration reads.

mod evidence;
pub mod mbr;
pub mod posteriors;
#[cfg(test)]
mod tests;

pub use evidence::{Evidence, doubt};

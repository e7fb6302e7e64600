//! The statistics behind a certificate, each a pure function with its reference.
//!
//! `scripts/golden_statistics.py` writes what scipy and statsmodels make of them;
//! `tests/statistics.rs` holds the two together.

pub mod betting;
pub mod binomial;
pub mod correlation;
pub mod quantile;
pub mod ratio;
pub mod sup_t;

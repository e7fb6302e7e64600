//! Which version answers? Recorded outcomes, and what is decided from them.
//!
//! An [`Outcome`] is one measured row: what one version of a service made of one request. Policies,
//! rules and experiments read such rows and nothing else, so they need no audio and no clock, and
//! serve any service whose results can be counted.

mod outcome;

pub use outcome::{Outcome, OutcomeError, Outcomes};

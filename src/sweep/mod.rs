//! Which settings are worth having? The knobs' space, what was measured in it, and its front.
//!
//! A sweep measures every utterance at every setting of a plan ([`space`]), appends what it
//! measured to a log ([`log`]), and adds the log up to one [`Point`] a setting ([`point`]).
//! [`measure`] runs and times the recogniser over a corpus, [`outcome`] makes rows of
//! [outcomes](crate::tiers::Outcome) from what it heard, [`words`] rows of words, and [`analyse`]
//! says whom to blame for what is wrong. [`tuning`] is the way from there to certified tiers. In
//! which order a plan is measured is the caller's affair.

mod analysis;
pub mod fitting;
pub mod halving;
pub mod identity;
pub mod log;
pub mod measure;
mod outcomes;
pub mod pick;
pub mod point;
pub mod space;
pub mod tuning;
pub mod words;

pub use analysis::{Analysis, analyse};
pub use log::{LogError, Measurement, MeasurementLog};
pub use measure::{Heard, Prepared};
pub use outcomes::{MissingCounter, evidence, outcome};
pub use pick::pick;
pub use point::Point;

//! Which settings are worth having? The knobs' space, what was measured in it, and its front.
//!
//! A sweep measures every utterance at every setting of a plan ([`space`]), appends what it
//! measured to a log ([`log`]), and adds the log up to one [`Point`] a setting ([`point`]). Who runs
//! the recogniser, and in which order, is the caller's affair.

pub mod halving;
pub mod log;
pub mod pick;
pub mod point;
pub mod space;

pub use log::{LogError, Measurement, MeasurementLog};
pub use pick::pick;
pub use point::Point;

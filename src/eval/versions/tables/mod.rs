//! The report's numbers as tables.

mod category;
mod corpus;
mod tradeoff;

pub(super) use category::{
    categories_table, causes_table, exemplars_table, shares_table, texts_tables,
};
pub(super) use corpus::{
    confidence_quality_table, corpus_table, distributions_table, set_times_table,
};
pub use tradeoff::{claims_table, errors_table, times_table};
pub(super) use tradeoff::{counters_table, differences_table};

use super::Measured;

fn milliseconds(seconds: f64) -> String {
    let milliseconds = 1000.0 * seconds;
    let decimals = if milliseconds < 100.0 { 1 } else { 0 };
    format!("{milliseconds:.decimals$}")
}

/// A value and its interval, both times a factor.
fn interval(measured: Option<Measured>, factor: f64, decimals: usize) -> String {
    let number = |value: f64| format!("{:.decimals$}", factor * value).replace('-', "−");
    let Some(Measured { value, interval }) = measured else {
        return "–".to_owned();
    };
    let ends = interval.map(|i| format!(" ({} to {})", number(i.low), number(i.high)));
    number(value) + &ends.unwrap_or_default()
}

/// A share in per cent.
pub(super) fn percent(measured: Option<Measured>) -> String {
    interval(measured, 100.0, 2)
}

/// The same in less room.
fn percent_short(measured: Option<Measured>) -> String {
    interval(measured, 100.0, 1)
}

/// A ratio.
pub(super) fn times(measured: Option<Measured>) -> String {
    interval(measured, 1.0, 2) + "×"
}

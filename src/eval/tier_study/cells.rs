//! Formatting of the cells of a study's tables.

use super::study::CALLED_OUT;
use crate::eval::table::Table;

/// An empty table with a column for each tolerance that tables call out.
pub(super) fn by_tolerance(caption: &str, columns: &[&str]) -> Table {
    let mut table = Table::new(caption, columns.iter().copied());
    table.columns.extend(CALLED_OUT.map(|at| tolerance(at.as_share())));
    table
}

/// Seconds in milliseconds, with about three digits.
pub fn milliseconds(seconds: f64) -> String {
    let value = 1000.0 * seconds;
    let decimals = match value {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 4,
    };
    format!("{value:.decimals$}")
}

/// A share in per cent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A tolerance in per cent.
pub fn tolerance(tolerance: f64) -> String {
    format!("{} %", 100.0 * tolerance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_digits() {
        let said = [0.00028543, 0.0015, 0.0463, 2.6].map(milliseconds);
        assert_eq!(said, ["0.2854", "1.50", "46.3", "2600"]);
    }
}

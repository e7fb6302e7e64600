//! From recorded outcomes to rules, in one step.

use super::costing::Costing;
use super::generate::{Bounds, Candidates, Objective, Options, Tolerances, tiers};
use super::rules::{Certificate, Rules};
use super::table::{Table, TableError};

/// Where outcomes come from, for the certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The day on which the rules are learnt, as `2026-01-31`.
    pub date: String,
    /// SHA-256 of the tables.
    pub outcomes_sha256: String,
}

/// Everything tried, and the rules: for each tolerance the cheapest policy that is certified to
/// keep it, relative to the `reference` version; for one objective, or for all.
pub fn learn(
    table: &Table,
    reference: usize,
    (costing, options): (Costing, Options),
    objective: Option<Objective>,
    origin: Origin,
) -> (Candidates, Rules) {
    let bounds = Bounds::new(table, reference, costing, options);
    let (candidates, tolerances) = (bounds.candidates(table, costing), Tolerances::default());
    let mut tiers = tiers(&candidates, tolerances);
    tiers.retain(|tier| objective.is_none_or(|asked| asked == tier.objective));
    let Origin { date, outcomes_sha256 } = origin;
    let certificate = Certificate {
        date,
        outcomes_sha256,
        ..Certificate::new(table, &candidates, options, costing)
    };
    let rules = Rules::new(table, &tiers, tolerances, certificate);
    (candidates, rules)
}

/// The version of this name, else the most accurate: what tolerances are relative to.
///
/// # Errors
/// There is no such version, or it makes no errors to be relative to.
pub fn reference(table: &Table, name: Option<&str>) -> Result<usize, TableError> {
    let reference = name.map_or_else(|| Ok(table.most_accurate()), |name| table.version(name))?;
    let version = &table.versions[reference];
    match version.errors.iter().all(|&errors| errors == 0) {
        true => Err(TableError::NoErrors { version: version.name.clone() }),
        false => Ok(reference),
    }
}

//! What becomes of a promise when requests change: certified on some sets, applied to others.

use serde::Serialize;

use super::{Accounting, Applied, Contender, Point, StudyOptions};
use crate::tiers::{Method, Table};

/// A contender that was certified on some sets and applied to others.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shifted {
    /// The method.
    #[serde(flatten)]
    pub method: Method,
    /// Who picked, by the paper's name.
    pub contender: &'static str,
    /// Requests certified on, and their groups.
    pub certified: [usize; 2],
    /// Requests applied to, and their groups.
    pub applied: [usize; 2],
    /// Tolerance and degradation found, by rising tolerance.
    pub kept: Vec<(f64, f64)>,
    /// Tolerances that were broken.
    pub broken: usize,
}

/// The requests of the named sets.
fn of_sets(table: &Table, sets: &[String]) -> Table {
    let wanted = |place: &usize| sets.contains(&table.sets[table.requests[*place].set]);
    let places: Vec<usize> = (0..table.requests.len()).filter(wanted).collect();
    table.subset(&places)
}

/// Certifies on `certify` and replays on `apply`, under the shared accounting; none where either
/// has no requests.
pub fn shift(
    table: &Table,
    options: &StudyOptions,
    certify: &[String],
    apply: &[String],
) -> Option<Vec<Shifted>> {
    let (train, test) = (of_sets(table, certify), of_sets(table, apply));
    if train.requests.is_empty() || test.requests.is_empty() {
        return None;
    }
    let methods = options.methods.iter();
    Some(methods.flat_map(|&method| shifted(&train, &test, options, method)).collect())
}

/// Every contender of one method.
fn shifted(train: &Table, test: &Table, options: &StudyOptions, method: Method) -> Vec<Shifted> {
    let (_, costing) = Accounting::Shared.apply(train, options.network);
    let applied = Applied { candidates: &options.certify(train, method), test, costing };
    let size = |table: &Table| [table.requests.len(), table.groups_present()];
    let one = |contender: Contender| {
        let points = options.tolerances.iter().map(|tolerance| applied.point(contender, tolerance));
        let points: Vec<Point> = points.collect();
        Shifted {
            method,
            contender: contender.name(method),
            certified: size(train),
            applied: size(test),
            broken: points.iter().filter(|point| point.violated()).count(),
            kept: points.iter().map(|point| (point.tolerance, point.degradation)).collect(),
        }
    };
    Contender::ALL.map(one).into()
}

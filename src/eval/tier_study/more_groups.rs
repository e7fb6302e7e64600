//! What certificates would save with more groups (speakers) like those recorded.
//!
//! Every group is counted several times, each time as another group: their mean and their spread
//! stay, their number grows. That answers "how many speakers would it take?" with the certificate's
//! own arithmetic, single versions included, which too are certified sooner when there are more
//! speakers.

use rayon::prelude::*;
use serde::Serialize;

use super::{Contender, StudyOptions};
use crate::tiers::{Candidates, Method, Objective, Table, Tolerance};

/// How many times each group is counted.
const TIMES: [usize; 5] = [1, 2, 4, 8, 16];

/// Savings with so many groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MoreGroups {
    /// How many groups.
    pub groups: usize,
    /// What is minimised.
    pub objective: Objective,
    /// Share saved of the response or cost of TT-OSFA, at each tolerance asked for.
    pub savings: Vec<f64>,
}

/// Certificates of the method `population` under the shared accounting.
pub fn more_groups(
    table: &Table,
    options: &StudyOptions,
    tolerances: &[Tolerance],
) -> Vec<MoreGroups> {
    let rows = TIMES.par_iter().flat_map_iter(|&times| {
        let candidates = options.certify(&table.with_groups_repeated(times), Method::Population);
        [Contender::ResponseTime, Contender::Cost].map(|contender| MoreGroups {
            groups: candidates.groups,
            objective: contender.objective(),
            savings: tolerances
                .iter()
                .map(|&tolerance| saving(&candidates, contender, tolerance))
                .collect(),
        })
    });
    let mut rows: Vec<MoreGroups> = rows.collect();
    rows.sort_by_key(|row| row.objective);
    rows
}

fn saving(candidates: &Candidates, contender: Contender, tolerance: Tolerance) -> f64 {
    let objective = contender.objective();
    let own = contender.choose(candidates, tolerance).expected;
    let single = candidates.cheapest_version(tolerance, objective).expected;
    1.0 - objective.of(own) / objective.of(single)
}

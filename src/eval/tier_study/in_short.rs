//! What a study comes to, in three sentences.

use super::study::Study;
use super::{Accounting, Method, Objective};
use crate::tiers::Tolerance;
use crate::tiers::folds::Split;

/// The tolerance that is told of.
const AT: Tolerance = Tolerance::of_percent(5);

/// Whether promises were kept, what a tolerance saved, and from where on savings are certified, by
/// the first method that promises anything.
pub fn in_short(study: &Study) -> Vec<String> {
    let promising = study.methods.iter().find(|method| **method != Method::Point);
    let Some(method) = promising.or(study.methods.first()).map(|method| method.name()) else {
        return Vec::new();
    };
    [kept(study, method), saved(study, method), certified(study, method)]
        .into_iter()
        .flatten()
        .collect()
}

fn kept(study: &Study, method: &str) -> Option<String> {
    let own = |split| {
        let rows = study.violations.iter();
        rows.filter(move |row| row.method == method && row.split == split)
    };
    let worst = own(Split::Disjoint).max_by_key(|row| row.folds.count)?;
    Some(format!(
        "Rules learnt by the method {method} from {} requests of {} groups kept every promise in {} \
         of {} parts that were held out and share no group with the rest.",
        study.requests,
        study.groups,
        worst.folds.trials - worst.folds.count,
        worst.folds.trials,
    ))
}

fn saved(study: &Study, method: &str) -> Option<String> {
    let share = |objective| {
        let row = study.savings.iter().find(|row| {
            (row.method, row.split, row.accounting, row.objective)
                == (method, Split::Disjoint, Accounting::Shared, objective)
                && row.tolerance == AT.as_share()
        });
        Some(100.0 * row?.to_reference)
    };
    Some(format!(
        "There, at a tolerance of {:.0} %, answers took {:.0} % less time than those of {} alone, or \
         {:.0} % less machine time where that was the objective.",
        100.0 * AT.as_share(),
        share(Objective::ResponseTime)?,
        study.reference,
        share(Objective::Cost)?,
    ))
}

fn certified(study: &Study, method: &str) -> Option<String> {
    let row = study.certified.iter().find(|row| row.method.name() == method)?;
    let from = |tolerance: Option<f64>| {
        tolerance.map_or("at no tolerance".to_owned(), |at| format!("from {:.1} % on", 100.0 * at))
    };
    Some(format!(
        "On all requests, a saving of {:.0} % of the time is certified {}, of the machine time {}.",
        100.0 * super::certified::ASKED,
        from(row.response_tolerance),
        from(row.cost_tolerance),
    ))
}

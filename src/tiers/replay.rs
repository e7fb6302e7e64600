//! Any policy, run over recorded outcomes exactly, with no clock.

use super::costing::{Costing, Run, Spent};
use super::policy::{Pair, Policy};
use super::table::{Table, Version};

/// The result of a policy on one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Served {
    /// Errors of the answer given.
    pub errors: u32,
    /// Its response time and cost.
    pub spent: Spent,
    /// Whether the request went into full operation: the first answer was not enough.
    pub escalated: bool,
}

/// The result of a policy on a whole table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Replay {
    /// Errors of all answers.
    pub errors: u64,
    /// Errors of the reference version on the same requests.
    pub reference_errors: u64,
    /// Mean response and cost of a request.
    pub mean: Spent,
    /// Share of requests in full operation.
    pub escalated: f64,
}

impl Replay {
    /// The degradation relative to the reference version: `(err − ref) / ref`. If the reference has
    /// no errors, it is 0 or infinite.
    pub fn degradation(&self) -> f64 {
        degradation(self.errors as f64, self.reference_errors as f64)
    }
}

/// `(errors − reference) / reference`; 0 where both are 0.
pub fn degradation(errors: f64, reference: f64) -> f64 {
    if errors == reference { 0.0 } else { errors / reference - 1.0 }
}

/// One request under a policy.
pub fn serve(table: &Table, policy: &Policy, costing: Costing, place: usize) -> Served {
    let version = |at: usize| &table.versions[at];
    match policy {
        Policy::Single { version: at } => Served {
            errors: version(*at).errors[place],
            spent: costing.alone(Run::of(version(*at), place)),
            escalated: false,
        },
        Policy::Seq(pair) | Policy::Conc(pair) => {
            let (first, second) = (version(pair.first), version(pair.second));
            let escalated = first.sure[place] < pair.threshold;
            let (a, b) = (Run::of(first, place), Run::of(second, place));
            let spent = match (policy, escalated) {
                (Policy::Conc(_), false) => costing.conc_early(a, b),
                (Policy::Conc(_), true) => costing.conc_full(a, b),
                (_, false) => costing.alone(a),
                (_, true) => costing.seq_full(a, b),
            };
            Served { errors: answer(pair, first, second, place).errors[place], spent, escalated }
        }
    }
}

/// The version whose answer a pair gives.
fn answer<'a>(pair: &Pair, first: &'a Version, second: &'a Version, place: usize) -> &'a Version {
    let (sure, other) = (first.sure[place], second.sure[place]);
    if sure >= pair.threshold || pair.choice.takes_first(sure, other) { first } else { second }
}

/// A policy over all requests, beside the reference version.
pub fn replay(table: &Table, policy: &Policy, reference: usize, costing: Costing) -> Replay {
    let mut sum = Replay::default();
    for place in 0..table.requests.len() {
        let served = serve(table, policy, costing, place);
        sum.errors += u64::from(served.errors);
        sum.reference_errors += u64::from(table.versions[reference].errors[place]);
        sum.mean.response += served.spent.response;
        sum.mean.cost += served.spent.cost;
        sum.escalated += f64::from(u8::from(served.escalated));
    }
    let requests = table.requests.len().max(1) as f64;
    sum.mean.response /= requests;
    sum.mean.cost /= requests;
    sum.escalated /= requests;
    sum
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Outcomes;
    use super::super::policy::Choice;
    use super::*;
    use std::path::Path;

    fn table() -> Table {
        let rows = "\
id,group,version,errors,words,response_seconds,cost_seconds,confidence
a,s,v1,0,5,1,1,0.9
a,s,v7,1,5,4,4,0.8
b,s,v1,3,5,1,1,0.4
b,s,v7,1,5,4,4,0.7
c,s,v1,1,5,1,1,0.6
c,s,v7,2,5,4,4,0.5
";
        Table::new(&Outcomes::read(rows.as_bytes(), Path::new("t")).unwrap()).unwrap()
    }

    #[test]
    fn policies_are_replayed_exactly() {
        let table = table();
        let pair = |threshold, choice| Pair { first: 0, second: 1, threshold, choice };
        let run = |policy: Policy| replay(&table, &policy, 1, Costing::default());
        let osfa = run(Policy::Single { version: 1 });
        assert_eq!((osfa.errors, osfa.degradation(), osfa.mean.response), (4, 0.0, 4.0));
        // a ends early; b and c do not; of c's answers the first is the surer.
        let confident = run(Policy::Seq(pair(0.9, Choice::Confident)));
        assert_eq!((confident.errors, confident.degradation()), (2, -0.5));
        assert_eq!(confident.mean, Spent { response: 11.0 / 3.0, cost: 11.0 / 3.0 });
        let second = run(Policy::Conc(pair(0.9, Choice::Second)));
        assert_eq!(second.errors, 3);
        assert_eq!(second.mean, Spent { response: 3.0, cost: 4.0 });
        assert_eq!(second.escalated, 2.0 / 3.0);
    }
}

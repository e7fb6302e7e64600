//! Fig 6: what one request takes under each policy, in early termination and in full operation.

use serde::Serialize;

use super::Accounting;
use crate::tiers::costing::Run;
use crate::tiers::{Spent, Table};
use crate::units::Seconds;

/// A version at work on a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Span {
    /// The version.
    pub version: String,
    /// When it starts and stops, in seconds after the request came in.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Whether it was cancelled before it had an answer.
    pub cancelled: bool,
}

/// One policy's request, on average over all requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Timeline {
    /// The policy and whether it ends early: `Seq, early`.
    pub name: &'static str,
    /// Mean response and cost.
    pub mean: Spent,
    /// Response and cost relative to the reference version alone.
    pub to_osfa: [f64; 2],
    /// Who works when.
    pub spans: Vec<Span>,
}

/// The timelines of the fastest version and the reference under one way of costing.
pub fn timelines(
    table: &Table,
    reference: usize,
    accounting: Accounting,
    network: Seconds,
) -> Vec<Timeline> {
    let (table, costing) = accounting.apply(table, network);
    let mean = |spent: &dyn Fn(Run, Run) -> Spent| {
        let mut sum = Spent::default();
        for place in 0..table.requests.len() {
            let run = |version: usize| Run::of(&table.versions[version], place);
            let spent = spent(run(0), run(reference));
            sum.response += spent.response;
            sum.cost += spent.cost;
        }
        let requests = table.requests.len() as f64;
        Spent {
            response: sum.response / requests,
            cost: sum.cost / requests,
        }
    };
    let osfa = mean(&|_, second| costing.alone(second));
    let (first, full) = (
        mean(&|first, _| costing.alone(first)),
        mean(&|a, b| costing.seq_full(a, b)),
    );
    let span = |version: usize, from: f64, to: f64| Span {
        version: table.versions[version].name.clone(),
        from,
        to: to - costing.network.0,
        cancelled: false,
    };
    let cancelled = Span {
        cancelled: true,
        ..span(reference, 0.0, first.response)
    };
    let (fast, slow) = (
        span(0, 0.0, first.response),
        span(reference, 0.0, osfa.response),
    );
    let after = span(reference, first.response - costing.network.0, full.response);
    let conc = [
        mean(&|a, b| costing.conc_early(a, b)),
        mean(&|a, b| costing.conc_full(a, b)),
    ];
    let timeline = |name, mean: Spent, spans: Vec<Span>| Timeline {
        name,
        mean,
        to_osfa: [mean.response / osfa.response, mean.cost / osfa.cost],
        spans,
    };
    vec![
        timeline("OSFA", osfa, vec![slow.clone()]),
        timeline("Seq, early", first, vec![fast.clone()]),
        timeline("Seq, full", full, vec![fast.clone(), after]),
        timeline("Conc, early", conc[0], vec![fast.clone(), cancelled]),
        timeline("Conc, full", conc[1], vec![fast, slow]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::simulate::{World, draw};

    /// Section IV-C's "+20 %, +25 %, more than −60 %, −50 %".
    #[test]
    fn the_reference_model_gives_the_ratios_of_figure_6() {
        let table = draw(&World::default(), 1);
        let lines = timelines(&table, 2, Accounting::Reference, Seconds(0.0));
        let ratio = |name: &str| lines.iter().find(|line| line.name == name).unwrap().to_osfa;
        let ([full, full_cost], [early, early_cost]) = (ratio("Seq, full"), ratio("Conc, early"));
        assert!((full - 1.19).abs() < 0.01 && (full_cost - 1.24).abs() < 0.01);
        assert!((early - 0.385).abs() < 0.01 && (early_cost - 0.476).abs() < 0.01);
    }
}

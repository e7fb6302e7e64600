//! Fig 6: what one request takes under each policy, in early termination and in full operation.

use serde::Serialize;

use super::Accounting;
use crate::tiers::costing::Run;
use crate::tiers::{Costing, Spent, Table};
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
    let [osfa, early, full, conc_early, conc_full] = means(&table, reference, costing);
    let span = |version: usize, from: f64, to: f64| Span {
        version: table.versions[version].name.clone(),
        from,
        to: to - costing.network.0,
        cancelled: false,
    };
    let (fast, slow) = (span(0, 0.0, early.response), span(reference, 0.0, osfa.response));
    let after = span(reference, fast.to, full.response);
    let stopped = Span { cancelled: true, ..span(reference, 0.0, early.response) };
    let timeline = |name, mean: Spent, spans: &[&Span]| Timeline {
        name,
        mean,
        to_osfa: [mean.response / osfa.response, mean.cost / osfa.cost],
        spans: spans.iter().map(|&span| span.clone()).collect(),
    };
    vec![
        timeline("OSFA", osfa, &[&slow]),
        timeline("Seq, early", early, &[&fast]),
        timeline("Seq, full", full, &[&fast, &after]),
        timeline("Conc, early", conc_early, &[&fast, &stopped]),
        timeline("Conc, full", conc_full, &[&fast, &slow]),
    ]
}

/// Means over all requests of OSFA, Seq early and full, Conc early and full.
fn means(table: &Table, reference: usize, costing: Costing) -> [Spent; 5] {
    let mut sums = [Spent::default(); 5];
    for place in 0..table.requests.len() {
        let run = |version: usize| Run::of(&table.versions[version], place);
        let (fast, slow) = (run(0), run(reference));
        let spent = [
            costing.alone(slow),
            costing.alone(fast),
            costing.seq_full(fast, slow),
            costing.conc_early(fast, slow),
            costing.conc_full(fast, slow),
        ];
        for (sum, spent) in sums.iter_mut().zip(spent) {
            sum.response += spent.response;
            sum.cost += spent.cost;
        }
    }
    let requests = table.requests.len() as f64;
    sums.map(|sum| Spent { response: sum.response / requests, cost: sum.cost / requests })
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

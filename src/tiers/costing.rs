//! The cost of a request and the time its caller waits, under each policy.
//!
//! *Separate*: each version runs on its own machine and computes everything itself, as in the
//! paper's cluster. *Shared*: versions run in one process, which computes features and acoustic
//! scores once for a request, so a second version adds only its search. Cancelled work counts up to
//! the moment of its cancellation.

use serde::{Deserialize, Serialize};

use super::table::{Table, Version};
use crate::units::Seconds;

/// Whether two versions that work on one request share its scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// One process: the scores are made once for a request.
    #[default]
    Shared,
    /// A cluster: every version pays for everything.
    Separate,
}

/// How requests are costed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Costing {
    /// Whether scores are shared.
    pub sharing: Sharing,
    /// Network time, added once to each response and not to its cost. Default: 0.
    #[serde(rename = "network_seconds")]
    pub network: Seconds,
}

/// Response time and cost of one request, or their means over requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// Seconds that the caller waited.
    #[serde(rename = "response_seconds")]
    pub response: f64,
    /// Server-seconds of all workers, cancelled work included.
    #[serde(rename = "cost_seconds")]
    pub cost: f64,
}

/// Response time and cost of one version on one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    /// Seconds until its answer.
    pub response: f64,
    /// Server-seconds used.
    pub cost: f64,
    /// The part of both that is shared within a process.
    pub scores: f64,
}

impl Run {
    /// What `version` took for the request at `place`.
    pub fn of(version: &Version, place: usize) -> Run {
        Run {
            response: version.response[place],
            cost: version.cost[place],
            scores: version.scores[place],
        }
    }

    /// The part that remains if the scores are already computed.
    fn search(self) -> Run {
        Run {
            response: (self.response - self.scores).max(0.0),
            cost: (self.cost - self.scores).max(0.0),
            scores: 0.0,
        }
    }

    /// Server-seconds used by `elapsed` seconds after the start, spent evenly over the response.
    fn cost_until(self, elapsed: f64) -> f64 {
        if elapsed >= self.response {
            self.cost
        } else {
            self.cost * elapsed.max(0.0) / self.response
        }
    }
}

impl Costing {
    /// One version alone; also *seq* in early termination, with the first version.
    pub fn alone(self, run: Run) -> Spent {
        self.spent(run.response, run.cost)
    }

    /// *Seq* in full operation.
    pub fn seq_full(self, first: Run, second: Run) -> Spent {
        let second = self.second(second);
        self.spent(first.response + second.response, first.cost + second.cost)
    }

    /// *Conc* in early termination: the first's answer cancels the second.
    pub fn conc_early(self, first: Run, second: Run) -> Spent {
        let started = match self.sharing {
            // Both searches start when the scores are there.
            Sharing::Shared => first.response - first.scores,
            Sharing::Separate => first.response,
        };
        self.spent(first.response, first.cost + self.second(second).cost_until(started))
    }

    /// *Conc* in full operation.
    pub fn conc_full(self, first: Run, second: Run) -> Spent {
        let cost = first.cost + self.second(second).cost;
        self.spent(first.response.max(second.response), cost)
    }

    /// The part of the second version's work that is not shared.
    fn second(self, run: Run) -> Run {
        match self.sharing {
            Sharing::Shared => run.search(),
            Sharing::Separate => run,
        }
    }

    fn spent(self, response: f64, cost: f64) -> Spent {
        Spent { response: response + self.network.0, cost }
    }
}

/// The network's share in the paper's reference cost model, whose unit is v1's response.
pub const REFERENCE_NETWORK: Seconds = Seconds(0.5);
/// Processing time of the fastest and the slowest version in the same unit.
const REFERENCE_PROCESSING: (f64, f64) = (0.5, 2.1);

/// The table with the paper's reference costs in place of measured ones, to be read with
/// [`REFERENCE_NETWORK`] and [`Sharing::Separate`].
///
/// All four ratios of Fig 6 hold for processing v1 = 0.5, v7 = 2.1, network 0.5. The versions
/// between lie where their measured mean response does.
pub fn reference_costs(table: &Table) -> Table {
    let mean =
        |version: &Version| version.response.iter().sum::<f64>() / version.response.len() as f64;
    let means: Vec<f64> = table.versions.iter().map(mean).collect();
    let (fastest, slowest) = (means[0], means[means.len() - 1]);
    let (low, high) = REFERENCE_PROCESSING;
    let mut table = table.clone();
    for (version, mean) in table.versions.iter_mut().zip(means) {
        let share = if slowest > fastest { (mean - fastest) / (slowest - fastest) } else { 0.0 };
        let processing = low + share * (high - low);
        version.response.fill(processing);
        version.cost.fill(processing);
        version.scores.fill(0.0);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(response: f64, scores: f64) -> Run {
        Run { response, cost: response, scores }
    }

    /// Section IV-C: full operation of Seq costs 20 % more response and 25 % more cost than OSFA;
    /// early termination of Conc 60 % less response and 50 % less cost.
    #[test]
    fn the_four_ratios_of_figure_6_hold_in_the_reference_model() {
        let costing = Costing { sharing: Sharing::Separate, network: REFERENCE_NETWORK };
        let (v1, v7) = (run(0.5, 0.0), run(2.1, 0.0));
        let osfa = costing.alone(v7);
        let full = costing.seq_full(v1, v7);
        let early = costing.conc_early(v1, v7);
        assert!((full.response / osfa.response - 1.20).abs() < 0.01);
        assert!((full.cost / osfa.cost - 1.25).abs() < 0.015);
        assert!((early.response / osfa.response - 0.40).abs() < 0.02);
        assert!((early.cost / osfa.cost - 0.50).abs() < 0.03);
        // In full operation Conc answers when OSFA would and costs what Seq does.
        assert_eq!(costing.conc_full(v1, v7), Spent { response: osfa.response, cost: full.cost });
    }

    #[test]
    fn shared_scores_are_paid_once() {
        let costing = Costing::default();
        let (fast, slow) = (run(1.0, 0.75), run(3.0, 0.75));
        assert_eq!(costing.seq_full(fast, slow), Spent { response: 3.25, cost: 3.25 });
        assert_eq!(costing.conc_full(fast, slow), Spent { response: 3.0, cost: 3.25 });
        // The slow search is cancelled a quarter second after both began.
        assert_eq!(costing.conc_early(fast, slow), Spent { response: 1.0, cost: 1.25 });
        // Cancelling what has long been finished saves nothing.
        assert_eq!(costing.conc_early(slow, fast), Spent { response: 3.0, cost: 3.25 });
        let separate = Costing { sharing: Sharing::Separate, ..costing };
        assert_eq!(separate.conc_early(fast, slow), Spent { response: 1.0, cost: 2.0 });
    }
}

//! What became of a stretch of load.

use std::collections::BTreeMap;
use std::time::Duration;

use super::client::{Ending, Sent};
use crate::eval::quantile;

/// Different reasons that are kept.
const MOST_REASONS: usize = 20;

/// What became of a stretch of load; latencies in milliseconds, NaN where there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Requests that were sent.
    pub sent: usize,
    /// Those answered.
    pub answered: usize,
    /// Those refused with 429.
    pub refused: usize,
    /// Those with another status.
    pub other: usize,
    /// Those without a whole response.
    pub failed: usize,
    /// What was said of those with another status and those without a response, and how often.
    pub reasons: BTreeMap<String, usize>,
    /// Answers a second of the stretch's time.
    pub achieved: f64,
    /// 50, 95, 99 and 100 % of the answered took at most so long.
    pub latency: [f64; 4],
    /// 99 % of the refused took at most so long.
    pub refusal: f64,
}

impl Summary {
    /// Counts what was sent during `time`.
    pub fn of(sent: &[Sent], time: Duration) -> Summary {
        let answered = latencies(sent, Ending::Answered);
        let refused = latencies(sent, Ending::Refused);
        let failed = latencies(sent, Ending::Failed).len();
        Summary {
            sent: sent.len(),
            answered: answered.len(),
            refused: refused.len(),
            other: sent.len() - answered.len() - refused.len() - failed,
            failed,
            reasons: reasons(sent),
            achieved: answered.len() as f64 / time.as_secs_f64(),
            latency: [0.5, 0.95, 0.99, 1.0].map(|share| latency_of(&answered, share)),
            refusal: latency_of(&refused, 0.99),
        }
    }
}

/// What was said of requests that were not answered; of many kinds of reasons some.
fn reasons(sent: &[Sent]) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for why in sent.iter().filter_map(|sent| sent.why.as_ref()) {
        let known = reasons.contains_key(why) || reasons.len() < MOST_REASONS;
        let reason = if known { why } else { "other reasons" };
        *reasons.entry(reason.to_owned()).or_default() += 1;
    }
    reasons
}

/// The latencies of one ending in milliseconds, in order.
fn latencies(sent: &[Sent], ending: Ending) -> Vec<f64> {
    let of_ending = sent.iter().filter(|sent| sent.ending == ending);
    let mut times: Vec<f64> = of_ending.map(|sent| 1e3 * sent.latency.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// The latency that a share of the requests did not exceed; NaN of none.
fn latency_of(sorted: &[f64], share: f64) -> f64 {
    quantile(sorted, share).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_counted_once() {
        let sent = |ending, ms| Sent {
            ending,
            latency: Duration::from_millis(ms),
            why: matches!(ending, Ending::Failed | Ending::Other(_)).then(|| format!("{ending:?}")),
        };
        let all = [
            sent(Ending::Answered, 30),
            sent(Ending::Answered, 10),
            sent(Ending::Refused, 1),
            sent(Ending::Other(503), 5),
            sent(Ending::Failed, 9),
        ];
        let summary = Summary::of(&all, Duration::from_secs(2));
        let counts = [summary.answered, summary.refused, summary.other, summary.failed];
        assert_eq!((summary.sent, counts), (5, [2, 1, 1, 1]));
        assert_eq!(summary.latency, [20.0, 29.0, 29.8, 30.0]);
        let reasons = BTreeMap::from([("Failed".to_owned(), 1), ("Other(503)".to_owned(), 1)]);
        assert_eq!(summary.reasons, reasons);
        assert_eq!((summary.achieved, summary.refusal), (1.0, 1.0));
        assert!(Summary::of(&[], Duration::from_secs(1)).refusal.is_nan());
    }
}

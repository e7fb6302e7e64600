//! Load on a running service: requests that arrive as callers' do, whether or not earlier ones were
//! answered, and what became of each.
//!
//! Arrivals are a Poisson process drawn before the first is sent, and a latency counts from the
//! arrival that was drawn, not from when the client got round to it: a slow service cannot hide the
//! wait of those who came meanwhile ("coordinated omission", Tene 2013).

mod arrivals;
mod capacity;
mod client;
mod memory;
mod summary;

pub use arrivals::arrivals;
pub use capacity::capacity;
pub use client::{Caller, Ending, Sent, Target};
pub use memory::resident_mebibytes;
pub use summary::Summary;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// A stretch of load.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Requests a second.
    pub rate: f64,
    /// For how long requests arrive.
    pub time: Duration,
    /// What the arrivals are drawn from.
    pub seed: u64,
}

/// Sends a plan's requests and waits until each has ended, within the caller's patience.
pub async fn offer(caller: &Arc<Caller>, plan: &Plan) -> Vec<Sent> {
    let due = arrivals(plan);
    let start = Instant::now();
    let mut running = JoinSet::new();
    for (number, after) in due.into_iter().enumerate() {
        let at = start + after;
        sleep_until(at).await;
        let caller = Arc::clone(caller);
        running.spawn(async move { caller.call(number, at).await });
    }
    running.join_all().await
}

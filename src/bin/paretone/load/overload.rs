//! More load than the service can bear, between two calm stretches.

use std::sync::Arc;
use std::time::Duration;

use super::{Args, Row, stretch};
use paretone::service::load::{Caller, capacity, resident_mebibytes};

/// How long the capacity is measured.
const MEASURING: Duration = Duration::from_secs(5);
/// Share of the capacity that a calm stretch offers.
const CALM: f64 = 0.3;
/// How often the memory is read.
const WATCH: Duration = Duration::from_secs(5);

/// For each caller: capacity, a calm stretch, overload, and a calm stretch again.
pub(super) async fn measure(args: &Args, callers: &[Arc<Caller>], multiple: f64) -> Vec<Row> {
    let mut rows = Vec::new();
    for caller in callers {
        let capacity = capacity(caller, MEASURING).await;
        println!("tolerance {}: capacity {capacity:.1}/s", caller.tolerance);
        if capacity <= 0.0 {
            continue;
        }
        let plans = [CALM, multiple, CALM].map(|share| args.plan(share * capacity));
        rows.push(stretch(caller, &plans[0], "before").await);
        let watched = tokio::spawn(watch(args.pid));
        rows.push(stretch(caller, &plans[1], "overload").await);
        watched.abort();
        rows.push(stretch(caller, &plans[2], "after").await);
        report_memory(args.pid, "at the end");
    }
    rows
}

async fn watch(pid: Option<u32>) {
    let mut ticks = tokio::time::interval(WATCH);
    loop {
        ticks.tick().await;
        report_memory(pid, "under overload");
    }
}

fn report_memory(pid: Option<u32>, when: &str) {
    if let Some(memory) = pid.and_then(resident_mebibytes) {
        println!("memory {when}: {memory:.1} MiB");
    }
}

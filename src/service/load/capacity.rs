//! How much a service can do.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::client::{Caller, Ending};

/// Callers that keep the service busy; each sends as soon as it has its answer.
const CALLERS: usize = 16;

/// Answers a second when there is always something to do, measured for so long.
pub async fn capacity(caller: &Arc<Caller>, time: Duration) -> f64 {
    let start = Instant::now();
    let mut running = JoinSet::new();
    for first in 0..CALLERS {
        let caller = Arc::clone(caller);
        running.spawn(async move {
            let mut answered = 0_u32;
            for number in first.. {
                let now = Instant::now();
                if now.duration_since(start) >= time {
                    break;
                }
                let sent = caller.call(number, now).await;
                answered += u32::from(sent.ending == Ending::Answered);
                if sent.ending == Ending::Failed {
                    // A service that is not there is not asked without a pause.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            answered
        });
    }
    let answered: u32 = running.join_all().await.into_iter().sum();
    f64::from(answered) / start.elapsed().as_secs_f64()
}

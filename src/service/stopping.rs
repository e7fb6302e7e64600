//! How the service ends: first it is no longer ready, then it drains.

use tokio::sync::watch;

/// How far the service is with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It serves.
    Serving,
    /// It serves, and says that it is not ready, so that requests are sent elsewhere.
    Leaving,
    /// What was sent is answered, nothing new is begun.
    Draining,
}

/// The end of the service, told and waited for; clones are the same.
#[derive(Clone, Debug)]
pub struct Stopping(watch::Sender<Phase>);

impl Default for Stopping {
    fn default() -> Self {
        Stopping(watch::Sender::new(Phase::Serving))
    }
}

impl Stopping {
    /// From now on the service says that it is not ready, and serves on.
    pub fn leave(&self) {
        self.go_to(Phase::Leaving);
    }

    /// From now on what was sent is answered, and nothing new is begun.
    pub fn drain(&self) {
        self.go_to(Phase::Draining);
    }

    fn go_to(&self, phase: Phase) {
        self.0.send_modify(|now| *now = phase.max(*now));
    }

    /// Whether the service is still meant to get requests.
    pub fn is_ready(&self) -> bool {
        *self.0.borrow() == Phase::Serving
    }

    /// Whether nothing new is begun.
    pub fn is_draining(&self) -> bool {
        *self.0.borrow() == Phase::Draining
    }

    /// Waits until nothing new is begun.
    pub async fn until_draining(&self) {
        let mut phase = self.0.subscribe();
        // The sender lives as long as this does.
        let _ = phase.wait_for(|phase| *phase == Phase::Draining).await;
    }
}

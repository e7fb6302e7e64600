//! What a scheduler has done, for those who watch it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::units::Seconds;

/// Stops that are remembered.
const STOPS: usize = 1 << 14;
/// Weight of the latest request in the running mean.
const WEIGHT: f64 = 1.0 / 16.0;

/// What a scheduler has done so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Requests refused because tier or client had their share of what may wait.
    pub refused: u64,
    /// Requests answered, with words or with a failure.
    pub answered: u64,
    /// Runs that another version's answer stopped.
    pub stopped: u64,
    /// The latest 16,384 runs that another version's answer stopped, oldest first.
    pub stops: VecDeque<Stop>,
    /// Time that workers worked.
    pub busy: Seconds,
    mean: Option<f64>,
}

/// How a cancelled run ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// Frames begun after it was cancelled.
    pub frames: u64,
    /// From then to the return of the service.
    pub seconds: Seconds,
}

impl Statistics {
    /// A request was answered, after so much work.
    pub(super) fn answered(&mut self, machine: f64) {
        self.answered += 1;
        let mean = self.mean.unwrap_or(machine);
        self.mean = Some(mean + WEIGHT * (machine - mean));
    }

    /// A worker worked so long.
    pub(super) fn worked(&mut self, time: Duration) {
        self.busy.0 += time.as_secs_f64();
    }

    /// A run was stopped.
    pub(super) fn stopped(&mut self, stop: Stop) {
        if self.stops.len() == STOPS {
            self.stops.pop_front();
        }
        self.stops.push_back(stop);
        self.stopped += 1;
    }

    /// A request was refused. Returns what a request takes of a worker, by the latest ones; 1 s
    /// before the first.
    pub(super) fn refused(&mut self) -> f64 {
        self.refused += 1;
        self.mean.unwrap_or(1.0)
    }
}

//! Which stream is worked for next: that which has had the least.
//!
//! Streams are worked for in steps of some milliseconds. Each stream's steps are numbered by the
//! time that workers have spent on it, counted from no earlier than what is being served: one that
//! asks for little, as who speaks in real time does, is served before those that ask for all they
//! can get. Start-time fair queueing: Goyal, Vin and Cheng, 1996.

use std::collections::HashMap;
use std::time::Duration;

/// Streams whose past is remembered; of more, that is forgotten which had the least.
const REMEMBERED: usize = 1024;

/// A stream, by a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId(pub u64);

/// Steps that wait.
pub(super) struct Steps<T> {
    /// In the order they came.
    waiting: Vec<Step<T>>,
    /// What streams have had up to their last step.
    had: HashMap<StreamId, Duration>,
    /// From where the step served last counts.
    now: Duration,
}

struct Step<T> {
    stream: StreamId,
    /// The time from which it counts.
    from: Duration,
    /// What its stream has had.
    had: Duration,
    item: T,
}

/// A step that a worker has taken.
#[derive(Debug)]
pub(super) struct Taken {
    stream: StreamId,
    from: Duration,
}

impl<T> Default for Steps<T> {
    fn default() -> Self {
        Steps { waiting: Vec::new(), had: HashMap::new(), now: Duration::ZERO }
    }
}

impl<T> Steps<T> {
    /// Has a step of a stream wait.
    pub(super) fn push(&mut self, stream: StreamId, item: T) {
        let had = self.had.get(&stream).copied().unwrap_or_default();
        self.waiting.push(Step { stream, from: had.max(self.now), had, item });
    }

    /// The step that is worked at next.
    pub(super) fn next(&mut self) -> Option<(Taken, T)> {
        let least = self.waiting.iter().enumerate();
        // Of those that count alike, who has had the least; of these, who came first.
        let (place, _) = least.min_by_key(|(_, step)| (step.from, step.had))?;
        let Step { stream, from, item, .. } = self.waiting.remove(place);
        self.now = from;
        Some((Taken { stream, from }, item))
    }

    /// A step took this long.
    pub(super) fn done(&mut self, taken: &Taken, time: Duration) {
        self.had.insert(taken.stream, taken.from + time);
        if self.had.len() > REMEMBERED {
            let now = self.now;
            self.had.retain(|_, had| *had > now);
        }
        if self.had.len() > REMEMBERED {
            let least = self.had.iter().min_by_key(|(stream, had)| (**had, stream.0));
            let stream = *least.expect("there are many").0;
            self.had.remove(&stream);
        }
    }

    /// Whether no step waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many steps wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_little_is_served_before_those_who_ask_for_all() {
        let mut steps = Steps::default();
        let step = Duration::from_millis(5);
        let floods: Vec<StreamId> = (0..40).map(StreamId).collect();
        for &flood in &floods {
            steps.push(flood, ());
        }
        let honest = StreamId(99);
        for turn in 0..1000 {
            if turn % 100 == 50 {
                steps.push(honest, ());
            }
            let (taken, ()) = steps.next().unwrap();
            let stream = taken.stream;
            assert_eq!(turn % 100 == 50, stream == honest, "{turn}");
            steps.done(&taken, step);
            if stream != honest {
                steps.push(stream, ());
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut steps = Steps::default();
        for number in 0..10_000 {
            steps.push(StreamId(number), ());
            let (taken, ()) = steps.next().unwrap();
            steps.done(&taken, Duration::from_millis(number));
        }
        assert!(steps.had.len() <= REMEMBERED);
    }
}

//! A policy followed on the caller's thread: no queue, no workers.
//!
//! It takes the same steps as a [worker](super::worker), so that answers and accounts are the same;
//! what differs is who runs the second version: the caller's thread, after the first, or a thread
//! of its own where both run at once.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};

use super::job::{Ended, Job, Reply};
use super::route::Side;
use super::service::Service;
use super::worker::perform;
use crate::decode::Cancel;
use crate::tiers::Policy;

/// Memories for runs, kept for the next request: as many as ever ran at once.
pub(super) struct Scratches<S: Service>(Mutex<Vec<S::Scratch>>);

impl<S: Service> Default for Scratches<S> {
    fn default() -> Self {
        Scratches(Mutex::new(Vec::new()))
    }
}

impl<S: Service> Scratches<S> {
    fn take(&self) -> Option<S::Scratch> {
        // A push or pop that panicked left a whole list.
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.pop()
    }

    fn put(&self, scratch: S::Scratch) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(scratch);
    }
}

/// Answers a request as a policy says. The tokens stop the first and the second version's runs.
pub(super) fn answer<S: Service<Scratch: Send>>(
    service: &S,
    request: &S::Request,
    (policy, cancels): (&Policy, [Cancel; 2]),
    scratches: &Scratches<S>,
) -> Reply<S> {
    let (sender, reply) = sync_channel(1);
    let tell = move |made| drop(sender.try_send(made));
    let job = Job::new(request, policy.clone(), cancels, Box::new(tell));
    let run = |side: Side, ask_second: &dyn Fn()| {
        let mut scratch = scratches.take().unwrap_or_else(|| service.scratch());
        let ended = job.begin(side).then(|| perform(service, &job, side, &mut scratch, ask_second));
        scratches.put(scratch);
        ended
    };
    std::thread::scope(|scope| {
        let beside = || drop(scope.spawn(|| run(Side::Second, &|| ())));
        if let Some(Ended::AskSecond) = run(Side::First, &beside) {
            run(Side::Second, &|| ());
        }
    });
    let reply = reply.try_recv();
    reply.expect("the last run that ends answers the request")
}

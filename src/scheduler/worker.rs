//! What a worker does: take the next work, do it, and see what follows.

use std::any::Any;
use std::borrow::Borrow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Shared;
use super::error::Failure;
use super::job::{Ended, Job};
use super::route::Side;
use super::service::Service;
use crate::tiers::Policy;

/// A request's run on one side of its policy.
pub(super) struct Task<S: Service> {
    pub(super) job: Arc<Job<S>>,
    pub(super) side: Side,
}

/// A worker's life: until the scheduler is closed and all is answered.
pub(super) fn work<S: Service>(shared: &Shared<S>) {
    let mut scratch = shared.service.scratch();
    while let Some((version, task)) = wait(shared) {
        if task.job.begin(task.side) {
            let Task { job, side } = &task;
            let ask = || ask_second(shared, job);
            match perform(&shared.service, job, *side, &mut scratch, &ask) {
                Ended::Wait => {}
                Ended::AskSecond => ask(),
                Ended::Answered(machine) => shared.statistics().answered(machine),
                Ended::Stopped(stop) => shared.statistics().stopped(stop),
            }
        }
        shared.queues().done(version);
        // A freed version, or the end, may concern any of the others.
        shared.wake.notify_all();
    }
}

/// The next work; none when there will be no more.
fn wait<S: Service>(shared: &Shared<S>) -> Option<(usize, Task<S>)> {
    let mut queues = shared.queues();
    loop {
        if let Some(next) = queues.next() {
            return Some(next);
        }
        if queues.is_finished() {
            return None;
        }
        let woken = shared.wake.wait(queues);
        queues = woken.expect("no code under this lock panics");
    }
}

/// Runs a side of a request that has begun. `ask_second` is called once, where both versions of a
/// policy run at the same time, as soon as what they share is made.
pub(super) fn perform<S: Service, R: Borrow<S::Request>>(
    service: &S,
    job: &Job<S, R>,
    side: Side,
    scratch: &mut S::Scratch,
    ask_second: &dyn Fn(),
) -> Ended {
    let mut is_prepared = side == Side::Second;
    let made = catch_unwind(AssertUnwindSafe(|| {
        if side == Side::First {
            job.prepare(service, scratch)?;
            is_prepared = true;
            if matches!(job.policy, Policy::Conc(_)) {
                ask_second();
            }
        }
        job.run(service, side, scratch)
    }));
    let made = made.unwrap_or_else(|panic| {
        // What a panic left half written is not used again.
        *scratch = service.scratch();
        let message = message(panic.as_ref());
        Err(Failure::Panicked { message })
    });
    job.end(side, made, is_prepared)
}

/// Has a request's second version run, by whoever is free first.
fn ask_second<S: Service>(shared: &Shared<S>, job: &Arc<Job<S>>) {
    let version = job.version(Side::Second);
    let task = Task {
        job: Arc::clone(job),
        side: Side::Second,
    };
    let version = version.expect("a policy that asks a second version has one");
    shared.queues().follow_up(version, task);
    shared.wake.notify_one();
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

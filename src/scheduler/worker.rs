//! What a worker does: take the next work, do it, and see what follows.

use std::any::Any;
use std::borrow::Borrow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Shared;
use super::error::Failure;
use super::job::{Ended, Job};
use super::route::Side;
use super::service::Service;
use super::waiting::{Crew, Done, Task, Work};
use crate::tiers::Policy;

/// A worker that had nothing to do for so long gives its scratch back, which holds what its largest
/// request took; the next one makes a new one.
const IDLE: Duration = Duration::from_secs(4);

/// A worker's life: until the scheduler is closed and all is answered.
pub(super) fn work<S: Service>(shared: &Shared<S>, crew: Crew) {
    // Steps bring their own.
    let mut scratch = (crew == Crew::Everything).then(|| shared.service.scratch());
    while let Some(work) = wait(shared, crew, &mut scratch) {
        let began = Instant::now();
        let done = match (work, &mut scratch) {
            (Work::Step { taken, step }, _) => {
                step();
                Done::Step(taken)
            }
            (Work::Run { version, task }, scratch) => {
                if task.job.begin(task.side) {
                    let scratch = scratch.get_or_insert_with(|| shared.service.scratch());
                    run(shared, &task, scratch);
                }
                Done::Run(version)
            }
        };
        let time = began.elapsed();
        shared.waiting().done(done, time);
        shared.statistics().worked(time);
        // A freed version, or the end, may concern any of the others.
        shared.wake.notify_all();
        shared.wake_for_step.notify_all();
    }
}

/// The next work; none when there will be no more. Scratch goes while none comes.
fn wait<S: Service>(
    shared: &Shared<S>,
    crew: Crew,
    scratch: &mut Option<S::Scratch>,
) -> Option<Work<S>> {
    let wake = match crew {
        Crew::Everything => &shared.wake,
        Crew::Steps => &shared.wake_for_step,
    };
    let mut waiting = shared.waiting();
    loop {
        if let Some(next) = waiting.next(crew) {
            return Some(next);
        }
        if waiting.is_finished() {
            return None;
        }
        if scratch.is_none() {
            let woken = wake.wait(waiting);
            waiting = woken.expect("no code under this lock panics");
            continue;
        }
        let woken = wake.wait_timeout(waiting, IDLE);
        let (held, waited) = woken.expect("no code under this lock panics");
        waiting = held;
        if waited.timed_out() {
            drop(waiting);
            *scratch = None;
            waiting = shared.waiting();
        }
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
    job.end(service, side, made, is_prepared)
}

/// Runs a side of an admitted request, and sees what follows.
fn run<S: Service>(shared: &Shared<S>, task: &Task<S>, scratch: &mut S::Scratch) {
    let Task { job, side } = task;
    let ask = || ask_second(shared, job);
    match perform(&shared.service, job, *side, scratch, &ask) {
        Ended::Wait => {}
        Ended::AskSecond => ask(),
        Ended::Answered(machine) => shared.statistics().answered(machine),
        Ended::Stopped(stop) => shared.statistics().stopped(stop),
    }
}

/// Has a request's second version run, by whoever is free first.
fn ask_second<S: Service>(shared: &Shared<S>, job: &Arc<Job<S>>) {
    let version = job.version(Side::Second);
    let task = Task { job: Arc::clone(job), side: Side::Second };
    let version = version.expect("a policy that asks a second version has one");
    shared.waiting().requests.follow_up(version, task);
    shared.wake.notify_one();
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

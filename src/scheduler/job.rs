//! One request from admission to answer: what its versions made of it, and its one reply.

use std::borrow::Borrow;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use super::error::Failure;
use super::route::{Side, State, Step, escalates, next};
use super::service::{Judged, Service};
use super::statistics::Stop;
use crate::decode::Cancel;
use crate::tiers::Policy;
use crate::units::Seconds;

/// What a caller gets.
pub type Reply<S> = Result<Served<<S as Service>::Answer>, Failure<<S as Service>::Error>>;

/// Who is told the reply, once. It is called by a worker and must neither panic nor wait.
pub(super) type Tell<S> = Box<dyn FnOnce(Reply<S>) + Send>;

/// An answer, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Served<A> {
    /// The answer.
    pub answer: A,
    /// How it came about.
    pub account: Account,
}

/// How an answer came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// The policy applied.
    pub policy: Policy,
    /// The versions that ran, or began to, the policy's first before its second.
    pub ran: Vec<usize>,
    /// Whether the first version's answer was not enough (full operation).
    pub escalated: bool,
    /// The version whose answer it is.
    pub taken: usize,
    /// How sure that version was.
    pub confidence: f64,
    /// From admission to answer, the wait in the queue included.
    pub response: Seconds,
    /// Time of all workers; work that the answer cancelled counts up to that moment.
    pub machine: Seconds,
}

/// What is left to do after a run.
pub(super) enum Ended {
    /// Nothing, until the other version is done.
    Wait,
    /// The second version is to run.
    AskSecond,
    /// The request was answered, after so many seconds of work.
    Answered(f64),
    /// It had been answered before, which stopped this run.
    Stopped(Stop),
}

type Made<S> = Result<Judged<<S as Service>::Answer>, Failure<<S as Service>::Error>>;

/// One admitted request, owned or borrowed.
pub(super) struct Job<S: Service, R = <S as Service>::Request> {
    request: R,
    pub(super) policy: Policy,
    submitted: Instant,
    prepared: OnceLock<S::Prepared>,
    cancels: [Cancel; 2],
    progress: Mutex<Progress<S>>,
}

struct Progress<S: Service> {
    /// Gone once the request is answered.
    reply: Option<Tell<S>>,
    made: [Option<Made<S>>; 2],
    /// When the run under way began.
    since: [Option<Instant>; 2],
    ran: [bool; 2],
    /// Whether the second version was asked.
    asked: bool,
    /// Time of runs that have ended.
    spent: Duration,
    /// When the answer cancelled the second version's run, and at how many frames.
    cancelled: Option<(Instant, u64)>,
}

impl<S: Service, R: Borrow<S::Request>> Job<S, R> {
    pub(super) fn new(request: R, policy: Policy, cancels: [Cancel; 2], reply: Tell<S>) -> Self {
        let progress = Progress {
            reply: Some(reply),
            made: [None, None],
            since: [None, None],
            ran: [false, false],
            asked: matches!(policy, Policy::Conc(_)),
            spent: Duration::ZERO,
            cancelled: None,
        };
        Job {
            request,
            policy,
            submitted: Instant::now(),
            prepared: OnceLock::new(),
            cancels,
            progress: Mutex::new(progress),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress<S>> {
        self.progress.lock().expect("no code under this lock panics")
    }

    /// The version of a side, where the policy has one.
    pub(super) fn version(&self, side: Side) -> Option<usize> {
        match (&self.policy, side) {
            (Policy::Single { version }, Side::First) => Some(*version),
            (policy, Side::First) => policy.pair().map(|pair| pair.first),
            (policy, Side::Second) => policy.pair().map(|pair| pair.second),
        }
    }

    /// Begins a side's run, unless the request is answered already.
    pub(super) fn begin(&self, side: Side) -> bool {
        let mut progress = self.progress();
        if progress.reply.is_none() {
            return false;
        }
        progress.since[side as usize] = Some(Instant::now());
        progress.ran[side as usize] = true;
        true
    }

    /// Makes what the versions share.
    pub(super) fn prepare(
        &self,
        service: &S,
        scratch: &mut S::Scratch,
    ) -> Result<(), Failure<S::Error>> {
        let cancel = &self.cancels[0];
        self.stop(Side::First)?;
        let prepared = service.prepare(self.request.borrow(), cancel, scratch);
        let prepared = prepared.map_err(|error| self.failure(Side::First, error))?;
        // Only the first side prepares, once.
        let _ = self.prepared.set(prepared);
        Ok(())
    }

    /// Runs a side's version on what was prepared.
    pub(super) fn run(&self, service: &S, side: Side, scratch: &mut S::Scratch) -> Made<S> {
        self.stop(side)?;
        let prepared = self.prepared.get().expect("the first side prepares before either runs");
        let version = self.version(side).expect("only sides of the policy run");
        let made = service.run(prepared, version, &self.cancels[side as usize], scratch);
        made.map_err(|error| self.failure(side, error))
    }

    /// Whether the side was told to stop before it began.
    fn stop(&self, side: Side) -> Result<(), Failure<S::Error>> {
        match &self.cancels[side as usize] {
            cancel if cancel.is_late() => Err(Failure::Late),
            cancel if cancel.is_cancelled() => Err(Failure::Cancelled),
            _ => Ok(()),
        }
    }

    /// Why a side failed: what stopped it, else what the service said.
    fn failure(&self, side: Side, error: S::Error) -> Failure<S::Error> {
        self.stop(side).err().unwrap_or(Failure::Service(error))
    }

    /// Ends a side's run: answers the request if that can be done now.
    pub(super) fn end(&self, side: Side, made: Made<S>, is_prepared: bool) -> Ended {
        let now = Instant::now();
        let mut progress = self.progress();
        if let Some(since) = progress.since[side as usize].take() {
            progress.spent += now - since;
        }
        if progress.reply.is_none() {
            return self.stopped(&progress, now);
        }
        let made = match made {
            // No version can run on what could not be prepared, nor when nobody waits any more.
            Err(failure) if failure.is_final() || !is_prepared => {
                return self.answer(&mut progress, Err(failure), now);
            }
            made => made,
        };
        progress.made[side as usize] = Some(made);
        match next(&self.policy, progress.state(Side::First), progress.state(Side::Second)) {
            Step::AskSecond if !progress.asked => {
                progress.asked = true;
                Ended::AskSecond
            }
            Step::Wait | Step::AskSecond => Ended::Wait,
            Step::Take(side) => self.take(&mut progress, side, now),
        }
    }

    /// Answers with what a side made.
    fn take(&self, progress: &mut Progress<S>, side: Side, now: Instant) -> Ended {
        let escalated = escalates(&self.policy, progress.state(Side::First));
        let made = progress.made[side as usize].take();
        let reply = made.expect("a side is taken once it is done").map(|judged| Served {
            answer: judged.answer,
            account: Account {
                policy: self.policy.clone(),
                ran: self.ran(progress),
                escalated,
                taken: self.version(side).expect("only sides of the policy run"),
                confidence: judged.confidence,
                response: seconds(now - self.submitted),
                machine: seconds(progress.machine(now)),
            },
        });
        self.answer(progress, reply, now)
    }

    /// The one place where a request is answered. What still runs for it is cancelled first.
    fn answer(&self, progress: &mut Progress<S>, reply: Reply<S>, now: Instant) -> Ended {
        let machine = progress.machine(now);
        let frames = self.cancels.each_ref().map(Cancel::cancel);
        let runs = progress.since[Side::Second as usize].is_some();
        progress.cancelled = runs.then_some((now, frames[Side::Second as usize]));
        if let Some(tell) = progress.reply.take() {
            tell(reply);
        }
        Ended::Answered(machine.as_secs_f64())
    }

    fn stopped(&self, progress: &Progress<S>, now: Instant) -> Ended {
        let Some((at, frames)) = progress.cancelled else {
            return Ended::Wait;
        };
        Ended::Stopped(Stop {
            frames: self.cancels[Side::Second as usize].frames() - frames,
            seconds: seconds(now - at),
        })
    }

    fn ran(&self, progress: &Progress<S>) -> Vec<usize> {
        let sides = [Side::First, Side::Second].into_iter();
        let ran = sides.filter(|&side| progress.ran[side as usize]);
        ran.filter_map(|side| self.version(side)).collect()
    }
}

impl<S: Service> Progress<S> {
    fn state(&self, side: Side) -> State {
        match &self.made[side as usize] {
            None => State::Pending,
            Some(Err(_)) => State::Failed,
            Some(Ok(judged)) => State::Answered(judged.sure),
        }
    }

    /// Time of all workers up to now.
    fn machine(&self, now: Instant) -> Duration {
        let running = self.since.iter().flatten();
        self.spent + running.map(|&since| now - since).sum::<Duration>()
    }
}

fn seconds(time: Duration) -> Seconds {
    Seconds(time.as_secs_f64())
}

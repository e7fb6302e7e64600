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
    /// The version whose answer it is; of several parts, that which answered most of them, the
    /// policy's second where both answered as many.
    pub taken: usize,
    /// How many parts of the request each version that ran worked on, in the order of
    /// [`Account::ran`].
    pub shares: Vec<Share>,
    /// How sure that version was.
    pub confidence: f64,
    /// From admission to answer, the wait in the queue included.
    pub response: Seconds,
    /// Time of all workers; work that the answer cancelled counts up to that moment.
    pub machine: Seconds,
}

/// What a version did of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The version.
    pub version: usize,
    /// Parts that it ran on, or began to.
    pub ran: usize,
    /// Parts whose answer is its own.
    pub answered: usize,
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

/// What a side made of each part; none of a part that it was not asked for.
type Made<S> = Result<Vec<Option<Part<S>>>, Failure<<S as Service>::Error>>;

type Part<S> = Judged<<S as Service>::Answer>;

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
    /// Parts that a side ran on, or began to.
    parts: [usize; 2],
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
            parts: [0, 0],
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

    /// Runs a side's version on what was prepared, part by part.
    pub(super) fn run(&self, service: &S, side: Side, scratch: &mut S::Scratch) -> Made<S> {
        let prepared = self.prepared.get().expect("the first side prepares before either runs");
        let version = self.version(side).expect("only sides of the policy run");
        let mut made = Vec::new();
        for part in 0..service.parts(prepared).max(1) {
            self.stop(side)?;
            let answer = || {
                let cancel = &self.cancels[side as usize];
                let made = service.run(prepared, (version, part), cancel, scratch);
                made.map_err(|error| self.failure(side, error))
            };
            made.push(self.asks(side, part).then(answer).transpose()?);
        }
        Ok(made)
    }

    /// Whether a side is to run on a part: the second is not on what the first is known to be sure
    /// of.
    fn asks(&self, side: Side, part: usize) -> bool {
        let mut progress = self.progress();
        let asks =
            side == Side::First || escalates(&self.policy, progress.state(Side::First, part));
        progress.parts[side as usize] += usize::from(asks);
        asks
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
    pub(super) fn end(&self, service: &S, side: Side, made: Made<S>, is_prepared: bool) -> Ended {
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
        let mut sides = Vec::new();
        for part in 0..progress.num_parts() {
            let [first, second] = [Side::First, Side::Second].map(|s| progress.state(s, part));
            match next(&self.policy, first, second) {
                Step::AskSecond if !progress.asked => {
                    progress.asked = true;
                    return Ended::AskSecond;
                }
                Step::Wait | Step::AskSecond => return Ended::Wait,
                Step::Take(side) => sides.push(side),
            }
        }
        self.take(service, &mut progress, &sides, now)
    }

    /// Answers with what a side made of each part.
    fn take(&self, service: &S, progress: &mut Progress<S>, sides: &[Side], now: Instant) -> Ended {
        let mut parts = 0..sides.len();
        let escalated =
            parts.any(|part| escalates(&self.policy, progress.state(Side::First, part)));
        let firsts = sides.iter().filter(|&&side| side == Side::First).count();
        let most = if firsts > sides.len() - firsts { Side::First } else { Side::Second };
        let reply = progress.taken(sides).map(|parts| {
            let prepared = self.prepared.get().expect("there is no answer without it");
            let whole = service.join(prepared, parts);
            Served {
                answer: whole.answer,
                account: Account {
                    policy: self.policy.clone(),
                    ran: self.ran(progress),
                    escalated,
                    taken: self.version(most).expect("only sides of the policy run"),
                    shares: self.shares(progress, sides),
                    confidence: whole.confidence,
                    response: seconds(now - self.submitted),
                    machine: seconds(progress.machine(now)),
                },
            }
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

    fn shares(&self, progress: &Progress<S>, sides: &[Side]) -> Vec<Share> {
        let share = |side| {
            Some(Share {
                version: self.version(side).filter(|_| progress.ran[side as usize])?,
                ran: progress.parts[side as usize],
                answered: sides.iter().filter(|&&taken| taken == side).count(),
            })
        };
        [Side::First, Side::Second].into_iter().filter_map(share).collect()
    }
}

impl<S: Service> Progress<S> {
    /// How far a side is with a part.
    fn state(&self, side: Side, part: usize) -> State {
        match &self.made[side as usize] {
            None => State::Pending,
            Some(Err(_)) => State::Failed,
            Some(Ok(parts)) => match parts.get(part) {
                Some(Some(judged)) => State::Answered(judged.sure),
                _ => State::Pending,
            },
        }
    }

    /// How many parts there are, as far as a side that did not fail has told.
    fn num_parts(&self) -> usize {
        let made = self.made.iter().flatten().flatten();
        made.map(Vec::len).max().unwrap_or(1)
    }

    /// The answers of these sides to the parts; if one of the sides failed, why.
    fn taken(&mut self, sides: &[Side]) -> Result<Vec<Part<S>>, Failure<S::Error>> {
        let mut made = [Vec::new(), Vec::new()];
        for side in [Side::First, Side::Second] {
            if sides.contains(&side) {
                let done = self.made[side as usize].take();
                made[side as usize] = done.expect("a side is taken once it is done")?;
            }
        }
        let answers = sides.iter().enumerate().map(|(part, &side)| {
            made[side as usize][part].take().expect("a side is taken where it has answered")
        });
        Ok(answers.collect())
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

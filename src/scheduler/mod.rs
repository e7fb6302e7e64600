//! Requests under tolerance tiers, in one process: queues, workers, deadlines, cancellation.
//!
//! [`Tiers`] is the short way, from a tolerance to words in one call. [`Routing`] finds the policy
//! for it as for everyone else.
//!
//! A tier is a [`Policy`]. [`Scheduler::submit`] puts a request into its tier's queue, or refuses
//! it at once where the queue is full; workers take requests from the queues, run the versions that
//! the policy asks for, and stop a search whose answer is not needed any more. What all versions
//! share (for speech: the scores) is made once for a request. Paper, Section IV-B and C.
//!
//! There is one pool of workers for all versions, with a limit of workers for each. Versions differ
//! in nothing but pruning and share model and graph, so any worker can run any of them, and a pool
//! for each would leave processors idle whenever the mix of tiers is not the one it was sized for.
//! The limits give each version a pool of at most that size where that is wanted.
//!
//! A long recording is decided segment by segment ([`Service::parts`]): the second version runs on
//! those that the first is not sure of.
//!
//! Streams are worked for in steps ([`Scheduler::turn`]), which take turns with requests, so that
//! neither keeps the other waiting; one worker more than the others does steps alone, since a step
//! is short and a request may not be.
//!
//! Every admitted request is answered exactly once: with words, or with a [`Failure`] that says why
//! not. A panic of the service is such a failure, and its worker goes on.

mod client;
mod error;
mod inline;
mod job;
mod queues;
mod recognition;
mod route;
mod routing;
mod service;
mod statistics;
mod steps;
mod tiers;
mod waiting;
mod worker;

pub use client::Client;
pub use error::{Failure, Refused};
pub use job::{Account, Reply, Served, Share};
pub use recognition::{Recognition, Scored, Spoken, Unfit};
pub use routing::{Answer, NoTier, Routing, SegmentShare, TierAccount, TierId};
pub use service::{Judged, Service};
pub use statistics::{Statistics, Stop};
pub use steps::StreamId;
pub use tiers::{Tiers, TiersError};

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::decode::Cancel;
use crate::tiers::Policy;
use job::Job;
use route::Side;
use waiting::{Crew, Task, Waiting};

/// How a scheduler works.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Threads, at least one. Default: one per processor.
    pub workers: usize,
    /// Most workers that run a version at once, by version; versions beyond the list, and all
    /// versions by default, may have every worker. A limit of 0 counts as 1.
    pub limits: Vec<usize>,
    /// Most requests that wait in a tier. Beyond that, only a client that has no other request
    /// waiting is admitted, until twice as many wait. Default: 64.
    pub capacity: usize,
    /// Most requests that wait, over all tiers. A tier may have as many as it leaves free for
    /// others, and a client twice that. Default: no bound but that of each tier.
    pub total: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            limits: Vec::new(),
            capacity: 64,
            total: usize::MAX,
        }
    }
}

impl Options {
    /// So many threads; see [`Options::workers`].
    pub fn workers(self, workers: usize) -> Self {
        Options { workers, ..self }
    }

    /// At most so many workers for each version; see [`Options::limits`].
    pub fn limits(self, limits: Vec<usize>) -> Self {
        Options { limits, ..self }
    }

    /// At most so many requests waiting in a tier; see [`Options::capacity`].
    pub fn capacity(self, capacity: usize) -> Self {
        Options { capacity, ..self }
    }

    /// At most so many requests waiting over all tiers; see [`Options::total`].
    pub fn total(self, total: usize) -> Self {
        Options { total, ..self }
    }
}

/// Workers and the queues they serve. Dropping it answers what was admitted and ends the workers.
pub struct Scheduler<S: Service> {
    shared: Arc<Shared<S>>,
    workers: usize,
    threads: Vec<JoinHandle<()>>,
    tiers: Vec<Policy>,
}

/// Under what terms a request is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The tier.
    pub tier: usize,
    /// Whose it is.
    pub client: Client,
    /// Time after which it is cancelled, wherever it is.
    pub deadline: Option<Duration>,
}

/// What workers and callers share.
struct Shared<S: Service> {
    service: S,
    waiting: Mutex<Waiting<S>>,
    /// Wakes workers for everything.
    wake: Condvar,
    /// Wakes the worker for steps alone.
    wake_for_step: Condvar,
    statistics: Mutex<Statistics>,
}

impl<S: Service> Shared<S> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<S>> {
        self.waiting.lock().expect("no code under this lock panics")
    }

    fn statistics(&self) -> MutexGuard<'_, Statistics> {
        let statistics = self.statistics.lock();
        statistics.expect("no code under this lock panics")
    }
}

impl<S: Service> Scheduler<S> {
    /// Starts the workers of a service that answers these tiers; a version is its number in the
    /// service.
    pub fn new(service: S, tiers: Vec<Policy>, options: &Options) -> Self {
        let workers = options.workers.max(1);
        let shared = Arc::new(Shared {
            service,
            waiting: Mutex::new(Waiting::new(&tiers, workers, options)),
            wake: Condvar::new(),
            wake_for_step: Condvar::new(),
            statistics: Mutex::new(Statistics::default()),
        });
        let start = |crew| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || worker::work(&shared, crew))
        };
        let crews = std::iter::repeat_n(Crew::Everything, workers).chain([Crew::Steps]);
        Scheduler { workers, threads: crews.map(start).collect(), shared, tiers }
    }

    /// Admits a request to a tier. It is cancelled, wherever it is, once so much time has passed.
    ///
    /// # Errors
    /// [`Refused`] at once, where the tier's queue is full or there is no such tier.
    pub fn submit(
        &self,
        request: impl Into<S::Request>,
        tier: usize,
        deadline: Option<Duration>,
    ) -> Result<Ticket<S>, Refused> {
        let (sender, reply) = sync_channel(1);
        // A caller who has gone away needs no answer.
        let tell = move |made| drop(sender.try_send(made));
        let terms = Terms { tier, deadline, ..Terms::default() };
        let admitted = self.submit_to(request, terms, tell)?;
        Ok(Ticket { reply, admitted })
    }

    /// As [`Scheduler::submit`] for callers who do not block: a worker calls `tell` with the reply,
    /// exactly once; it must neither panic nor wait.
    ///
    /// # Errors
    /// As [`Scheduler::submit`]; `tell` is not called then.
    pub fn submit_to(
        &self,
        request: impl Into<S::Request>,
        terms: Terms,
        tell: impl FnOnce(Reply<S>) + Send + 'static,
    ) -> Result<Admitted, Refused> {
        let Terms { tier, client, deadline } = terms;
        let policy = self.tiers.get(tier);
        let policy = policy.ok_or(Refused::UnknownTier { tier })?.clone();
        let now = Instant::now();
        let deadline = deadline.and_then(|time| now.checked_add(time));
        let cancels = [Cancel::at(deadline), Cancel::at(deadline)];
        let job = Arc::new(Job::new(request.into(), policy, cancels.clone(), Box::new(tell)));
        let task = Task { job, side: Side::First };
        let refused = self.shared.waiting().push(tier, client, task);
        if let Err(waiting) = refused {
            return Err(self.full(tier, waiting));
        }
        self.shared.wake.notify_one();
        Ok(Admitted { cancels })
    }

    /// Waits until it is a stream's turn. Until the turn is dropped a worker stands aside, for the
    /// work that the caller does on its own thread.
    pub fn turn(&self, stream: StreamId) -> Turn {
        let (go, begin) = channel();
        let (done, ended) = channel::<Infallible>();
        let step = move || {
            if go.send(()).is_ok() {
                // Ends when the other side is dropped.
                let _ = ended.recv();
            }
        };
        self.shared.waiting().push_step(stream, Box::new(step));
        self.shared.wake_for_step.notify_one();
        self.shared.wake.notify_one();
        // Each step is taken, as a scheduler ends only once none waits.
        let _ = begin.recv();
        Turn { _done: done }
    }

    /// How many workers there are, beside the one for steps alone.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// How many steps of streams wait.
    pub fn waiting_steps(&self) -> usize {
        self.shared.waiting().steps()
    }

    /// How many requests wait in each tier.
    pub fn waiting(&self) -> Vec<usize> {
        self.shared.waiting().requests.waiting()
    }

    /// How many workers run each version, up to the last that a tier asks for.
    pub fn running(&self) -> Vec<usize> {
        self.shared.waiting().requests.running()
    }

    /// What has been done so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics().clone()
    }

    /// The refusal, with the time in which the workers would empty the queue.
    fn full(&self, tier: usize, waiting: usize) -> Refused {
        let each = self.shared.statistics().refused();
        let seconds = each * waiting as f64 / self.workers as f64;
        Refused::Full {
            tier,
            waiting,
            retry_after: Duration::from_secs_f64(seconds.clamp(0.001, 3600.0)),
        }
    }
}

impl<S: Service> Scheduler<S> {
    /// Answers what was admitted, ends the workers, and tells what was done in all.
    pub fn finish(mut self) -> Statistics {
        self.end();
        self.statistics()
    }

    fn end(&mut self) {
        self.shared.waiting().requests.close();
        self.shared.wake.notify_all();
        self.shared.wake_for_step.notify_all();
        for thread in self.threads.drain(..) {
            // A worker that panicked outside the service has nothing more to say.
            let _ = thread.join();
        }
    }
}

impl<S: Service> Drop for Scheduler<S> {
    fn drop(&mut self) {
        self.end();
    }
}

/// A worker's time, given to a stream; dropping it gives it back.
#[derive(Debug)]
pub struct Turn {
    _done: Sender<Infallible>,
}

/// How far the search of a request is, told while it goes on.
#[derive(Clone, Debug)]
pub struct Searched {
    cancels: [Cancel; 2],
}

impl Searched {
    /// Frames searched by the version that is ahead. Where nothing is said nothing is searched, and
    /// a second version begins at 0.
    pub fn frames(&self) -> u64 {
        let [first, second] = &self.cancels;
        first.frames().max(second.frames())
    }
}

/// An admitted request. Dropping it cancels the request: nobody waits for the answer.
pub struct Admitted {
    cancels: [Cancel; 2],
}

impl Admitted {
    /// How far the search is, for whoever wants to look later.
    pub fn searched(&self) -> Searched {
        Searched { cancels: self.cancels.clone() }
    }

    /// Stops the request within a frame, whichever version runs; it is still answered.
    pub fn cancel(&self) {
        for cancel in &self.cancels {
            cancel.cancel();
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// An admitted request whose answer can be waited for. Dropping it cancels the request.
pub struct Ticket<S: Service> {
    reply: Receiver<Reply<S>>,
    admitted: Admitted,
}

impl<S: Service> Ticket<S> {
    /// Waits for the answer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn wait(self) -> Reply<S> {
        let reply = self.reply.recv();
        reply.expect("every admitted request is answered")
    }

    /// Stops the request within a frame, whichever version runs; it is still answered.
    pub fn cancel(&self) {
        self.admitted.cancel();
    }
}

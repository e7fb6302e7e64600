//! A load for the scheduler: made-up requests at twice what the workers can do, every answer held
//! against the replay of the same outcomes.
//!
//! `cargo test` runs it in small; `scripts/soak.sh` in full.

#![allow(dead_code, reason = "the test and the example each use their part")]

use std::time::Duration;

use paretone::decode::{Cancel, DecodeError};
use paretone::scheduler::{
    Failure, Judged, Options, Refused, Scheduler, Service, Statistics, Ticket,
};
use paretone::tiers::replay::serve;
use paretone::tiers::simulate::{World, draw};
use paretone::tiers::{Choice, Costing, Pair, Policy, Table};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Frames of made-up work for a second of a version's response.
const FRAMES: f64 = 20.0;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Its place in the table.
    pub place: usize,
    /// Whether the service panics over it.
    pub panics: bool,
}

/// Recorded outcomes as a service: what it answers is known, and it works frame by frame.
pub struct Recorded {
    pub table: Table,
    /// Rounds of arithmetic in a frame.
    pub work: u64,
}

impl Service for Recorded {
    type Request = Load;
    type Prepared = Load;
    /// Place and errors.
    type Answer = (usize, u32);
    type Error = DecodeError;
    type Scratch = u64;

    fn scratch(&self) -> u64 {
        1
    }

    fn prepare(&self, load: &Load, _: &Cancel, _: &mut u64) -> Result<Load, DecodeError> {
        Ok(*load)
    }

    fn run(
        &self,
        load: &Load,
        (version, _): (usize, usize),
        cancel: &Cancel,
        scratch: &mut u64,
    ) -> Result<Judged<(usize, u32)>, DecodeError> {
        let version = &self.table.versions[version];
        let frames = (version.response[load.place] * FRAMES).ceil() as usize;
        for frame in 0..frames {
            cancel.begin_frame(frame)?;
            for round in 0..self.work {
                *scratch = std::hint::black_box(*scratch ^ round).wrapping_mul(0x9E37_79B9);
            }
            assert!(!load.panics, "a request that panics");
        }
        Ok(Judged {
            answer: (load.place, version.errors[load.place]),
            confidence: version.confidence[load.place],
            sure: version.sure[load.place],
        })
    }
}

/// What became of the requests.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub submitted: u64,
    pub refused: u64,
    /// With words, by tier.
    pub served: Vec<u64>,
    pub escalated: u64,
    pub late: u64,
    pub cancelled: u64,
    pub panicked: u64,
    /// Answers that are not those of the replay, and failures that nothing asked for.
    pub wrong: u64,
    pub statistics: Statistics,
}

impl Report {
    pub fn admitted(&self) -> u64 {
        self.submitted - self.refused
    }

    pub fn answered(&self) -> u64 {
        self.served.iter().sum::<u64>() + self.late + self.cancelled + self.panicked
    }
}

/// The tiers of the load: one and two versions, both orders of work, both choices.
pub fn tiers() -> Vec<Policy> {
    let pair = |first, second, choice| Pair { first, second, threshold: 0.6, choice };
    vec![
        Policy::Single { version: 0 },
        Policy::Single { version: 2 },
        Policy::Seq(pair(0, 2, Choice::Confident)),
        Policy::Conc(pair(0, 2, Choice::Confident)),
        Policy::Conc(pair(1, 2, Choice::Second)),
        Policy::Conc(pair(2, 0, Choice::Confident)),
    ]
}

struct Waiting {
    ticket: Ticket<Recorded>,
    load: Load,
    tier: usize,
    /// Whether its deadline had passed when it was submitted.
    is_late: bool,
    is_cancelled: bool,
}

/// Submits so many requests: as many as the queues hold, then two for each that is answered.
pub fn soak(requests: usize, options: &Options, work: u64, seed: u64) -> Report {
    let table = draw(&World::default(), seed);
    let service = Recorded { table: table.clone(), work };
    let scheduler = Scheduler::new(service, tiers(), options);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut waiting = Vec::new();
    let mut report = Report { served: vec![0; tiers().len()], ..Report::default() };
    let held = (options.capacity * tiers().len()) as u64;
    for number in 0..requests as u64 {
        while number > held + 2 * scheduler.statistics().answered {
            std::thread::sleep(Duration::from_micros(50));
        }
        submit(&scheduler, &table, &mut random, &mut waiting, &mut report);
    }
    for last in waiting {
        judge(last, &table, &mut report);
    }
    report.statistics = scheduler.finish();
    report
}

fn submit(
    scheduler: &Scheduler<Recorded>,
    table: &Table,
    random: &mut ChaCha8Rng,
    waiting: &mut Vec<Waiting>,
    report: &mut Report,
) {
    let load = Load {
        place: random.random_range(0..table.requests.len()),
        panics: random.random_bool(0.05),
    };
    let tier = random.random_range(0..tiers().len());
    let is_late = random.random_bool(0.05);
    let is_cancelled = random.random_bool(0.02);
    report.submitted += 1;
    match scheduler.submit(load, tier, is_late.then_some(Duration::ZERO)) {
        Ok(ticket) => {
            if is_cancelled {
                ticket.cancel();
            }
            waiting.push(Waiting { ticket, load, tier, is_late, is_cancelled });
        }
        Err(Refused::Full { retry_after, .. }) if !retry_after.is_zero() => report.refused += 1,
        Err(_) => report.wrong += 1,
    }
}

/// Counts what became of a request, and whether it is what had to become of it.
fn judge(waiting: Waiting, table: &Table, report: &mut Report) {
    let Waiting { load, tier, .. } = waiting;
    let expected = serve(table, &tiers()[tier], Costing::default(), load.place);
    let is_right = match waiting.ticket.wait() {
        Ok(served) => {
            report.served[tier] += 1;
            report.escalated += u64::from(served.account.escalated);
            served.answer == (load.place, expected.errors)
                && served.account.escalated == expected.escalated
                && served.account.machine.0 > 0.0
                && !load.panics
                && !waiting.is_late
        }
        Err(Failure::Late) => {
            report.late += 1;
            waiting.is_late
        }
        Err(Failure::Cancelled) => {
            report.cancelled += 1;
            waiting.is_cancelled
        }
        Err(Failure::Panicked { message }) => {
            report.panicked += 1;
            load.panics && message.contains("a request that panics")
        }
        Err(_) => false,
    };
    report.wrong += u64::from(!is_right);
}

//! The scheduler answers as the replay does, loses nothing under overload, and follows tiers with
//! the recogniser.

mod soak_load;
mod tiny_model;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paretone::audio::Waveform;
use paretone::decode::{Cancel, DecodeError};
use paretone::recognizer::{Options as Opening, Recognizer, Transcript};
use paretone::scheduler::{
    Account, Failure, Judged, Options, Recognition, Refused, Scheduler, Service, Share, Unfit,
};
use paretone::tiers::replay::serve;
use paretone::tiers::simulate::{World, draw};
use paretone::tiers::{Choice, Costing, Pair, Policy};
use paretone::units::Hertz;
use soak_load::{Load, Recorded, soak, tiers};

/// Arithmetic in a made-up frame.
const WORK: u64 = 500;

fn options(workers: usize, limits: &[usize], capacity: usize) -> Options {
    let options = Options::default().workers(workers);
    options.limits(limits.to_vec()).capacity(capacity)
}

#[test]
fn answers_are_those_of_the_replay() {
    let world = World { groups: 4, ..World::default() };
    let table = draw(&world, 11);
    let requests = table.requests.len();
    for options in [options(1, &[], requests), options(3, &[2, 1, 1], requests)] {
        let service = Recorded { table: table.clone(), work: WORK };
        let scheduler = Scheduler::new(service, tiers(), &options);
        let load = |place| Load { place, panics: false };
        let jobs =
            (0..tiers().len()).flat_map(|tier| (0..requests).map(move |place| (tier, place)));
        let tickets: Vec<_> = jobs
            .map(|(tier, place)| (tier, place, scheduler.submit(load(place), tier, None).unwrap()))
            .collect();
        for (tier, place, ticket) in tickets {
            let served = ticket.wait().unwrap();
            let expected = serve(&table, &tiers()[tier], Costing::default(), place);
            assert_eq!(served.answer, (place, expected.errors));
            assert_eq!(served.account.escalated, expected.escalated);
            check(&served.account);
        }
    }
}

/// A service of two versions, whose requests say how sure the first is of each part.
struct InParts;

impl Service for InParts {
    type Request = Vec<f64>;
    type Prepared = Vec<f64>;
    /// The version of each part.
    type Answer = Vec<usize>;
    type Error = DecodeError;
    type Scratch = ();

    fn scratch(&self) {}

    fn prepare(&self, sure: &Vec<f64>, _: &Cancel, (): &mut ()) -> Result<Vec<f64>, DecodeError> {
        Ok(sure.clone())
    }

    fn parts(&self, sure: &Vec<f64>) -> usize {
        sure.len()
    }

    fn run(
        &self,
        sure: &Vec<f64>,
        (version, part): (usize, usize),
        cancel: &Cancel,
        (): &mut (),
    ) -> Result<Judged<Vec<usize>>, DecodeError> {
        cancel.begin_frame(part)?;
        let sure = if version == 0 { sure[part] } else { 0.5 };
        Ok(Judged { answer: vec![version], confidence: sure, sure })
    }

    fn join(&self, _: &Vec<f64>, parts: Vec<Judged<Vec<usize>>>) -> Judged<Vec<usize>> {
        let least = parts.iter().map(|part| part.sure).fold(1.0, f64::min);
        let answer = parts.into_iter().flat_map(|part| part.answer).collect();
        Judged { answer, confidence: least, sure: least }
    }
}

#[test]
fn parts_of_a_request_are_decided_one_by_one() {
    let pair = |choice| Pair { first: 0, second: 1, threshold: 0.9, choice };
    let share = |version, ran, answered| Share { version, ran, answered };
    let ask = |policy: &Policy, sure: &[f64]| {
        let scheduler = Scheduler::new(InParts, vec![policy.clone()], &options(2, &[], 4));
        scheduler.submit(sure.to_vec(), 0, None).unwrap().wait().unwrap()
    };
    for choice in [Choice::Second, Choice::Confident] {
        // What the first is surer of than the second stays the first's, where the surer is taken.
        let kept = usize::from(choice == Choice::Second);
        let (seq, conc) = (Policy::Seq(pair(choice)), Policy::Conc(pair(choice)));
        let sure = [0.95, 0.1, 0.9, 0.6];
        let expected = vec![0, 1, 0, kept];
        let served = ask(&seq, &sure);
        assert_eq!(served.answer, expected);
        let answered = expected.iter().sum::<usize>();
        let shares = [share(0, 4, 4 - answered), share(1, 2, answered)];
        assert_eq!(served.account.shares, shares);
        assert!(served.account.escalated);
        assert_eq!(ask(&conc, &sure).answer, expected);
        // All parts sure: the second is not asked.
        let served = ask(&seq, &[0.95, 0.9]);
        assert_eq!((served.answer, served.account.escalated), (vec![0, 0], false));
        assert_eq!(served.account.shares, [share(0, 2, 2)]);
        assert_eq!(ask(&conc, &[0.95, 0.9]).answer, [0, 0]);
    }
    let served = ask(&Policy::Single { version: 1 }, &[0.0, 0.0, 0.0]);
    assert_eq!((served.answer, served.account.taken), (vec![1, 1, 1], 1));
    assert_eq!(served.account.shares, [share(1, 3, 3)]);
}

/// What holds of every account.
fn check(account: &Account) {
    assert!(account.ran.contains(&account.taken), "{account:?}");
    assert!(account.machine.0 > 0.0 && account.response.0 > 0.0);
    match &account.policy {
        Policy::Seq(_) => assert_eq!(account.escalated, account.ran.len() == 2),
        Policy::Single { version } => assert_eq!(account.ran, [*version]),
        Policy::Conc(_) => assert!(!account.escalated || account.ran.len() == 2),
    }
}

#[test]
fn overload_loses_nothing_and_every_cancelled_run_stops() {
    for options in [options(2, &[], 8), options(4, &[4, 4, 1], 4), options(1, &[], 2)] {
        let report = soak(600, &options, WORK, 3);
        assert_eq!(report.submitted, 600);
        assert!(report.refused > 100, "{report:?}");
        assert_eq!(report.refused, report.statistics.refused);
        assert_eq!(report.answered(), report.admitted());
        assert_eq!(report.statistics.answered, report.admitted());
        assert_eq!(report.wrong, 0, "{report:?}");
        assert!(report.served.iter().all(|&served| served > 10), "a tier starves: {report:?}");
        assert!(report.late > 0 && report.panicked > 0);
        let stops = &report.statistics.stops;
        assert!(stops.iter().all(|stop| stop.frames <= 1), "{stops:?}");
    }
}

#[test]
fn what_cannot_be_served_is_told_and_what_was_admitted_is_answered() {
    let table = draw(&World::default(), 1);
    let service = Recorded { table, work: WORK };
    let scheduler = Scheduler::new(service, tiers(), &options(1, &[], 0));
    let load = Load { place: 0, panics: false };
    let refused = scheduler.submit(load, 0, None).err().unwrap();
    assert!(matches!(refused, Refused::Full { tier: 0, waiting: 0, .. }));
    let unknown = scheduler.submit(load, 99, None).err().unwrap();
    assert_eq!(unknown, Refused::UnknownTier { tier: 99 });

    let table = draw(&World::default(), 1);
    let service = Recorded { table, work: WORK };
    let scheduler = Scheduler::new(service, tiers(), &options(1, &[], 9));
    let submit = |panics, tier, deadline| {
        let load = Load { place: 0, panics };
        scheduler.submit(load, tier, deadline).unwrap()
    };
    let late = submit(false, 3, Some(Duration::ZERO));
    let panicking: Vec<_> = (0..tiers().len()).map(|tier| submit(true, tier, None)).collect();
    let last = submit(false, 1, None);
    drop(submit(false, 1, None));
    drop(scheduler);
    assert_eq!(late.wait().unwrap_err(), Failure::Late);
    for ticket in panicking {
        let failure = ticket.wait().unwrap_err();
        assert!(matches!(failure, Failure::Panicked { message } if message.contains("panics")));
    }
    assert!(last.wait().is_ok(), "a panic does not cost the worker");
}

/// The tiny model with two versions, calibrated as the shipped model's v1 is.
fn tiny(folder: &Path) -> Arc<Recognizer> {
    let model = tiny_model::write(folder);
    let shipped: serde_json::Value =
        serde_json::from_slice(&tiny_model::calibration()).expect("JSON");
    let mut calibration = shipped.clone();
    let heads = &shipped["versions"]["v1"];
    calibration["versions"] = serde_json::json!({"v1": heads, "v2": heads});
    std::fs::write(model.join("confidence.json"), calibration.to_string()).expect("writable");
    std::fs::write(model.join("versions.toml"), tiny_model::TWO_VERSIONS).expect("writable");
    let cache = paretone::recognizer::Cache::in_folder(folder.join("cache"));
    let opening = Opening::default().cache(cache);
    Arc::new(Recognizer::open_with(&model, opening).expect("a model"))
}

fn noise(count: usize) -> Waveform {
    let samples = tiny_model::noise(count);
    Waveform {
        samples: samples.iter().map(|&sample| f32::from(sample) / 32768.0).collect(),
        rate: Hertz(16_000),
    }
}

#[test]
fn the_recogniser_answers_as_its_versions_do_alone() {
    let folder = tempfile::tempdir().unwrap();
    let recognizer = tiny(folder.path());
    let service = Recognition::new(Arc::clone(&recognizer));
    let alone = |version: usize, waveform: &Waveform| {
        let setting = recognizer.versions().list[version].setting;
        let mut scratch = recognizer.scratch();
        recognizer.transcribe_at(&setting, waveform, &mut scratch).unwrap()
    };
    let sure = |transcript: &Transcript| 1.0 - transcript.confidence.unwrap().improvable;
    for seconds in [1, 2, 5] {
        let waveform = noise(seconds * 16_000);
        let heard = [alone(0, &waveform), alone(1, &waveform)];
        for threshold in [0.0, sure(&heard[0]), sure(&heard[0]) + 1e-9, 2.0] {
            let pair = Pair {
                first: "v1".to_owned(),
                second: "v2".to_owned(),
                threshold,
                choice: Choice::Second,
            };
            let named = [Policy::Seq(pair.clone()), Policy::Conc(pair)];
            let policies = named.iter().map(|policy| service.policy(policy).unwrap());
            let scheduler =
                Scheduler::new(service.clone(), policies.collect(), &options(2, &[], 4));
            for tier in [0, 1] {
                let served =
                    scheduler.submit(waveform.clone(), tier, None).unwrap().wait().unwrap();
                let taken = usize::from(sure(&heard[0]) < threshold);
                assert_eq!(served.account.taken, taken);
                assert_eq!(served.answer.words, heard[taken].words);
                assert_eq!(served.answer.confidence, heard[taken].confidence);
                check(&served.account);
            }
            let late = scheduler.submit(waveform.clone(), 1, Some(Duration::ZERO)).unwrap();
            assert!(matches!(late.wait(), Err(Failure::Late)));
        }
    }
    let policy = Policy::Single { version: "v9".to_owned() };
    let unfit = service.policy(&policy).unwrap_err();
    assert!(matches!(&unfit, Unfit::UnknownVersion { known, .. } if known == "v1, v2"));
}

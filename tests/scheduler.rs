//! The scheduler answers as the replay does, loses nothing under overload, and follows tiers with
//! the recogniser.

mod soak_load;
mod tiny_model;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use paretone::audio::Waveform;
use paretone::recognizer::{Options as Opening, Recognizer, Transcript};
use paretone::scheduler::{Account, Failure, Options, Recognition, Refused, Scheduler, Unfit};
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

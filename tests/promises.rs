//! Promises are bound to what they were made for: of another model, front end, versions or
//! calibration nothing is promised, and nobody's promises are overwritten unasked.

mod service_client;
mod tiny_model;

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;
use paretone::MadeFor;
use paretone::confidence::Calibration;
use paretone::recognizer::{Versions, made_for};
use paretone::tiers::{Counter, Rules};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;
use service_client::Server;
use tempfile::TempDir;
use tiny_model::{noise, wav};

/// One tier for response time: a pair that always asks both versions.
const TIERS: &str = "\
[[tiers]]
tolerance = 0.0
objective = \"response-time\"
fallback = false
bound = 0.0
degradation = 0.0
response_seconds = 0.3
cost_seconds = 0.4
escalated = 0.5
policy = { kind = \"seq\", first = \"v1\", second = \"v2\", threshold = 2.0, choice = \"second\" }
";

/// The tiny model with two versions, calibrated, and a recording beside it.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let model = tiny_model::write(folder.path());
        let calibration = Calibration::parse(&tiny_model::calibration(), Path::new("shipped"));
        fs::write(folder.path().join("a.wav"), wav(16_000, &noise(32_000))).expect("writable");
        fs::write(model.join("versions.toml"), tiny_model::TWO_VERSIONS).expect("writable");
        let place = Place(folder);
        place.put_calibration(&calibration.expect("sound"));
        place
    }

    fn model(&self) -> PathBuf {
        self.0.path().join("tiny")
    }

    fn put_calibration(&self, calibration: &Calibration) {
        let text = serde_json::to_string(calibration).expect("plain");
        fs::write(self.model().join("confidence.json"), text).expect("writable");
    }

    /// The parts as they are, the calibration's among them.
    fn now(&self) -> MadeFor {
        made_for(&self.model(), true).expect("a model")
    }

    fn put_rules(&self, made_for: &MadeFor) {
        let table = [
            ("model", &made_for.model),
            ("front_end", &made_for.front_end),
            ("versions", &made_for.versions),
            ("calibration", &made_for.calibration),
        ];
        let line = |(name, value): (&str, &Option<String>)| {
            value.as_ref().map(|value| format!("{name} = \"{value}\"\n"))
        };
        let lines: String = table.into_iter().filter_map(line).collect();
        let rules = tiny_model::rules(&lines, TIERS);
        fs::write(self.model().join("rules.toml"), rules).expect("writable");
    }

    fn paretone(&self, args: &[&str]) -> Command {
        let mut command = Command::cargo_bin("paretone").expect("built with the tests");
        command
            .env("PARETONE_CACHE", self.0.path().join("cache"))
            .env_remove("PARETONE_MODEL")
            .current_dir(self.0.path())
            .args(args);
        command
    }

    fn transcribe(&self, args: &[&str]) -> Command {
        let mut command = self.paretone(&["transcribe", "a.wav", "--format", "json"]);
        command.args(["--model", "tiny"]).args(args);
        command
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.transcribe(args).assert().code(0).get_output().clone();
        serde_json::from_slice(&output.stdout).expect("one line of JSON")
    }
}

#[test]
fn rules_hold_only_for_what_they_were_learnt_for() {
    let place = Place::new();
    let now = place.now();
    place.put_rules(&now);
    let heard = place.json(&["--tolerance", "0.05"]);
    assert_eq!(heard["tier"]["policy"], "seq(v1, v2, never early, second)");
    assert_ne!(heard["tier"]["certificate"], "none");
    let other = || Some("00000000000000ff".to_owned());
    for (part, learnt_for) in [
        ("model", MadeFor { model: other(), ..now.clone() }),
        ("front end", MadeFor { front_end: other(), ..now.clone() }),
        ("versions", MadeFor { versions: other(), ..now.clone() }),
        ("calibration", MadeFor { calibration: other(), ..now.clone() }),
    ] {
        place.put_rules(&learnt_for);
        place.transcribe(&["--tolerance", "0.05"]).assert().code(0).stderr(
            contains(part).and(contains("nothing is certified")).and(contains("tiers train")),
        );
        let heard = place.json(&["--tolerance", "0.05"]);
        assert_eq!(heard["tier"]["policy"], "osfa(v2)", "{part}");
        assert_eq!(heard["tier"]["certificate"], "none", "{part}");
        // Whoever names the file wants that one.
        place
            .transcribe(&["--tolerance", "0.05", "--rules", "tiny/rules.toml"])
            .assert()
            .code(2)
            .stderr(contains(part));
    }
}

#[test]
fn rules_that_do_not_say_what_they_are_for_promise_nothing() {
    let place = Place::new();
    place.put_rules(&MadeFor::default());
    let command = || place.transcribe(&["--tolerance", "0.05"]);
    command().assert().code(0).stderr(
        contains("do not say which model")
            .and(contains("nothing is certified"))
            .and(contains("tiers train")),
    );
    let heard = place.json(&["--tolerance", "0.05"]);
    assert_eq!(heard["tier"]["certificate"], "none");
    place
        .transcribe(&["--tolerance", "0.05", "--rules", "tiny/rules.toml"])
        .assert()
        .code(2)
        .stderr(contains("do not say which model"));
}

#[test]
fn a_service_without_rules_that_hold_answers_by_the_most_accurate_version() {
    let place = Place::new();
    let other = || Some("00000000000000ff".to_owned());
    let model = format!("--model={}", place.model().display());
    let cache = place.0.path().join("cache");
    for rules in [None, Some(MadeFor { model: other(), ..place.now() })] {
        if let Some(rules) = &rules {
            place.put_rules(rules);
        }
        let log = place.0.path().join("log");
        let server =
            Server::start_in(&[&model], Stdio::from(File::create(&log).expect("a log")), &cache);
        let tiers = server.get("/tiers").json();
        assert_eq!(tiers["certificate"]["reference"], "v2");
        let recording = fs::read(place.0.path().join("a.wav")).expect("written");
        let reply = server.post("/compute", "Tolerance: 10%\r\n", &recording);
        assert_eq!(reply.status, 200);
        drop(server);
        let said = fs::read_to_string(log).expect("a log");
        assert!(said.contains("v2 answers at every tolerance, and nothing is certified"), "{said}");
    }
    // Whoever names the file wants that one, and damaged rules are nobody's wish.
    let rules = place.model().join("rules.toml");
    let refused = |args: &[&str], said: &str| {
        let all = [&["serve", "--listen", "127.0.0.1:0", model.as_str()], args].concat();
        let mut command = place.paretone(&all);
        command.timeout(Duration::from_secs(60)).assert().code(2).stderr(contains(said.to_owned()));
    };
    refused(&["--rules", &rules.display().to_string()], "tiers train");
    fs::write(&rules, "damaged").expect("writable");
    refused(&[], "no rules file");
    // A model without versions has nothing to serve.
    fs::remove_file(&rules).expect("it was there");
    fs::remove_file(place.model().join("versions.toml")).expect("it was there");
    refused(&[], "paretone tune");
}

#[test]
fn a_port_that_is_taken_is_told_before_the_model_is_opened() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    for listen in [format!("{port}"), format!("localhost:{port}"), format!("127.0.0.1:{port}")] {
        // No model could be opened here.
        let folder = place.0.path().join("none");
        fs::create_dir_all(&folder).expect("writable");
        place
            .paretone(&["serve", "--listen", &listen, "--model", "none"])
            .timeout(Duration::from_secs(60))
            .assert()
            .code(2)
            .stderr(contains(format!("cannot listen on 127.0.0.1:{port}")));
    }
    place
        .paretone(&["serve", "--listen", "nowhere", "--model", "tiny"])
        .assert()
        .code(2)
        .stderr(contains("localhost:8080"));
}

#[test]
fn a_changed_version_takes_rules_and_confidences_with_it() {
    let place = Place::new();
    let calibration = Calibration::of_model(&place.model()).expect("sound");
    let parts = MadeFor { calibration: None, ..place.now() };
    place.put_calibration(&Calibration { made_for: parts, ..calibration });
    place.put_rules(&place.now());
    assert!(place.json(&["--at", "v2"])["confidence"].is_number());
    let versions = place.model().join("versions.toml");
    let text = fs::read_to_string(&versions).expect("written");
    let beam = text.find("network_beam=").expect("a beam") + "network_beam=".len();
    fs::write(&versions, format!("{}5.125 global_beam={}", &text[..beam], &text[beam..]))
        .expect("writable");
    assert!(Versions::of_model(&place.model()).is_ok(), "still a list of versions");
    for args in [&["--at", "v2"][..], &["--at", "v1"], &[]] {
        let heard = place.json(args);
        assert!(heard["confidence"].is_null(), "{args:?}");
        for word in heard["words"].as_array().expect("words") {
            assert!(word["confidence"].is_null());
        }
    }
    place
        .transcribe(&["--tolerance", "0.05"])
        .assert()
        .code(0)
        .stderr(contains("confidence fit").and(contains("nothing is certified")));
}

#[test]
fn the_default_is_the_most_accurate_version_with_its_confidence() {
    let place = Place::new();
    let (best, usual) = (place.json(&["--at", "v2"]), place.json(&[]));
    assert!(usual["confidence"].is_number());
    assert_eq!((&usual["words"], &usual["confidence"]), (&best["words"], &best["confidence"]));
    assert!(place.json(&["--beam", "7"])["confidence"].is_null());
}

/// Two points of a sweep, the more accurate one with the neural language model.
fn points() -> Value {
    let point = |setting: &str, wer: f64, seconds: f64| {
        serde_json::json!({
            "setting": setting, "utterances": 300, "words": 600, "errors": 60, "wer_percent": wer,
            "macro_percent": wer, "response_seconds": seconds, "search_seconds": seconds,
            "real_time_factor": 0.1, "tokens_per_frame": 1.0, "arcs_per_frame": 100.0 * seconds,
            "epsilon_arcs_per_frame": 1.0, "on_front": true, "on_arcs_front": true,
        })
    };
    serde_json::json!([
        point("network_beam=12 lattice_beam=8 rescore", 10.5, 0.1),
        point("network_beam=13 lattice_beam=8 rescore neural", 10.0, 0.2),
    ])
}

#[test]
fn what_is_recorded_for_a_model_says_so_by_itself() {
    let place = Place::new();
    tiny_model::add_neural(&place.model());
    let at = |name: &str| place.0.path().join(name);
    let run = |line: &str| {
        let args: Vec<&str> = line.split(' ').collect();
        place.paretone(&args).assert().code(0).get_output().clone()
    };
    fs::write(at("points.json"), points().to_string()).expect("writable");
    fs::write(at("sweep.svg"), "as the sweep drew it").expect("writable");
    run("versions pick --model tiny --points points.json --count 2");
    let picture = fs::read_to_string(at("sweep.svg")).expect("drawn again");
    for label in ["v1", "v2", "Pareto front", "word error rate, %", "response time of"] {
        assert!(picture.contains(label), "{label}");
    }
    let versions = Versions::of_model(&place.model()).expect("picked");
    let now = place.now();
    assert_eq!(
        (&versions.made_for.model, &versions.made_for.front_end),
        (&now.model, &now.front_end)
    );

    // Recordings that both versions hear rightly and wrongly often enough.
    let said = |version| place.json(&["--at", version])["text"].as_str().expect("text").to_owned();
    let texts = [said("v1"), said("v2"), "ah ah ah ah ah ah bah bah bah".to_owned()];
    let row = |n: usize| format!("{n}\ta.wav\t{}\tspeaker {}\n", texts[n % 3], n % 15);
    let rows: String = (0..330).map(row).collect();
    fs::write(at("corpus.tsv"), format!("id\tpath\ttext\tspeaker\n{rows}")).expect("writable");
    let bench = "bench --model tiny --manifest corpus.tsv --versions all --outcomes";
    run(&format!("{bench} dev.csv"));
    run("confidence fit --model tiny --outcomes dev.csv");
    let calibration = Calibration::of_model(&place.model()).expect("fitted");
    let now = place.now();
    assert_eq!(calibration.made_for, MadeFor { calibration: None, ..now.clone() });

    run(&format!("{bench} test.csv"));
    run("tiers train --outcomes test.csv --out tiny/rules.toml");
    let rules = Rules::open(&place.model().join("rules.toml")).expect("learnt");
    assert_eq!(rules.made_for, now);
    assert!(
        [&now.model, &now.front_end, &now.versions, &now.calibration]
            .iter()
            .all(|part| part.is_some())
    );
    let said = place.transcribe(&["--tolerance", "0.05"]).assert().code(0).get_output().clone();
    assert_eq!(String::from_utf8_lossy(&said.stderr), "");
    assert_ne!(place.json(&["--tolerance", "0.05"])["tier"]["certificate"], "none");
}

#[test]
fn nothing_of_a_model_is_overwritten_unasked() {
    let place = Place::new();
    fs::write(place.0.path().join("points.json"), "[]").expect("writable");
    fs::write(place.0.path().join("outcomes.csv"), "id,group\n").expect("writable");
    fs::create_dir_all(place.0.path().join("models")).expect("writable");
    fs::rename(place.model(), place.0.path().join("models/en")).expect("writable");
    let before = fs::read(place.0.path().join("models/en/versions.toml")).expect("written");
    for args in [
        &["versions", "pick", "--points", "points.json"][..],
        &["confidence", "fit", "--outcomes", "outcomes.csv"],
    ] {
        place.paretone(args).assert().code(2).stderr(contains("--in-place"));
    }
    let after = fs::read(place.0.path().join("models/en/versions.toml")).expect("written");
    assert_eq!(before, after);
}

/// Outcomes of so many requests of a set by two versions, every second with an error, which the
/// counters tell.
fn outcomes(requests: u32, set: &str) -> String {
    outcomes_with(requests, set, |told| told)
}

/// The same with other errors than the counters tell.
fn outcomes_with(requests: u32, set: &str, errors: impl Fn(u32) -> u32) -> String {
    let counters: Vec<&str> = Counter::ALL.iter().map(|counter| counter.column()).collect();
    let mut table = format!(
        "id,group,version,errors,words,response_seconds,cost_seconds,confidence,set,{}\n",
        counters.join(",")
    );
    for request in 0..requests {
        let told = request % 2;
        let values = vec![format!("0.{}", 3 + 4 * told); counters.len()].join(",");
        let errors = errors(told);
        for version in ["v1", "v2"] {
            let id = format!("{set}-{request},g{},{version}", request % 7);
            table += &format!("{id},{errors},9,0.1,0.1,0.5,{set},{values}\n");
        }
    }
    table
}

#[test]
fn answers_are_measured_as_recorded_and_by_a_calibration() {
    let place = Place::new();
    let put =
        |name: &str, text: &str| fs::write(place.0.path().join(name), text).expect("writable");
    put("clean.csv", &outcomes(400, "clean"));
    let fit = ["confidence", "fit", "--model", "tiny", "--outcomes", "clean.csv"];
    let said = place.paretone(&fit).assert().code(0).get_output().clone();
    assert!(String::from_utf8_lossy(&said.stdout).contains("400 utterances, 200 without error"));
    let rows = |arguments: &[&str]| {
        let all = [&["confidence", "answers", "clean.csv"][..], arguments].concat();
        let said = place.paretone(&all).assert().code(0).get_output().clone();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let cells = |row: &str| row.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        text.lines().skip(1).map(cells).collect::<Vec<_>>()
    };
    let (recorded, judged) = (rows(&[]), rows(&["--model", "tiny"]));
    assert_eq!(recorded.len(), 4, "two versions, one set and all");
    // 200 requests of 0.3 and 200 of 0.7 were recorded, beside 200 errors.
    assert_eq!(recorded[0][..6], ["v1", "clean", "400", "200", "1.00", "1.00"]);
    // A calibration that was fitted to them expects what was made.
    assert_eq!(judged[0][4], "1.00");
    let error: f64 = judged[0][6].parse().expect("a number");
    assert!(error < 0.05, "{judged:?}");
}

#[test]
fn a_calibration_of_no_use_can_be_replaced() {
    let place = Place::new();
    let recorded = MadeFor { calibration: None, ..place.now() };
    let outcomes = outcomes(400, "dev");
    let (header, rows) = outcomes.split_once('\n').expect("a header");
    let rows = rows.lines().map(|row| format!("{row},{recorded}\n")).collect::<String>();
    let outcomes = format!("{header},made_for\n{rows}");
    fs::write(place.0.path().join("outcomes.csv"), outcomes).expect("writable");
    let path = place.model().join("confidence.json");
    let short = r#"{"mean": [0], "deviation": [1], "weights": [1], "bias": 0}"#;
    let other = format!(r#"{{"versions": {{"v1": {{"right": {short}, "improvable": {short}}}}}}}"#);
    for (text, opens) in [("{", false), (other.as_str(), true)] {
        fs::write(&path, text).expect("writable");
        let transcribe = ["transcribe", "--model", "tiny", "--at", "v1", "a.wav"];
        let transcribed = place.paretone(&transcribe).assert();
        let transcribed = transcribed.stderr(contains("confidence fit"));
        transcribed.code(if opens { 0 } else { 2 });
        let fit = ["confidence", "fit", "--model", "tiny", "--outcomes", "outcomes.csv"];
        place.paretone(&fit).assert().code(0).stderr("");
        let fitted = Calibration::of_model(&place.model()).expect("sound");
        assert_eq!(fitted.versions.len(), 2);
    }
}

/// The same evidence stands beside an error in one recording and beside none in the other: what is
/// expected is nearer to the foremost.
#[test]
fn further_speech_teaches_less_than_the_foremost() {
    let place = Place::new();
    let put =
        |name: &str, text: &str| fs::write(place.0.path().join(name), text).expect("writable");
    put("clean.csv", &outcomes(400, "clean"));
    put("copies.csv", &outcomes_with(400, "copies", |_| 0));
    let fit = ["confidence", "fit", "--model", "tiny", "--outcomes", "clean.csv"];
    place.paretone(&[&fit[..], &["--beside", "copies.csv"]].concat()).assert().code(0);
    let expected = |table: &str| {
        let judge = ["confidence", "answers", table, "--model", "tiny"];
        let said = place.paretone(&judge).assert().code(0).get_output().clone();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let cells: Vec<&str> = text.lines().nth(1).expect("a row").split_whitespace().collect();
        cells[4].parse::<f64>().expect("a number")
    };
    // Four of five parts are of the speech in which every second answer has an error.
    let share = expected("clean.csv");
    assert!((0.7..0.9).contains(&share), "{share}");

    let others = outcomes(400, "copies").replace(",v2,", ",v3,");
    put("others.csv", &others);
    let refused = place.paretone(&[&fit[..], &["--beside", "others.csv"]].concat()).assert();
    refused.code(2).stderr(contains("of v1, v3, the others of v1, v2"));
}

#[test]
fn few_utterances_calibrate_nothing() {
    let place = Place::new();
    fs::write(place.0.path().join("outcomes.csv"), outcomes(60, "dev")).expect("writable");
    let before = fs::read(place.model().join("confidence.json")).expect("written");
    place
        .paretone(&["confidence", "fit", "--model", "tiny", "--outcomes", "outcomes.csv"])
        .assert()
        .code(2)
        .stderr(contains("60 utterances").and(contains("needs 300")));
    let after = fs::read(place.model().join("confidence.json")).expect("written");
    assert_eq!(before, after);
}

#[test]
fn outcomes_without_lattices_calibrate_nothing() {
    let place = Place::new();
    let table = outcomes(400, "dev");
    let header: Vec<&str> = table.lines().next().expect("a header").split(',').collect();
    let without = |line: &str| {
        let mut cells: Vec<&str> = line.split(',').collect();
        for (counter, value) in [(Counter::Posterior, "1"), (Counter::WordsHeard, "0")] {
            let at = header.iter().position(|name| *name == counter.column()).expect("a column");
            cells[at] = value;
        }
        cells.join(",") + "\n"
    };
    let rows: String = table.lines().skip(1).map(without).collect();
    let path = place.0.path().join("outcomes.csv");
    fs::write(path, header.join(",") + "\n" + &rows).expect("writable");
    place
        .paretone(&["confidence", "fit", "--model", "tiny", "--outcomes", "outcomes.csv"])
        .assert()
        .code(2)
        .stderr(contains("say nothing of its lattices").and(contains("rescore")));
}

#[test]
fn a_sweeps_folder_is_of_one_corpus_split_and_limit() {
    let place = Place::new();
    let mut manifest = String::from("id\tpath\ttext\tspeaker\tset\tsplit\n");
    for (id, split) in [("a", "dev"), ("b", "dev"), ("c", "test")] {
        manifest += &format!("{id}\ta.wav\tyes\tann\tclean\t{split}\n");
    }
    fs::write(place.0.path().join("corpus.tsv"), manifest).expect("writable");
    let sweep = |more: &[&str]| {
        let mut command = place.paretone(&[
            "sweep",
            "--model",
            "tiny",
            "--manifest",
            "corpus.tsv",
            "--dir",
            "sweep",
        ]);
        command.args(["--search", "grid", "--levels", "network_beam=9,8"]).args(more);
        command
    };
    sweep(&["--split", "dev"]).assert().code(0);
    sweep(&["--split", "dev"]).assert().code(0);
    for other in [&["--split", "test"][..], &["--split", "dev", "--limit", "1"], &[]] {
        sweep(other).assert().code(2).stderr(contains("another kind"));
    }
}

//! The library's door: from a tolerance to words in one call, the same words and the same account
//! as the program and the service give; and a tolerance that is written alike everywhere.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::path::Path;
use std::process::Command;

use paretone::{
    Answer, Objective, Policy, Recognizer, Rules, Tiers, TiersError, Tolerance, Transcript,
    Waveform, WithCauses,
};
use serde_json::{Value, json};
use service_client::{Server, form, sample};

const RECORDING: &str = "corpora/samples/river.wav";

fn tiers() -> Tiers {
    Tiers::of_model(Recognizer::open("models/en").unwrap()).unwrap()
}

/// The words of an answer, as JSON has them.
fn words(answer: &Answer) -> Value {
    let words = answer.transcript.words.iter().map(|word| {
        let (start, end) = (word.start.0, word.end.0);
        json!({"word": word.word, "start": start, "end": end, "confidence": word.confidence})
    });
    read_back(words.collect())
}

/// Confidences as the program prints them: to six decimals.
fn rounded(mut words: Value) -> Value {
    for word in words.as_array_mut().unwrap() {
        if let Some(confidence) = word["confidence"].as_f64() {
            word["confidence"] = json!((confidence * 1e6).round() / 1e6);
        }
    }
    words
}

/// A value as it is after it was written and read: not every digit of a number survives.
fn read_back(value: Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// What `paretone transcribe` prints.
fn program(tolerance: &str, objective: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_paretone"))
        .args(["transcribe", "--model=models/en", "--format=json", RECORDING])
        .args(["--tolerance", tolerance, "--objective", objective])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_door_the_program_and_the_service_give_the_same_words_and_account() {
    let (tiers, server) = (tiers(), Server::start(&[]));
    let recording = Waveform::open(RECORDING).unwrap();
    for objective in Objective::ALL {
        for percent in [0.0, 1.0, 2.0, 5.0, 10.0] {
            let tolerance = Tolerance::percent(percent).unwrap();
            let answer = tiers.transcribe(&recording, tolerance, objective).unwrap();
            let account = &answer.account;

            let printed = program(&tolerance.to_string(), objective.name());
            assert_eq!(printed["words"], rounded(words(&answer)), "{tolerance} {objective:?}");
            let tier = &printed["tier"];
            assert_eq!(tier["policy"], account.policy.to_string());
            assert_eq!(tier["versions"], json!(account.versions));
            assert_eq!(tier["segments"], json!(account.segments));
            assert_eq!(tier["certificate"], account.certificate);

            let name = objective.name();
            let headers = format!(
                "Tolerance: {tolerance}\r\nObjective: {name}\r\nAccept: application/json\r\n"
            );
            let served = server.post("/compute", &headers, &sample("river.wav")).json();
            assert_eq!(served["words"], words(&answer), "{tolerance} {objective:?}");
            let told = &served["account"];
            assert_eq!(told["tier"], account.tier);
            assert_eq!(told["bound"], read_back(json!(account.bound)));
            assert_eq!(told["policy"], account.policy.to_string());
            // Where two versions run at once, one that is answered for may not have begun.
            let ran: Vec<&str> =
                told["versions"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(ran.contains(&account.answered_by.as_str()), "{ran:?}");
            assert!(
                json!(ran)
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|v| json!(account.versions).as_array().unwrap().contains(v))
            );
            assert_eq!(told["answered_by"], account.answered_by);
            assert_eq!(told["escalated"], account.escalated);
            assert_eq!(told["confidence"], read_back(json!(account.confidence)));
            assert_eq!(told["certificate"], account.certificate);
        }
    }
}

/// The samples of the repository one after the other, again and again.
fn long_recording() -> Waveform {
    let names = ["river", "night", "winter", "children"];
    let samples = names.map(|name| Waveform::open(format!("corpora/samples/{name}.wav")).unwrap());
    let rate = samples[0].rate;
    let once = samples.iter().flat_map(|sample| sample.samples.clone()).collect::<Vec<f32>>();
    Waveform { samples: once.repeat(4), rate }
}

#[test]
fn a_long_recording_is_decided_segment_by_segment() {
    let (tiers, recording) = (tiers(), long_recording());
    let recognizer = tiers.recognizer();
    let mut scratch = recognizer.scratch();
    let scored = recognizer.score(&recording, &mut scratch).unwrap();
    let count = scored.segments().len();
    assert!(count > 1, "{count}");
    for (percent, objective) in [(2.0, Objective::ResponseTime), (3.0, Objective::Cost)] {
        let tolerance = Tolerance::percent(percent).unwrap();
        let Answer { transcript, account, .. } =
            tiers.transcribe(&recording, tolerance, objective).unwrap();
        let answered: usize = account.segments.iter().map(|share| share.answered).sum();
        assert_eq!((transcript.segments, answered), (count, count), "{account:?}");
        let (errors, words) = (transcript.expected_errors.unwrap(), transcript.words.len() as f64);
        let expected = 1.0 - errors / words;
        assert!((transcript.confidence.unwrap().right - expected).abs() < 1e-9);
        assert_eq!(account.confidence, transcript.confidence.unwrap().right);
        // The same decisions by hand.
        let (mut by_hand, mut escalated) = (Vec::new(), false);
        let mut ran = vec![0; recognizer.versions().list.len()];
        for part in 0..count {
            let mut run = |name: &str| {
                let list = &recognizer.versions().list;
                let place = list.iter().position(|version| version.name == name).unwrap();
                ran[place] += 1;
                let mut scratch = recognizer.scratch();
                recognizer.search_part(&list[place].setting, &scored, part, &mut scratch).unwrap()
            };
            let heard = match &account.policy {
                Policy::Single { version } => run(version),
                Policy::Seq(pair) | Policy::Conc(pair) => {
                    let sure = |heard: &Transcript| 1.0 - heard.confidence.unwrap().improvable;
                    let first = run(&pair.first);
                    match sure(&first) >= pair.threshold {
                        true => first,
                        false => {
                            escalated = true;
                            let second = run(&pair.second);
                            match pair.choice.takes_first(sure(&first), sure(&second)) {
                                true => first,
                                false => second,
                            }
                        }
                    }
                }
            };
            by_hand.extend(heard.words);
        }
        assert_eq!(
            (&transcript.words, account.escalated),
            (&by_hand, escalated),
            "{}",
            account.policy
        );
        if !matches!(account.policy, Policy::Conc(_)) {
            for share in &account.segments {
                let list = &recognizer.versions().list;
                let place = list.iter().position(|version| version.name == share.version);
                assert_eq!(share.ran, ran[place.unwrap()], "{account:?}");
            }
        }
    }
    let whole = recognizer.transcribe(&recording).unwrap();
    let tolerance = Tolerance::percent(0.0).unwrap();
    let best = tiers.transcribe(&recording, tolerance, Objective::Cost).unwrap().transcript;
    assert_eq!((&best.words, best.cost), (&whole.words, whole.cost));
    assert_eq!(best.confidence.unwrap().right, whole.confidence.unwrap().right);
}

#[test]
fn a_scratch_changes_nothing() {
    let recognizer = Recognizer::open("models/en").unwrap();
    let recording = Waveform::open(RECORDING).unwrap();
    let once = recognizer.transcribe(&recording).unwrap();
    let mut scratch = recognizer.scratch();
    for _ in 0..2 {
        let again = recognizer.transcribe_with(&recording, &mut scratch).unwrap();
        assert_eq!((&again.words, again.cost), (&once.words, once.cost));
    }
}

#[test]
fn threads_share_one_door() {
    let (tiers, recording) = (tiers(), Waveform::open(RECORDING).unwrap());
    let tolerance = Tolerance::percent(5.0).unwrap();
    let transcribe = || tiers.transcribe(&recording, tolerance, Objective::ResponseTime);
    let expected = transcribe().unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(transcribe)).collect();
        for thread in threads {
            let answer = thread.join().unwrap().unwrap();
            assert_eq!(answer.transcript.words, expected.transcript.words);
            assert_eq!(answer.account.policy, expected.account.policy);
        }
    });
}

/// `5%` and `0.05` are the same, and `5` is asked about: in a flag, a header, a form's field, a
/// model's name, and in rules.
#[test]
fn a_tolerance_is_written_alike_everywhere() {
    let server = Server::start(&[]);
    let header = |text: &str| {
        let headers = format!("Tolerance: {text}\r\nAccept: application/json\r\n");
        server.post("/compute", &headers, &sample("river.wav"))
    };
    let field = |name: &str, text: &str| {
        let fields = [(name, text), ("response_format", "verbose_json")];
        server.ask(&form(&fields, Some(&sample("river.wav"))))
    };
    let policy = |reply: Value| reply["account"]["policy"].clone();
    let flag = |text: &str| program(text, "response-time")["tier"]["policy"].clone();
    let expected = flag("0.05");
    assert!(expected.is_string());
    assert_eq!(flag("5%"), expected);
    for text in ["5%", "0.05", " 5 %", "5e-2"] {
        assert_eq!(policy(header(text).json()), expected, "{text}");
        assert_eq!(policy(field("tolerance", text).json()), expected, "{text}");
    }
    assert_eq!(policy(field("model", "paretone-5pct").json()), expected);
    for refused in [header("5"), field("tolerance", "5")] {
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("was 5% meant?"), "{}", refused.text());
    }
    let output = Command::new(env!("CARGO_BIN_EXE_paretone"))
        .args(["transcribe", "--model=models/en", RECORDING, "--tolerance=5"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("was 5% meant?"));

    let text = std::fs::read_to_string("models/en/rules.toml").unwrap();
    let rules = Rules::parse(&text).unwrap();
    let rule = rules.tiers.iter().find(|rule| rule.tolerance.as_percent() > 1.0);
    let tolerance = rule.unwrap().tolerance;
    let plain = format!("tolerance = {}\n", tolerance.as_share());
    assert!(text.contains(&plain), "{plain}");
    let percent = text.replace(&plain, &format!("tolerance = \"{tolerance}\"\n"));
    assert_eq!(Rules::parse(&percent).unwrap(), rules);
    let bare = text.replace(&plain, &format!("tolerance = {}\n", 100.0 * tolerance.as_share()));
    let error = Rules::parse(&bare).unwrap_err();
    let error = WithCauses(&error).to_string();
    assert!(error.contains("meant?"), "{error}");
}

#[test]
fn what_the_door_cannot_open_says_what_to_do() {
    let missing = Tiers::open(Recognizer::open("models/en").unwrap(), "no/rules.toml");
    let error = missing.err().unwrap();
    assert!(matches!(error, TiersError::NoRules(_)));
    assert!(error.to_string().contains("paretone tiers train"));

    let text = std::fs::read_to_string(Path::new("models/en/rules.toml")).unwrap();
    let rules = Rules::parse(&text.replace("\"v7\"", "\"v9\"")).unwrap();
    let unfit = Tiers::new(Recognizer::open("models/en").unwrap(), rules);
    let error = unfit.err().unwrap();
    assert!(matches!(error, TiersError::Unfit(_)));
    assert!(error.to_string().contains("v9") && error.to_string().contains("tiers train"));

    let mut rules = Rules::parse(&text).unwrap();
    rules.tiers.retain(|rule| rule.objective == Objective::Cost);
    let tiers = Tiers::new(Recognizer::open("models/en").unwrap(), rules).unwrap();
    let recording = Waveform::open(RECORDING).unwrap();
    let error = tiers.transcribe(&recording, Tolerance::NONE, Objective::ResponseTime);
    let error = error.unwrap_err();
    assert!(matches!(error, TiersError::NoTier(_)));
    assert!(error.to_string().contains("no rules for response-time"));
}

//! `paretone transcribe --tolerance`: rules are found, refused or followed, and JSON says how.

mod tiny_model;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use paretone::Tolerance;
use paretone::recognizer::made_for;
use predicates::str::contains;
use serde_json::Value;
use tiny_model::{noise, wav};

/// Tiers: nothing below 2 % but the reference, a pair from 2 % on.
const TIERS: &str = "\
[[tiers]]
tolerance = 0.0
objective = \"response-time\"
fallback = true
bound = 0.0
degradation = 0.0
response_seconds = 0.4
cost_seconds = 0.4
escalated = 0.0
policy = { kind = \"osfa\", version = \"v2\" }
[[tiers]]
tolerance = 0.02
objective = \"response-time\"
fallback = false
bound = 0.02
degradation = 0.0
response_seconds = 0.3
cost_seconds = 0.4
escalated = 0.5
policy = { kind = \"seq\", first = \"v1\", second = \"v2\", threshold = 2.0, choice = \"second\" }
";

/// The tiny model with two versions, calibrated as the shipped model's first two are, and a
/// recording beside it.
fn model(folder: &Path) -> PathBuf {
    let model = tiny_model::write(folder);
    fs::write(model.join("confidence.json"), tiny_model::calibration()).expect("writable");
    fs::write(model.join("versions.toml"), tiny_model::TWO_VERSIONS).expect("writable");
    fs::write(folder.join("a.wav"), wav(16_000, &noise(32_000))).expect("writable");
    model
}

/// The rules, learnt for this model.
fn rules(model: &Path) -> String {
    let now = made_for(model, true).expect("a model");
    let lines = format!("model = \"{}\"\n", now.model.expect("a hash"));
    tiny_model::rules(&lines, TIERS)
}

fn transcribe(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("paretone").expect("the binary is built with the tests");
    command
        .env("PARETONE_CACHE", folder.join("cache"))
        .env("PARETONE_MODEL", folder.join("tiny"))
        .current_dir(folder)
        .args(["transcribe", "a.wav", "--format", "json"])
        .args(args);
    command
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let output = transcribe(folder, args).assert().code(0).get_output().clone();
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

#[test]
fn a_tolerance_is_rounded_down_to_its_tier_and_the_answer_is_accounted_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = model(folder.path());
    fs::write(model.join("rules.toml"), rules(&model)).expect("writable");
    let slow = json(folder.path(), &["--version", "v2"]);
    assert!(slow.get("tier").is_none(), "nothing changes without a tolerance");
    let pair = "seq(v1, v2, never early, second)";
    for (tolerance, policy, escalated) in [
        ("0", "osfa(v2)", false),
        ("0.0199", "osfa(v2)", false),
        ("0.02", pair, true),
        ("0.05", pair, true),
        ("2%", pair, true),
        ("1.9%", "osfa(v2)", false),
        ("700%", pair, true),
    ] {
        let heard = json(folder.path(), &["--tolerance", tolerance]);
        let tier = &heard["tier"];
        assert_eq!(tier["policy"], policy, "{tolerance}");
        assert_eq!(tier["escalated"], escalated);
        let asked: Tolerance = tolerance.parse().expect("a tolerance");
        assert_eq!(tier["tolerance"], serde_json::json!(asked));
        assert!(tier["machine_seconds"].as_f64().expect("a time") > 0.0);
        assert_eq!(tier["versions"].as_array().expect("a list").len(), 1 + usize::from(escalated));
        assert_eq!((&heard["text"], &heard["words"]), (&slow["text"], &slow["words"]));
    }
}

#[test]
fn without_rules_the_most_accurate_version_answers_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    model(folder.path());
    transcribe(folder.path(), &["--tolerance", "0.05"])
        .assert()
        .code(0)
        .stderr(contains("paretone tiers train"));
    let heard = json(folder.path(), &["--tolerance", "0.05"]);
    assert_eq!(heard["tier"]["policy"], "osfa(v2)");
    assert_eq!(heard["tier"]["certificate"], "none");
}

#[test]
fn what_a_tier_cannot_use_is_a_usage_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = rules(&model(folder.path()));
    let other = folder.path().join("other.toml");
    fs::write(&other, text.replace("\"v2\"", "\"v9\"")).expect("writable");
    fs::write(folder.path().join("rules.toml"), text).expect("writable");
    for (args, said) in [
        (&["--tolerance", "0.05", "--rules", "no.toml"][..], "paretone tiers train"),
        (&["--tolerance", "0.05", "--rules", "other.toml"], "v9"),
        (&["--tolerance", "0.05", "--rules", "a.wav"], "a.wav"),
        (
            &["--tolerance", "0.05", "--rules", "rules.toml", "--objective", "cost"],
            "no rules for cost",
        ),
        (&["--tolerance", "-0.1"], "0 or more"),
        (&["--tolerance", "5"], "was 5% meant?"),
        (&["--tolerance", "NaN"], "0 or more"),
        (&["--tolerance", "inf"], "0 or more"),
        (&["--tolerance", "0.1", "--beam", "9"], "--beam"),
        (&["--tolerance", "0.1", "--n-best", "2"], "--n-best"),
        (&["--objective", "cost"], "--tolerance"),
    ] {
        transcribe(folder.path(), args).assert().code(2).stderr(contains(said)).stdout("");
    }
}

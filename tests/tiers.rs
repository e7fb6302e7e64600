//! `paretone tiers`: from outcomes to rules and a study, files and exit codes.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use paretone::tiers::{Objective, Rules, Tolerance};

/// Runs `paretone tiers` with arguments parted by spaces; (exit code, stdout, stderr).
fn tiers(folder: &Path, arguments: &str) -> (i32, String, String) {
    let mut command = Command::cargo_bin("paretone").unwrap();
    command.current_dir(folder).arg("tiers").args(arguments.split(' '));
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A folder with outcomes of a made-up service.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let arguments = "simulate --groups 60 --requests 12 --versions 3 --outcomes o.csv";
    assert_eq!(tiers(folder.path(), arguments).0, 0);
    folder
}

#[test]
fn rules_are_trained_and_shown() {
    let folder = folder();
    let train = "train --outcomes o.csv --reference v3 --delta 0.05 --out rules.toml";
    let (code, text, error) = tiers(folder.path(), train);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("promise, with 95.0000 % confidence: in the long run"), "{text}");
    let rules = Rules::open(&folder.path().join("rules.toml")).unwrap();
    assert_eq!(rules.certificate.groups, 60);
    assert_eq!(rules.certificate.outcomes_sha256.len(), 64);
    let at = |share| Tolerance::share(share).unwrap();
    let response = |share| rules.rule(at(share), Objective::ResponseTime).unwrap();
    assert!(response(0.1).expected.response < response(0.0).expected.response);
    let (code, text, _) = tiers(folder.path(), "show rules.toml");
    assert_eq!(code, 0);
    assert!(text.contains("objective cost") && text.contains("osfa(v3)"), "{text}");
    let again = fs::read_to_string(folder.path().join("rules.toml")).unwrap();
    tiers(folder.path(), train);
    assert_eq!(fs::read_to_string(folder.path().join("rules.toml")).unwrap(), again);
}

/// Few speakers certify little, and the output says how much and what would be needed.
#[test]
fn what_cannot_be_certified_is_said() {
    let folder = folder();
    let train = "train --outcomes o.csv --reference v3 --objective cost --out rules.toml";
    let (code, text, _) = tiers(folder.path(), train);
    assert_eq!(code, 0);
    assert!(text.contains("v3 answers alone, since nothing cheaper is certified"), "{text}");
    assert!(text.contains("would take about"), "{text}");
    assert!(!text.contains("objective response-time"), "{text}");
}

#[test]
fn a_study_is_written_as_tables_pictures_and_a_page() {
    let folder = folder();
    let evaluate = "evaluate --outcomes o.csv --delta 0.05 --folds 3 --thresholds 20 --out study";
    let (code, text, error) = tiers(folder.path(), evaluate);
    assert_eq!((code, error.as_str()), (0, ""));
    let study = |name: &str| fs::read_to_string(folder.path().join("study").join(name)).unwrap();
    assert_eq!(study("report.txt").trim_end(), text.trim_end());
    for title in ["Fig 8", "Figs 9 and 10", "Certificates", "Fig 6", "third version"] {
        assert!(text.contains(title), "{title} is not in\n{text}");
    }
    let results: serde_json::Value = serde_json::from_str(&study("results.json")).unwrap();
    let broken = results["study"]["violations"].as_array().unwrap();
    let next_batch = broken.iter().filter(|row| row["method"] == "next-batch");
    assert!(next_batch.clone().count() == 6);
    assert!(next_batch.into_iter().all(|row| row["points"]["count"] == 0));
    let page = study("index.html");
    assert!(page.contains("</svg>"));
    // What it comes to is said first, with its picture.
    let first = page.split("<h2>").nth(1).unwrap();
    assert!(first.starts_with("In short</h2>") && first.contains("</svg>"));
    assert!(text.starts_with("Rules learnt by the method population from "), "{text}");
    assert!(study("fig8-population-random.svg").starts_with("<svg"));
    // Two splits, three folds, five methods, three accountings, three contenders, 101 tolerances.
    assert_eq!(study("points.csv").lines().count(), 1 + 2 * 3 * 5 * 3 * 3 * 101);
}

#[test]
fn unusable_outcomes_are_a_usage_error_by_name() {
    let folder = folder();
    let text = fs::read_to_string(folder.path().join("o.csv")).unwrap();
    let holed: Vec<&str> =
        text.lines().enumerate().filter(|(at, _)| *at != 5).map(|(_, line)| line).collect();
    fs::write(folder.path().join("holed.csv"), holed.join("\n")).unwrap();
    let (code, _, error) = tiers(folder.path(), "train --outcomes holed.csv --out r.toml");
    assert_eq!(code, 2);
    assert!(error.contains("has no outcome of version `v2`"), "{error}");
    for (arguments, said) in [
        ("train --outcomes none.csv --out r.toml", "none.csv"),
        ("train --outcomes o.csv --reference v9 --out r.toml", "v1, v2, v3"),
        ("train --outcomes o.csv --delta 2 --out r.toml", "between"),
        ("evaluate --outcomes o.csv --certify-set a --apply-set b --out s", "no request"),
        ("show o.csv", "no rules file"),
    ] {
        let (code, _, error) = tiers(folder.path(), arguments);
        assert_eq!(code, 2, "{arguments}: {error}");
        assert!(error.contains(said), "{arguments}: {error}");
    }
}

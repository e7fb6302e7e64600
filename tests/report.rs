//! `paretone report`: a page, pictures and numbers from recorded outcomes, and what it refuses.
#![cfg(feature = "cli")]
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its files has failed")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

const VERSIONS: usize = 7;
const HEADER: &str = "id,group,set,version,errors,words,response_seconds,cost_seconds,confidence,\
substitutions,deletions,insertions,scores_seconds,search_seconds,audio_seconds,frames,tokens,arcs,\
lattice_errors,search_error,oov";

/// One synthetic utterance: its words, errors and response by version.
struct Utterance {
    words: u32,
    errors: [u32; VERSIONS],
    response: [f64; VERSIONS],
}

/// Utterances of 40 speakers in two sets, like a recogniser's: most unchanged, some improving, a
/// few degrading; response grows with the version.
fn synthetic(count: usize) -> (Vec<Utterance>, String) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (mut utterances, mut table) = (Vec::new(), HEADER.to_owned() + "\n");
    for k in 0..count {
        let words = random.random_range(3..25);
        let base = if random.random_bool(0.5) { 0 } else { random.random_range(0..words / 3 + 1) };
        let mut errors = [base; VERSIONS];
        match random.random_range(0..100) {
            0..16 => {
                let turn = random.random_range(1..VERSIONS);
                errors[..turn].fill(base + random.random_range(1..4));
            }
            16..19 => errors[random.random_range(1..VERSIONS)..].fill(base + 1),
            19..23 => errors[random.random_range(1..VERSIONS - 1)] += 1,
            _ => {}
        }
        let seconds = f64::from(words) * random.random_range(0.25..0.45);
        let scores = 0.01 * seconds;
        let growth = [1.0, 1.3, 1.8, 2.5, 3.4, 4.8, 7.0];
        let noise = random.random_range(0.7..1.5);
        let response = growth.map(|factor| scores + 0.012 * seconds * factor * noise);
        for (v, (&errors, &response)) in errors.iter().zip(&response).enumerate() {
            let sure: f64 = 1.0 - f64::from(errors.min(6)) / 8.0 - random.random_range(0.0..0.25);
            let changes = u32::from(errors > base);
            writeln!(
                table,
                "u{k:04},s{},{},v{},{errors},{words},{response},{response},{sure:.4},{errors},0,0,\
                 {scores},{},{seconds},{},{},{},{},{changes},{}",
                k % 40,
                ["clean", "other"][k % 40 / 25],
                v + 1,
                response - scores,
                (100.0 * seconds) as u32,
                (3000.0 * seconds * growth[v]) as u32,
                (9000.0 * seconds * growth[v]) as u32,
                errors / 2,
                u32::from(k % 31 == 0),
            )
            .unwrap();
        }
        utterances.push(Utterance { words, errors, response });
    }
    (utterances, table)
}

/// Runs `paretone report` in a folder on `table.csv`.
fn report(folder: &Path, table: &str, arguments: &[&str]) -> Output {
    fs::write(folder.join("table.csv"), table).unwrap();
    let mut command = Command::cargo_bin("paretone").unwrap();
    command.current_dir(folder).args(["report", "table.csv", "--out", "out"]);
    command.args(arguments).output().unwrap()
}

fn near(found: &Value, want: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - want).abs() < 1e-9, "{found} is not {want}");
}

#[test]
fn the_report_counts_what_the_outcomes_say() {
    let (utterances, table) = synthetic(400);
    let folder = tempfile::tempdir().unwrap();
    let output = report(folder.path(), &table, &["--round-trip", "0.1"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = fs::read(folder.path().join("out/report.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let words: u32 = utterances.iter().map(|u| u.words).sum();
    let rate = |v: usize| {
        let errors: u32 = utterances.iter().map(|u| u.errors[v]).sum();
        f64::from(errors) / f64::from(words)
    };
    let mean =
        |v: usize| utterances.iter().map(|u| u.response[v]).sum::<f64>() / utterances.len() as f64;
    let tradeoff = &json["tradeoff"];
    for (v, row) in tradeoff["rows"].as_array().unwrap().iter().enumerate() {
        near(&row["micro"]["value"], rate(v));
        near(&row["server"]["mean"], mean(v));
        near(&row["response"]["mean"], mean(v) + 0.1);
        let interval = &row["micro"]["interval"];
        assert!(interval["low"].as_f64().unwrap() < rate(v));
        assert!(interval["high"].as_f64().unwrap() > rate(v));
    }
    near(&tradeoff["gap"]["value"], (rate(0) - rate(6)) / rate(6));
    near(&tradeoff["spread"]["value"], (mean(6) + 0.1) / (mean(0) + 0.1));
    let unchanged = utterances.iter().filter(|u| u.errors.iter().all(|e| *e == u.errors[0]));
    assert_eq!(json["shares"][0]["counts"][0], unchanged.count());
    let degrades = utterances.iter().filter(|u| {
        u.errors.windows(2).all(|pair| pair[0] <= pair[1]) && u.errors[0] < u.errors[6]
    });
    assert_eq!(json["shares"][0]["counts"][2], degrades.count());
    let exemplars = json["exemplars"].as_array().unwrap();
    assert!(exemplars.iter().any(|exemplar| exemplar["category"] == "degrades"));
    assert_eq!(json["sets"].as_array().unwrap().len(), 2);
    assert_eq!(json["groups"].as_array().unwrap().len(), 40);
    let causes = &json["causes"][0];
    let parts = ["search", "model", "unalignable"].map(|cause| causes[cause].as_u64().unwrap());
    assert_eq!(causes["wrong"].as_u64().unwrap(), parts.iter().sum::<u64>());
    assert!(parts.iter().all(|part| *part > 0), "{parts:?}");
    assert!(json["confidence_quality"][0]["auc_wrong"].as_f64().unwrap() > 0.8);
}

#[test]
fn the_page_holds_every_picture_and_needs_no_other_file() {
    let (_, table) = synthetic(120);
    let folder = tempfile::tempdir().unwrap();
    let texts = "id\tversion\ttext\nu0000\tv1\tI <heard> this\n";
    fs::write(folder.path().join("texts.tsv"), texts).unwrap();
    // The paper stands beside it only where it was asked for.
    let beside = report(folder.path(), &table, &["--hypotheses", "texts.tsv", "--beside-paper"]);
    let page = fs::read_to_string(folder.path().join("out/index.html")).unwrap();
    assert!(page.contains("Halpern et al."));
    assert!(String::from_utf8_lossy(&beside.stdout).contains("the paper"));
    let output = report(folder.path(), &table, &["--hypotheses", "texts.tsv"]);
    assert!(output.status.success());
    assert!(!String::from_utf8_lossy(&output.stdout).contains("the paper"));
    let page = fs::read_to_string(folder.path().join("out/index.html")).unwrap();
    assert!(!page.contains("paper"));
    let names =
        ["tradeoff", "shares", "exemplars", "categories", "confidence", "calibration", "causes"];
    for name in names {
        let svg = fs::read_to_string(folder.path().join(format!("out/{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && page.contains(&svg), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
    for outside in ["<script", "<link", "<img", "src=", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let again = report(folder.path(), &table, &["--hypotheses", "texts.tsv"]);
    assert_eq!(again.stdout, output.stdout);
    assert_eq!(fs::read_to_string(folder.path().join("out/index.html")).unwrap(), page);
}

/// What each picture calls its axes; a picture of several charts has them in each.
const AXES: [(&str, &[&str]); 8] = [
    ("tradeoff", &["version", "word error rate (%)", "response time (ms)"]),
    ("shares", &["share of utterances (%)"]),
    ("exemplars", &["response time", "errors (% of words)"]),
    ("categories", &["category", "word error rate (%)"]),
    ("confidence", &["version", "confidence"]),
    ("calibration", &["confidence", "share without error"]),
    ("risk", &["share of utterances kept", "share of them with an error"]),
    ("causes", &["version", "share of utterances (%)"]),
];

#[test]
fn the_pictures_say_what_they_show() {
    let (_, table) = synthetic(120);
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    let output = report(folder.path(), &table, &[]);
    assert!(output.status.success());
    for (name, labels) in AXES {
        let svg = text(&format!("{name}.svg"));
        for label in labels {
            assert!(svg.contains(label), "{name}: {label}");
        }
    }
    for picture in ["tradeoff.svg", "confidence.svg", "risk.svg", "causes.svg"] {
        let svg = text(picture);
        let named = (1..=VERSIONS).all(|v| svg.contains(&format!("\nv{v}\n")));
        assert!(named, "{picture}");
    }
    // Nobody measured a network, so none is drawn unless it is asked for.
    assert!(!text("tradeoff.svg").contains("\nnetwork\n"));
    let page = text("index.html");
    assert!(page.contains("color-scheme:light dark") && page.contains("background:light-dark("));
    report(folder.path(), &table, &["--round-trip", "0.05"]);
    assert!(text("tradeoff.svg").contains("\nnetwork\n"));
}

/// A table with the columns that must be there and no other: what was not recorded is left out.
#[test]
fn a_bare_table_gives_a_smaller_report() {
    let mut table =
        "id,group,version,errors,words,response_seconds,cost_seconds,confidence\n".to_owned();
    for (id, errors) in [("a", [1, 0]), ("b", [0, 0]), ("c", [1, 1])] {
        for (v, errors) in errors.iter().enumerate() {
            writeln!(table, "{id},,m{},{errors},1,0.{},1,0.5", v + 9, v + 1).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let output = report(folder.path(), &table, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let json = fs::read(folder.path().join("out/report.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["versions"], serde_json::json!(["m9", "m10"]));
    assert!(json["causes"].is_null());
    assert!(!folder.path().join("out/causes.svg").exists());
    let page = fs::read_to_string(folder.path().join("out/index.html")).unwrap();
    assert!(page.contains("Error rate by version") && !page.contains("word error rate"));
}

/// A request is known by its set and id: the same ids in two sets are other requests.
#[test]
fn the_same_ids_in_two_sets_are_other_requests() {
    let (_, whole) = synthetic(6);
    let (header, rows) = whole.split_once('\n').unwrap();
    let elsewhere = rows.replace(",clean,", ",third,").replace(",other,", ",fourth,");
    let folder = tempfile::tempdir().unwrap();
    let output = report(folder.path(), &format!("{header}\n{rows}{elsewhere}"), &[]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let json = fs::read(folder.path().join("out/report.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["utterances"], 12);
}

/// The table with another number of words in its first row.
fn other_words(table: &str) -> String {
    let row = table.lines().nth(1).unwrap();
    let mut cells: Vec<&str> = row.split(',').collect();
    cells[5] = "99";
    table.replacen(row, &cells.join(","), 1)
}

#[test]
fn tables_that_are_no_grid_are_refused_by_name() {
    let (_, whole) = synthetic(6);
    let without = |part: &str| {
        let lines = whole.lines().filter(|line| !line.contains(part));
        lines.collect::<Vec<_>>().join("\n")
    };
    let one_version: Vec<&str> =
        whole.lines().filter(|line| line.starts_with("id,") || line.contains(",v1,")).collect();
    let cases = [
        (without("u0003,s3,clean,v5"), "`u0003` has no outcome of version `v5`"),
        (one_version.join("\n"), "one version, `v1`"),
        (HEADER.to_owned() + "\n", "no row"),
        (String::new(), "no column `id`"),
        (whole.replacen(",v2,", ",v1,", 1), "two outcomes of version `v1`"),
        (whole.replacen("u0000,s0", "u0000,s9", 1), "differ in `group`"),
        (other_words(&whole), "differ in `words`"),
    ];
    for (table, said) in cases {
        let folder = tempfile::tempdir().unwrap();
        let output = report(folder.path(), &table, &[]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(said) && text.contains("table.csv"), "{said}: {text}");
        assert!(!folder.path().join("out").exists());
        // Whatever else reads outcomes refuses the same tables for the same reason.
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/en");
        for command in [
            "tiers train --out rules.toml --outcomes table.csv",
            "tiers evaluate --out out --outcomes table.csv",
            "confidence fit --out confidence.json --outcomes table.csv",
            "confidence answers table.csv",
        ] {
            let output = Command::cargo_bin("paretone")
                .unwrap()
                .current_dir(folder.path())
                .env("PARETONE_MODEL", model)
                .args(command.split(' '))
                .output()
                .unwrap();
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{command}: {text}");
            assert!(text.contains(said) && text.contains("table.csv"), "{command}: {said}: {text}");
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for wrong in [["--round-trip", "-1"], ["--hypotheses", "none.tsv"]] {
        assert_eq!(report(folder.path(), &whole, &wrong).status.code(), Some(2));
    }
}

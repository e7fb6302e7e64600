//! A sweep that is killed goes on where it was, and finds the same front.

mod tiny_model;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tiny_model::{noise, wav};

/// Writes a corpus of noise that claims to say something.
fn corpus(folder: &Path) -> PathBuf {
    let mut manifest = String::from("id\tpath\ttext\tspeaker\n");
    for (index, text) in ["ah bah", "bah", "bah ah bah", "ah", "bah bah"].iter().enumerate() {
        let samples = noise(16_000 + 3_000 * index);
        fs::write(folder.join(format!("{index}.wav")), wav(16_000, &samples)).expect("writable");
        manifest += &format!("u{index}\t{index}.wav\t{text}\ts{}\n", index % 2);
    }
    let path = folder.join("manifest.tsv");
    fs::write(&path, manifest).expect("writable");
    path
}

struct Setup {
    _folder: TempDir,
    manifest: PathBuf,
    model: PathBuf,
    cache: PathBuf,
}

impl Setup {
    fn new() -> Setup {
        let folder = tempfile::tempdir().expect("a folder");
        Setup {
            manifest: corpus(folder.path()),
            model: tiny_model::write(folder.path()),
            cache: folder.path().join("cache"),
            _folder: folder,
        }
    }

    fn sweep(&self, dir: &Path, search: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paretone"));
        command
            .arg("sweep")
            .args(["--jobs", "2"])
            .args(search)
            .arg("--manifest")
            .arg(&self.manifest)
            .arg("--model")
            .arg(&self.model)
            .arg("--dir")
            .arg(dir)
            .env("PARETONE_CACHE", &self.cache)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn run(&self, dir: &Path, search: &[&str]) {
        let status = self.sweep(dir, search).status().expect("the program runs");
        assert!(status.success(), "{search:?}");
    }
}

/// Errors and arcs by setting and utterance.
type Measured = BTreeMap<(String, String), [String; 2]>;

/// What does not hang on the clock: errors and arcs of each measurement, and the front of arcs.
fn found(dir: &Path) -> (Measured, Vec<String>) {
    let mut reader = csv::Reader::from_path(dir.join("measurements.csv")).expect("a log");
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|h| h == name).expect("a column");
    let (setting, id, errors, arcs) = (at("setting"), at("id"), at("errors"), at("arcs"));
    let mut measured = BTreeMap::new();
    for record in reader.records() {
        let record = record.expect("a whole line");
        let key = (record[setting].to_owned(), record[id].to_owned());
        let value = [record[errors].to_owned(), record[arcs].to_owned()];
        assert!(measured.insert(key, value).is_none(), "nothing is measured twice");
    }
    let points = fs::read(dir.join("points.json")).expect("points");
    let points: serde_json::Value = serde_json::from_slice(&points).expect("JSON");
    let points = points.as_array().expect("a list").iter();
    let front = points
        .filter(|point| point["on_arcs_front"] == true)
        .map(|point| point["setting"].as_str().expect("text").to_owned())
        .collect();
    (measured, front)
}

#[test]
fn a_killed_sweep_goes_on_and_finds_the_same() {
    let setup = Setup::new();
    let dir = |name: &str| setup.cache.with_file_name(name);
    let (whole, killed) = (dir("whole"), dir("killed"));
    for search in [
        &["--search", "random", "--settings", "12", "--seed", "5"][..],
        &["--search", "halving", "--settings", "9", "--seed", "6"],
        &["--search", "grid", "--levels", "network_beam=9,3", "--levels", "local_top_n=inf,1"],
        &["--search", "knobs", "--levels", "global_beam=inf,5,2", "--levels", "global_top_n=9,1"],
    ] {
        setup.run(&whole, search);
        let log = killed.join("measurements.csv");
        let before = fs::metadata(&log).map_or(0, |log| log.len()) as usize;
        for wait in [0, 5, 20, 40] {
            let mut child = setup.sweep(&killed, search).spawn().expect("the program runs");
            std::thread::sleep(Duration::from_millis(wait));
            child.kill().expect("it is ours");
            child.wait().expect("it ends");
        }
        // Killed while it wrote: what this search appended is cut short.
        if let Ok(bytes) = fs::read(&log) {
            let left = before + (bytes.len() - before) * 2 / 3;
            fs::write(&log, &bytes[..left]).expect("writable");
        }
        setup.run(&killed, search);
        assert_eq!(found(&killed), found(&whole), "{search:?}");
    }
    for file in ["points.csv", "front.txt", "sweep.svg", "knobs.svg", "knobs.txt"] {
        assert!(whole.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_folder_of_other_measurements_is_refused() {
    let setup = Setup::new();
    let dir = setup.cache.with_file_name("sweep");
    let search = ["--search", "random", "--settings", "2"];
    setup.run(&dir, &search);
    let other = [&search[..], &["--repeats", "2"]].concat();
    let status = setup.sweep(&dir, &other).status().expect("the program runs");
    assert_eq!(status.code(), Some(2));
}

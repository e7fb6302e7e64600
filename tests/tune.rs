//! `paretone tune`: from a model and speech to certified tiers, also where it was stopped on the
//! way.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(feature = "cli")]

mod tiny_model;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use paretone::audio::Waveform;
use paretone::tiers::Rules;
use tempfile::TempDir;
use tiny_model::{noise, wav};

const SAMPLES: [&str; 4] = ["children", "night", "river", "winter"];

/// A copy of the model without what a tuning makes, and the samples under noise, at a loudness that
/// differs.
struct Setup {
    folder: TempDir,
}

impl Setup {
    fn new() -> Setup {
        let folder = tempfile::tempdir().unwrap();
        let setup = Setup { folder };
        fs::create_dir(setup.model()).unwrap();
        for entry in fs::read_dir("models/en").unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if !["versions.toml", "confidence.json", "rules.toml"].contains(&name) {
                fs::copy(&path, setup.model().join(name)).unwrap();
            }
        }
        let listed = fs::read_to_string("corpora/samples/manifest.tsv").unwrap();
        let mut manifest = String::from("id\tpath\ttext\tspeaker\n");
        for speaker in 0..4 {
            for (at, name) in SAMPLES.into_iter().enumerate() {
                // Each speaker under all of them, so that each has errors.
                let loud = [0.3, 1.0, 2.0, 3.0][(speaker + at) % 4];
                let spoken = Waveform::open(format!("corpora/samples/{name}.wav")).unwrap();
                let noise = noise(spoken.samples.len());
                let mixed = spoken.samples.iter().zip(noise).map(|(spoken, noise)| {
                    ((spoken + loud * f32::from(noise) / 32768.0) * 32767.0)
                        .clamp(-32768.0, 32767.0) as i16
                });
                let mixed: Vec<i16> = mixed.collect();
                let file = format!("{name}-{speaker}.wav");
                fs::write(setup.at(&file), wav(spoken.rate.0, &mixed)).unwrap();
                manifest += &format!(
                    "{name}-{speaker}\t{file}\t{}\tspeaker {speaker}\n",
                    text_of(&listed, name)
                );
            }
        }
        fs::write(setup.at("manifest.tsv"), manifest).unwrap();
        setup
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn model(&self) -> PathBuf {
        self.at("model")
    }

    fn tune(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paretone"));
        command.arg("tune").arg("--model").arg(self.model());
        command.arg("--manifest").arg(self.at("manifest.tsv"));
        command.args(["--count", "2", "--gap", "9", "--jobs", "2"]);
        command.args(["--levels", "network_beam=12,9,4", "--levels", "network_top_n=2000"]);
        command
    }
}

/// What the samples' own manifest says is said.
fn text_of<'t>(manifest: &'t str, name: &str) -> &'t str {
    let mut lines = manifest.lines();
    let text = lines.next().unwrap().split('\t').position(|column| column == "text").unwrap();
    let line = lines.find(|line| line.contains(&format!("{name}.wav"))).unwrap();
    line.split('\t').nth(text).unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn measured(folder: &Path) -> usize {
    fs::read_to_string(folder.join("wide/measurements.csv")).map_or(0, |text| text.lines().count())
}

#[test]
fn a_tuning_goes_on_where_it_was_and_ends_in_tiers() {
    let setup = Setup::new();
    let folder = setup.model().join("tune");
    let mut killed = setup.tune().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while measured(&folder) < 3 && killed.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!setup.model().join("rules.toml").is_file());

    let output = setup.tune().output().unwrap();
    let said = told(&output);
    assert!(output.status.success(), "{said}");
    // What it learnt on and what it certified on, and that both are too little.
    for words in [
        "learning on 8 utterances of 2 speakers",
        "certified on 8 utterances of 2 speakers",
        "too few speakers: 2 where",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(
        said.contains("no confidence is calibrated") && said.contains("a calibration needs 300"),
        "{said}"
    );
    let rules = Rules::open(&setup.model().join("rules.toml")).unwrap();
    assert_eq!(rules.certificate.groups, 2);
    assert!(folder.join("report/index.html").is_file());

    // Again there is nothing to do, and what is missing is made once more.
    let before = fs::read(setup.model().join("versions.toml")).unwrap();
    fs::remove_file(setup.model().join("rules.toml")).unwrap();
    let said = told(&setup.tune().output().unwrap());
    assert!(said.contains("hear the other speakers: done before"), "{said}");
    assert!(!said.contains("certify the tiers: done before"), "{said}");
    assert_eq!(fs::read(setup.model().join("versions.toml")).unwrap(), before);

    // The tiers are in force.
    let answer = Command::new(env!("CARGO_BIN_EXE_paretone"))
        .args(["transcribe", "--format", "json", "--tolerance", "1", "--model"])
        .args([setup.model(), "corpora/samples/river.wav".into()])
        .output()
        .unwrap();
    let said = told(&answer);
    assert!(answer.status.success() && !said.contains("\"certificate\":\"none\""), "{said}");

    // Other speech is another tuning.
    let manifest = fs::read_to_string(setup.at("manifest.tsv")).unwrap();
    let (fewer, _) = manifest.trim_end().rsplit_once('\n').unwrap();
    fs::write(setup.at("manifest.tsv"), fewer).unwrap();
    let other = setup.tune().output().unwrap();
    assert_eq!(other.status.code(), Some(2));
    assert!(told(&other).contains("tuning to other speech"), "{}", told(&other));
}

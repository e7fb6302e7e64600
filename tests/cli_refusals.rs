//! What the program refuses or tells, and what it leaves alone, where flags, files and the
//! environment are not as they should be.
#![cfg(feature = "cli")]

mod tiny_model;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, starts_with};
use tiny_model::{place, transcribed_with};

/// The program with its model, without defaults of the user's.
fn paretone(folder: &Path) -> Command {
    let mut command = tiny_model::paretone(folder, &[]);
    command.env("PARETONE_CONFIG", "");
    command
}

fn transcribe(folder: &Path) -> Command {
    let mut command = paretone(folder);
    command.arg("transcribe");
    command
}

#[test]
fn what_is_missing_is_named_once() {
    let folder = place();
    let said = |arguments: &[&str], said: &'static str| {
        let mut command = paretone(folder.path());
        command.args(arguments).assert().failure().stderr(starts_with(said));
    };
    let gone = "paretone: cannot open gone.wav: No such file";
    said(&["transcribe", "--model", "tiny", "gone.wav"], gone);
    said(&["transcribe", "--model", "tiny", "--channels", "separate", "gone.wav"], gone);
    said(&["features", "gone.wav"], gone);
    let rules = ["transcribe", "--model", "tiny", "--tolerance", "5%", "--rules", "gone", "a.wav"];
    said(&rules, "paretone: there are no routing rules at gone: ");
    said(&["transcribe", "--model", "tiny", "--words", "gone", "a.wav"], "paretone: gone: No such");
}

#[test]
fn numbers_of_the_environment_are_refused_by_the_variables_name() {
    let folder = place();
    let with = |variable: &str, arguments: &[&str]| {
        let mut command = paretone(folder.path());
        command.args(arguments).env(variable, "abc").assert().code(2).stderr(contains(variable));
    };
    with("PARETONE_CACHE_LIMIT", &["transcribe", "--model", "tiny", "a.wav"]);
    if cfg!(feature = "service") {
        for variable in
            ["PARETONE_WORKERS", "PARETONE_QUEUE", "PARETONE_DEADLINE", "PARETONE_LISTEN"]
        {
            with(variable, &["serve", "--model", "tiny"]);
        }
        // The flag goes before, and is what is wrong.
        let mut command = paretone(folder.path());
        command.args(["serve", "--workers", "many"]).env("PARETONE_WORKERS", "2");
        command.assert().code(2).stderr(contains("many").and(contains("PARETONE").not()));
    }
}

#[test]
fn a_version_in_the_place_of_knobs_is_pointed_to_its_flag() {
    let folder = place();
    let mut command = transcribe(folder.path());
    command.args(["--setting", "v3", "a.wav"]).assert().code(2).stderr(contains("`--at v3`"));
}

#[test]
fn defaults_that_exclude_each_other_are_refused_and_flags_go_before() {
    let folder = place();
    let with = |text: &str, arguments: &[&str]| transcribed_with(folder.path(), text, arguments);
    let both = "[transcribe]\nbeam = 8\ntolerance = \"5%\"\n";
    with(both, &[]).code(2).stderr(contains("config.toml").and(contains("exclude each other")));
    // The tiny model has no rules: with the tolerance it would be refused.
    with("[transcribe]\ntolerance = \"5%\"\n", &["--beam", "8"]).code(0);
}

#[test]
fn answers_that_nobody_knows_the_making_of_are_not_resumed() {
    let folder = place();
    let run = |resume: &[&str]| {
        let mut command = transcribe(folder.path());
        command.args(["a.wav", "--output-dir", "out"]).args(resume).assert()
    };
    run(&[]).code(0);
    fs::remove_file(folder.path().join("out/.paretone")).expect("it was there");
    run(&["--resume"]).code(2).stderr(contains("nobody knows how"));
    run(&[]).code(0);
    run(&["--resume"]).code(0).stderr(contains("1 recordings are done"));
    // Where there is no answer yet there is nothing to mix.
    fs::remove_dir_all(folder.path().join("out")).expect("it was there");
    run(&["--resume"]).code(0);
}

/// `/dev/full` stands for a disk that is full; a folder has no room for more either.
#[test]
fn an_output_that_cannot_be_written_is_left_as_it_was() {
    let folder = place();
    if Path::new("/dev/full").exists() {
        let mut command = transcribe(folder.path());
        command
            .args(["-o", "/dev/full", "a.wav"])
            .assert()
            .code(1)
            .stderr(contains("cannot write"));
    }
    let out = folder.path().join("a.txt");
    fs::write(&out, "before").expect("writable");
    let mut command = transcribe(folder.path());
    command.args(["-o", "a.txt", "gone.wav"]).assert().code(1);
    let mut command = transcribe(folder.path());
    command.args(["-o", "a.txt", "a.wav"]).assert().code(0);
    assert_ne!(fs::read(&out).expect("an answer"), b"before");
    let left = fs::read_dir(folder.path()).expect("readable").flatten();
    let hidden =
        left.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".paretone-"));
    assert_eq!(hidden.count(), 0);
}

#[test]
fn lists_and_samples_that_are_not_quite_right_are_told() {
    let folder = place();
    fs::write(folder.path().join("samples"), vec![1; 16001]).expect("writable");
    let mut command = transcribe(folder.path());
    command.args(["--raw", "s16le", "--rate", "16000", "samples"]);
    command.assert().code(0).stderr(contains("1 bytes into a frame of 2"));
    fs::write(folder.path().join("names.txt"), "# nobody\n").expect("writable");
    let mut command = transcribe(folder.path());
    command.args(["--words", "names.txt", "a.wav"]).assert().stderr(contains("lists no words"));
}

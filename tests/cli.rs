//! The command as a shell sees it: exit codes, formats, order, standard input.

mod tiny_model;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;

fn paretone() -> Command {
    Command::cargo_bin("paretone").expect("the binary is built with the tests")
}

#[test]
fn usage_errors_exit_2() {
    for (args, said) in [
        (&["transcribe"][..], "FILE"),
        (&["transcribe", "--beam", "-1", "a.wav"], "beam"),
        (&["transcribe", "--beam", "NaN", "a.wav"], "beam"),
        (&["transcribe", "--jobs", "0", "a.wav"], "jobs"),
        (&["transcribe", "--format", "docx", "a.wav"], "format"),
        (
            &["transcribe", "--format", "srt", "a.wav", "b.wav"],
            "one file",
        ),
        (&["transcribe", "-", "-"], "once"),
        (
            &["transcribe", "--model", "no/such/model", "a.wav"],
            "no/such/model",
        ),
        (&["no-such-command"], "no-such-command"),
    ] {
        paretone()
            .args(args)
            .assert()
            .code(2)
            .stderr(contains(said))
            .stdout("");
    }
}

#[test]
fn help_and_version_exit_0() {
    paretone()
        .arg("--help")
        .assert()
        .code(0)
        .stdout(contains("transcribe"));
    paretone()
        .arg("--version")
        .assert()
        .code(0)
        .stdout(contains(env!("CARGO_PKG_VERSION")));
    paretone()
        .args(["transcribe", "--help"])
        .assert()
        .code(0)
        .stdout(contains("--no-rescore"));
}

//! The command as a shell sees it: exit codes, formats, order, standard input.

mod tiny_model;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::str::contains;
use tempfile::TempDir;
use tiny_model::{noise, wav};

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

/// A folder with the tiny model, three good recordings (a, b, c) and a bad one.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    tiny_model::write(folder.path());
    let put =
        |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).expect("writable");
    put("a.wav", wav(16000, &noise(24000)));
    put("b.wav", wav(8000, &noise(4000)));
    put("c.wav", wav(44100, &noise(44100)));
    put("empty.wav", Vec::new());
    folder
}

fn transcribe(folder: &Path) -> Command {
    let mut command = paretone();
    command
        .current_dir(folder)
        .env("PARETONE_CACHE", folder.join("cache"))
        .env_remove("PARETONE_MODEL");
    command.args(["transcribe", "--model", "tiny"]);
    command
}

fn json_lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

#[test]
fn answers_come_in_the_order_of_the_files_whatever_the_jobs() {
    let folder = workplace();
    let files = ["c.wav", "a.wav", "b.wav", "a.wav", "c.wav"];
    let mut first = None;
    for jobs in ["1", "4"] {
        let output = transcribe(folder.path())
            .args(["--format", "json", "--jobs", jobs])
            .args(files)
            .output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{output:?}");
        let mut lines = json_lines(&output.stdout);
        let names: Vec<_> = lines
            .iter()
            .map(|line| line["file"].as_str().expect("a name"))
            .collect();
        assert_eq!(names, files);
        for line in &mut lines {
            assert!(line["audio_seconds"].as_f64().expect("a number") > 0.4);
            assert!(line["real_time_factor"].as_f64().expect("a number") > 0.0);
            let words = line["words"].as_array().expect("a list");
            let text: Vec<_> = words
                .iter()
                .map(|w| w["word"].as_str().expect("a word"))
                .collect();
            assert_eq!(line["text"], text.join(" "));
            line["seconds"].take();
            line["real_time_factor"].take();
        }
        assert_eq!(*first.get_or_insert_with(|| lines.clone()), lines);
    }
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let folder = workplace();
    let files = ["a.wav", "empty.wav", "missing.wav", "b.wav"];
    let text = transcribe(folder.path()).args(files).assert().code(1);
    let text = text
        .stderr(contains("empty.wav"))
        .stderr(contains("missing.wav"));
    let out = String::from_utf8(text.get_output().stdout.clone()).expect("UTF-8");
    assert_eq!(out.lines().count(), 4, "a line for each file: {out:?}");
    let json = transcribe(folder.path())
        .args(["--format", "json"])
        .args(files)
        .assert()
        .code(1);
    let lines = json_lines(&json.get_output().stdout);
    let failed: Vec<bool> = lines.iter().map(|line| line["error"].is_string()).collect();
    assert_eq!(failed, [false, true, true, false]);
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let folder = workplace();
    let named = transcribe(folder.path())
        .arg("a.wav")
        .output()
        .expect("it runs")
        .stdout;
    let bytes = fs::read(folder.path().join("a.wav")).expect("readable");
    transcribe(folder.path())
        .arg("-")
        .write_stdin(bytes)
        .assert()
        .code(0)
        .stdout(named);
    transcribe(folder.path())
        .arg("-")
        .write_stdin("")
        .assert()
        .code(1)
        .stderr(contains("empty"));
}

#[test]
fn subtitles_and_ctm_have_their_shape() {
    let folder = workplace();
    transcribe(folder.path())
        .args(["--format", "vtt", "a.wav"])
        .assert()
        .code(0)
        .stdout(contains("WEBVTT"));
    transcribe(folder.path())
        .args(["--format", "srt", "a.wav"])
        .assert()
        .code(0);
    let ctm = transcribe(folder.path())
        .args(["--format", "ctm", "a.wav", "c.wav"])
        .output();
    let ctm = String::from_utf8(ctm.expect("it runs").stdout).expect("UTF-8");
    for line in ctm.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        assert!(fields.len() == 6 && fields[1] == "1", "{line:?}");
        assert!(
            fields[2].parse::<f64>().is_ok() && fields[3].parse::<f64>().is_ok(),
            "{line:?}"
        );
        let confidence: f64 = fields[5].parse().expect("a number");
        assert!((0.0..=1.0).contains(&confidence), "{line:?}");
    }
}

/// The largest sizes a header can claim, under a limit on memory that a file believed would break.
#[cfg(target_os = "linux")]
#[test]
fn memory_follows_the_bytes_not_the_header() {
    let folder = workplace();
    let mut liar = wav(16000, &noise(1600));
    liar[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    liar[40..44].copy_from_slice(&(u32::MAX - 36).to_le_bytes());
    fs::write(folder.path().join("liar.wav"), liar).expect("writable");
    fs::write(
        folder.path().join("silence.wav"),
        wav(16000, &vec![0; 600 * 16000]),
    )
    .expect("writable");
    fs::write(
        folder.path().join("noise.wav"),
        wav(16000, &noise(120 * 16000)),
    )
    .expect("writable");
    let program = assert_cmd::cargo::cargo_bin("paretone");
    let script = format!(
        "ulimit -v 600000; exec {program:?} transcribe --model tiny --jobs 1 liar.wav silence.wav noise.wav"
    );
    let mut shell = Command::new("sh");
    shell
        .current_dir(folder.path())
        .env("PARETONE_CACHE", folder.path().join("cache"));
    shell.args(["-c", &script]).assert().code(0);
}

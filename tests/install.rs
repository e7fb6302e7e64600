//! The program as it stands once installed: alone in a `bin` folder, with a model on one of its
//! shelves or only within.

mod tiny_model;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use tempfile::TempDir;
use tiny_model::{noise, wav};

/// A prefix with the program in `bin`, and a user with an empty home.
struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Machine {
        let root = tempfile::tempdir().expect("a temporary folder");
        let bin = root.path().join("prefix/bin");
        fs::create_dir_all(&bin).expect("writable");
        let built = assert_cmd::cargo::cargo_bin("paretone");
        let program = bin.join("paretone");
        fs::hard_link(&built, &program)
            .or_else(|_| fs::copy(&built, &program).map(drop))
            .expect("writable");
        fs::create_dir(root.path().join("home")).expect("writable");
        Machine { root }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    /// The installed program, started by the user from the root folder.
    fn paretone(&self) -> Command {
        let mut command = Command::new(self.path("prefix/bin/paretone"));
        command
            .current_dir("/")
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PARETONE_CACHE", self.path("cache"));
        command
    }

    fn printed(&self, args: &[&str]) -> String {
        let output = self.paretone().args(args).assert().code(0);
        String::from_utf8(output.get_output().stdout.clone()).expect("text")
    }
}

/// A tiny model in a folder of its own.
fn model_at(folder: &Path) -> PathBuf {
    fs::create_dir_all(folder).expect("writable");
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let model = tiny_model::write(scratch.path());
    for entry in fs::read_dir(model).expect("written").flatten() {
        if entry.path().is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name())).expect("writable");
        }
    }
    folder.to_owned()
}

#[test]
fn models_are_found_by_flag_variable_and_shelf_in_this_order() {
    let machine = Machine::new();
    let own = model_at(&machine.path("home/.local/share/paretone/models/en"));
    let found = || PathBuf::from(machine.printed(&["model", "where"]).trim_end());
    assert_eq!(found(), own);
    let installed = model_at(&machine.path("prefix/share/paretone/models/en"));
    assert_eq!(found(), installed.canonicalize().expect("written"));
    let beside = model_at(&machine.path("prefix/bin/models/en"));
    assert_eq!(found(), beside.canonicalize().expect("written"));
    let by_variable =
        machine.paretone().env("PARETONE_MODEL", &own).args(["model", "where"]).assert().code(0);
    by_variable.stdout(contains(own.to_str().expect("text")));
    let listed = machine.printed(&["model", "list"]);
    let hidden = listed.lines().filter(|line| line.contains("hidden")).count();
    assert!(listed.contains("used by default") && hidden >= 2, "{listed}");
}

#[test]
fn an_installed_model_is_used_by_its_name() {
    let machine = Machine::new();
    let source = model_at(&machine.path("made/digits"));
    let source = source.to_str().expect("text");
    machine.printed(&["model", "install", source]);
    machine
        .paretone()
        .args(["model", "install", source])
        .assert()
        .code(2)
        .stderr(contains("--force"));
    machine.printed(&["model", "install", source, "--force", "--name", "digits"]);
    let recording = machine.path("a.wav");
    fs::write(&recording, wav(16000, &noise(24000))).expect("writable");
    machine
        .paretone()
        .args(["transcribe", "--vad", "off", "--model", "digits"])
        .arg(&recording)
        .assert()
        .code(0);
    machine
        .paretone()
        .args(["model", "install", "/no/such/model"])
        .assert()
        .code(2)
        .stderr(contains("/no/such/model"));
    machine
        .paretone()
        .args(["transcribe", "--model", "letters"])
        .arg(&recording)
        .assert()
        .code(2)
        .stderr(contains("no model letters").and(contains("model install")));
}

/// Only where the program was built with a model, as by default.
#[test]
fn alone_the_program_uses_the_model_within() {
    let machine = Machine::new();
    if !machine.printed(&["model", "list"]).contains("in the program") {
        println!("left out: the program was built without a model");
        return;
    }
    if machine.printed(&["model", "list"]).contains("the system's") {
        println!("left out: the system has a model");
        return;
    }
    let folder = machine.printed(&["model", "where"]);
    let folder = Path::new(folder.trim_end());
    assert!(folder.starts_with(machine.path("cache")));
    assert_eq!(
        fs::read(folder.join("words.txt")).expect("unpacked"),
        fs::read("models/en/words.txt").expect("in the repository")
    );
    // Unpacked once, and again where a file is cut short.
    fs::write(folder.join("words.txt"), "a\n").expect("writable");
    machine.printed(&["model", "where"]);
    assert!(fs::metadata(folder.join("words.txt")).expect("there").len() > 1000);
    machine
        .paretone()
        .env("PARETONE_CACHE", "/dev/null/cache")
        .args(["model", "where"])
        .assert()
        .code(2)
        .stderr(contains("PARETONE_CACHE"));
}

#[test]
fn completions_and_manual_name_every_subcommand() {
    let machine = Machine::new();
    for shell in ["bash", "zsh", "fish"] {
        let text = machine.printed(&["completions", shell]);
        assert!(text.contains("transcribe") && text.contains("tolerance"), "{shell}");
    }
    let pages = machine.path("man");
    machine.printed(&["man", "--dir", pages.to_str().expect("text")]);
    let page = fs::read_to_string(pages.join("paretone-transcribe.1")).expect("a page");
    assert!(page.contains("tolerance"));
    assert!(pages.join("paretone-model-install.1").exists());
    assert!(machine.printed(&["man"]).contains(".TH paretone"));
}

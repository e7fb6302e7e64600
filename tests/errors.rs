//! Every cause is said once: no error repeats its source, and what people read has each in it.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// The source files of the library and the program.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false if path.extension().is_some_and(|end| end == "rs") => files.push(path),
            false => {}
        }
    }
    files
}

/// The text of a `#[error(…)]`, and the variant or struct below it.
fn messages(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("#[error(").skip(1);
    let split = |part: &'_ str| part.find(")]").unwrap_or(part.len());
    let below = |part: &str| {
        let after = &part[split(part)..];
        let ends = ["#[error(", "\nimpl", "\npub ", "\nfn ", "\n///"];
        let own = after.find('{').or(after.find('(')).unwrap_or(0);
        let end = ends.iter().filter_map(|end| after[own..].find(end)).min();
        own + end.unwrap_or(after.len() - own)
    };
    parts
        .map(|part| {
            let at = split(part);
            (&part[..at], &part[at..at + below(part)])
        })
        .collect()
}

/// A variant that has a source does not print it: whoever prints the chain would print it twice.
#[test]
fn no_message_repeats_its_source() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in sources(&src) {
        let text = fs::read_to_string(&file).unwrap();
        for (message, variant) in messages(&text) {
            seen += 1;
            let first = variant.split_once(['{', '(']).map_or("", |(_, rest)| rest);
            let tuple = first.trim_start().starts_with("#[from]")
                || first.trim_start().starts_with("#[source]");
            let repeats = message.contains("{source") || (tuple && message.contains("{0"));
            if repeats {
                wrong.push(format!("{}: {message}", file.display()));
            }
        }
    }
    assert!(seen > 100, "only {seen} messages were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Walks a chain: no link's text is part of an earlier link's.
fn assert_once(error: &dyn Error) {
    let (mut earlier, mut link) = (vec![error.to_string()], error.source());
    while let Some(cause) = link {
        let text = cause.to_string();
        for before in &earlier {
            assert!(!before.contains(&text), "`{before}` repeats `{text}`");
        }
        earlier.push(text);
        link = cause.source();
    }
    assert!(earlier.len() > 1, "`{error}` says no cause");
}

#[cfg(all(feature = "speech", feature = "tiers"))]
#[test]
fn chains_of_real_errors_say_each_cause_once() {
    use paretone::{Recognizer, Rules, Waveform, WithCauses};

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("model.json"), "{}").unwrap();
    fs::write(path("rules.toml"), "format = 3").unwrap();
    fs::write(path("o.csv"), "id,group\na,b,c\n").unwrap();
    let missing = path("missing");
    let errors: Vec<Box<dyn Error>> = vec![
        Box::new(Waveform::open(&missing).unwrap_err()),
        Box::new(Rules::open(&missing).unwrap_err()),
        Box::new(Rules::open(&path("rules.toml")).unwrap_err()),
        Box::new(Recognizer::open(folder.path()).err().unwrap()),
        Box::new(paretone::graph::Graph::open(&missing).err().unwrap()),
        Box::new(paretone::sweep::words::read(&missing).unwrap_err()),
        Box::new(paretone::eval::transcripts::Transcripts::open(&missing).unwrap_err()),
    ];
    for error in errors {
        assert_once(error.as_ref());
        let said = WithCauses(error.as_ref()).to_string();
        let cause = error.source().unwrap().to_string();
        assert_eq!(said.matches(&cause).count(), 1, "{said}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn the_program_says_each_cause_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "format = 3").unwrap();
    for arguments in [
        "transcribe missing.wav",
        "tiers show missing.toml",
        "tiers show bad.toml",
        "report missing.csv --out out",
        "score --ref missing.tsv --hyp missing.tsv",
        "graph info missing.graph",
        "transcribe missing.wav --model missing",
    ] {
        let output = assert_cmd::Command::cargo_bin("paretone")
            .unwrap()
            .current_dir(folder.path())
            .env("PARETONE_CACHE", folder.path())
            .args(arguments.split(' '))
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{arguments}: {said}");
        for cause in ["No such file", "(os error 2)", "invalid type", "cannot read"] {
            let count = said.matches(cause).count();
            assert!(count <= 1, "{arguments}: {said}");
        }
    }
}

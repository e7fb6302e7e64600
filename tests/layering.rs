//! Data flows one way: no module of the library imports a later stage, and the three knots stay
//! cut.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each stage and the earlier ones it may know. `decode` knows no network (it takes any `Scorer`),
/// `eval` judges outcomes without knowing how they came about, and only the program, which is
/// no part of the library, sees everything.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("prefetch", &[]),
    ("units", &[]),
    ("audio", &["units"]),
    ("feature", &["units", "audio"]),
    ("acoustic", &["units", "audio", "feature"]),
    ("graph", &["units", "prefetch", "acoustic"]),
    ("decode", &["units", "prefetch", "graph"]),
    ("confidence", &["units", "decode"]),
    ("tiers", &["units"]),
    ("eval", &["units", "audio", "tiers"]),
    (
        "recognizer",
        &[
            "units",
            "audio",
            "feature",
            "acoustic",
            "graph",
            "decode",
            "confidence",
        ],
    ),
    (
        "scheduler",
        &["units", "audio", "decode", "recognizer", "tiers"],
    ),
    (
        "sweep",
        &[
            "units",
            "audio",
            "confidence",
            "tiers",
            "eval",
            "recognizer",
        ],
    ),
    (
        "service",
        &["units", "audio", "tiers", "eval", "recognizer", "scheduler"],
    ),
];

#[test]
fn no_module_imports_a_later_stage() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).expect("a file under src");
        let first = inside.components().next().expect("not empty").as_os_str();
        let stage = first
            .to_str()
            .expect("our names are UTF-8")
            .trim_end_matches(".rs")
            .to_owned();
        if stage == "lib" || stage == "bin" {
            continue;
        }
        let (_, may) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == stage)
            .unwrap_or_else(|| panic!("{stage} is a new stage: give it a line in MAY_IMPORT"));
        let text = fs::read_to_string(&file).expect("readable source");
        for used in imported_stages(&text) {
            if used != stage && !may.contains(&used.as_str()) {
                wrong.push(format!("src/{} uses crate::{used}", inside.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports against the flow of data:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_scan_sees_every_way_to_name_a_stage() {
    let text = "\
//! Not `crate::eval`.
use crate::units::Hertz;
use crate::{audio::{Waveform, sweep}, feature, graph::Graph};
fn f() -> crate::decode::Hypothesis {} // nor crate::acoustic
#[cfg(test)]
mod tests { use crate::recognizer; }";
    let seen: Vec<String> = imported_stages(text).into_iter().collect();
    assert_eq!(seen, ["audio", "decode", "feature", "graph", "units"]);
}

/// The stages a file names after `crate::`, comments and unit tests (which stand last) left out.
fn imported_stages(text: &str) -> BTreeSet<String> {
    let code = text
        .split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let code: Vec<&str> = code
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect();
    let code = code.join("\n");
    let known: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    let mut stages = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let names = match after.strip_prefix('{') {
            Some(list) => first_names(list),
            None => vec![ident(after)],
        };
        stages.extend(
            names
                .into_iter()
                .filter(|name| known.contains(name))
                .map(str::to_owned),
        );
    }
    stages
}

/// The first name of every item of an import list, up to its closing brace.
fn first_names(list: &str) -> Vec<&str> {
    let (mut names, mut depth, mut at_item) = (Vec::new(), 0, true);
    for (i, byte) in list.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            b',' if depth == 0 => at_item = true,
            _ if at_item && !byte.is_ascii_whitespace() => {
                names.push(ident(&list[i..]));
                at_item = false;
            }
            _ => {}
        }
    }
    names
}

fn ident(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable folder") {
        let path = entry.expect("readable entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

//! Data flows one way: no module of the library imports a later stage, the three knots stay cut,
//! and inside a stage no two files know each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each stage and the earlier ones it may know. `decode` knows no network (it takes any `Scorer`),
/// `eval` judges outcomes without knowing how they came about, and only the program, which is
/// no part of the library, sees everything.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("causes", &[]),
    ("prefetch", &[]),
    ("provenance", &[]),
    ("units", &[]),
    ("audio", &["units"]),
    ("feature", &["units", "audio"]),
    ("acoustic", &["units", "audio", "feature"]),
    ("gate", &["units", "audio", "feature", "acoustic"]),
    ("graph", &["units", "prefetch", "acoustic"]),
    ("language", &["units", "acoustic", "graph"]),
    ("kaldi", &["units", "feature", "acoustic", "graph"]),
    ("decode", &["units", "prefetch", "graph"]),
    ("confidence", &["units", "provenance", "decode"]),
    ("tiers", &["units", "provenance"]),
    ("eval", &["units", "audio", "tiers"]),
    (
        "recognizer",
        &[
            "units",
            "provenance",
            "audio",
            "feature",
            "acoustic",
            "gate",
            "graph",
            "language",
            "kaldi",
            "decode",
            "confidence",
        ],
    ),
    ("scheduler", &["units", "audio", "decode", "recognizer", "tiers"]),
    (
        "sweep",
        &[
            "units",
            "provenance",
            "audio",
            "acoustic",
            "decode",
            "confidence",
            "tiers",
            "eval",
            "recognizer",
        ],
    ),
    ("service", &["units", "audio", "tiers", "eval", "recognizer", "scheduler"]),
];

#[test]
fn no_module_imports_a_later_stage() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in rust_files(&src) {
        let inside = file.strip_prefix(&src).expect("a file under src");
        let first = inside.components().next().expect("not empty").as_os_str();
        let stage = first.to_str().expect("our names are UTF-8").trim_end_matches(".rs").to_owned();
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
    assert!(wrong.is_empty(), "imports against the flow of data:\n{}", wrong.join("\n"));
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

/// Circles of files that stay, each with the reason: the folder, the files, why.
const CIRCLES: &[(&str, &[&str], &str)] = &[];

/// Inside a folder too, what a file knows does not know it back, directly or by way of others. A
/// folder counts as one file; its `mod.rs` is its roof, which may name what is below and be named
/// by it.
#[test]
fn no_circle_of_files_without_a_reason() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut circles = Tree::read(&src, "lib.rs").circles();
    circles.extend(Tree::read(&src.join("bin/paretone"), "main.rs").circles());
    let allowed: BTreeSet<Circle> = CIRCLES
        .iter()
        .map(|(folder, files, _)| {
            (folder.to_string(), files.iter().map(|f| f.to_string()).collect())
        })
        .collect();
    let new: Vec<_> = circles.difference(&allowed).collect();
    assert!(new.is_empty(), "files that know each other in a circle: {new:?}");
    let gone: Vec<_> = allowed.difference(&circles).collect();
    assert!(gone.is_empty(), "take these out of CIRCLES, they are none any more: {gone:?}");
}

/// A module with children is the `mod.rs` of its folder, never a file beside it.
#[test]
fn modules_with_children_are_mod_files() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let beside = rust_files(&src).into_iter();
    let beside: Vec<PathBuf> = beside.filter(|file| file.with_extension("").is_dir()).collect();
    assert!(beside.is_empty(), "move these into their folders as mod.rs: {beside:?}");
}

#[test]
fn paths_are_read_whole_and_through_what_is_handed_on() {
    let file = |module: &str, text: &str| (segments(module), text.to_owned());
    let tree = Tree::new(vec![
        file("", "mod a; mod b;"),
        file("a", "pub use c::{D, e as f}; mod c; mod g;"),
        file("a::c", "use super::g::{self, H}; // super::super::b"),
        file("a::g", "use super::D;\n#[cfg(test)]\nmod tests { use crate::b; }"),
        file("b", "use crate::{a::{c::X}, b::Y};"),
    ]);
    let circle: Circle = ("a".into(), ["c", "g"].map(String::from).into());
    assert_eq!(tree.circles(), BTreeSet::from([circle]));
    let b = tree.targets(&segments("b"));
    assert_eq!(b, BTreeSet::from([segments("a::c"), segments("b")]));
}

/// A module by its path: `decode::prune` is `["decode", "prune"]`.
type Module = Vec<String>;
/// A folder, and files of it that know each other.
type Circle = (String, BTreeSet<String>);

fn segments(path: &str) -> Module {
    path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The modules of a crate: their code, and what they hand on from their children.
struct Tree {
    code: BTreeMap<Module, String>,
    /// Where an item that a module re-exports comes from.
    handed_on: BTreeMap<Module, Module>,
}

impl Tree {
    fn read(folder: &Path, root: &str) -> Tree {
        let files = rust_files(folder).into_iter();
        let files = files.filter(|file| root != "lib.rs" || !file.starts_with(folder.join("bin")));
        let module = |file: PathBuf| {
            let inside = file.strip_prefix(folder).expect("a file of the folder");
            let inside = inside.with_extension("");
            let parts = inside.iter().map(|part| part.to_string_lossy().into_owned());
            let text = fs::read_to_string(&file).expect("readable source");
            let is_roof = |part: &String| *part == "mod" || format!("{part}.rs") == root;
            (parts.filter(|part| !is_roof(part)).collect(), text)
        };
        Tree::new(files.map(module).collect())
    }

    fn new(files: Vec<(Module, String)>) -> Tree {
        let code = files.into_iter().map(|(module, text)| (module, code_of(&text)));
        let mut tree = Tree { code: code.collect(), handed_on: BTreeMap::new() };
        for (module, text) in &tree.code {
            for after in text.split("pub").skip(1).filter_map(after_use) {
                for path in paths_at(after).0 {
                    let from: Module = module.iter().chain(&path).cloned().collect();
                    let child = &from[..module.len() + 1];
                    if tree.code.contains_key(child) {
                        let name = path.last().expect("a path is not empty").clone();
                        let item = module.iter().cloned().chain([name]).collect();
                        tree.handed_on.insert(item, from);
                    }
                }
            }
        }
        tree
    }

    /// The modules that a module names, through whatever hands them on.
    fn targets(&self, module: &Module) -> BTreeSet<Module> {
        let text = &self.code[module];
        let starts = ["crate::", "super::"].into_iter().flat_map(|word| text.match_indices(word));
        let starts = starts.filter(|(at, _)| {
            let before = text[..*at].chars().next_back();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':')
        });
        let paths = starts.flat_map(|(at, _)| paths_at(&text[at..]).0);
        paths.map(|path| self.resolve(module, &path)).collect()
    }

    fn resolve(&self, module: &Module, path: &[String]) -> Module {
        let ups = path.iter().take_while(|part| *part == "super").count();
        let mut found = match path[0].as_str() {
            "crate" => Module::new(),
            _ => module[..module.len().saturating_sub(ups)].to_vec(),
        };
        for part in &path[ups.max(1)..] {
            found.push(part.clone());
            while let Some(from) = self.handed_on.get(&found) {
                found = from.clone();
            }
            if !self.code.contains_key(&found) {
                break;
            }
        }
        while !self.code.contains_key(&found) {
            found.pop();
        }
        found
    }

    /// All circles: in every folder, the files and folders in it that reach each other.
    fn circles(&self) -> BTreeSet<Circle> {
        let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for module in self.code.keys() {
            for target in self.targets(module) {
                let shared = module.iter().zip(&target).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (module.get(shared), target.get(shared)) {
                    let folder = folders.entry(module[..shared].to_vec()).or_default();
                    folder.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
        let mut circles = BTreeSet::new();
        for (folder, knows) in &folders {
            for file in knows.keys() {
                let ahead = reached(knows, file);
                let circle = ahead.iter().filter(|other| reached(knows, other).contains(file));
                let circle: BTreeSet<String> = circle.cloned().collect();
                if !circle.is_empty() {
                    circles.insert((folder.join("::"), circle));
                }
            }
        }
        circles
    }
}

/// What a file knows, directly or by way of others.
fn reached(knows: &BTreeMap<String, BTreeSet<String>>, file: &String) -> BTreeSet<String> {
    let (mut found, mut open) = (BTreeSet::new(), vec![file]);
    while let Some(file) = open.pop() {
        for next in knows.get(file).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    found
}

/// The text behind `use`, if that is what follows a `pub`, or a `pub(…)`.
fn after_use(after_pub: &str) -> Option<&str> {
    let rest = match after_pub.strip_prefix('(') {
        Some(scope) => scope.split_once(')')?.1,
        None => after_pub,
    };
    rest.trim_start().strip_prefix("use ").map(str::trim_start)
}

/// The paths that begin a text, one for each leaf of its braces, and what follows them.
fn paths_at(text: &str) -> (Vec<Module>, &str) {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        let mut paths = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            if let Some(rest) = rest.strip_prefix('}') {
                return (paths, rest);
            }
            let (more, after) = paths_at(rest);
            assert!(after.len() < rest.len(), "no import list: {rest:.60}");
            paths.extend(more);
            rest = after;
        }
    }
    let name = if text.starts_with('*') { "*" } else { ident(text) };
    let rest = &text[name.len()..];
    // An alias is of no interest: the path says where the item comes from.
    let rest = match rest.strip_prefix(" as ") {
        Some(after) => &after[ident(after).len()..],
        None => rest,
    };
    match rest.strip_prefix("::") {
        Some(after) => {
            let (tails, rest) = paths_at(after);
            let whole = |tail: Module| [name.to_owned()].into_iter().chain(tail).collect();
            (tails.into_iter().map(whole).collect(), rest)
        }
        None if name.is_empty() => (vec![Module::new()], rest),
        None => (vec![vec![name.to_owned()]], rest),
    }
}

/// The stages a file names after `crate::`, comments and unit tests (which stand last) left out.
fn imported_stages(text: &str) -> BTreeSet<String> {
    let code = code_of(text);
    let known: BTreeSet<&str> = MAY_IMPORT.iter().map(|(name, _)| *name).collect();
    let mut stages = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let names = match after.strip_prefix('{') {
            Some(list) => first_names(list),
            None => vec![ident(after)],
        };
        stages.extend(names.into_iter().filter(|name| known.contains(name)).map(str::to_owned));
    }
    stages
}

/// A file without its comments and its unit tests, which stand last.
fn code_of(text: &str) -> String {
    let code = text.split("\n#[cfg(test)]\nmod ").next();
    let lines = code.unwrap_or_default().lines();
    let lines: Vec<&str> = lines.map(|line| line.split("//").next().unwrap_or("")).collect();
    lines.join("\n")
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
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
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

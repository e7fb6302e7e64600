//! House rules that a machine can check: comments that fit the width of the code, files that open
//! by saying what they are, and files and functions of a size that can be read.

use std::fs;
use std::path::{Path, PathBuf};

/// Columns of a line, as in rustfmt.toml.
const WIDTH: usize = 100;
/// Most lines of code in a file, unit tests and comments left out.
const FILE_LINES: usize = 400;
/// Most lines of code in a function; only hot loops come near it.
const FUNCTION_LINES: usize = 70;

/// rustfmt does not wrap comments, so nothing else keeps them within the width.
#[test]
fn comments_fit_the_width_of_the_code() {
    let mut wide = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "fuzz/fuzz_targets"] {
        for (file, text) in sources(folder) {
            let lines = text.lines().enumerate();
            let lines = lines.filter(|(_, line)| is_wide_comment(line));
            wide.extend(lines.map(|(at, _)| format!("{file}:{}", at + 1)));
        }
    }
    assert!(
        wide.is_empty(),
        "comments wider than {WIDTH} columns; scripts/wrap_comments.py wraps them:\n{}",
        wide.join("\n")
    );
}

/// A comment that could be wrapped: a table, a link or any other single word cannot.
fn is_wide_comment(line: &str) -> bool {
    let text = line.trim_start();
    let words = text.trim_start_matches(['/', '!']).trim();
    text.starts_with("//")
        && line.chars().count() > WIDTH
        && !words.starts_with('|')
        && words.contains(' ')
}

#[test]
fn files_open_by_saying_what_they_are() {
    let silent = sources("src").into_iter();
    // The documentation of the crate is src/ARCHITECTURE.md.
    let silent = silent.filter(|(file, text)| !text.starts_with("//!") && file != "src/lib.rs");
    let silent: Vec<String> = silent.map(|(file, _)| file).collect();
    assert!(silent.is_empty(), "these files need a `//!` comment on top: {silent:?}");
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let sizes = sources("src").into_iter();
    let sizes = sizes.map(|(file, text)| (code_of(&text).len(), file));
    let large: Vec<_> = sizes.filter(|(lines, _)| *lines > FILE_LINES).collect();
    assert!(
        large.is_empty(),
        "split these, they have more than {FILE_LINES} lines of code: {large:?}"
    );
}

#[test]
fn functions_can_be_read_at_a_glance() {
    let mut long = Vec::new();
    for (file, text) in sources("src") {
        let functions = functions(&code_of(&text)).into_iter();
        let functions = functions.filter(|(_, lines)| *lines > FUNCTION_LINES);
        long.extend(functions.map(|(name, lines)| format!("{name} in {file}: {lines} lines")));
    }
    assert!(long.is_empty(), "split these functions:\n{}", long.join("\n"));
}

#[test]
fn functions_are_measured_from_name_to_brace() {
    let text = "\
impl A {
    /// Not counted.
    fn one(&self) -> u32 {
        let text = \"}\"; // nor }

        match text { _ => 1 }
    }

    fn declared(&self);
}
#[cfg(test)]
mod tests { fn none() {} }";
    let one = ("one".to_owned(), 4);
    assert_eq!(functions(&code_of(text)), [one]);
}

/// Names and sizes of the functions; `code` is as rustfmt writes it, so that a function ends at the
/// first closing brace that stands as far to the left as the function.
fn functions(code: &[&str]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, line) in code.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let is_end = |line: &&str| {
            let text = line.trim_start();
            line.len() - text.len() == indent && (text.starts_with('}') || text.ends_with(';'))
        };
        let one_line = line.ends_with('}') || line.ends_with(';');
        let more = code[at + 1..].iter().position(is_end).map_or(0, |more| more + 1);
        let lines = if one_line { 1 } else { more + 1 };
        if lines > 1 {
            found.push((name.to_owned(), lines));
        }
    }
    found
}

/// The name of the function that a line begins.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    let words = ["pub", "const", "async", "unsafe", "extern", "\"C\"", "default"];
    let is_head = |word: &str| word.starts_with("pub(") || words.contains(&word);
    let name = after.split(['(', '<']).next()?;
    let is_head = before.split_whitespace().all(|word| is_head(word) || word.ends_with(')'));
    (is_head && !name.is_empty() && !name.contains(' ')).then_some(name)
}

/// The lines of code of a file: no comments, no blank lines, no unit tests, which stand last.
fn code_of(text: &str) -> Vec<&str> {
    let code = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    code.lines().filter(is_code).collect()
}

/// The Rust files of a folder and below, by their paths within the repository.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut open) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("readable folder") {
            let path: PathBuf = entry.expect("readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("readable source");
                let inside = path.strip_prefix(root).expect("a file of the repository");
                found.push((inside.display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}

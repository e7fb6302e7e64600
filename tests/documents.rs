//! The documents agree with the files and with each other: licences, links, and what is called
//! *the paper*.

use std::fs;
use std::path::{Path, PathBuf};

/// Every document that people read here, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = ["README.md", "CONTRIBUTING.md", "src/ARCHITECTURE.md", "models/en/README.md"];
    let mut paths: Vec<PathBuf> = names.iter().map(|name| root.join(name)).collect();
    for folder in ["docs", "scripts/train", "scripts/images", "bindings/python"] {
        let files = fs::read_dir(root.join(folder)).into_iter().flatten().flatten();
        let files = files.map(|file| file.path());
        paths.extend(files.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    paths.retain(|path| path.is_file());
    let read = |path: &PathBuf| fs::read_to_string(path).expect("text");
    paths.iter().map(|path| (path.clone(), read(path))).collect()
}

/// Where the links of a text lead: what stands between `](` and `)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

#[test]
fn links_lead_to_files() {
    let mut dead = Vec::new();
    for (path, text) in documents() {
        for link in links(&text) {
            let file = link.split('#').next().unwrap_or_default();
            let elsewhere = link.contains("://") || link.starts_with("mailto:") || file.is_empty();
            let folder = path.parent().expect("a file is in a folder");
            if !elsewhere && !file.contains(' ') && !folder.join(file).exists() {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{}", dead.join("\n"));
}

#[test]
fn the_paper_is_linked_wherever_it_is_mentioned() {
    for (path, text) in documents() {
        let words: Vec<&str> = text.split_whitespace().collect();
        let named = words.windows(2).any(|pair| {
            pair[0].eq_ignore_ascii_case("the")
                && pair[1].starts_with("paper")
                && !pair[1].starts_with("paper-")
        });
        let linked = links(&text).any(|link| link.contains("paper.md") || link.contains("doi.org"));
        let is_its_page = path.ends_with("docs/paper.md");
        assert!(
            !named || linked || is_its_page,
            "{} mentions the paper without a link",
            path.display()
        );
    }
}

#[test]
fn the_model_and_its_page_agree_on_the_licence() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/en");
    let Ok(description) = fs::read_to_string(folder.join("model.json")) else {
        eprintln!("skipped: there is no models/en");
        return;
    };
    let description: serde_json::Value = serde_json::from_str(&description).expect("JSON");
    let licence = description["licence"].as_str().expect("a licence");
    let page = fs::read_to_string(folder.join("README.md")).expect("its page");
    let section = page.split("\n## Licence").nth(1).expect("a section");
    assert!(section.contains(licence), "README.md does not say {licence}");
}

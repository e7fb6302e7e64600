//! Lists the files of `models/en` for the program to hold, where the feature `embed-model` asks for
//! it and they are there: the package on a registry has no models, a clone has.

use std::fs;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

const MODEL: &str = "models/en";
/// What nobody reads who only recognises.
const LEFT_OUT: [&str; 3] = ["train.log", "train.svg", "tree.txt"];

fn main() {
    println!("cargo::rustc-check-cfg=cfg(embedded_model)");
    println!("cargo::rerun-if-changed={MODEL}");
    if std::env::var_os("CARGO_FEATURE_EMBED_MODEL").is_none() {
        return;
    }
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let model = root.join(MODEL);
    if !model.join("model.json").is_file() {
        println!(
            "cargo::warning=there is no {MODEL} here, so the program is built without a model"
        );
        return;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let list = list(&model).expect("the model's files can be read");
    fs::write(out.join("embedded_model.rs"), list).expect("OUT_DIR can be written");
    println!("cargo::rustc-cfg=embedded_model");
}

/// Rust source with each file's name and contents, and a hash of them all.
fn list(model: &Path) -> std::io::Result<String> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(model)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|file| file.is_file() && !LEFT_OUT.iter().any(|name| file.ends_with(name)));
    files.sort();
    let mut hash = Xxh3::new();
    let mut source = String::from("pub const FILES: &[(&str, &[u8])] = &[\n");
    for file in files {
        let name = file.file_name().expect("a listed file").to_string_lossy();
        hash.update(name.as_bytes());
        hash.update(&fs::read(&file)?);
        source += &format!("    ({name:?}, include_bytes!({file:?})),\n");
    }
    source += &format!("];\npub const HASH: u128 = {};\n", hash.digest128());
    Ok(source)
}

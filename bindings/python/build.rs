//! Lays the model's files where maturin takes them into the wheel (`include` in pyproject.toml): beside the
//! code, so that they are mapped as they lie. A source distribution has no model; its wheel is built without one.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const MODEL: &str = "../../models/en";
/// What nobody reads who only recognises.
const LEFT_OUT: [&str; 3] = ["train.log", "train.svg", "tree.txt"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={MODEL}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("models/en");
    if out.exists() {
        fs::remove_dir_all(&out).expect("OUT_DIR can be written");
    }
    fs::create_dir_all(&out).expect("OUT_DIR can be written");
    let model = Path::new(MODEL);
    if !model.join("model.json").is_file() {
        println!("cargo::warning=there is no {MODEL} here, so the wheel is built without a model");
        return;
    }
    copy(model, &out).expect("the model's files can be copied");
}

fn copy(model: &Path, out: &Path) -> io::Result<()> {
    for file in fs::read_dir(model)? {
        let path = file?.path();
        let name = path.file_name().expect("a listed file");
        if path.is_file() && !LEFT_OUT.iter().any(|left_out| name == *left_out) {
            fs::copy(&path, out.join(name))?;
        }
    }
    Ok(())
}

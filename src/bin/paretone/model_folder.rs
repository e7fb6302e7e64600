//! Where the models are: the folders that hold models, in the order they are looked through, and
//! the model that the program itself brings along.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::{UsageError, embedded};

/// The model that is used where nobody names one.
pub const USUAL: &str = "en";

/// A folder of models, each in a folder of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The folder.
    pub folder: PathBuf,
    /// Whose it is, for people.
    pub whose: &'static str,
}

/// A model that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Whose it is, for people.
    pub whose: &'static str,
}

/// The folder of the model a command uses: the folder or the name asked for, else the usual model
/// on the first shelf that has it, else the one in the program, unpacked.
///
/// # Errors
/// A [`UsageError`] that says where it was sought.
pub fn model_folder(asked: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let asked = asked.filter(|asked| !asked.as_os_str().is_empty());
    if let Some(folder) = &asked
        && (folder.exists() || folder.components().count() > 1)
    {
        return Ok(folder.clone());
    }
    let name = asked.as_deref().and_then(Path::to_str).unwrap_or(USUAL);
    let found = shelves()
        .iter()
        .map(|shelf| shelf.folder.join(name))
        .find(|folder| is_model(folder));
    match found {
        Some(folder) => Ok(folder),
        None if name == USUAL && embedded::is_there() => Ok(unpacked().map_err(UsageError)?),
        None => Err(UsageError(nowhere(name)).into()),
    }
}

/// Every model on a shelf, the first of each name before those it hides, and the one in the program.
pub fn models() -> Vec<Found> {
    let mut models = Vec::new();
    for Shelf { folder, whose } in shelves() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.retain(|folder| is_model(folder));
        folders.sort();
        models.extend(folders.into_iter().map(|folder| Found {
            name: name_of(&folder),
            folder,
            whose,
        }));
    }
    models
}

/// The shelves, in the order they are looked through.
pub fn shelves() -> Vec<Shelf> {
    let program = std::env::current_exe().unwrap_or_default();
    let program = program.canonicalize().unwrap_or(program);
    let beside = program.parent().map(|bin| bin.join("models"));
    let prefix = program.parent().and_then(Path::parent);
    let mut shelves = vec![shelf(PathBuf::from("models"), "the working folder's")];
    let mut put = |folder: Option<PathBuf>, whose| {
        if let Some(folder) = folder
            && !shelves.iter().any(|shelf| shelf.folder == folder)
        {
            shelves.push(shelf(folder, whose));
        }
    };
    put(beside, "beside the program");
    put(clone_of(&program), "the clone's that built the program");
    put(prefix.map(installed_under), "installed with the program");
    put(own_shelf(), "the user's");
    for prefix in ["/usr/local", "/usr"] {
        put(Some(installed_under(Path::new(prefix))), "the system's");
    }
    shelves
}

/// Where `paretone model install` puts models.
pub fn own_shelf() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("paretone/models"))
}

/// Whether a folder holds a model.
pub fn is_model(folder: &Path) -> bool {
    folder.join("model.json").is_file()
}

/// The model in the program, laid out in the cache.
///
/// # Errors
/// The program has none, or the cache cannot be written; says what helps.
pub fn unpacked() -> anyhow::Result<PathBuf> {
    embedded::unpack().context(
        "the model in the program cannot be unpacked; set $PARETONE_CACHE to a folder that can be \
         written, or name a model's folder with --model",
    )
}

fn shelf(folder: PathBuf, whose: &'static str) -> Shelf {
    Shelf { folder, whose }
}

fn installed_under(prefix: &Path) -> PathBuf {
    prefix.join("share/paretone/models")
}

/// The models of the clone whose `target` a build is in.
fn clone_of(program: &Path) -> Option<PathBuf> {
    let mut above = program.ancestors();
    let target = above.find(|folder| folder.ends_with("target"))?;
    Some(target.parent()?.join("models"))
}

fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn nowhere(name: &str) -> anyhow::Error {
    let shelves = shelves();
    let sought: Vec<String> = shelves
        .iter()
        .map(|shelf| shelf.folder.display().to_string())
        .collect();
    anyhow!(
        "no model {name}: it is no folder, and none of {} has it; name a model's folder with --model or \
         $PARETONE_MODEL, or put it there with `paretone model install FOLDER`",
        sought.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_finds_its_clone() {
        let program = Path::new("/home/ada/clone/target/x86_64-linux/release/paretone");
        let models = Some(PathBuf::from("/home/ada/clone/models"));
        assert_eq!(clone_of(program), models);
        assert_eq!(clone_of(Path::new("/usr/bin/paretone")), None);
    }

    #[test]
    fn a_folder_that_is_asked_for_is_taken_as_it_is() {
        let asked = PathBuf::from("no/such/folder");
        assert_eq!(model_folder(Some(asked.clone())).unwrap(), asked);
        let error = model_folder(Some("nameless".into())).unwrap_err();
        let told = format!("{error:#}");
        assert!(told.contains("no model nameless") && told.contains("model install"));
    }
}

//! Where models are: the folders that hold them, in the order they are looked through.
//!
//! The program, and whatever else opens a model by its name, look in the same places. Who brings a
//! model along (in the program, in a package of another language) uses it where none is found here.

use std::path::{Path, PathBuf};

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

/// No shelf has the model that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no model {name}: it is no folder, and none of {} has it; name a model's folder, in $PARETONE_MODEL for instance, \
     or put it there with `paretone model install FOLDER`",
    sought.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
)]
pub struct NoSuchModel {
    /// Its name.
    pub name: String,
    /// The shelves that were looked through.
    pub sought: Vec<PathBuf>,
}

/// The folder of a model: the folder or the name asked for, else the usual model on the first shelf
/// that has it.
///
/// ```
/// use std::path::Path;
/// use paretone::recognizer::shelf;
///
/// let folder = shelf::find(Some(Path::new("models/en")))?;
/// assert!(shelf::is_model(&folder));
/// # Ok::<(), shelf::NoSuchModel>(())
/// ```
///
/// # Errors
/// A name was asked for, or none, and no shelf has it. A folder is taken as it is: opening it says
/// what is wrong with it.
pub fn find(asked: Option<&Path>) -> Result<PathBuf, NoSuchModel> {
    let asked = asked.filter(|asked| !asked.as_os_str().is_empty());
    if let Some(folder) = asked
        && (folder.exists() || folder.components().count() > 1)
    {
        return Ok(folder.into());
    }
    let name = asked.map_or(USUAL.into(), Path::to_string_lossy);
    let sought: Vec<PathBuf> = shelves().into_iter().map(|shelf| shelf.folder).collect();
    let mut places = sought.iter().map(|folder| folder.join(&*name));
    let found = places.find(|folder| is_model(folder));
    found.ok_or_else(|| NoSuchModel { name: name.into_owned(), sought })
}

/// Every model on a shelf, the first of each name before those it hides.
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
    put(own(), "the user's");
    for prefix in ["/usr/local", "/usr"] {
        put(Some(installed_under(Path::new(prefix))), "the system's");
    }
    shelves
}

/// Where `paretone model install` puts models.
pub fn own() -> Option<PathBuf> {
    Some(dirs::data_dir()?.join("paretone/models"))
}

/// Whether a folder holds a model.
pub fn is_model(folder: &Path) -> bool {
    folder.join("model.json").is_file()
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
        let asked = Path::new("no/such/folder");
        assert_eq!(find(Some(asked)).unwrap(), asked);
        let told = find(Some(Path::new("nameless"))).unwrap_err().to_string();
        assert!(told.contains("no model nameless") && told.contains("model install"));
    }
}

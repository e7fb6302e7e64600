//! Where the compiled graph is kept between runs, so that only the first one compiles it.
//!
//! The file's name holds a hash of everything that went into it, so a changed model never meets an
//! old graph. A new file is written beside its place and renamed into it: another process sees the
//! whole file or none, and of two that compile at once the later rename wins with the same content.
//! Files may be read by whom the user's file mode mask allows, so that accounts can share a folder.
//! What a killed process left half written is removed by the next one (`draft`). Where nothing can
//! be kept, because the folder cannot be written or the disk is full, the graph stays in memory.
//!
//! Files that are mapped, in the cache or elsewhere, are compared with their checksums the first
//! time, and again whenever they have changed (`stamp`).

mod draft;
mod limit;
mod stamp;
mod unpacked;

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use tracing::{debug, warn};
use xxhash_rust::xxh3::Xxh3;

use crate::WithCauses;
use crate::graph::ngram::{Ngram, NgramError};
use crate::graph::{Graph, GraphError};
use draft::Draft;
pub use limit::{CACHE_LIMIT_VARIABLE, CacheEntry, cache_limit, parse_size};
use stamp::Stamp;

/// The environment variable that names the cache folder.
pub const CACHE_VARIABLE: &str = "PARETONE_CACHE";

/// The name of a cached file: a hash of its kind and of all that it is made from.
#[derive(Clone)]
pub struct CacheKey(Xxh3);

impl CacheKey {
    /// The key of a kind of file; a new version of its format is a new kind.
    pub fn new(kind: &str) -> Self {
        CacheKey(Xxh3::new()).with(kind.as_bytes())
    }

    /// The key after one more input. Inputs are kept apart by their length.
    pub fn with(mut self, input: &[u8]) -> Self {
        self.0.update(&(input.len() as u64).to_le_bytes());
        self.0.update(input);
        self
    }

    pub(super) fn file_name(&self, extension: &str) -> String {
        format!("{:032x}.{extension}", self.0.digest128())
    }
}

/// What can be kept in a file and used where the file is mapped.
pub trait Mappable: Sized {
    /// Why a file cannot be used.
    type Error: Error;

    /// Maps a file that was found to be sound before.
    ///
    /// # Errors
    /// The file cannot be read, or is none of these.
    fn map(path: &Path) -> Result<Self, Self::Error>;

    /// Maps a file and compares all of it with its checksums.
    ///
    /// # Errors
    /// As [`Mappable::map`], and the file is damaged.
    fn map_checked(path: &Path) -> Result<Self, Self::Error>;

    /// Reads a file into memory and compares all of it with its checksums.
    ///
    /// # Errors
    /// As [`Mappable::map_checked`].
    fn load(path: &Path) -> Result<Self, Self::Error>;
}

impl Mappable for Graph {
    type Error = GraphError;

    fn map(path: &Path) -> Result<Self, GraphError> {
        Graph::open(path)
    }

    fn map_checked(path: &Path) -> Result<Self, GraphError> {
        Graph::open_checked(path)
    }

    fn load(path: &Path) -> Result<Self, GraphError> {
        Graph::load(path)
    }
}

impl Mappable for Ngram {
    type Error = NgramError;

    fn map(path: &Path) -> Result<Self, NgramError> {
        Ngram::open(path)
    }

    fn map_checked(path: &Path) -> Result<Self, NgramError> {
        Ngram::open_checked(path)
    }

    fn load(path: &Path) -> Result<Self, NgramError> {
        Ngram::load(path)
    }
}

/// A folder of files that can be made again.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
    copies: bool,
}

impl Cache {
    /// The cache in `$PARETONE_CACHE`, else in `paretone` under the user's cache folder.
    pub fn of_user() -> Self {
        let named = std::env::var_os(CACHE_VARIABLE).filter(|value| !value.is_empty());
        let folder = named.map(PathBuf::from).or_else(|| Some(dirs::cache_dir()?.join("paretone")));
        Cache { folder, copies: false }
    }

    /// The cache in a folder of the caller's choice; the folder is made when first needed.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Cache { folder: Some(folder.into()), copies: false }
    }

    /// The same cache, which reads files into memory instead of mapping them, so that later changes
    /// to the files do no harm.
    pub fn copying(self) -> Self {
        Cache { copies: true, ..self }
    }

    /// Opens a file that may lie anywhere. It is compared with its checksums the first time, and
    /// whenever it has changed since.
    ///
    /// # Errors
    /// The file cannot be read, is none of these, or is damaged.
    pub fn open<T: Mappable>(&self, path: &Path) -> Result<T, T::Error> {
        if self.copies {
            return T::load(path);
        }
        let Some(stamp) = self.folder.as_ref().and_then(|at| Stamp::of(path, at)) else {
            return T::map_checked(path);
        };
        if stamp.is_known() {
            return T::map(path);
        }
        let checked = T::map_checked(path)?;
        stamp.remember();
        Ok(checked)
    }

    /// Opens the file of this key. If it is missing or damaged, `make` makes its content, which
    /// `write` then stores for the next time; if storing it fails, the content itself is returned.
    ///
    /// # Errors
    /// Whatever `make` reports.
    pub fn open_or_make<T: Mappable, E>(
        &self,
        key: &CacheKey,
        extension: &str,
        make: impl FnOnce() -> Result<T, E>,
        write: impl FnOnce(&T, &mut BufWriter<&File>) -> io::Result<()>,
    ) -> Result<T, E> {
        let Some(folder) = &self.folder else {
            warn!(
                "there is no cache folder, so this work is done again next time; set {CACHE_VARIABLE}"
            );
            return make();
        };
        draft::remove_abandoned(folder);
        let path = folder.join(key.file_name(extension));
        if let Some(opened) = self.open_kept(&path) {
            return Ok(opened);
        }
        let made = make()?;
        let kept = fs::create_dir_all(folder)
            .and_then(|()| Draft::new(folder))
            .and_then(|draft| draft.keep(&path, |out| write(&made, out)));
        if let Err(error) = kept {
            warn!(
                "{} cannot be written ({error}), so this work is done again next time; \
                 make room there, or set {CACHE_VARIABLE} to a folder that can be written",
                path.display()
            );
            return Ok(made);
        }
        match self.open(&path) {
            Ok(mapped) => {
                self.keep_within_limit();
                Ok(mapped)
            }
            Err(error) => {
                let error = WithCauses(&error);
                warn!("{} was written and is damaged: {error}", path.display());
                Ok(made)
            }
        }
    }

    /// The file if it is there, may be read, and is sound; says why not if it is there.
    fn open_kept<T: Mappable>(&self, path: &Path) -> Option<T> {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!("{} may not be read ({error}) and is made again", path.display());
                return None;
            }
            Ok(_) => debug!("{} is in the cache", path.display()),
        }
        match self.open(path) {
            Ok(opened) => Some(opened),
            Err(error) => {
                let error = WithCauses(&error);
                warn!("{} is damaged and is made again: {error}", path.display());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A text that is sound if it is "whole"; counts how often it is checked.
    #[derive(Debug, PartialEq)]
    struct Text(String);

    thread_local! {
        static CHECKED: Cell<u32> = const { Cell::new(0) };
    }

    impl Mappable for Text {
        type Error = io::Error;

        fn map(path: &Path) -> io::Result<Text> {
            fs::read_to_string(path).map(Text)
        }

        fn map_checked(path: &Path) -> io::Result<Text> {
            CHECKED.set(CHECKED.get() + 1);
            match Text::map(path)? {
                text if text.0 == "whole" => Ok(text),
                _ => Err(io::Error::other("not whole")),
            }
        }

        fn load(path: &Path) -> io::Result<Text> {
            Text::map_checked(path)
        }
    }

    fn get(cache: &Cache, key: &CacheKey, made: &Cell<u32>) -> Text {
        let make = || {
            made.set(made.get() + 1);
            Ok::<_, io::Error>(Text("whole".into()))
        };
        let write = |text: &Text, out: &mut BufWriter<&File>| out.write_all(text.0.as_bytes());
        cache.open_or_make(key, "txt", make, write).unwrap()
    }

    fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|e| e == extension)).collect()
    }

    /// Moves a file's time into the past, as if it had not just been written.
    fn age(path: &Path) {
        let file = File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
    }

    #[test]
    fn a_file_is_made_once_and_again_when_it_is_damaged_or_its_inputs_change() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new/folder");
        let cache = Cache::in_folder(&folder);
        let made = Cell::new(0);
        let key = CacheKey::new("test-1").with(b"input");
        get(&cache, &key, &made);
        get(&cache, &key, &made);
        assert_eq!(made.get(), 1);
        fs::write(&files(&folder, "txt")[0], "wh").unwrap();
        assert_eq!(get(&cache, &key, &made).0, "whole");
        assert_eq!(made.get(), 2);
        let other = CacheKey::new("test-1").with(b"inp").with(b"ut");
        get(&cache, &other, &made);
        assert_eq!(made.get(), 3);
        assert_eq!(files(&folder, "txt").len(), 2);
        assert_eq!(files(&folder, "part").len(), 0, "no draft is left behind");
    }

    #[test]
    fn a_file_is_checked_once_and_again_when_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path().join("cache"));
        fs::create_dir(folder.path().join("cache")).unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "whole").unwrap();
        age(&path);
        for _ in 0..3 {
            cache.open::<Text>(&path).unwrap();
        }
        assert_eq!(CHECKED.get(), 1);
        // Damage of the same size, by someone who sets the time back.
        fs::write(&path, "whale").unwrap();
        age(&path);
        assert!(cache.open::<Text>(&path).is_err());
        assert!(cache.open::<Text>(&path).is_err());
        assert_eq!(CHECKED.get(), 3);
    }

    #[test]
    fn of_many_that_make_the_same_file_at_once_each_gets_it_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let key = CacheKey::new("test-1");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(get(&cache, &key, &Cell::new(0)).0, "whole"));
            }
        });
        assert_eq!(files(folder.path(), "txt").len(), 1);
        assert_eq!(files(folder.path(), "part").len(), 0);
    }

    #[test]
    fn where_nothing_can_be_kept_what_was_made_serves() {
        let folder = tempfile::tempdir().unwrap();
        let file_in_the_way = folder.path().join("file");
        fs::write(&file_in_the_way, "").unwrap();
        let cache = Cache::in_folder(file_in_the_way.join("cache"));
        let made = Cell::new(0);
        let key = CacheKey::new("test-1");
        for count in 1..3 {
            assert_eq!(get(&cache, &key, &made).0, "whole");
            assert_eq!(made.get(), count);
        }
    }

    #[test]
    fn a_full_disk_leaves_no_half_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let key = CacheKey::new("test-1");
        let write = |_: &Text, out: &mut BufWriter<&File>| {
            out.write_all(b"wh")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        let make = || Ok::<_, io::Error>(Text("whole".into()));
        assert_eq!(cache.open_or_make(&key, "txt", make, write).unwrap().0, "whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_another_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        fs::write(folder.path().join("paretone-dead.part"), "wh").unwrap();
        fs::write(folder.path().join(".tmpDEAD00"), "wh").unwrap();
        fs::write(folder.path().join("mine.part"), "").unwrap();
        age(&folder.path().join(".tmpDEAD00"));
        let alive = Draft::new(folder.path()).unwrap();
        get(&cache, &CacheKey::new("test-1"), &Cell::new(0));
        assert_eq!(files(folder.path(), "part").len(), 2);
        assert!(!folder.path().join(".tmpDEAD00").exists());
        drop(alive);
        assert_eq!(files(folder.path(), "part").len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn other_accounts_may_read_what_the_mask_allows() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let reference = folder.path().join("reference");
        fs::write(&reference, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        get(&Cache::in_folder(folder.path()), &CacheKey::new("test-1"), &Cell::new(0));
        assert_eq!(mode(&files(folder.path(), "txt")[0]), mode(&reference));
    }
}

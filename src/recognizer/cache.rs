//! Where the compiled graph is kept between runs, so that only the first one compiles it.
//!
//! The file's name holds a hash of everything that went into it, so a changed model never meets an
//! old graph. A new file is written beside its place and renamed into it: another process sees the
//! whole file or none, and of two that compile at once the later rename wins with the same content.
//! Where the folder cannot be written, the file lives in a temporary folder for as long as this
//! process needs it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;
use tracing::warn;
use xxhash_rust::xxh3::Xxh3;

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

    fn file_name(&self, extension: &str) -> String {
        format!("{:032x}.{extension}", self.0.digest128())
    }
}

/// A folder of files that can be made again.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: Option<PathBuf>,
}

/// A file that is there: kept in the cache, or temporary and removed with this value.
pub struct CachedFile {
    path: PathBuf,
    _temporary: Option<TempPath>,
}

impl CachedFile {
    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Cache {
    /// The cache in `$PARETONE_CACHE`, else in `paretone` under the user's cache folder.
    pub fn of_user() -> Self {
        let named = std::env::var_os(CACHE_VARIABLE).filter(|value| !value.is_empty());
        let folder = named
            .map(PathBuf::from)
            .or_else(|| Some(dirs::cache_dir()?.join("paretone")));
        Cache { folder }
    }

    /// The cache in a folder of the caller's choice; the folder is made when first needed.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Cache {
            folder: Some(folder.into()),
        }
    }

    /// Opens the file of this key with `open`, after making it with `make` where it is missing or
    /// `open` refuses it.
    ///
    /// # Errors
    /// Whatever `make` reports, or what `open` reports of a file just made, or that no folder, not
    /// even a temporary one, can be written.
    pub fn open_or_make<T, E: From<io::Error> + std::fmt::Display>(
        &self,
        key: &CacheKey,
        extension: &str,
        open: impl Fn(&Path) -> Result<T, E>,
        make: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(T, CachedFile), E> {
        let place = self
            .folder
            .as_ref()
            .map(|folder| folder.join(key.file_name(extension)));
        if let Some(path) = place.clone().filter(|path| path.exists()) {
            match open(&path) {
                Ok(opened) => {
                    return Ok((
                        opened,
                        CachedFile {
                            path,
                            _temporary: None,
                        },
                    ));
                }
                Err(error) => warn!("{} is damaged and is made again: {error}", path.display()),
            }
        }
        let draft = self.draft()?;
        make(&draft)?;
        let file = keep(draft, place);
        Ok((open(file.path())?, file))
    }

    /// An empty file to write to: in the cache folder, so that a rename suffices later, else in a
    /// temporary folder.
    fn draft(&self) -> io::Result<TempPath> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("paretone-").suffix(".part");
        if let Some(folder) = &self.folder {
            let made = fs::create_dir_all(folder).and_then(|()| builder.tempfile_in(folder));
            match made {
                Ok(file) => return Ok(file.into_temp_path()),
                Err(error) => warn!(
                    "the cache folder {} cannot be written ({error}), so this work is done again next time; \
                     set {CACHE_VARIABLE} to a folder that can be",
                    folder.display()
                ),
            }
        }
        Ok(builder.tempfile()?.into_temp_path())
    }
}

/// Moves the finished draft to its place in the cache; where that fails the draft itself serves,
/// for this process.
fn keep(draft: TempPath, place: Option<PathBuf>) -> CachedFile {
    let Some(path) = place.filter(|place| place.parent() == draft.parent()) else {
        return CachedFile {
            path: draft.to_path_buf(),
            _temporary: Some(draft),
        };
    };
    match draft.persist(&path) {
        Ok(()) => CachedFile {
            path,
            _temporary: None,
        },
        Err(failed) => {
            warn!(
                "{} cannot be kept for the next run: {}",
                path.display(),
                failed.error
            );
            CachedFile {
                path: failed.path.to_path_buf(),
                _temporary: Some(failed.path),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn get(cache: &Cache, key: &CacheKey, made: &Cell<u32>) -> io::Result<(String, PathBuf)> {
        let open = |path: &Path| match fs::read_to_string(path)? {
            text if text == "whole" => Ok(text),
            _ => Err(io::Error::other("not whole")),
        };
        let make = |path: &Path| {
            made.set(made.get() + 1);
            fs::write(path, "whole")
        };
        let (text, file) = cache.open_or_make(key, "txt", open, make)?;
        Ok((text, file.path().to_path_buf()))
    }

    #[test]
    fn a_file_is_made_once_and_again_when_it_is_damaged_or_its_inputs_change() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path().join("new/folder"));
        let made = Cell::new(0);
        let key = CacheKey::new("test-1").with(b"input");
        let (_, path) = get(&cache, &key, &made).unwrap();
        get(&cache, &key, &made).unwrap();
        assert_eq!(made.get(), 1);
        fs::write(&path, "wh").unwrap();
        assert_eq!(get(&cache, &key, &made).unwrap().0, "whole");
        assert_eq!(made.get(), 2);
        get(
            &cache,
            &CacheKey::new("test-1").with(b"inp").with(b"ut"),
            &made,
        )
        .unwrap();
        assert_eq!(made.get(), 3);
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 2, "no draft is left behind");
    }

    #[test]
    fn of_many_that_make_the_same_file_at_once_each_gets_it_whole() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let key = CacheKey::new("test-1");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(get(&cache, &key, &Cell::new(0)).unwrap().0, "whole"));
            }
        });
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_written_costs_the_keeping_only() {
        let folder = tempfile::tempdir().unwrap();
        let file_in_the_way = folder.path().join("file");
        fs::write(&file_in_the_way, "").unwrap();
        let cache = Cache::in_folder(file_in_the_way.join("cache"));
        let made = Cell::new(0);
        let key = CacheKey::new("test-1");
        let (text, path) = get(&cache, &key, &made).unwrap();
        assert_eq!(text, "whole");
        assert!(!path.exists(), "the temporary file goes with its value");
        get(&cache, &key, &made).unwrap();
        assert_eq!(made.get(), 2);
    }
}

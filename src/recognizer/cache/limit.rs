//! How large the cache may grow: the files used longest ago go first.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tracing::{info, warn};

use super::{Cache, unpacked};

/// The environment variable that says how large the cache may grow, as in `500M` or `4G`.
pub const CACHE_LIMIT_VARIABLE: &str = "PARETONE_CACHE_LIMIT";
/// How large it may grow where nobody says: some twenty graphs.
const USUAL_LIMIT: u64 = 2 << 30;
/// Letters of a cached file's name before its extension.
const KEY_LETTERS: usize = 32;

/// A file in the cache, or a folder that is kept whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheEntry {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was last used, as far as the file system keeps count.
    pub used: SystemTime,
}

impl Cache {
    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The files that are kept, those used last first. A folder that was not made yet has none.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn entries(&self) -> io::Result<Vec<CacheEntry>> {
        let Some(folder) = &self.folder else {
            return Ok(Vec::new());
        };
        let files = match fs::read_dir(folder) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut entries: Vec<CacheEntry> = files.flatten().filter_map(entry).collect();
        entries.sort_by(|one, other| (other.used, &one.path).cmp(&(one.used, &other.path)));
        Ok(entries)
    }

    /// Removes the files used longest ago until the rest take no more than so many bytes; returns
    /// what was removed.
    ///
    /// # Errors
    /// The folder cannot be read, or a file not removed.
    pub fn shrink(&self, limit: u64) -> io::Result<Vec<CacheEntry>> {
        let mut kept = 0;
        let mut removed = Vec::new();
        for entry in self.entries()? {
            kept += entry.bytes;
            if kept > limit {
                match entry.path.is_dir() {
                    true => fs::remove_dir_all(&entry.path)?,
                    false => fs::remove_file(&entry.path)?,
                }
                removed.push(entry);
            }
        }
        Ok(removed)
    }

    /// Makes room for what was written last, as large as the user lets the cache be.
    pub(super) fn keep_within_limit(&self) {
        match self.shrink(limit()) {
            Ok(removed) => removed.iter().for_each(|entry| {
                info!("{} was removed to keep the cache small", entry.path.display());
            }),
            Err(error) => warn!("the cache cannot be kept small: {error}"),
        }
    }
}

/// The limit of the environment, else the usual one.
fn limit() -> u64 {
    cache_limit().unwrap_or_else(|what| {
        warn!("{what}");
        USUAL_LIMIT
    })
}

/// How large the cache may grow: as the environment says, else 2 GiB.
///
/// # Errors
/// What the environment says is no size; the text names the variable.
pub fn cache_limit() -> Result<u64, String> {
    match std::env::var_os(CACHE_LIMIT_VARIABLE) {
        None => Ok(USUAL_LIMIT),
        Some(text) => parse_size(&text.to_string_lossy())
            .map_err(|what| format!("${CACHE_LIMIT_VARIABLE}: {what}")),
    }
}

/// A number of bytes, as in `500M`, `4G` or `1048576`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
    let last = text.chars().last().map(|last| last.to_ascii_uppercase());
    let unit = units.iter().find(|(letter, _)| Some(*letter) == last);
    let digits = if unit.is_some() { &text[..text.len() - 1] } else { text };
    let shift = unit.map_or(0, |(_, shift)| *shift);
    let bytes = digits.trim().parse::<u64>().ok();
    bytes
        .and_then(|bytes| bytes.checked_mul(1 << shift))
        .ok_or_else(|| format!("\"{text}\" is no size; 500M and 4G are"))
}

fn entry(file: fs::DirEntry) -> Option<CacheEntry> {
    let path = file.path();
    let stem = path.file_stem()?.to_str()?;
    let is_key = stem.len() == KEY_LETTERS && stem.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_key || path.extension()? == "sound" {
        return None;
    }
    let about = file.metadata().ok()?;
    if about.is_dir() {
        return (path.extension()? == unpacked::EXTENSION).then(|| folder(path))?;
    }
    let used = last_use(&about)?;
    let bytes = about.len();
    Some(CacheEntry { path, bytes, used })
}

/// A folder, as large as its files and used when the last of them was.
fn folder(path: PathBuf) -> Option<CacheEntry> {
    let files = fs::read_dir(&path).ok()?.flatten();
    let about: Vec<Metadata> = files.filter_map(|file| file.metadata().ok()).collect();
    Some(CacheEntry {
        bytes: about.iter().map(Metadata::len).sum(),
        used: about.iter().filter_map(last_use).max()?,
        path,
    })
}

fn last_use(about: &Metadata) -> Option<SystemTime> {
    about.accessed().ok().max(about.modified().ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_files_used_longest_ago_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(folder.path());
        let now = SystemTime::now();
        for (number, hours) in [(1u8, 3), (2, 1), (3, 2)] {
            let path = folder.path().join(format!("{number:032x}.graph"));
            fs::write(&path, [0; 1000]).unwrap();
            let file = fs::File::options().write(true).open(&path).unwrap();
            let at = now - Duration::from_secs(3600 * hours);
            let times = fs::FileTimes::new().set_accessed(at).set_modified(at);
            file.set_times(times).unwrap();
        }
        for other in ["mine.graph", &format!("{:032x}.sound", 9)] {
            fs::write(folder.path().join(other), [0; 9000]).unwrap();
        }
        let numbers = |entries: &[CacheEntry]| -> Vec<u8> {
            let stems = entries.iter().map(|entry| entry.path.file_stem().unwrap());
            stems.map(|stem| u8::from_str_radix(stem.to_str().unwrap(), 16).unwrap()).collect()
        };
        assert_eq!(numbers(&cache.entries().unwrap()), [2, 3, 1]);
        assert_eq!(numbers(&cache.shrink(2500).unwrap()), [1]);
        assert_eq!(numbers(&cache.shrink(0).unwrap()), [2, 3]);
        assert!(folder.path().join("mine.graph").exists());
        assert!(Cache::in_folder(folder.path().join("none")).entries().unwrap().is_empty());
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("17", 17), ("2k", 2048), (" 500M ", 500 << 20), ("4G", 4 << 30)] {
            assert_eq!(parse_size(text), Ok(bytes));
        }
        for text in ["", "G", "-1", "1.5G", "99999999T", "4GB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}

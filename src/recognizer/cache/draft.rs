//! A file that is being written: beside its place, with a lock that lasts as long as its writer, so
//! that the next process can tell what a killed one left.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::NamedTempFile;
use tracing::debug;

pub(super) const PREFIX: &str = "paretone-";
pub(super) const SUFFIX: &str = ".part";
/// How versions before this one called what they were writing, which they did not lock …
const UNLOCKED_PREFIX: &str = ".tmp";
/// … and what no compilation of theirs took.
const SURELY_ABANDONED: Duration = Duration::from_secs(600);
/// Permissions of a new file, before the user's mask.
#[cfg(unix)]
const MODE: u32 = 0o666;

/// A file that is removed unless it is kept.
pub(super) struct Draft {
    file: NamedTempFile,
}

impl Draft {
    /// An empty file in a folder.
    pub fn new(folder: &Path) -> io::Result<Draft> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(MODE));
        let file = builder.tempfile_in(folder)?;
        // Where a file system has no locks, nothing there is taken for abandoned.
        if let Err(error) = file.as_file().lock() {
            debug!("{} has no lock: {error}", file.path().display());
        }
        Ok(Draft { file })
    }

    /// Writes the file and moves it to its place in the same folder.
    pub fn keep(
        self,
        path: &Path,
        write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, self.file.as_file());
        write(&mut out)?;
        out.flush()?;
        drop(out);
        self.file.as_file().sync_all()?;
        self.file.persist(path).map_err(|failed| failed.error)?;
        Ok(())
    }
}

/// Removes the drafts in a folder whose writers are gone.
pub(super) fn remove_abandoned(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let abandoned = if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            File::open(&path).is_ok_and(|file| file.try_lock().is_ok())
        } else {
            name.starts_with(UNLOCKED_PREFIX) && is_old(&path)
        };
        if abandoned {
            debug!("{} was left half written and is removed", path.display());
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }
}

fn is_old(path: &Path) -> bool {
    let written = fs::metadata(path).and_then(|about| about.modified());
    let age = written.map(|at| SystemTime::now().duration_since(at));
    matches!(age, Ok(Ok(age)) if age > SURELY_ABANDONED)
}

//! Stamps of verified files: size, times and inode. A change to a file changes its stamp, so the
//! cache trusts a file whose stamp it knows without reading it again.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tracing::debug;

use super::CacheKey;

/// A file that was changed less than this ago could be changed again without its times telling.
const TOO_FRESH: Duration = Duration::from_secs(2);

/// A file's looks, and where those of its last check are written down.
pub(super) struct Stamp {
    looks: String,
    record: PathBuf,
    fresh: bool,
}

impl Stamp {
    /// The stamp of a file as it is now, recorded in a folder; none if there is no such file.
    pub fn of(path: &Path, folder: &Path) -> Option<Stamp> {
        let path = path.canonicalize().ok()?;
        let about = fs::metadata(&path).ok()?;
        let key = CacheKey::new("stamp-1").with(path.as_os_str().as_encoded_bytes());
        let age = SystemTime::now().duration_since(about.modified().ok()?);
        Some(Stamp {
            looks: looks(&about),
            record: folder.join(key.file_name("sound")),
            fresh: age.map_or(true, |age| age < TOO_FRESH),
        })
    }

    /// Whether the file looked the same when it was last checked.
    pub fn is_known(&self) -> bool {
        fs::read(&self.record).is_ok_and(|known| known == self.looks.as_bytes())
    }

    /// Writes down that the file is sound as it looks.
    pub fn remember(&self) {
        if self.fresh {
            return;
        }
        if let Err(error) = fs::write(&self.record, &self.looks) {
            debug!("{} cannot be written: {error}", self.record.display());
        }
    }
}

#[cfg(unix)]
fn looks(about: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    let (changed, nanoseconds) = (about.ctime(), about.ctime_nsec());
    format!(
        "{} {}.{} {changed}.{nanoseconds} {} {}\n",
        about.len(),
        about.mtime(),
        about.mtime_nsec(),
        about.dev(),
        about.ino()
    )
}

#[cfg(not(unix))]
fn looks(about: &Metadata) -> String {
    format!("{} {:?} {:?}\n", about.len(), about.modified().ok(), about.created().ok())
}

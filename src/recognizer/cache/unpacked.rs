//! A folder of files that a program brings along, laid out where other code can map them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{Cache, CacheKey, draft};

/// How such a folder's name ends.
pub(super) const EXTENSION: &str = "model";

impl Cache {
    /// The folder of this key with these files in it, written if it is not there or not whole.
    /// Files are told by their sizes; whoever maps them compares them with their checksums.
    ///
    /// # Errors
    /// There is no cache folder, or it cannot be written.
    pub fn unpacked(&self, key: &CacheKey, files: &[(&str, &[u8])]) -> io::Result<PathBuf> {
        let Some(folder) = &self.folder else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no cache folder"));
        };
        let place = folder.join(key.file_name(EXTENSION));
        if is_whole(&place, files) {
            return Ok(place);
        }
        fs::create_dir_all(folder)?;
        draft::remove_abandoned(folder);
        let draft = tempfile::Builder::new()
            .prefix(draft::PREFIX)
            .suffix(draft::SUFFIX)
            .tempdir_in(folder)?;
        let lock = File::open(draft.path()).and_then(|opened| opened.lock().map(|()| opened));
        // The draft is private; what is made in it may be read as the user's mask allows.
        let made = draft.path().join("model");
        fs::create_dir(&made)?;
        for (name, bytes) in files {
            fs::write(made.join(name), bytes)?;
        }
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        let moved = fs::rename(&made, &place);
        drop(lock);
        match moved {
            // Another process was faster.
            Err(_) if is_whole(&place, files) => Ok(place),
            moved => moved.map(|()| place),
        }
    }
}

fn is_whole(place: &Path, files: &[(&str, &[u8])]) -> bool {
    files.iter().all(|(name, bytes)| {
        let about = fs::metadata(place.join(name));
        about.is_ok_and(|about| about.len() == bytes.len() as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_written_once_and_again_when_it_is_not_whole() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(root.path().join("cache"));
        let key = CacheKey::new("model-1").with(b"hash");
        let files: [(&str, &[u8]); 2] = [("a.txt", b"alpha"), ("b.txt", b"beta")];
        let place = cache.unpacked(&key, &files).unwrap();
        assert_eq!(fs::read(place.join("b.txt")).unwrap(), b"beta");
        let written = |name: &str| fs::metadata(place.join(name)).unwrap().modified().unwrap();
        let before = written("a.txt");
        assert_eq!(cache.unpacked(&key, &files).unwrap(), place);
        assert_eq!(written("a.txt"), before);
        fs::write(place.join("b.txt"), "bet").unwrap();
        cache.unpacked(&key, &files).unwrap();
        assert_eq!(fs::read(place.join("b.txt")).unwrap(), b"beta");
        assert_eq!(fs::read_dir(root.path().join("cache")).unwrap().count(), 1);
    }

    #[test]
    fn folders_count_towards_the_cache_and_leave_it_whole() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::in_folder(root.path());
        let key = CacheKey::new("model-1");
        let place = cache.unpacked(&key, &[("a.txt", b"alpha")]).unwrap();
        let entries = cache.entries().unwrap();
        assert_eq!((entries.len(), entries[0].bytes), (1, 5));
        cache.shrink(0).unwrap();
        assert!(!place.exists());
    }

    #[test]
    fn what_a_killed_process_left_of_a_folder_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let left = root.path().join("paretone-dead.part");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("a.txt"), "al").unwrap();
        let cache = Cache::in_folder(root.path());
        cache.unpacked(&CacheKey::new("model-1"), &[]).unwrap();
        let key = CacheKey::new("model-2");
        cache.unpacked(&key, &[("a.txt", b"alpha")]).unwrap();
        assert!(!left.exists());
    }
}

//! Files that are written beside their place and then moved there: what is there is whole, and a
//! full disk takes nothing away from what was there before.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tempfile::NamedTempFile;

/// A file to which one answer after the other is written.
pub struct WholeFile {
    /// None once writing has failed.
    out: Option<BufWriter<NamedTempFile>>,
    place: PathBuf,
    /// Bytes of whole answers.
    whole: u64,
}

impl WholeFile {
    /// A file that will be at `place`, where a link leads elsewhere: there.
    ///
    /// # Errors
    /// It may not be written.
    pub fn create(place: &Path) -> io::Result<WholeFile> {
        let before = match File::options().write(true).open(place) {
            Ok(before) => Some(before.metadata()?.permissions()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let place = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let file = new_file(folder(&place))?;
        if let Some(permissions) = before {
            file.as_file().set_permissions(permissions)?;
        }
        Ok(WholeFile { out: Some(BufWriter::new(file)), place, whole: 0 })
    }

    /// Ends an answer that was `written`. Where that failed, the answers before it are kept.
    ///
    /// # Errors
    /// The answer could not be written.
    pub fn complete(&mut self, written: io::Result<()>) -> anyhow::Result<()> {
        let ended = written.and_then(|()| self.flush()).and_then(|()| {
            let out = self.out.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            self.whole = out.get_mut().stream_position()?;
            Ok(())
        });
        ended.map_err(|error| {
            let kept = self.keep();
            let place = self.place.display();
            anyhow!(error).context(match kept {
                true => format!("cannot write all of {place}, which holds the answers up to there"),
                false => format!("cannot write {place}, which is left as it was"),
            })
        })
    }

    /// Puts what is whole in its place; false where nothing is.
    fn keep(&mut self) -> bool {
        let Some(out) = self.out.take() else {
            return false;
        };
        // What is buffered does not fit.
        let (file, _) = out.into_parts();
        self.whole > 0
            && file.as_file().set_len(self.whole).is_ok()
            && file.persist(&self.place).is_ok()
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// It cannot be put there.
    pub fn finish(mut self) -> anyhow::Result<()> {
        let cannot = || format!("cannot write {}", self.place.display());
        let Some(out) = self.out.take() else {
            return Ok(());
        };
        let file = out.into_inner().map_err(io::IntoInnerError::into_error).with_context(cannot)?;
        file.persist(&self.place).with_context(cannot)?;
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().ok_or(io::ErrorKind::BrokenPipe)?.flush()
    }
}

/// Writes one file at once.
///
/// # Errors
/// It cannot be written.
pub fn write(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> anyhow::Result<()> {
    fs::create_dir_all(folder(path))?;
    let file = new_file(folder(path))?;
    let mut out = BufWriter::new(file.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.persist(path)?;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// An empty file that others may read as they may read any of the user's.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".paretone-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_its_place_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("a.txt");
        fs::write(&place, "before").unwrap();
        let read = || fs::read_to_string(&place).unwrap();
        // Nothing was written: what was there stays.
        let mut file = WholeFile::create(&place).unwrap();
        let full = || Err(io::Error::from(io::ErrorKind::StorageFull));
        assert!(file.complete(full()).unwrap_err().to_string().contains("left as it was"));
        assert_eq!(read(), "before");
        // One answer was written, and a part of another.
        let mut file = WholeFile::create(&place).unwrap();
        let written = file.write_all(b"one\n");
        file.complete(written).unwrap();
        assert_eq!(read(), "before");
        file.write_all(b"tw").unwrap();
        assert!(file.complete(full()).unwrap_err().to_string().contains("up to there"));
        assert_eq!(read(), "one\n");
        let mut file = WholeFile::create(&place).unwrap();
        let written = file.write_all(b"all\n");
        file.complete(written).unwrap();
        file.finish().unwrap();
        assert_eq!(read(), "all\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

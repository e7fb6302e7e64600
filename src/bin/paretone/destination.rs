//! Where answers go: to standard output or one file, in the order of the recordings, or to a
//! folder, a file for each recording and format.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tempfile::NamedTempFile;

use crate::exit::UsageError;
use crate::inputs::Input;
use crate::output::{Answer, Format, Shape};

/// The name of the file in a folder of answers that says how they were made.
const MADE_WITH: &str = ".paretone";

/// The flags that say where answers go.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct DestinationArgs {
    /// Write to this file; its extension chooses the format where --format does not
    #[arg(
        short,
        long,
        value_name = "FILE",
        conflicts_with = "output_dir",
        help_heading = "What to write"
    )]
    pub output: Option<PathBuf>,
    /// Write a file for each recording and format to this folder, named as the recording is and
    /// with the format's extension; recordings found in a folder keep its subfolders
    #[arg(long, value_name = "DIR", help_heading = "What to write")]
    pub output_dir: Option<PathBuf>,
    /// Leave out the recordings whose files are in --output-dir already, made by the same model and
    /// settings, and newer than the recordings
    #[arg(long, requires = "output_dir", help_heading = "What to write")]
    pub resume: bool,
}

/// Where answers go, opened.
pub enum Destination {
    /// Standard output, or a file, and what is written there.
    Stream(Box<dyn Write>, Format),
    /// A folder, and what is written there for each recording.
    Folder(PathBuf, Vec<Format>),
}

impl DestinationArgs {
    /// The formats asked for: those named, else what the file's extension says, else text.
    pub fn formats(&self, asked: &[Format]) -> Vec<Format> {
        if !asked.is_empty() {
            let mut formats = asked.to_vec();
            formats.sort_unstable();
            formats.dedup();
            return formats;
        }
        let extension = self.output.as_ref().and_then(|path| path.extension());
        let by_extension =
            extension.and_then(|extension| Format::of_extension(extension.to_str()?));
        vec![by_extension.unwrap_or(Format::Text)]
    }

    /// Whether so many recordings can go there in these formats.
    ///
    /// # Errors
    /// A [`UsageError`] that says what would do.
    pub fn check(&self, formats: &[Format], inputs: &[Input]) -> anyhow::Result<()> {
        let wrong = |what: &str| Err(UsageError(anyhow!("{what}")).into());
        if self.output_dir.is_some() {
            return Ok(());
        }
        if formats.len() > 1 {
            return wrong("several formats need --output-dir, where each has a file of its own");
        }
        if formats.iter().any(|format| format.one_recording_only()) && inputs.len() > 1 {
            return wrong(
                "subtitles hold one recording: give one file, or --output-dir for a file each, or choose --format json or ctm",
            );
        }
        let same = |path: &Path| {
            let output = self.output.as_ref().and_then(|out| out.canonicalize().ok());
            output.is_some() && output == path.canonicalize().ok()
        };
        match inputs.iter().find(|input| same(&input.file)) {
            Some(input) => wrong(&format!(
                "{} is a recording: give another name to --output",
                input.file.display()
            )),
            None => Ok(()),
        }
    }

    /// Opens the destination, for answers that are made in this way.
    ///
    /// # Errors
    /// A [`UsageError`] where it cannot be written, or where --resume finds answers made otherwise.
    pub fn open(&self, formats: Vec<Format>, made_with: &str) -> anyhow::Result<Destination> {
        if let Some(folder) = &self.output_dir {
            self.open_folder(folder, made_with).map_err(UsageError)?;
            return Ok(Destination::Folder(folder.clone(), formats));
        }
        let out: Box<dyn Write> = match &self.output {
            Some(path) => Box::new(
                File::create(path)
                    .with_context(|| format!("cannot write {}", path.display()))
                    .map_err(UsageError)?,
            ),
            None => Box::new(io::stdout()),
        };
        Ok(Destination::Stream(Box::new(BufWriter::new(out)), formats[0]))
    }

    fn open_folder(&self, folder: &Path, made_with: &str) -> anyhow::Result<()> {
        let record = folder.join(MADE_WITH);
        if self.resume
            && let Ok(before) = fs::read_to_string(&record)
            && before != made_with
        {
            return Err(anyhow!(
                "the answers in {} were made {}: give another --output-dir, or leave out --resume \
                 to make all again",
                folder.display(),
                otherwise(&before, made_with)
            ));
        }
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&record, made_with))
            .with_context(|| format!("cannot write to {}", folder.display()))
    }
}

/// How what was asked for before differs from what is now; a line is a flag.
fn otherwise(before: &str, now: &str) -> String {
    let only = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|known| known == *line));
        lines.map(str::to_owned).collect::<Vec<_>>().join(", ")
    };
    let (gone, new) = (only(before, now), only(now, before));
    match (gone.is_empty(), new.is_empty()) {
        (false, false) => format!("with {gone}, not {new}"),
        (false, true) => format!("with {gone}"),
        _ => format!("without {new}"),
    }
}

impl Destination {
    /// Whether answers go out in the order of their recordings.
    pub fn is_ordered(&self) -> bool {
        matches!(self, Destination::Stream(..))
    }

    /// Whether the answers for a recording are there, and newer than it.
    pub fn has(&self, input: &Input) -> bool {
        let Destination::Folder(folder, formats) = self else {
            return false;
        };
        let time = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
        let Some(recorded) = time(&input.file) else {
            return false;
        };
        let mut files = formats.iter().map(|&format| place(folder, input, format));
        files.all(|file| time(&file).is_some_and(|written| written >= recorded))
    }

    /// Writes an answer.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, input: &Input, answer: &Answer, shape: Shape) -> anyhow::Result<()> {
        match self {
            Destination::Stream(out, format) => {
                let written = format.write(out, input, answer, shape).and_then(|()| out.flush());
                written.context("cannot write the answers")
            }
            Destination::Folder(folder, formats) => {
                for &format in &*formats {
                    let path = place(folder, input, format);
                    write_file(&path, |out| format.write(out, input, answer, shape))
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                Ok(())
            }
        }
    }

    /// Writes what stands in the place of an answer, where answers stand in a row.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write_error(&mut self, input: &Input, error: &str) -> io::Result<()> {
        match self {
            Destination::Stream(out, format) => {
                format.write_error(out, &input.file, error)?;
                out.flush()
            }
            Destination::Folder(..) => Ok(()),
        }
    }
}

/// The file of a recording's answer.
fn place(folder: &Path, input: &Input, format: Format) -> PathBuf {
    let mut name = input.name.clone().into_os_string();
    name.push(".");
    name.push(format.extension());
    folder.join(name)
}

/// Writes a file beside its place, then moves it there: what is there is whole.
fn write_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = new_file(folder)?;
    let mut out = BufWriter::new(file.as_file());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    file.persist(path)?;
    Ok(())
}

/// An empty file that others may read as they may read any of the user's.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".paretone-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

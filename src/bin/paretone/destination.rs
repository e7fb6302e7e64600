//! Where answers go: to standard output or one file, in the order of the recordings, or to a
//! folder, a file for each recording and format.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::exit::UsageError;
use crate::inputs::Input;
use crate::output::{Answer, Format, Shape};
use crate::whole_file::{self, WholeFile};

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
    /// Standard output or what is written to like it.
    Stream(Box<dyn Write>, Format),
    /// A file, and what is written there.
    File(WholeFile, Format),
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
    /// A [`UsageError`] where it cannot be written, or where --resume finds answers made otherwise,
    /// or nobody knows how.
    pub fn open(
        &self,
        formats: Vec<Format>,
        inputs: &[Input],
        made_with: &str,
    ) -> anyhow::Result<Destination> {
        if let Some(folder) = &self.output_dir {
            let destination = Destination::Folder(folder.clone(), formats);
            let found = self.resume && inputs.iter().any(|input| destination.has(input));
            self.open_folder(folder, found, made_with).map_err(UsageError)?;
            return Ok(destination);
        }
        let Some(path) = &self.output else {
            return Ok(Destination::Stream(Box::new(BufWriter::new(io::stdout())), formats[0]));
        };
        let cannot = || format!("cannot write {}", path.display());
        if path.exists() && !path.is_file() {
            let out = File::create(path).with_context(cannot).map_err(UsageError)?;
            return Ok(Destination::Stream(Box::new(out), formats[0]));
        }
        let file = WholeFile::create(path).with_context(cannot).map_err(UsageError)?;
        Ok(Destination::File(file, formats[0]))
    }

    /// Opens a folder, in which answers were `found` that are to be left as they are.
    fn open_folder(&self, folder: &Path, found: bool, made_with: &str) -> anyhow::Result<()> {
        let record = folder.join(MADE_WITH);
        let before = fs::read_to_string(&record).ok();
        let how = match &before {
            Some(before) if before == made_with => None,
            Some(before) => Some(format!("were made {}", otherwise(before, made_with))),
            None if found => Some(format!("were made nobody knows how ({MADE_WITH} is missing)")),
            None => None,
        };
        if let Some(how) = how.filter(|_| self.resume) {
            return Err(anyhow!(
                "the answers in {} {how}: give another --output-dir, or leave out --resume to make \
                 all again",
                folder.display()
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
        !matches!(self, Destination::Folder(..))
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
            Destination::File(file, format) => {
                let written = format.write(file, input, answer, shape);
                file.complete(written)
            }
            Destination::Folder(folder, formats) => {
                for &format in &*formats {
                    let path = place(folder, input, format);
                    whole_file::write(&path, |out| format.write(out, input, answer, shape))
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
    pub fn write_error(&mut self, input: &Input, error: &str) -> anyhow::Result<()> {
        match self {
            Destination::Stream(out, format) => {
                format.write_error(out, &input.file, error)?;
                Ok(out.flush()?)
            }
            Destination::File(file, format) => {
                let written = format.write_error(file, &input.file, error);
                file.complete(written)
            }
            Destination::Folder(..) => Ok(()),
        }
    }

    /// Puts a file in its place: all is written.
    ///
    /// # Errors
    /// It cannot be put there.
    pub fn finish(self) -> anyhow::Result<()> {
        match self {
            Destination::File(file, _) => file.finish(),
            Destination::Stream(..) | Destination::Folder(..) => Ok(()),
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

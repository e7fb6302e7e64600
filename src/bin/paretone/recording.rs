//! The flags that say what a recording's bytes are and which of its channels are heard.

use std::fs::File;
use std::io;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, anyhow};
use tempfile::NamedTempFile;

use crate::exit::UsageError;
use paretone::audio::{AudioError, ChannelChoice, Encoding, Raw, Reader};

/// How recordings are read.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct RecordingArgs {
    /// Hear only this channel, the first being 1 [default: the average of all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "How to read recordings")]
    pub channel: Option<u16>,
    /// Average the channels (mix) or hear each by itself and merge the words by time (separate);
    /// with --raw also how many there are
    #[arg(
        long,
        value_name = "mix|separate|N",
        value_delimiter = ',',
        help_heading = "How to read recordings"
    )]
    pub channels: Vec<Channels>,
    /// Read the recordings as samples without a header, such as s16le, s16be, u8, f32le, mulaw,
    /// alaw
    #[arg(long, value_name = "ENCODING", requires = "rate", value_parser = encoding, help_heading = "How to read recordings")]
    pub raw: Option<Encoding>,
    /// Take this many samples of a channel for a second, for --raw
    #[arg(long, value_name = "HERTZ", requires = "raw", value_parser = clap::value_parser!(u32).range(1000..=384_000), help_heading = "How to read recordings")]
    pub rate: Option<u32>,
}

/// What `--channels` may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    /// The average of all.
    Mix,
    /// Each by itself.
    Separate,
    /// So many, interleaved.
    Count(u16),
}

impl FromStr for Channels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mix" => Ok(Channels::Mix),
            "separate" => Ok(Channels::Separate),
            count => match count.parse() {
                Ok(count @ 1..) => Ok(Channels::Count(count)),
                _ => Err("say mix, separate or, with --raw, how many there are".into()),
            },
        }
    }
}

fn encoding(name: &str) -> Result<Encoding, String> {
    Encoding::named(name).ok_or_else(|| {
        let known: Vec<&str> = Encoding::names().collect();
        format!("the encodings are {}", known.join(", "))
    })
}

/// What is heard of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// One signal.
    One(ChannelChoice),
    /// Every channel by itself.
    Separate,
}

impl RecordingArgs {
    /// The flags as they would be written again.
    pub fn spelled(&self) -> Vec<String> {
        let name = |raw| Encoding::names().find(|name| Encoding::named(name) == Some(raw));
        let raw = self.raw.and_then(name).map(|name| format!("--raw {name}"));
        let rate = self.rate.map(|rate| format!("--rate {rate}"));
        let channel = self.channel.map(|channel| format!("--channel {channel}"));
        let channels = self.channels.iter().map(|channels| match channels {
            Channels::Mix => "--channels mix".to_owned(),
            Channels::Separate => "--channels separate".to_owned(),
            Channels::Count(count) => format!("--channels {count}"),
        });
        raw.into_iter().chain(rate).chain(channel).chain(channels).collect()
    }

    /// What is heard of each recording.
    ///
    /// # Errors
    /// A [`UsageError`] where the flags contradict each other.
    pub fn hearing(&self) -> anyhow::Result<Hearing> {
        let separate = self.channels.contains(&Channels::Separate);
        let wrong = |what: &str| Err(UsageError(anyhow!("{what}")).into());
        if self.count().is_some() && self.raw.is_none() {
            return wrong(
                "a number of channels needs --raw: other recordings say how many they have",
            );
        }
        if separate && (self.channel.is_some() || self.channels.contains(&Channels::Mix)) {
            return wrong("--channels separate hears all channels: leave out --channel and mix");
        }
        Ok(match self.channel {
            _ if separate => Hearing::Separate,
            Some(channel) => Hearing::One(ChannelChoice::One(usize::from(channel) - 1)),
            None => Hearing::One(ChannelChoice::Mix),
        })
    }

    fn count(&self) -> Option<u16> {
        self.channels.iter().find_map(|channels| match channels {
            Channels::Count(count) => Some(*count),
            _ => None,
        })
    }

    /// Opens a recording; `-` is standard input.
    ///
    /// # Errors
    /// It cannot be read, or is no audio.
    pub fn open(&self, file: &Path) -> Result<Reader<'static>, AudioError> {
        let raw = self.raw.zip(self.rate).map(|(encoding, rate)| Raw {
            encoding,
            rate,
            channels: self.count().unwrap_or(1),
        });
        match is_standard(file) {
            true => Reader::of_stream(io::stdin(), None, raw),
            false => Reader::open(file, raw),
        }
    }
}

fn is_standard(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// A recording that can be opened again and again: standard input and pipes are copied.
pub enum Again<'f> {
    /// A file.
    File(&'f Path),
    /// A copy of what can be read once.
    Copy(NamedTempFile),
}

impl<'f> Again<'f> {
    /// The recording at `file`.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn of(file: &'f Path) -> anyhow::Result<Self> {
        if !is_standard(file) && !std::fs::metadata(file).is_ok_and(|about| is_pipe(&about)) {
            return Ok(Again::File(file));
        }
        let mut copy = NamedTempFile::new().context("no temporary file can be made: set TMPDIR")?;
        let copied = match is_standard(file) {
            true => io::copy(&mut io::stdin().lock(), &mut copy),
            false => io::copy(&mut File::open(file)?, &mut copy),
        };
        copied.context("the recording cannot be copied")?;
        Ok(Again::Copy(copy))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Again::File(path) => path,
            Again::Copy(copy) => copy.path(),
        }
    }
}

fn is_pipe(about: &std::fs::Metadata) -> bool {
    !about.is_file() && !about.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_chosen_or_refused() {
        let args = |channel, channels: &[Channels]| RecordingArgs {
            channel,
            channels: channels.to_vec(),
            ..RecordingArgs::default()
        };
        let hearing = |channel, channels| args(channel, channels).hearing().ok();
        assert_eq!(hearing(None, &[]), Some(Hearing::One(ChannelChoice::Mix)));
        let second = Hearing::One(ChannelChoice::One(1));
        assert_eq!(hearing(Some(2), &[]), Some(second));
        assert_eq!(hearing(None, &[Channels::Separate]), Some(Hearing::Separate));
        assert_eq!(hearing(Some(1), &[Channels::Separate]), None);
        assert_eq!(hearing(None, &[Channels::Count(2)]), None);
        assert_eq!("2".parse(), Ok(Channels::Count(2)));
        assert!("both".parse::<Channels>().is_err() && "0".parse::<Channels>().is_err());
        assert!(encoding("s16le").is_ok() && encoding("wav").unwrap_err().contains("f32le"));
    }
}

//! Why audio could not be read, by what the caller can do about it.

use std::path::PathBuf;

use crate::units::Seconds;

/// An audio file, or stream, that gives no waveform.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The file does not exist, is a directory, or may not be read.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// Reading stopped at an error of the operating system.
    #[error("reading audio failed")]
    Read(#[source] std::io::Error),
    /// There are no bytes at all.
    #[error("the audio is empty (0 bytes)")]
    Empty,
    /// The first bytes are of no known audio format.
    #[error(
        "not audio of a known format (it starts with {head:02x?}): \
         convert it, e.g. `ffmpeg -i FILE out.wav`, or say what samples without a header are, e.g. \
         `--raw s16le --rate 16000`"
    )]
    NotAudio {
        /// The first bytes, at most eight.
        head: Vec<u8>,
    },
    /// A known container with a codec or layout that is not read.
    #[error("{what} is not supported: convert it, e.g. `ffmpeg -i FILE out.wav`")]
    Unsupported {
        /// What was found.
        what: String,
    },
    /// The structure of the file is damaged where nothing can be read past it.
    #[error("damaged {format} audio: {what}")]
    Malformed {
        /// The container or codec.
        format: &'static str,
        /// What is wrong.
        what: String,
    },
    /// A sample rate outside [`RATES`](super::RATES).
    #[error("a sample rate of {rate} Hz is outside 1000..=384000 Hz: the header is damaged")]
    Rate {
        /// The rate, in hertz.
        rate: u32,
    },
    /// The header says that there are no channels.
    #[error("the audio has 0 channels: the header is damaged")]
    NoChannels,
    /// A channel was asked for that the recording does not have.
    #[error("there is no channel {channel}: the recording has {channels}")]
    NoSuchChannel {
        /// The channel, counted from 1.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
    /// A part was asked for that begins behind the recording's end.
    #[error("the recording ends after {:.2} s, before the part from {:.2} s on begins", lasts.0, start.0)]
    NoSuchPart {
        /// Where the part would begin.
        start: Seconds,
        /// How long the recording is.
        lasts: Seconds,
    },
    /// A sample is NaN, infinite, or beyond what a recording can hold.
    #[error("sample {index} is {value}: the float data is damaged; convert the file to 16-bit PCM")]
    NotFinite {
        /// The sample's position after averaging the channels.
        index: usize,
        /// Its value.
        value: f32,
    },
    /// More samples than [`LONGEST`](super::LONGEST) or [`MOST_SAMPLES`](super::MOST_SAMPLES)
    /// allow.
    #[error("more than {most} samples at {rate} Hz: split the recording")]
    TooLong {
        /// Samples per second.
        rate: u32,
        /// The limit, in samples.
        most: usize,
    },
    /// A compressed file above [`MOST_COMPRESSED_BYTES`](super::MOST_COMPRESSED_BYTES).
    #[error("more than {most} bytes of compressed audio: split the recording")]
    TooManyBytes {
        /// The limit, in bytes.
        most: u64,
    },
}

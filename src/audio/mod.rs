//! Which samples? [`Waveform`] holds one channel of audio, whatever file it came from.
//!
//! The content decides how bytes are read, never the file name: WAV (`wav`), Ogg Opus (`opus`), Ogg
//! Vorbis (`vorbis`), FLAC and MP3 (`compressed`). All channels are averaged to one.
//! [`Waveform::at_rate`] then resamples to the rate a model was trained at (`resample`).
//!
//! Input is untrusted. A size that a header claims is never allocated; memory follows the bytes
//! that arrive, up to
//! [`LONGEST`] and [`MOST_SAMPLES`]. A file cut short gives the samples that are there, as ffmpeg
//! and sox do: a recorder that lost power still recorded speech. A sample that is no number is an
//! error, because one such sample would spread through the utterance mean into every frame.

mod compressed;
mod error;
mod g711;
mod ogg;
mod opus;
mod resample;
mod vorbis;
mod wav;

pub use error::AudioError;
pub use resample::Resampling;

use std::fs::File;
use std::io::{BufReader, Read};
use std::panic::AssertUnwindSafe;
use std::path::Path;

use crate::units::{Hertz, Seconds};

/// The longest recording that is read: 24 hours. A longer one is [`AudioError::TooLong`].
pub const LONGEST: Seconds = Seconds(24.0 * 3600.0);

/// The most samples (after averaging the channels) that are held: 2^30, which is 4 GiB.
pub const MOST_SAMPLES: usize = 1 << 30;

/// The most bytes of a compressed file that are held: 2 GiB. WAV is read as it comes and has no
/// such limit.
pub const MOST_COMPRESSED_BYTES: u64 = 2 << 30;

/// The lowest and the highest sample rate that are accepted, in hertz. The lower end keeps
/// resampling from multiplying the length of a file a thousandfold; the upper end is what the
/// fastest recorders offer.
pub const RATES: std::ops::RangeInclusive<u32> = 1_000..=384_000;

/// How much audio is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The longest recording. Default, and at most: [`LONGEST`].
    pub longest: Seconds,
    /// The most samples (after averaging the channels). Default, and at most: [`MOST_SAMPLES`].
    pub samples: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            longest: LONGEST,
            samples: MOST_SAMPLES,
        }
    }
}

/// One channel of audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Waveform {
    /// Samples at even spacing, nominally in [-1, 1] (float files may exceed it); always finite.
    pub samples: Vec<f32>,
    /// Samples per second, within [`RATES`].
    pub rate: Hertz,
}

impl Waveform {
    /// Reads the audio file at `path`. See [`Waveform::read`].
    pub fn open(path: &Path) -> Result<Self, AudioError> {
        let fail = |source| AudioError::Open {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(fail)?;
        // A directory opens on Unix and fails only at the first read; say so with the path.
        if file.metadata().map_err(fail)?.is_dir() {
            return Err(fail(std::io::ErrorKind::IsADirectory.into()));
        }
        let name = path.file_name().map(|name| name.to_string_lossy());
        Self::read(file, name.as_deref())
    }

    /// Reads audio from `reader` to its end, at the rate of the recording (Ogg Opus: always 16 kHz,
    /// which its decoder gives directly).
    ///
    /// The content decides the format. `name_hint`, a file name, only decides whether an MP3 that
    /// starts with something else than a frame may be searched for its first frame.
    pub fn read(reader: impl Read, name_hint: Option<&str>) -> Result<Self, AudioError> {
        Self::read_within(reader, name_hint, Bounds::default())
    }

    /// As [`Waveform::read`], within bounds of the caller's.
    pub fn read_within(
        mut reader: impl Read,
        name_hint: Option<&str>,
        bounds: Bounds,
    ) -> Result<Self, AudioError> {
        let mut head = Vec::with_capacity(HEAD_BYTES as usize);
        (&mut reader)
            .take(HEAD_BYTES)
            .read_to_end(&mut head)
            .map_err(AudioError::Read)?;
        match Container::of(&head, name_hint)? {
            Container::Wav => wav::read(BufReader::new(head.as_slice().chain(reader)), bounds),
            Container::OggOpus => {
                let bytes = whole(head, reader)?;
                contained("Opus", || opus::decode(&bytes, bounds))
            }
            Container::OggVorbis => {
                let bytes = whole(head, reader)?;
                contained("Vorbis", || vorbis::decode(&bytes, bounds))
            }
            Container::Plain(format) => {
                let bytes = whole(head, reader)?;
                contained(format, || compressed::decode(bytes, format, bounds))
            }
        }
    }

    /// The same audio at another rate, delay-compensated and with `round(length · rate /
    /// self.rate)` samples.
    pub fn at_rate(self, rate: Hertz) -> Result<Self, AudioError> {
        check_rate(rate.0)?;
        check_rate(self.rate.0)?;
        if self.rate == rate || self.samples.is_empty() {
            return Ok(Waveform { rate, ..self });
        }
        let samples = resample::resample(&self.samples, self.rate, rate)?;
        Ok(Waveform { samples, rate })
    }

    /// How long the recording is.
    pub fn duration(&self) -> Seconds {
        Seconds(self.samples.len() as f64 / f64::from(self.rate.0))
    }
}

/// Bytes that decide the format: an Ogg page header with one segment (28) and the codec's magic
/// (8), rounded up.
const HEAD_BYTES: u64 = 64;

/// Who decodes the bytes.
#[derive(Debug, PartialEq)]
enum Container {
    Wav,
    OggOpus,
    OggVorbis,
    /// Frames without an Ogg around them, named by their file extension.
    Plain(&'static str),
}

impl Container {
    fn of(head: &[u8], name_hint: Option<&str>) -> Result<Self, AudioError> {
        let named_mp3 = name_hint.is_some_and(|name| name.to_ascii_lowercase().ends_with(".mp3"));
        match head {
            [] => Err(AudioError::Empty),
            [b'R', b'I', b'F', b'F' | b'X', ..] | [b'R', b'F', b'6', b'4', ..] => Ok(Self::Wav),
            [b'O', b'g', b'g', b'S', ..] if opus::is_opus(head) => Ok(Self::OggOpus),
            [b'O', b'g', b'g', b'S', ..] if vorbis::is_vorbis(head) => Ok(Self::OggVorbis),
            [b'O', b'g', b'g', b'S', ..] => {
                let what = "Ogg with another codec than Opus and Vorbis".into();
                Err(AudioError::Unsupported { what })
            }
            [b'f', b'L', b'a', b'C', ..] => Ok(Self::Plain("flac")),
            [b'I', b'D', b'3', ..] => Ok(Self::Plain("mp3")),
            // An MPEG audio frame: eleven ones, then neither a reserved layer, nor bit rate, nor
            // sample rate.
            [0xff, b, c, ..]
                if b & 0xe0 == 0xe0 && b & 0x06 != 0 && c & 0xf0 != 0xf0 && c & 0x0c != 0x0c =>
            {
                Ok(Self::Plain("mp3"))
            }
            _ if named_mp3 => Ok(Self::Plain("mp3")),
            _ => Err(AudioError::NotAudio {
                head: head[..head.len().min(8)].to_vec(),
            }),
        }
    }
}

/// Runs a decoder that is not ours, and turns a panic in it into an error. Random damage makes
/// symphonia's Vorbis decoder (0.6.1) run past a table about once in 100,000 files; nothing that it
/// left half done outlives the call.
fn contained(
    format: &'static str,
    decode: impl FnOnce() -> Result<Waveform, AudioError>,
) -> Result<Waveform, AudioError> {
    std::panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        let what = "its decoder failed".into();
        Err(AudioError::Malformed { format, what })
    })
}

/// All bytes of a compressed file.
fn whole(mut head: Vec<u8>, reader: impl Read) -> Result<Vec<u8>, AudioError> {
    reader
        .take(MOST_COMPRESSED_BYTES)
        .read_to_end(&mut head)
        .map_err(AudioError::Read)?;
    if head.len() as u64 >= MOST_COMPRESSED_BYTES {
        return Err(AudioError::TooManyBytes {
            most: MOST_COMPRESSED_BYTES,
        });
    }
    Ok(head)
}

fn check_rate(rate: u32) -> Result<Hertz, AudioError> {
    if RATES.contains(&rate) {
        Ok(Hertz(rate))
    } else {
        Err(AudioError::Rate { rate })
    }
}

/// Averages the channels and keeps the limits while a decoder delivers its blocks.
struct Mixer {
    samples: Vec<f32>,
    rate: Hertz,
    channels: usize,
    most: usize,
}

impl Mixer {
    /// Louder than this, a sample is taken for damage: 2^31 is a 32-bit integer stored as float by
    /// mistake, and beyond about 2^40 the power spectrum would overflow.
    const LOUDEST: f32 = 2_147_483_648.0;

    fn new(rate: u32, channels: usize, bounds: Bounds) -> Result<Self, AudioError> {
        let rate = check_rate(rate)?;
        if channels == 0 {
            return Err(AudioError::NoChannels);
        }
        let longest = bounds.longest.0.min(LONGEST.0);
        let most = (longest * f64::from(rate.0)) as usize;
        let most = most.min(bounds.samples).min(MOST_SAMPLES);
        Ok(Mixer {
            samples: Vec::new(),
            rate,
            channels,
            most,
        })
    }

    /// Takes interleaved samples, a whole number of frames.
    fn push(&mut self, interleaved: &[f32]) -> Result<(), AudioError> {
        let first = self.samples.len();
        if self.channels == 1 {
            self.samples.extend_from_slice(interleaved);
        } else {
            let scale = 1.0 / self.channels as f32;
            let mean = |frame: &[f32]| frame.iter().sum::<f32>() * scale;
            self.samples
                .extend(interleaved.chunks_exact(self.channels).map(mean));
        }
        if self.samples.len() > self.most {
            return Err(AudioError::TooLong {
                rate: self.rate.0,
                most: self.most,
            });
        }
        let damaged = |sample: &f32| sample.is_nan() || sample.abs() > Self::LOUDEST;
        match self.samples[first..].iter().position(damaged) {
            Some(at) => Err(AudioError::NotFinite {
                index: first + at,
                value: self.samples[first + at],
            }),
            None => Ok(()),
        }
    }

    fn finish(self) -> Waveform {
        Waveform {
            samples: self.samples,
            rate: self.rate,
        }
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;

//! Which samples? Any recording that people have, as blocks of samples, or as one [`Waveform`].
//!
//! ```text
//! bytes ──► Reader ──► Block ──► Signal ──► mono samples at the model's rate
//!           any container        channel choice, resampling
//! ```
//!
//! The content decides how bytes are read, never the file name (`container`). [`Reader`] decodes
//! block by block; [`Signal`] makes of that what a model listens to; [`Waveform`] collects it where
//! all is wanted at once. Nothing else in the crate decodes, mixes or resamples.
//!
//! Input is untrusted. A size that a header claims is never allocated; memory does not follow the
//! length of a recording ([`LONGEST`]). A file cut short gives the samples that are there, as
//! ffmpeg and sox do: a recorder that lost power still recorded speech. A recording of which some
//! part cannot be decoded counts as partly read ([`Reader::shortfall`]). A sample that is no number
//! is an error, because one such sample would spread through the utterance mean into every frame.
//!
//! # Whose readers
//!
//! Symphonia reads MP4 and MOV, Matroska and WebM, FLAC, AIFF and CAF, and decodes everything but
//! Opus, G.711 and GSM. Ours are these, and each says more:
//!
//! - WAV (`wav`): symphonia's wants sizes that are filled in, and stops at the first data chunk;
//! - Ogg (`ogg`): symphonia's panics on damage, and does not follow chains of any codec;
//! - MPEG audio (`mpeg`) and ADTS (`aac`): symphonia's search through tags for frames, trim by the
//!   first recording's tag, and want one rate;
//! - AU (`au`), transport streams (`transport`) and samples without a header (`pcm`): symphonia
//!   has none.

mod aac;
mod atoms;
mod au;
mod block;
mod codec;
mod codec_name;
mod container;
mod edit_list;
mod error;
mod g711;
mod gsm;
mod media;
mod mix;
mod mpeg;
mod mpeg_header;
mod ogg;
mod ogg_flac;
mod ogg_streams;
mod opus;
mod parts;
mod pcm;
mod reader;
mod resample;
mod sample_entry;
mod signal;
mod source;
mod tag;
mod transport;
mod vorbis;
mod wav;
mod wav_data;
mod wav_layout;

pub use block::Block;
pub use error::AudioError;
pub use mix::ChannelChoice;
pub use pcm::{Encoding, Raw};
pub use reader::Reader;
pub use resample::Resampling;
pub use signal::Signal;

use block::{Decode, Losses};

use std::io::Read;
use std::path::Path;

use crate::units::{Hertz, Seconds};

/// The longest recording that is read: 24 hours. A longer one is [`AudioError::TooLong`].
pub const LONGEST: Seconds = Seconds(24.0 * 3600.0);

/// The most samples (after averaging the channels) that are held: 2^30, which is 4 GiB.
pub const MOST_SAMPLES: usize = 1 << 30;

/// The most bytes of a stream that are copied to a temporary file, where its format is not read as
/// it comes: 2 GiB. Files have no such limit.
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
        Bounds { longest: LONGEST, samples: MOST_SAMPLES }
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
    /// Reads the audio file at `path`, all channels averaged. See [`Waveform::read`].
    ///
    /// # Errors
    /// When it cannot be opened, or is no audio that is read.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, AudioError> {
        Self::collect_or_warn(Reader::open(path.as_ref(), None)?)
    }

    /// Reads audio from `reader` to its end, at the rate of the recording (Opus: always 16 kHz,
    /// which its decoder gives directly), all channels averaged.
    ///
    /// The content decides the format. `name_hint`, a file name, only decides whether an MP3 that
    /// starts with something else than a frame may be searched for its first frame.
    ///
    /// # Errors
    /// As [`Waveform::open`].
    pub fn read(reader: impl Read, name_hint: Option<&str>) -> Result<Self, AudioError> {
        Self::collect_or_warn(Reader::of_stream(reader, name_hint, None)?)
    }

    /// Opens a part of the recording at `path`, from `start` to `end` or to the recording's end, as
    /// [`Waveform::open`] opens all of it. What follows the part is not read.
    ///
    /// # Errors
    /// As [`Waveform::open`], and where the recording ends before the part begins.
    pub fn open_part(
        path: impl AsRef<Path>,
        start: Seconds,
        end: Option<Seconds>,
    ) -> Result<Self, AudioError> {
        let reader = Reader::open(path.as_ref(), None)?;
        let mut signal = Signal::at_its_rate(reader, ChannelChoice::Mix)?;
        let rate = signal.rate();
        let place = |at: Seconds| (at.0 * f64::from(rate.0)).round() as usize;
        let (first, last) = (place(start), end.map_or(usize::MAX, place));
        let (mut samples, mut passed) = (Vec::new(), 0);
        while passed + samples.len() < last && signal.next_block(&mut samples)? {
            // What comes before the part is not kept.
            let before = first.saturating_sub(passed).min(samples.len());
            samples.drain(..before);
            passed += before;
            if samples.len() > MOST_SAMPLES {
                return Err(AudioError::TooLong { rate: rate.0, most: MOST_SAMPLES });
            }
        }
        samples.truncate(last.saturating_sub(passed));
        match passed < first || samples.is_empty() {
            true => Err(AudioError::NoSuchPart { start, lasts: signal.heard() }),
            false => Ok(Waveform { samples, rate }),
        }
    }

    fn collect_or_warn(reader: Reader<'_>) -> Result<Self, AudioError> {
        let mut signal = Signal::at_its_rate(reader, ChannelChoice::Mix)?;
        let waveform = Self::collect(&mut signal, Bounds::default())?;
        if let Some(why) = signal.shortfall() {
            tracing::warn!("only a part of the recording was read: {why}");
        }
        Ok(waveform)
    }

    /// All of what `signal` gives, within bounds of the caller's.
    ///
    /// # Errors
    /// As [`Signal::next_block`], and where the recording exceeds the bounds.
    pub fn collect(signal: &mut Signal<'_>, bounds: Bounds) -> Result<Self, AudioError> {
        let rate = signal.rate();
        let longest = bounds.longest.0.min(LONGEST.0);
        let most = (longest * f64::from(rate.0)) as usize;
        let most = most.min(bounds.samples).min(MOST_SAMPLES);
        let mut samples = Vec::new();
        while signal.next_block(&mut samples)? {
            if samples.len() > most {
                let rate = rate.0;
                return Err(AudioError::TooLong { rate, most });
            }
        }
        Ok(Waveform { samples, rate })
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

fn check_rate(rate: u32) -> Result<Hertz, AudioError> {
    if RATES.contains(&rate) { Ok(Hertz(rate)) } else { Err(AudioError::Rate { rate }) }
}

#[cfg(test)]
mod container_tests;
#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod tests;

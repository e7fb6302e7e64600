//! Any recording as blocks of interleaved samples: [`Reader`].

use std::io::Read;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use super::aac::AdtsDecoder;
use super::au::AuDecoder;
use super::container::Container;
use super::media::MediaDecoder;
use super::mpeg::MpegDecoder;
use super::ogg_streams::OggDecoder;
use super::pcm::{Raw, RawDecoder};
use super::source::Source;
use super::transport::TransportDecoder;
use super::wav::WavDecoder;
use super::{AudioError, Block, Decode, LONGEST, Losses, check_rate, tag};
use crate::units::{Hertz, Seconds};

/// Louder than this, a sample is taken for damage: 2^31 is a 32-bit integer stored as float by
/// mistake, and beyond about 2^40 the power spectrum would overflow.
const LOUDEST: f32 = 2_147_483_648.0;

/// A recording being decoded, block by block: memory does not grow with its length.
///
/// Recordings that were put after each other in one file are one recording.
pub struct Reader<'a> {
    format: &'static str,
    decoder: Box<dyn Decode + 'a>,
    /// The first block, until it is asked for.
    first: Option<Block>,
    rate: Hertz,
    channels: usize,
    heard: Seconds,
    /// Samples of a channel that are silent before the first.
    silent: usize,
    /// Samples of a channel given so far.
    given: usize,
    losses: Losses,
    warned: bool,
}

impl Reader<'_> {
    /// Opens the audio file at `path`; `raw` says what its bytes are where it has no header.
    ///
    /// # Errors
    /// When it cannot be opened or is no audio that is read.
    pub fn open(path: &Path, raw: Option<Raw>) -> Result<Self, AudioError> {
        let name = path.file_name().map(|name| name.to_string_lossy());
        Self::of(Source::open(path)?, name.as_deref(), raw)
    }

    /// Reads a recording that is in memory.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn of_bytes(
        bytes: Vec<u8>,
        name_hint: Option<&str>,
        raw: Option<Raw>,
    ) -> Result<Self, AudioError> {
        Self::of(Source::memory(bytes)?, name_hint, raw)
    }
}

impl<'a> Reader<'a> {
    /// Reads a recording as it arrives. MP4, Matroska, FLAC, AIFF and CAF are copied to a temporary
    /// file first: they are read back and forth.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn of_stream(
        reader: impl Read + 'a,
        name_hint: Option<&str>,
        raw: Option<Raw>,
    ) -> Result<Self, AudioError> {
        Self::of(Source::stream(reader)?, name_hint, raw)
    }

    /// Samples of silence that are given at once.
    const SILENCE: usize = 1 << 14;
    /// A longer delay is not believed.
    const LONGEST_DELAY: Seconds = Seconds(3600.0);

    fn of(
        source: Source<'a>,
        name_hint: Option<&str>,
        raw: Option<Raw>,
    ) -> Result<Self, AudioError> {
        let (format, mut decoder): (_, Box<dyn Decode + 'a>) = match raw {
            Some(raw) => ("raw", Box::new(RawDecoder::new(source.lookahead(), raw)?)),
            None => decoder_of(source, name_hint)?,
        };
        let mut block = Block::default();
        contained(format, || {
            // Blocks of no samples say nothing more than the first.
            while decoder.next_block(&mut block)? && block.samples.is_empty() && block.rate == 0 {}
            Ok(())
        })?;
        let rate = check_rate(block.rate)?;
        let delay = Some(decoder.delay().0).filter(|delay| *delay <= Self::LONGEST_DELAY.0);
        let mut reader = Reader {
            rate,
            channels: block.channels,
            format,
            decoder,
            first: None,
            heard: Seconds(0.0),
            silent: (delay.unwrap_or(0.0) * f64::from(rate.0)).round() as usize,
            given: 0,
            losses: Losses::default(),
            warned: false,
        };
        reader.check(&block)?;
        reader.first = Some(block);
        Ok(reader)
    }

    /// Samples per second of the first block.
    pub fn rate(&self) -> Hertz {
        self.rate
    }

    /// Channels of the first block.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// How much has been given so far.
    pub fn heard(&self) -> Seconds {
        self.heard
    }

    /// Puts the next samples in place of what `block` holds; false at the end.
    ///
    /// # Errors
    /// The bytes cannot be read, a sample is no number, or the recording is longer than
    /// [`LONGEST`].
    pub fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        match self.first.take() {
            Some(first) if self.silent > 0 => {
                self.wait(block);
                self.first = Some(first);
            }
            Some(first) => *block = first,
            None => {
                if !self.decode(block)? {
                    self.warn();
                    return Ok(false);
                }
                check_rate(block.rate)?;
                self.check(block)?;
            }
        }
        self.heard.0 += block.duration().0;
        self.given += block.samples.len() / block.channels.max(1);
        if self.heard > LONGEST {
            return Err(AudioError::TooLong {
                rate: block.rate,
                most: (LONGEST.0 * f64::from(block.rate)) as usize,
            });
        }
        Ok(true)
    }

    /// Why only a part of the recording was given, where that is so. It is known at the end.
    pub fn shortfall(&self) -> Option<String> {
        self.losses.shortfall()
    }

    /// What may be wrong with the recording though everything was given. It is known at the end.
    pub fn remarks(&self) -> &[String] {
        &self.losses.remarks
    }

    /// Puts silence in place of what `block` holds: the sound begins later than its file.
    fn wait(&mut self, block: &mut Block) {
        let now = self.silent.min(Self::SILENCE);
        self.silent -= now;
        block.restart(self.rate.0, self.channels);
        block.samples.resize(now * self.channels, 0.0);
    }

    /// A decoder that fails after it gave something leaves a recording that is partly read.
    fn decode(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        if self.losses.stopped.is_some() {
            return Ok(false);
        }
        let decoded = contained(self.format, || self.decoder.next_block(block));
        let stopped = match decoded {
            Ok(going_on) => {
                self.losses = self.decoder.losses();
                return Ok(going_on);
            }
            Err(error @ (AudioError::Malformed { .. } | AudioError::Unsupported { .. })) => error,
            Err(error) => return Err(error),
        };
        self.losses = self.decoder.losses();
        self.losses.stop(stopped.to_string());
        Ok(false)
    }

    /// Says once what did not decode, where it is too little to call the recording partly read.
    fn warn(&mut self) {
        if let Some(why) = &self.losses.first
            && self.losses.shortfall().is_none()
            && !std::mem::replace(&mut self.warned, true)
        {
            let lasts = self.losses.dropped.0;
            tracing::debug!("{lasts:.2} s of the recording did not decode: {why}");
        }
    }

    fn check(&self, block: &Block) -> Result<(), AudioError> {
        if block.channels == 0 {
            return Err(AudioError::NoChannels);
        }
        let damaged = |sample: &f32| sample.is_nan() || sample.abs() > LOUDEST;
        match block.samples.iter().position(damaged) {
            Some(at) => Err(AudioError::NotFinite {
                index: self.given + at / block.channels,
                value: block.samples[at],
            }),
            None => Ok(()),
        }
    }
}

/// Who decodes a recording, by its first bytes. Tags in front of it are passed over.
fn decoder_of<'a>(
    mut source: Source<'a>,
    name_hint: Option<&str>,
) -> Result<(&'static str, Box<dyn Decode + 'a>), AudioError> {
    while let Some(length) = tag::id3v2(source.head()) {
        source.skip(length)?;
        if source.head().is_empty() {
            return Err(AudioError::Malformed {
                format: "mp3",
                what: "it holds a tag and no audio".into(),
            });
        }
    }
    let container = Container::of(source.head(), name_hint)?;
    let format = container.name();
    let decoder: Box<dyn Decode + 'a> = match container {
        Container::Wav => Box::new(WavDecoder::new(source.lookahead())),
        Container::Au => Box::new(AuDecoder::new(source.lookahead())),
        Container::Ogg => Box::new(OggDecoder::new(source.lookahead())),
        Container::Mpeg => Box::new(MpegDecoder::new(source.lookahead())),
        Container::Adts => Box::new(AdtsDecoder::new(source.lookahead())),
        Container::Transport => Box::new(TransportDecoder::new(source.lookahead())?),
        Container::Media(_) => {
            let source = source.seekable()?;
            Box::new(contained(format, || MediaDecoder::new(source, format))?)
        }
    };
    Ok((format, decoder))
}

/// Runs a decoder, parts of which are not ours, and turns a panic in it into an error. Random
/// damage makes symphonia's Vorbis decoder (0.6.1) run past a table about once in 100,000 files; a
/// decoder that panicked is not asked again.
fn contained<T>(
    format: &'static str,
    decode: impl FnOnce() -> Result<T, AudioError>,
) -> Result<T, AudioError> {
    std::panic::catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        let what = "its decoder failed".into();
        Err(AudioError::Malformed { format, what })
    })
}

//! FLAC and MP3, by the symphonia crates.
//!
//! A packet that does not decode is dropped with a warning, as players do; a file of which no
//! packet decodes is an error.

use std::io::Cursor;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::{AudioError, Bounds, Mixer, Waveform};

/// Decodes all of `bytes`; `format` names the format by its file extension, which tells symphonia
/// where to look first.
pub(super) fn decode(
    bytes: Vec<u8>,
    format: &'static str,
    bounds: Bounds,
) -> Result<Waveform, AudioError> {
    let stream = MediaSourceStream::new(
        Box::new(Cursor::new(bytes)),
        MediaSourceStreamOptions::default(),
    );
    let mut hint = Hint::new();
    hint.with_extension(format);
    let mut reader = symphonia::default::get_probe()
        .probe(
            &hint,
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(|error| failure(format, error))?;
    let (track_id, mut decoder) = decoder_of(&*reader, format)?;
    let mut drain = Drain::new(format, bounds);
    loop {
        match reader.next_packet() {
            Ok(Some(packet)) if packet.track_id == track_id => {
                drain.take(&mut *decoder, &packet)?
            }
            Ok(Some(_)) => {}
            Ok(None) => break,
            // The file was cut short: what has been decoded stands.
            Err(error) => {
                drain.first_error.get_or_insert(error);
                break;
            }
        }
    }
    drain.finish()
}

/// The audio track of a file, and a decoder for it.
fn decoder_of(
    reader: &dyn FormatReader,
    format: &'static str,
) -> Result<(u32, Box<dyn AudioDecoder>), AudioError> {
    let track = reader
        .default_track(TrackType::Audio)
        .ok_or_else(|| no_audio(format))?;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or_else(|| no_audio(format))?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| failure(format, error))?;
    Ok((track.id, decoder))
}

/// Where decoded packets go.
pub(super) struct Drain {
    format: &'static str,
    bounds: Bounds,
    /// Made by the first packet that decodes, which tells the rate and the channels.
    mixer: Option<Mixer>,
    interleaved: Vec<f32>,
    first_error: Option<Error>,
}

impl Drain {
    pub(super) fn new(format: &'static str, bounds: Bounds) -> Self {
        Drain {
            format,
            bounds,
            mixer: None,
            interleaved: Vec::new(),
            first_error: None,
        }
    }

    /// Decodes one packet.
    pub(super) fn take(
        &mut self,
        decoder: &mut dyn AudioDecoder,
        packet: &Packet,
    ) -> Result<(), AudioError> {
        let format = self.format;
        let block = match decoder.decode(packet) {
            Ok(block) => block,
            Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                tracing::warn!("dropped a damaged {format} packet: {error}");
                self.first_error.get_or_insert(error);
                return Ok(());
            }
            Err(error) => return Err(failure(format, error)),
        };
        let (rate, channels) = (block.spec().rate(), block.spec().channels().count());
        let mixer = match &mut self.mixer {
            Some(mixer) if mixer.rate.0 != rate || mixer.channels != channels => {
                let what = format!("{format} audio that changes its rate or channels");
                return Err(AudioError::Unsupported { what });
            }
            Some(mixer) => mixer,
            none => none.insert(Mixer::new(rate, channels, self.bounds)?),
        };
        block.copy_to_vec_interleaved(&mut self.interleaved);
        mixer.push(&self.interleaved)
    }

    /// What has been decoded; an error if nothing has.
    pub(super) fn finish(self) -> Result<Waveform, AudioError> {
        match (self.mixer, self.first_error) {
            (Some(mixer), _) => Ok(mixer.finish()),
            (None, Some(error)) => Err(failure(self.format, error)),
            (None, None) => Err(no_audio(self.format)),
        }
    }
}

/// Symphonia's error as ours.
pub(super) fn failure(format: &'static str, error: Error) -> AudioError {
    match error {
        Error::Unsupported(what) => AudioError::Unsupported {
            what: format!("{format}: {what}"),
        },
        error => AudioError::Malformed {
            format,
            what: error.to_string(),
        },
    }
}

fn no_audio(format: &'static str) -> AudioError {
    AudioError::Malformed {
        format,
        what: "it holds no audio".into(),
    }
}

//! FLAC, MP3 and Ogg Vorbis, by the symphonia crates.
//!
//! A packet that does not decode is dropped with a warning, as players do; a file of which no packet decodes is an error.

use std::io::Cursor;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::{AudioError, Mixer, Waveform};

/// Decodes all of `bytes`; `extension` tells symphonia where to look first.
pub(super) fn decode(bytes: Vec<u8>, extension: &'static str) -> Result<Waveform, AudioError> {
    let fail = |error: Error| failure(extension, error);
    let stream = MediaSourceStream::new(
        Box::new(Cursor::new(bytes)),
        MediaSourceStreamOptions::default(),
    );
    let mut hint = Hint::new();
    hint.with_extension(extension);
    let mut format = symphonia::default::get_probe()
        .probe(
            &hint,
            stream,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .map_err(fail)?;
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(|| no_audio(extension))?;
    let track_id = track.id;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio());
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(
            parameters.ok_or_else(|| no_audio(extension))?,
            &AudioDecoderOptions::default(),
        )
        .map_err(fail)?;
    mix(&mut *format, &mut *decoder, track_id, extension)
}

/// Decodes packet after packet into one channel.
fn mix(
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track_id: u32,
    extension: &'static str,
) -> Result<Waveform, AudioError> {
    let mut mixer: Option<Mixer> = None;
    let mut interleaved = Vec::new();
    let mut first_error = None;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) if packet.track_id == track_id => packet,
            Ok(Some(_)) => continue,
            Ok(None) => break,
            // The file was cut short, or another chained stream begins: what has been decoded stands.
            Err(error) => {
                first_error.get_or_insert(error);
                break;
            }
        };
        let block = match decoder.decode(&packet) {
            Ok(block) => block,
            Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                tracing::warn!("dropped a damaged {extension} packet: {error}");
                first_error.get_or_insert(error);
                continue;
            }
            Err(error) => return Err(failure(extension, error)),
        };
        let (rate, channels) = (block.spec().rate(), block.spec().channels().count());
        let mixer = match &mut mixer {
            Some(mixer) if mixer.rate.0 != rate || mixer.channels != channels => {
                let what = format!("{extension} audio that changes its rate or channels");
                return Err(AudioError::Unsupported { what });
            }
            Some(mixer) => mixer,
            none => none.insert(Mixer::new(rate, channels)?),
        };
        block.copy_to_vec_interleaved(&mut interleaved);
        mixer.push(&interleaved)?;
    }
    match (mixer, first_error) {
        (Some(mixer), _) => Ok(mixer.finish()),
        (None, Some(error)) => Err(failure(extension, error)),
        (None, None) => Err(no_audio(extension)),
    }
}

fn failure(format: &'static str, error: Error) -> AudioError {
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

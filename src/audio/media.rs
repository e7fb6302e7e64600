//! MP4 and MOV, Matroska and WebM, FLAC, AIFF and CAF, by symphonia's readers and decoders, Opus by
//! [`opus`](super::opus).
//!
//! A packet that does not decode counts as lost, and silence takes its place; a file of which no
//! packet decodes is an error.

use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_OPUS, CODEC_ID_PCM_ALAW, CODEC_ID_PCM_MULAW,
};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{self, FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;

use super::codec::{Codec, failure};
use super::opus::{OpusHead, OpusPackets};
use super::parts::Parts;
use super::{AudioError, Block, Decode, Losses, aac, codec_name};

/// Decodes the first audio track of a file, and of those that were put behind it.
pub(super) struct MediaDecoder {
    format: &'static str,
    parts: Parts,
    part: Track,
    losses: Losses,
    heard: bool,
}

/// The track under way.
struct Track {
    reader: Box<dyn FormatReader>,
    id: u32,
    codec: TrackCodec,
}

enum TrackCodec {
    Symphonia(Codec),
    Opus(Box<OpusPackets>),
}

impl MediaDecoder {
    /// Opens a file; `format` names it by its file extension, which tells symphonia where to look
    /// first.
    pub(super) fn new(
        source: Box<dyn MediaSource>,
        format: &'static str,
    ) -> Result<Self, AudioError> {
        let parts = Parts::new(source, format)?;
        Ok(MediaDecoder {
            format,
            part: Track::open(parts.source(), format)?,
            parts,
            losses: Losses::default(),
            heard: false,
        })
    }

    /// Appends what a packet says.
    fn take(&mut self, packet: &Packet, block: &mut Block) -> Result<(), AudioError> {
        match &mut self.part.codec {
            TrackCodec::Symphonia(codec) => {
                let packet = packet.as_packet_ref();
                codec.decode_packet(&packet, block, &mut self.losses)?;
            }
            TrackCodec::Opus(opus) => {
                opus.decode(&packet.data, block, &mut self.losses)?;
            }
        }
        Ok(())
    }

    /// The reader stopped at an error; whether there is another file to go on with.
    fn stopped(&mut self, error: Error) -> Result<bool, AudioError> {
        match error {
            error if !self.heard => {
                Err(unfinished(self.format, &error).unwrap_or_else(|| failure(self.format, error)))
            }
            // Cut short: what has been decoded stands.
            Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                // The next file's beginning may be what cut it short.
                if self.parts.advance()? {
                    self.part = Track::open(self.parts.source(), self.format)?;
                    return Ok(true);
                }
                // Who sends what is being recorded never comes back to write where it ends.
                if self.format != "mkv" {
                    self.losses.stop(format!("the {} file was cut short", self.format));
                }
                Ok(false)
            }
            Error::IoError(error) => Err(AudioError::Read(error)),
            error => {
                let what = format!("the {} file is damaged: {error}", self.format);
                self.losses.stop(what);
                Ok(false)
            }
        }
    }
}

impl Decode for MediaDecoder {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        block.restart(0, 0);
        loop {
            match self.part.reader.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.part.id => {
                    self.take(&packet, block)?;
                    if block.rate != 0 {
                        self.heard = true;
                        return Ok(true);
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) if self.parts.advance()? => {
                    self.part = Track::open(self.parts.source(), self.format)?;
                }
                Ok(None) if self.heard => return Ok(false),
                Ok(None) => {
                    let first = self.losses.first.clone();
                    return Err(AudioError::Malformed {
                        format: self.format,
                        what: first.unwrap_or_else(|| "it holds no audio".into()),
                    });
                }
                Err(error) => {
                    if !self.stopped(error)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    fn losses(&self) -> Losses {
        self.losses.clone()
    }
}

impl Track {
    fn open(source: Box<dyn MediaSource>, format: &'static str) -> Result<Self, AudioError> {
        let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
        let mut hint = Hint::new();
        hint.with_extension(format);
        let options = (FormatOptions::default(), MetadataOptions::default());
        let probed = symphonia::default::get_probe().probe(&hint, stream, options.0, options.1);
        let reader = probed.map_err(|error| {
            unfinished(format, &error).unwrap_or_else(|| failure(format, error))
        })?;
        let (id, codec) = track_of(&*reader, format)?;
        Ok(Track { reader, id, codec })
    }
}

/// The audio track of a file, and a decoder for it.
fn track_of(
    reader: &dyn FormatReader,
    format: &'static str,
) -> Result<(u32, TrackCodec), AudioError> {
    let audio_tracks = reader.tracks().iter().filter(|track| audio_of(track).is_some()).count();
    if audio_tracks > 1 {
        tracing::warn!(
            "the file has {audio_tracks} audio tracks, and one is heard: take another out first, \
             e.g. `ffmpeg -i FILE -map 0:a:1 out.wav`"
        );
    }
    let no_audio = || AudioError::Unsupported {
        what: format!("{format} without a track of audio that is known"),
    };
    let track = reader.default_track(TrackType::Audio);
    let track = track.or_else(|| reader.tracks().iter().find(|track| audio_of(track).is_some()));
    let track = track.ok_or_else(no_audio)?;
    let parameters = audio_of(track).ok_or_else(no_audio)?;
    let codec = match parameters.codec {
        CODEC_ID_OPUS => {
            let head = parameters.extra_data.as_deref();
            let head = head.ok_or_else(|| AudioError::Unsupported {
                what: format!("Opus in {format} without an Opus header"),
            })?;
            let packets = OpusPackets::new(&OpusHead::parse(head)?)?;
            TrackCodec::Opus(Box::new(packets))
        }
        CODEC_ID_AAC => {
            let core = aac::core_parameters(parameters);
            TrackCodec::Symphonia(decoder(format, &core)?)
        }
        CODEC_ID_PCM_ALAW | CODEC_ID_PCM_MULAW => {
            // CAF says how wide the coded samples are, and the decoder refuses any such width.
            let mut law = parameters.clone();
            (law.bits_per_sample, law.bits_per_coded_sample) = (None, None);
            TrackCodec::Symphonia(decoder(format, &law)?)
        }
        _ => TrackCodec::Symphonia(decoder(format, parameters)?),
    };
    Ok((track.id, codec))
}

fn audio_of(track: &formats::Track) -> Option<&AudioCodecParameters> {
    track.codec_params.as_ref().and_then(CodecParameters::audio)
}

/// What is wrong with an MP4 whose index should come last and is not there.
fn unfinished(format: &'static str, error: &Error) -> Option<AudioError> {
    let missing = match error {
        Error::Unsupported(what) => what.contains("missing moov"),
        Error::IoError(error) => error.kind() == std::io::ErrorKind::UnexpectedEof,
        _ => false,
    };
    (missing && format == "mp4").then(|| AudioError::Malformed {
        format,
        what:
            "its index (moov) is missing: the recording was not finished, or the file is cut short"
                .into(),
    })
}

/// A decoder, or what the codec is called that has none.
fn decoder(format: &'static str, parameters: &AudioCodecParameters) -> Result<Codec, AudioError> {
    Codec::new(format, parameters).map_err(|error| match error {
        AudioError::Unsupported { .. } => AudioError::Unsupported {
            what: format!("{} in {format}", codec_name::of(parameters.codec)),
        },
        error => error,
    })
}

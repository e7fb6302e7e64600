//! MP4 and MOV, Matroska and WebM, FLAC, AIFF and CAF, by symphonia's readers and decoders, Opus by
//! [`opus`](super::opus).
//!
//! Sound that begins later than another track of its file is said to (`delay`), by MP4's edit list
//! (`edit_list`) or by the times of Matroska's blocks.
//!
//! A packet that does not decode counts as lost, and silence takes its place; a file of which no
//! packet decodes is an error.

use std::io::{Seek, SeekFrom};

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
use super::edit_list::{self, Beginning};
use super::opus::{OpusHead, OpusPackets};
use super::parts::Parts;
use super::{AudioError, Block, Decode, Losses, aac, codec_name, sample_entry};
use crate::units::Seconds;

/// Decodes the first audio track of a file, and of those that were put behind it.
pub(super) struct MediaDecoder {
    format: &'static str,
    parts: Parts,
    part: Track,
    losses: Losses,
    heard: bool,
    /// How long after the beginning of the file its sound begins.
    delay: Seconds,
}

/// The track under way.
struct Track {
    reader: Box<dyn FormatReader>,
    id: u32,
    codec: TrackCodec,
    beginning: Beginning,
    /// Frames still to be left out, once the rate is known.
    primed: Option<usize>,
    /// When the earliest packet of the other tracks is shown, up to the first of this one.
    others: Option<f64>,
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
        let part = Track::open(&parts, format)?;
        let remarks = part.remark().into_iter().collect();
        Ok(MediaDecoder {
            format,
            delay: part.beginning.delay,
            part,
            parts,
            losses: Losses { remarks, ..Losses::default() },
            heard: false,
        })
    }

    /// Appends what a packet says.
    fn take(&mut self, packet: &Packet, block: &mut Block) -> Result<(), AudioError> {
        if let Some(others) = self.part.others.take()
            && !self.heard
            && let Some(at) = self.part.time(packet)
        {
            self.delay = Seconds((at - others).max(0.0));
        }
        match &mut self.part.codec {
            TrackCodec::Symphonia(codec) => {
                let packet = packet.as_packet_ref();
                codec.decode_packet(&packet, block, &mut self.losses)?;
            }
            TrackCodec::Opus(opus) => {
                opus.decode(&packet.data, block, &mut self.losses)?;
            }
        }
        self.part.leave_out_priming(block);
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
                    self.part = Track::open(&self.parts, self.format)?;
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
                Ok(Some(packet)) if self.format == "mkv" => self.part.pass(&packet),
                Ok(Some(_)) => {}
                Ok(None) if self.parts.advance()? => {
                    self.part = Track::open(&self.parts, self.format)?;
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

    fn delay(&self) -> Seconds {
        self.delay
    }
}

impl Track {
    fn open(parts: &Parts, format: &'static str) -> Result<Self, AudioError> {
        let mut source = parts.source();
        let beginnings = match format {
            "mp4" => edit_list::beginnings(&mut source),
            _ => Vec::new(),
        };
        source.seek(SeekFrom::Start(0)).map_err(AudioError::Read)?;
        let stream = MediaSourceStream::new(source, MediaSourceStreamOptions::default());
        let mut hint = Hint::new();
        hint.with_extension(format);
        let options = (FormatOptions::default(), MetadataOptions::default());
        let probed = symphonia::default::get_probe().probe(&hint, stream, options.0, options.1);
        let reader = probed.map_err(|error| {
            unfinished(format, &error).unwrap_or_else(|| failure(format, error))
        })?;
        let (id, codec) = track_of(&*reader, format)?
            .ok_or_else(|| no_known_sound(format, sample_entry::of_sound(&mut parts.source())))?;
        let own = beginnings.into_iter().find(|(track, _)| *track == id);
        let beginning = own.unwrap_or_default().1;
        Ok(Track { reader, id, codec, beginning, primed: None, others: None })
    }

    /// What may be wrong though the track is heard.
    fn remark(&self) -> Option<String> {
        let tracks = self.reader.tracks();
        let audio_tracks = tracks.iter().filter(|track| audio_of(track).is_some()).count();
        (audio_tracks > 1).then(|| {
            format!(
                "the file has {audio_tracks} audio tracks, and one is heard: take another out first, \
                 e.g. `ffmpeg -i FILE -map 0:a:1 out.wav`"
            )
        })
    }

    /// When a packet is shown, in seconds, where the container says so for each.
    fn time(&self, packet: &Packet) -> Option<f64> {
        let mut tracks = self.reader.tracks().iter();
        let track = tracks.find(|track| track.id == packet.track_id)?;
        let base = track.time_base?;
        let time = base.calc_time(packet.pts)?;
        Some(time.as_secs_f64())
    }

    /// Notes when a packet of another track is shown.
    fn pass(&mut self, packet: &Packet) {
        let mut tracks = self.reader.tracks().iter();
        let own = tracks.find(|track| track.id == packet.track_id);
        let parameters = own.and_then(|track| track.codec_params.as_ref());
        if !matches!(parameters, Some(CodecParameters::Subtitle(_)))
            && let Some(at) = self.time(packet)
        {
            self.others = Some(self.others.map_or(at, |others| others.min(at)));
        }
    }

    /// Takes out of a block what the encoder put in front of the track.
    fn leave_out_priming(&mut self, block: &mut Block) {
        if block.rate == 0 {
            return;
        }
        let all = (self.beginning.priming.0 * f64::from(block.rate)).round() as usize;
        let left = self.primed.get_or_insert(all);
        let now = (*left).min(block.samples.len() / block.channels.max(1));
        block.samples.drain(..now * block.channels);
        *left -= now;
    }
}

/// The audio track of a file, and a decoder for it; none where no track is known to be audio.
fn track_of(
    reader: &dyn FormatReader,
    format: &'static str,
) -> Result<Option<(u32, TrackCodec)>, AudioError> {
    let track = reader.default_track(TrackType::Audio);
    let track = track.or_else(|| reader.tracks().iter().find(|track| audio_of(track).is_some()));
    let Some((track, parameters)) = track.and_then(|track| Some((track, audio_of(track)?))) else {
        return Ok(None);
    };
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
    Ok(Some((track.id, codec)))
}

/// A file without a track that is known to be audio, and what it calls its sound if it is an MP4.
fn no_known_sound(format: &'static str, code: Option<[u8; 4]>) -> AudioError {
    let what = match code.filter(|_| format == "mp4") {
        Some(code) => {
            format!("the audio codec \"{}\" in {format}", code.escape_ascii())
        }
        None => format!("{format} without a track of audio that is known"),
    };
    AudioError::Unsupported { what }
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

//! One of symphonia's decoders, fed packet by packet.

use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::{PacketBuilder, PacketRef};
use symphonia::core::units::{Duration, Timestamp};

use super::{AudioError, Block, Losses};
use crate::units::Seconds;

/// A decoder and the name by which people know its format.
pub(super) struct Codec {
    format: &'static str,
    decoder: Option<Box<dyn AudioDecoder>>,
    interleaved: Vec<f32>,
    /// How long the last packet that decoded was.
    last: Seconds,
}

impl Codec {
    /// A decoder for a format of such parameters.
    pub(super) fn new(
        format: &'static str,
        parameters: &AudioCodecParameters,
    ) -> Result<Self, AudioError> {
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default())
            .map_err(|error| failure(format, error))?;
        Ok(Codec { decoder: Some(decoder), ..Codec::none(format) })
    }

    /// No decoder yet.
    pub(super) fn none(format: &'static str) -> Self {
        Codec { format, decoder: None, interleaved: Vec::new(), last: Seconds(0.0) }
    }

    /// Appends what a packet's bytes say, of so many frames; of a damaged one, counts the loss.
    /// Whether it decoded. The first packet to decode says which rate and channels a block has.
    pub(super) fn decode(
        &mut self,
        data: &[u8],
        frames: u64,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<bool, AudioError> {
        let packet = PacketBuilder::new()
            .track_id(0)
            .pts(Timestamp::ZERO)
            .dur(Duration::from(frames))
            .data_by_ref(data)
            .build_packet_ref();
        self.decode_packet(&packet, block, losses)
    }

    /// As [`Codec::decode`], of a packet that symphonia's own reader made.
    pub(super) fn decode_packet(
        &mut self,
        packet: &PacketRef<'_>,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<bool, AudioError> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(false);
        };
        let decoded = match decoder.decode_ref(packet) {
            Ok(decoded) => decoded,
            Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                losses.drop_stretch(self.last, error);
                return Ok(false);
            }
            Err(error) => return Err(failure(self.format, error)),
        };
        let (rate, channels) = (decoded.spec().rate(), decoded.spec().channels().count());
        decoded.copy_to_vec_interleaved(&mut self.interleaved);
        if (block.rate, block.channels) != (rate, channels) {
            block.restart(rate, channels);
        }
        block.samples.extend_from_slice(&self.interleaved);
        let frames = self.interleaved.len() / channels.max(1);
        self.last = Seconds(frames as f64 / f64::from(rate.max(1)));
        Ok(true)
    }
}

/// Symphonia's error as ours.
pub(super) fn failure(format: &'static str, error: Error) -> AudioError {
    match error {
        Error::Unsupported(what) => AudioError::Unsupported { what: format!("{format}: {what}") },
        error => AudioError::Malformed { format, what: error.to_string() },
    }
}

//! FLAC packets from an Ogg stream, by symphonia's decoder.
//!
//! Reference: Xiph, "Ogg FLAC mapping": the first packet holds the native stream's STREAMINFO.

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_FLAC;

use super::codec::Codec;
use super::ogg::damaged;
use super::{AudioError, Block, Losses};

/// A stream of FLAC.
pub(super) struct FlacStream(Codec);

/// Bytes before STREAMINFO's body: mark, version, number of headers, `fLaC`, block header.
const BEFORE: usize = 17;
const STREAM_INFO: usize = 34;

impl FlacStream {
    /// A stream that begins with such a packet, and the number of header packets that follow it.
    pub(super) fn new(first: &[u8]) -> Result<(Self, u32), AudioError> {
        let info = first
            .get(BEFORE..BEFORE + STREAM_INFO)
            .ok_or_else(|| damaged("its FLAC header is cut short"))?;
        let headers = u32::from(first[7]) << 8 | u32::from(first[8]);
        if headers == 0 {
            return Err(AudioError::Unsupported {
                what: "Ogg FLAC that does not say how many headers it has".into(),
            });
        }
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_FLAC).with_extra_data(info.to_vec().into_boxed_slice());
        Ok((FlacStream(Codec::new("FLAC", &parameters)?), headers))
    }

    /// Appends what a packet says.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<(), AudioError> {
        self.0.decode(packet, 0, block, losses)?;
        Ok(())
    }
}

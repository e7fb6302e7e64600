//! Vorbis packets, by symphonia's decoder, from our Ogg reader.
//!
//! Reference: Xiph, "Vorbis I specification", 4.2 (headers).

use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;

use super::codec::Codec;
use super::{AudioError, Block, Losses};

/// A stream of Vorbis.
pub(super) struct VorbisStream {
    /// The identification and the setup header.
    headers: Vec<u8>,
    codec: Option<Codec>,
}

impl VorbisStream {
    /// A stream that begins with an identification header.
    pub(super) fn new(identification: &[u8]) -> Self {
        VorbisStream { headers: identification.to_vec(), codec: None }
    }

    /// Takes the comment header, which says nothing of the sound, or the setup header.
    pub(super) fn header(&mut self, packet: &[u8]) -> Result<(), AudioError> {
        if !packet.starts_with(b"\x05vorbis") {
            return Ok(());
        }
        self.headers.extend_from_slice(packet);
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(CODEC_ID_VORBIS)
            .with_extra_data(std::mem::take(&mut self.headers).into_boxed_slice());
        self.codec = Some(Codec::new("Vorbis", &parameters)?);
        Ok(())
    }

    /// Appends what a packet says.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<(), AudioError> {
        let codec = self.codec.as_mut().ok_or_else(|| AudioError::Malformed {
            format: "Vorbis",
            what: "it ends inside the headers".into(),
        })?;
        codec.decode(packet, 0, block, losses)?;
        Ok(())
    }
}

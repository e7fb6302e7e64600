//! Ogg Vorbis: our Ogg reader, symphonia's Vorbis decoder.
//!
//! Reference: Xiph, "Vorbis I specification", 4.2 (headers) and A.2 (granule positions). Why not
//! symphonia's Ogg reader: it parses the codebooks a second time for the packets' lengths, and a
//! damaged codebook makes it panic (0.6.1, `lookup1_values`). The lengths are not needed: the last
//! granule position says where the recording ends.

use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoderOptions};
use symphonia::core::packet::PacketBuilder;
use symphonia::core::units::{Duration, Timestamp};

use super::compressed::{Drain, failure};
use super::ogg::Packets;
use super::{AudioError, Bounds, Waveform};

/// Whether an Ogg stream that starts with `head` is Vorbis.
pub(super) fn is_vorbis(head: &[u8]) -> bool {
    head.get(28..35) == Some(b"\x01vorbis")
}

/// Decodes an Ogg Vorbis file.
pub(super) fn decode(bytes: &[u8], bounds: Bounds) -> Result<Waveform, AudioError> {
    let mut packets = Packets::new(bytes);
    // Identification, comments (not used), setup.
    let (Some(head), Some(_), Some(setup)) = (packets.next(), packets.next(), packets.next())
    else {
        let what = "it ends inside the headers".into();
        return Err(AudioError::Malformed {
            format: "Vorbis",
            what,
        });
    };
    let mut parameters = AudioCodecParameters::new();
    parameters
        .for_codec(CODEC_ID_VORBIS)
        .with_extra_data([head.data, setup.data].concat().into_boxed_slice());
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&parameters, &AudioDecoderOptions::default())
        .map_err(|error| failure("Vorbis", error))?;
    let mut drain = Drain::new("Vorbis", bounds);
    let mut end = None;
    for packet in packets {
        end = packet.end.or(end);
        let packet = PacketBuilder::new()
            .track_id(0)
            .pts(Timestamp::ZERO)
            .dur(Duration::ZERO)
            .data(packet.data)
            .build();
        drain.take(&mut *decoder, &packet)?;
    }
    let mut waveform = drain.finish()?;
    if let Some(end) = end {
        // A stream cut out of a longer one counts from that one's start, and is shorter than its
        // position says.
        waveform
            .samples
            .truncate(usize::try_from(end).unwrap_or(usize::MAX));
    }
    Ok(waveform)
}

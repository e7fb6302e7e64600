//! Ogg Opus by the `rusty-opus` crate (pure Rust), at 16 kHz and one channel.
//!
//! Reference: RFC 7845 (Ogg encapsulation), RFC 6716 (the codec). Opus has no sample rate of its
//! own: a decoder gives 8, 12, 16, 24 or 48 kHz as asked, so the 16 kHz of speech models come
//! without resampling. Positions in the container count 48 kHz samples. The pre-skip is dropped
//! from the start, and the last granule position says where to end.
//!
//! Why this crate: its samples are libopus's bit for bit (60 files of 16 kHz speech against
//! libsndfile) at 700 times real time. `opus-decoder`, free of `unsafe`, upsamples to 48 kHz and
//! takes every third sample when asked for 16 kHz, which shifts and colours the speech, at 76
//! times; `unsafe-libopus` is C by another name. The `unsafe` of `rusty-opus` is in SIMD kernels;
//! parsing and entropy decoding, which meet the untrusted bytes, have none.

use rusty_opus::OpusDecoder;

use super::ogg::Packets;
use super::{AudioError, Bounds, Mixer, Waveform};

/// The rate that the decoder is asked for.
const RATE: u32 = 16_000;
/// 48 kHz positions to one sample of ours.
const STEP: u64 = 48_000 / RATE as u64;
/// The longest packet: 120 ms.
const LONGEST_PACKET: usize = RATE as usize * 120 / 1000;

/// Whether an Ogg stream that starts with `head` is Opus.
pub(super) fn is_opus(head: &[u8]) -> bool {
    // The first page carries one packet in one segment: 27 bytes, one length, the packet.
    head.get(28..36) == Some(b"OpusHead")
}

/// Decodes an Ogg Opus file.
pub(super) fn decode(bytes: &[u8], bounds: Bounds) -> Result<Waveform, AudioError> {
    let mut packets = Packets::new(bytes);
    let head = packets
        .next()
        .ok_or_else(|| damaged("it ends inside the header"))?;
    let head = Head::parse(&head.data)?;
    // The second packet is the comment header.
    packets.next();
    let mut decoder = new_decoder()?;
    let mut mixer = Mixer::new(RATE, 1, bounds)?;
    let mut block = vec![0.0; LONGEST_PACKET];
    let mut end = None;
    for packet in packets {
        end = packet.end.or(end);
        if packet.data.is_empty() {
            continue;
        }
        match decoder.decode(&packet.data, LONGEST_PACKET, &mut block) {
            Ok(made) => {
                let block = &mut block[..made];
                if !tame(block, head.gain) {
                    // The decoder's memory may hold the damage; a new one starts from silence.
                    tracing::warn!("an Opus packet decoded to noise: it is damaged");
                    decoder = new_decoder()?;
                }
                mixer.push(block)?;
            }
            Err(error) => tracing::warn!("dropped a damaged Opus packet: {error}"),
        }
    }
    let mut waveform = mixer.finish();
    if let Some(end) = end {
        // A stream cut out of a longer one counts from that one's start, and is shorter than its
        // position says.
        waveform
            .samples
            .truncate(usize::try_from(end / STEP).unwrap_or(usize::MAX));
    }
    let skip = (head.pre_skip / STEP) as usize;
    waveform.samples.drain(..skip.min(waveform.samples.len()));
    Ok(waveform)
}

fn new_decoder() -> Result<OpusDecoder, AudioError> {
    OpusDecoder::new(RATE as i32, 1).map_err(|error| damaged(&format!("the decoder: {error}")))
}

/// Applies the gain; a packet that decodes beyond any encoder's overshoot (24 dB above full scale)
/// becomes silence. Whether it was sound.
fn tame(block: &mut [f32], gain: f32) -> bool {
    let sound = block.iter().all(|sample| sample.abs() <= 16.0);
    let gain = if sound { gain } else { 0.0 };
    // Assigned, not multiplied, where there is no gain: zero times infinity is not a number.
    block
        .iter_mut()
        .for_each(|sample| *sample = if gain == 0.0 { 0.0 } else { *sample * gain });
    sound
}

/// The identification header (RFC 7845, 5.1).
struct Head {
    /// 48 kHz samples to drop from the start.
    pre_skip: u64,
    /// Linear output gain.
    gain: f32,
}

impl Head {
    fn parse(packet: &[u8]) -> Result<Self, AudioError> {
        let short = || damaged("the identification header is shorter than 19 bytes");
        let fields: &[u8; 19] = packet.first_chunk().ok_or_else(short)?;
        let (version, channels, family) = (fields[8], fields[9], fields[18]);
        if version & 0xf0 != 0 {
            return Err(AudioError::Unsupported {
                what: format!("Opus version {version}"),
            });
        }
        if channels == 0 {
            return Err(AudioError::NoChannels);
        }
        // Mono and stereo; a mono decoder mixes stereo down itself.
        if family != 0 || channels > 2 {
            let what = format!("Opus with {channels} channels in mapping family {family}");
            return Err(AudioError::Unsupported { what });
        }
        // Decibels in Q7.8.
        let decibels = f32::from(i16::from_le_bytes([fields[16], fields[17]])) / 256.0;
        Ok(Head {
            pre_skip: u64::from(u16::from_le_bytes([fields[10], fields[11]])),
            gain: 10f32.powf(decibels / 20.0),
        })
    }
}

fn damaged(what: &str) -> AudioError {
    AudioError::Malformed {
        format: "Opus",
        what: what.into(),
    }
}

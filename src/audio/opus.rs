//! Opus packets by the `rusty-opus` crate (pure Rust), at 16 kHz, from Ogg, Matroska or MP4.
//!
//! Reference: RFC 7845 (the identification header), RFC 6716 (the codec). Opus has no sample rate
//! of its own: a decoder gives 8, 12, 16, 24 or 48 kHz as asked, so the 16 kHz of speech models
//! come without resampling. Positions in the container count 48 kHz samples. The pre-skip is
//! dropped from the start.
//!
//! Why this crate: its samples are libopus's bit for bit (60 files of 16 kHz speech against
//! libsndfile) at 700 times real time. `opus-decoder`, free of `unsafe`, upsamples to 48 kHz and
//! takes every third sample when asked for 16 kHz, which shifts and colours the speech, at 76
//! times; `unsafe-libopus` is C by another name. The `unsafe` of `rusty-opus` is in SIMD kernels;
//! parsing and entropy decoding, which meet the untrusted bytes, have none. Symphonia has no Opus.

use rusty_opus::OpusDecoder;
use rusty_opus::repacketizer::parse_packet;

use super::{AudioError, Block, Losses};
use crate::units::Seconds;

/// The rate that the decoder is asked for.
const RATE: u32 = 16_000;
/// 48 kHz positions to one sample of ours.
pub(super) const STEP: u64 = 48_000 / RATE as u64;
/// The longest packet: 120 ms.
const LONGEST_PACKET: usize = RATE as usize * 120 / 1000;
/// A packet's usual length, which a damaged one counts as.
const USUAL: Seconds = Seconds(0.02);

/// Decodes the packets of a stream.
pub(super) struct OpusPackets {
    channels: usize,
    /// By channel: which of the decoded channels it takes; 255 for silence.
    mapping: Vec<u8>,
    /// One decoder for each stream in a packet; the coupled ones come first and give two channels.
    decoders: Vec<(OpusDecoder, usize)>,
    gain: f32,
    /// Samples of a channel still to drop, and to be dropped in all.
    skip: usize,
    pre_skip: u64,
    decoded: Vec<f32>,
    plain: Vec<u8>,
}

impl OpusPackets {
    pub(super) fn new(head: &OpusHead) -> Result<Self, AudioError> {
        let streams = (0..head.streams).map(|stream| {
            let channels = if stream < head.coupled { 2 } else { 1 };
            Ok((new_decoder(channels)?, channels))
        });
        Ok(OpusPackets {
            channels: usize::from(head.channels),
            mapping: head.mapping.clone(),
            decoders: streams.collect::<Result<_, AudioError>>()?,
            gain: head.gain,
            skip: (head.pre_skip / STEP) as usize,
            pre_skip: head.pre_skip / STEP,
            decoded: vec![0.0; 2 * LONGEST_PACKET],
            plain: Vec::new(),
        })
    }

    /// Samples of a channel that are dropped from the start.
    pub(super) fn skipped(&self) -> u64 {
        self.pre_skip - self.skip as u64
    }

    /// Appends what a packet says.
    pub(super) fn decode(
        &mut self,
        packet: &[u8],
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<(), AudioError> {
        if block.rate == 0 {
            block.restart(RATE, self.channels);
        }
        if packet.is_empty() {
            return Ok(());
        }
        let first = block.samples.len();
        if let Err(why) = self.decode_streams(packet, block) {
            block.samples.truncate(first);
            losses.drop_stretch(USUAL, why);
        }
        let made = (block.samples.len() - first) / self.channels;
        let skipped = made.min(self.skip);
        block.samples.drain(first..first + skipped * self.channels);
        self.skip -= skipped;
        Ok(())
    }

    /// Each stream's part of the packet, put into the channels that take it.
    fn decode_streams(&mut self, packet: &[u8], block: &mut Block) -> Result<(), String> {
        let first = block.samples.len();
        let (mut rest, mut before) = (packet, 0);
        let count = self.decoders.len();
        for (index, (decoder, channels)) in self.decoders.iter_mut().enumerate() {
            let mut this = rest;
            if index + 1 < count {
                rest = &rest[undelimit(rest, &mut self.plain)?..];
                this = &self.plain;
            }
            let made = decoder.decode(this, LONGEST_PACKET, &mut self.decoded);
            let made = made.map_err(|error| error.to_string())?;
            let decoded = &mut self.decoded[..made * *channels];
            if !tame(decoded, self.gain) {
                // The decoder's memory may hold the damage; a new one starts from silence.
                if let Ok(fresh) = new_decoder(*channels) {
                    *decoder = fresh;
                }
            }
            let end = first + made * self.channels;
            if block.samples.len() < end {
                block.samples.resize(end, 0.0);
            }
            let frames = block.samples[first..end].chunks_exact_mut(self.channels);
            for (frame, source) in frames.zip(decoded.chunks_exact(*channels)) {
                for (sample, &from) in frame.iter_mut().zip(&self.mapping) {
                    if let Some(at) = usize::from(from).checked_sub(before)
                        && at < *channels
                        && from != SILENT
                    {
                        *sample = source[at];
                    }
                }
            }
            before += *channels;
        }
        Ok(())
    }
}

/// Puts the first of several streams' packets into the form that it has alone: without its own
/// length (RFC 6716, appendix B). Returns how many bytes it takes of `packet`.
fn undelimit(packet: &[u8], plain: &mut Vec<u8>) -> Result<usize, String> {
    let (toc, frames, end) = parse_packet(packet, true).map_err(|error| error.to_string())?;
    let cut_short = || "a packet is cut short".to_owned();
    plain.clear();
    match frames.as_slice() {
        [_] => plain.push(toc & !3),
        // Any number of frames of any sizes, all but the last of which are stated.
        all => {
            plain.extend([toc | 3, 0x80 | all.len() as u8]);
            for &(_, length) in &all[..all.len().saturating_sub(1)] {
                match length {
                    0..252 => plain.push(length as u8),
                    _ => {
                        let low = 252 + length % 4;
                        plain.extend([low as u8, ((length - low) / 4) as u8]);
                    }
                }
            }
        }
    }
    for (start, length) in frames {
        let frame = packet.get(start..start + length).ok_or_else(cut_short)?;
        plain.extend_from_slice(frame);
    }
    (end <= packet.len()).then_some(end).ok_or_else(cut_short)
}

fn new_decoder(channels: usize) -> Result<OpusDecoder, AudioError> {
    OpusDecoder::new(RATE as i32, channels)
        .map_err(|error| damaged(&format!("the decoder: {error}")))
}

/// Applies the gain; a packet that decodes beyond any encoder's overshoot (24 dB above full scale)
/// becomes silence. Whether it was sound.
fn tame(block: &mut [f32], gain: f32) -> bool {
    let sound = block.iter().all(|sample| sample.abs() <= 16.0);
    let gain = if sound { gain } else { 0.0 };
    // Assigned, not multiplied, where there is no gain: zero times infinity is not a number.
    block.iter_mut().for_each(|sample| *sample = if gain == 0.0 { 0.0 } else { *sample * gain });
    sound
}

/// The mapping's mark of a channel that no stream fills.
const SILENT: u8 = 255;

/// The identification header (RFC 7845, 5.1).
#[derive(Clone, Debug)]
pub(super) struct OpusHead {
    channels: u8,
    /// 48 kHz samples to drop from the start.
    pre_skip: u64,
    /// Linear output gain.
    gain: f32,
    streams: u8,
    coupled: u8,
    mapping: Vec<u8>,
}

impl OpusHead {
    /// Reads the header with its magic, fields in little-endian order.
    pub(super) fn parse(packet: &[u8]) -> Result<Self, AudioError> {
        let short = || damaged("the identification header is shorter than 19 bytes");
        let fields: &[u8; 19] = packet.first_chunk().ok_or_else(short)?;
        let (version, channels, family) = (fields[8], fields[9], fields[18]);
        if version & 0xf0 != 0 {
            return Err(AudioError::Unsupported { what: format!("Opus version {version}") });
        }
        if channels == 0 {
            return Err(AudioError::NoChannels);
        }
        // Decibels in Q7.8.
        let decibels = f32::from(i16::from_le_bytes([fields[16], fields[17]])) / 256.0;
        let mut head = OpusHead {
            channels,
            pre_skip: u64::from(u16::from_le_bytes([fields[10], fields[11]])),
            gain: 10f32.powf(decibels / 20.0),
            streams: 1,
            coupled: channels - 1,
            mapping: vec![0, 1],
        };
        if family != 0 {
            head.map(packet)?;
        } else if channels > 2 {
            return Err(damaged("it says mono or stereo, and more channels"));
        }
        Ok(head)
    }

    /// Reads which stream of a packet fills which channel.
    fn map(&mut self, packet: &[u8]) -> Result<(), AudioError> {
        let table = packet.get(19..).unwrap_or_default();
        let (&[streams, coupled], mapping) = table
            .split_first_chunk::<2>()
            .ok_or_else(|| damaged("the table of its channels is cut short"))?;
        let mapping = mapping
            .get(..usize::from(self.channels))
            .ok_or_else(|| damaged("the table of its channels is cut short"))?;
        let decoded = u16::from(streams) + u16::from(coupled);
        let fits = mapping.iter().all(|&from| from == SILENT || u16::from(from) < decoded);
        if streams == 0 || coupled > streams || decoded > 255 || !fits {
            return Err(damaged("the table of its channels makes no sense"));
        }
        (self.streams, self.coupled, self.mapping) = (streams, coupled, mapping.to_vec());
        Ok(())
    }
}

fn damaged(what: &str) -> AudioError {
    AudioError::Malformed { format: "Opus", what: what.into() }
}

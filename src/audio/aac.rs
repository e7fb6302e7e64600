//! AAC in the frames of ADTS (`.aac` files, radio and transport streams), and how a decoder of the
//! low-complexity profile reads streams of the other profiles.
//!
//! Reference: ISO/IEC 14496-3, 1.6.2.1 (AudioSpecificConfig) and 1.A.2.2 (ADTS).
//!
//! The high-efficiency profile is a low-complexity stream at half the rate, with additions that
//! reconstruct the higher frequencies. The speech is in the former, so the additions are ignored.
//! This reader finds the frames itself, as the one for MPEG audio does, because streams change
//! their rate and channels and follow each other in one file.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;

use super::codec::Codec;
use super::source::{Lookahead, Peek};
use super::{AudioError, Block, Decode, Losses, tag};
use crate::units::Seconds;

const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
/// Samples of a channel in a frame.
const FRAME: u32 = 1024;
const LONGEST_FRAME: usize = 1 << 13;
/// Object types: low complexity; spectral band replication; parametric stereo.
const LC: u8 = 2;
const SBR: u8 = 5;
const PS: u8 = 29;

/// The parameters with the description of the low-complexity stream inside.
pub(super) fn core_parameters(parameters: &AudioCodecParameters) -> AudioCodecParameters {
    let mut core = parameters.clone();
    if let Some(config) = parameters.extra_data.as_deref().and_then(core_config) {
        core.with_extra_data(Box::new(config));
    }
    core
}

/// Object type, rate and channels of the inner stream; none where they are not in the usual short
/// form.
fn core_config(config: &[u8]) -> Option<[u8; 2]> {
    let bits = u16::from_be_bytes(*config.first_chunk::<2>()?);
    let (kind, rate, channels) = ((bits >> 11) as u8, bits >> 7 & 15, bits >> 3 & 15);
    if !matches!(kind, LC | SBR | PS) || rate == 15 {
        return None;
    }
    // The inner stream's flags say frames of 1024 samples and no dependence, or it is not read.
    let short_frames = kind == LC && bits & 4 != 0;
    let config = u16::from(LC) << 11 | rate << 7 | channels << 3 | u16::from(short_frames) << 2;
    Some(config.to_be_bytes())
}

/// What a frame's first seven bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    rate: u32,
    channels: u8,
    length: usize,
    /// Bytes before the coded ones.
    head: usize,
    profile: u8,
    /// Raw blocks in the frame.
    blocks: u8,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let &[0xff, b, c, d, e, f, g, ..] = bytes else {
            return None;
        };
        // Twelve ones and layer 0; a bit says that there is no checksum.
        if b & 0xf6 != 0xf0 {
            return None;
        }
        let length = usize::from(d & 3) << 11 | usize::from(e) << 3 | usize::from(f >> 5);
        let head = if b & 1 == 1 { 7 } else { 9 };
        let rate = *RATES.get(usize::from(c >> 2 & 15))?;
        (length > head).then_some(Header {
            rate,
            channels: c << 2 & 4 | d >> 6,
            length,
            head,
            profile: c >> 6,
            blocks: 1 + (g & 3),
        })
    }

    fn is_like(&self, other: &Header) -> bool {
        (self.rate, self.channels, self.profile) == (other.rate, other.channels, other.profile)
    }

    fn codec(&self) -> Result<Codec, AudioError> {
        if self.profile + 1 != LC || self.blocks > 1 || !(1..=2).contains(&self.channels) {
            let what = "AAC of another kind than low complexity with one or two channels".into();
            return Err(AudioError::Unsupported { what });
        }
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(CODEC_ID_AAC)
            .with_sample_rate(self.rate)
            .with_channels(Channels::Discrete(u16::from(self.channels)));
        Codec::new("AAC", &parameters)
    }
}

/// Whether `bytes` begin with two frames of ADTS, or with the only one.
pub(super) fn is_adts(bytes: &[u8]) -> bool {
    Header::read(bytes).is_some_and(|first| {
        let next = bytes.get(first.length..).unwrap_or_default();
        next.is_empty() || Header::read(next).is_some_and(|next| next.is_like(&first))
    })
}

/// Decodes frames of ADTS.
pub(super) struct AdtsDecoder<'a> {
    bytes: Lookahead<'a>,
    codec: Option<(Header, Codec)>,
    junk: u64,
    frame: Vec<u8>,
    losses: Losses,
}

impl<'a> AdtsDecoder<'a> {
    pub(super) fn new(bytes: Lookahead<'a>) -> Self {
        AdtsDecoder { bytes, codec: None, junk: 0, frame: Vec::new(), losses: Losses::default() }
    }

    /// Passes over tags and what is no frame.
    fn find_frame(&mut self) -> Result<Option<Header>, AudioError> {
        loop {
            let here = self.bytes.peek(LONGEST_FRAME + 7)?;
            if here.is_empty() {
                return match self.codec {
                    Some(_) => Ok(None),
                    None => Err(AudioError::Malformed {
                        format: "AAC",
                        what: "it holds no audio".into(),
                    }),
                };
            }
            if let Some(length) = tag::length(here) {
                self.bytes.skip(length)?;
                continue;
            }
            if let Some(header) = Header::read(here)
                && here.len() >= header.length
                && is_confirmed(&here[header.length..])
            {
                self.count_junk();
                return Ok(Some(header));
            }
            let next = here[1..].iter().position(|&byte| matches!(byte, 0xff | b'I' | b'A' | b'T'));
            let passed = next.map_or(here.len(), |at| at + 1);
            self.junk += passed as u64;
            self.bytes.consume(passed);
        }
    }

    fn count_junk(&mut self) {
        let junk = std::mem::take(&mut self.junk);
        if let Some((header, _)) = &self.codec
            && junk > 0
        {
            let frames = junk as f64 / header.length as f64;
            let lasts = Seconds(frames * f64::from(FRAME) / f64::from(header.rate));
            let why = format!("{junk} bytes are no frames");
            self.losses.drop_stretch(lasts, why);
        }
    }
}

/// Whether what follows a frame says that it was one.
fn is_confirmed(rest: &[u8]) -> bool {
    rest.len() < 7 || Header::read(rest).is_some() || tag::length(rest).is_some()
}

impl Decode for AdtsDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        block.restart(0, 0);
        loop {
            let Some(header) = self.find_frame()? else {
                return Ok(false);
            };
            let bytes = self.bytes.peek(header.length)?;
            self.frame.clear();
            self.frame.extend_from_slice(&bytes[header.head.min(header.length)..header.length]);
            self.bytes.consume(header.length);
            let codec = match &mut self.codec {
                Some((last, codec)) if last.is_like(&header) => codec,
                codec => &mut codec.insert((header, header.codec()?)).1,
            };
            if codec.decode(&self.frame, u64::from(FRAME), block, &mut self.losses)? {
                return Ok(true);
            }
        }
    }

    fn losses(&self) -> Losses {
        self.losses.clone()
    }
}

//! What a WAV file's fmt chunk says, and who decodes the data chunk then.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_ADPCM_IMA_WAV, CODEC_ID_ADPCM_MS};
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters};

use super::codec::Codec;
use super::gsm::GsmDecoder;
use super::mpeg::MpegFrames;
use super::pcm::{Encoding, Frames, Kind, Order, Raw};
use super::source::{Lookahead, Peek};
use super::{AudioError, Block, Losses, check_rate};

/// What the fmt chunk says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    tag: u16,
    channels: u16,
    rate: u32,
    /// Bytes of a frame, or of a block of a compressed format.
    block: u16,
    bits: u16,
    big_endian: bool,
}

impl Layout {
    /// Tag, channels, rate, bytes per second, block, bits; then, if extensible: extra size, valid
    /// bits, mask, tag again.
    pub(super) fn read(
        bytes: &mut Lookahead<'_>,
        size: u32,
        big_endian: bool,
    ) -> Result<Self, AudioError> {
        if size < 16 {
            return Err(damaged("the fmt chunk is shorter than 16 bytes"));
        }
        let mut fmt = [0; 40];
        let kept = fmt.len().min(size as usize);
        let here = bytes.peek(kept)?;
        let here = here.get(..kept).ok_or_else(|| damaged("it ends inside the fmt chunk"))?;
        fmt[..kept].copy_from_slice(here);
        bytes.skip(u64::from(size) + u64::from(size % 2))?;
        let word = |at: usize| match big_endian {
            true => u16::from_be_bytes([fmt[at], fmt[at + 1]]),
            false => u16::from_le_bytes([fmt[at], fmt[at + 1]]),
        };
        let (first, second) = (u32::from(word(4)), u32::from(word(6)));
        let channels = word(2);
        if channels == 0 {
            return Err(AudioError::NoChannels);
        }
        Ok(Layout {
            tag: match word(0) {
                0xfffe if kept == 40 => word(24),
                tag => tag,
            },
            channels,
            rate: match big_endian {
                true => first << 16 | second,
                false => second << 16 | first,
            },
            block: word(12),
            bits: word(14),
            big_endian,
        })
    }

    /// How samples are stored, where each is by itself.
    fn encoding(&self) -> Option<Encoding> {
        // The container may be wider than the sample; the sample then sits in its upper bits.
        let container = match self.block / self.channels {
            width if self.block.is_multiple_of(self.channels) && width >= self.bits.div_ceil(8) => {
                width
            }
            _ => self.bits.div_ceil(8),
        };
        let kind = match (self.tag, container) {
            (1, 1) => Kind::U8,
            (1, 2) => Kind::I16,
            (1, 3) => Kind::I24,
            (1, 4) => Kind::I32,
            (3, 4) => Kind::F32,
            (3, 8) => Kind::F64,
            (6, 1) => Kind::ALaw,
            (7, 1) => Kind::MuLaw,
            _ => return None,
        };
        let order = match self.big_endian {
            true => Order::Big,
            false => Order::Little,
        };
        Some(Encoding::new(kind, order))
    }

    fn refused(&self) -> AudioError {
        let (tag, bits) = (self.tag, self.bits);
        let what = match tag {
            1 | 3 => format!("WAV of {bits}-bit samples"),
            0x160..=0x163 => "Windows Media Audio in WAV".into(),
            0x14 | 0x42 | 0xa1 | 0x111 => "G.723.1 in WAV".into(),
            0x40 | 0x45 | 0x64 | 0x140 => "G.726 ADPCM in WAV".into(),
            0x22 => "TrueSpeech in WAV".into(),
            0xff | 0x1600..=0x1610 => "AAC in WAV".into(),
            0x2000 => "AC-3 in WAV".into(),
            0x674f..=0x6771 => "Vorbis in WAV".into(),
            0xa109 => "Speex in WAV".into(),
            _ => format!("WAV format tag {tag:#06x} with {bits} bits"),
        };
        AudioError::Unsupported { what }
    }
}

/// Who decodes a data chunk.
pub(super) enum Payload {
    Samples(Frames),
    Adpcm(AdpcmBlocks),
    Gsm(Box<GsmDecoder>),
    Mpeg(Box<MpegFrames>),
}

impl Payload {
    pub(super) fn new(layout: Layout) -> Result<Self, AudioError> {
        let Layout { channels, rate, tag, .. } = layout;
        check_rate(rate)?;
        match tag {
            2 => AdpcmBlocks::new(layout, CODEC_ID_ADPCM_MS).map(Payload::Adpcm),
            0x11 => AdpcmBlocks::new(layout, CODEC_ID_ADPCM_IMA_WAV).map(Payload::Adpcm),
            0x31 if channels == 1 => Ok(Payload::Gsm(Box::new(GsmDecoder::microsoft(rate)))),
            0x50 | 0x55 => Ok(Payload::Mpeg(Box::default())),
            _ => {
                let encoding = layout.encoding().ok_or_else(|| layout.refused())?;
                let raw = Raw { encoding, rate, channels };
                Frames::new(raw).map(Payload::Samples)
            }
        }
    }

    /// The next block of a data chunk's bytes; false at their end.
    pub(super) fn next_block(
        &mut self,
        bytes: &mut impl Peek,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<bool, AudioError> {
        match self {
            Payload::Samples(frames) => frames.next_block(bytes, block),
            Payload::Adpcm(blocks) => blocks.next_block(bytes, block, losses),
            Payload::Gsm(gsm) => gsm.next_block(bytes, block),
            Payload::Mpeg(mpeg) => mpeg.next_block(bytes, block, losses),
        }
    }
}

/// ADPCM: blocks that each begin afresh, by symphonia's decoder.
pub(super) struct AdpcmBlocks {
    codec: Codec,
    layout: Layout,
    /// Bytes of a block before its 4-bit codes, and samples of a channel that they hold.
    head: usize,
    in_head: usize,
    padded: Vec<u8>,
}

impl AdpcmBlocks {
    fn new(layout: Layout, id: AudioCodecId) -> Result<Self, AudioError> {
        let channels = usize::from(layout.channels);
        let (head, in_head) = match id == CODEC_ID_ADPCM_MS {
            true => (7 * channels, 2),
            false => (4 * channels, 1),
        };
        if channels > 2 || layout.bits != 4 {
            let (channels, bits) = (layout.channels, layout.bits);
            let what = format!("ADPCM of {channels} channels and {bits} bits");
            return Err(AudioError::Unsupported { what });
        }
        if usize::from(layout.block) <= head {
            return Err(damaged("its ADPCM blocks are too short"));
        }
        let mut blocks =
            AdpcmBlocks { codec: Codec::none("ADPCM"), layout, head, in_head, padded: Vec::new() };
        let frames = blocks.frames(usize::from(layout.block)) as u64;
        let mut parameters = AudioCodecParameters::new();
        parameters
            .for_codec(id)
            .with_sample_rate(layout.rate)
            .with_channels(Channels::Discrete(layout.channels))
            .with_max_frames_per_packet(frames)
            .with_frames_per_block(frames);
        blocks.codec = Codec::new("ADPCM", &parameters)?;
        Ok(blocks)
    }

    /// Samples of a channel in a block of so many bytes.
    fn frames(&self, bytes: usize) -> usize {
        let codes = 2 * bytes.saturating_sub(self.head) / usize::from(self.layout.channels);
        // IMA's stereo codes come eight of a channel at a time.
        let group = if self.in_head == 1 && self.layout.channels == 2 { 8 } else { 1 };
        match bytes < self.head {
            true => 0,
            false => self.in_head + codes / group * group,
        }
    }

    fn next_block(
        &mut self,
        bytes: &mut impl Peek,
        block: &mut Block,
        losses: &mut Losses,
    ) -> Result<bool, AudioError> {
        let size = usize::from(self.layout.block);
        let here = bytes.peek(size)?;
        let here = &here[..here.len().min(size)];
        let (count, frames) = (here.len(), self.frames(here.len()));
        self.padded.clear();
        self.padded.extend_from_slice(here);
        self.padded.resize(size, 0);
        bytes.consume(count);
        block.restart(self.layout.rate, usize::from(self.layout.channels));
        if frames == 0 {
            return Ok(false);
        }
        self.codec.decode(&self.padded, self.frames(size) as u64, block, losses)?;
        block.samples.truncate(frames * block.channels);
        Ok(true)
    }
}

pub(super) fn damaged(what: &str) -> AudioError {
    AudioError::Malformed { format: "WAV", what: what.into() }
}

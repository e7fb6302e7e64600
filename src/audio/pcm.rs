//! Samples as bytes: integers, floats and G.711, of either byte order; and recordings that are
//! nothing but such bytes.

use super::source::{Lookahead, Peek};
use super::{AudioError, Block, Decode, Losses, g711};
use crate::units::Seconds;

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    kind: Kind,
    order: Order,
}

/// Which number a sample's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Unsigned 8-bit integer.
    U8,
    /// Signed integer of 1 to 4 bytes.
    I8,
    I16,
    I24,
    I32,
    F32,
    F64,
    MuLaw,
    ALaw,
}

/// Which byte comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// The encodings that have a name, which is ffmpeg's.
const NAMED: [(&str, Kind, Order); 14] = [
    ("u8", Kind::U8, Order::Little),
    ("s8", Kind::I8, Order::Little),
    ("s16le", Kind::I16, Order::Little),
    ("s16be", Kind::I16, Order::Big),
    ("s24le", Kind::I24, Order::Little),
    ("s24be", Kind::I24, Order::Big),
    ("s32le", Kind::I32, Order::Little),
    ("s32be", Kind::I32, Order::Big),
    ("f32le", Kind::F32, Order::Little),
    ("f32be", Kind::F32, Order::Big),
    ("f64le", Kind::F64, Order::Little),
    ("f64be", Kind::F64, Order::Big),
    ("mulaw", Kind::MuLaw, Order::Little),
    ("alaw", Kind::ALaw, Order::Little),
];

impl Encoding {
    pub(super) fn new(kind: Kind, order: Order) -> Self {
        Encoding { kind, order }
    }

    /// The encoding of a name, such as `s16le`.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = NAMED.iter();
        let (_, kind, order) = all.find(|(known, ..)| *known == name)?;
        Some(Encoding::new(*kind, *order))
    }

    /// The names that [`Encoding::named`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, ..)| *name)
    }

    /// Bytes of a sample.
    pub(super) fn bytes(self) -> usize {
        match self.kind {
            Kind::U8 | Kind::I8 | Kind::MuLaw | Kind::ALaw => 1,
            Kind::I16 => 2,
            Kind::I24 => 3,
            Kind::I32 | Kind::F32 => 4,
            Kind::F64 => 8,
        }
    }

    /// Appends the samples in `bytes`, a whole number of them. One loop for each of the usual
    /// encodings, so that the compiler takes the choice out of the loop.
    pub(super) fn extend(self, out: &mut Vec<f32>, bytes: &[u8]) {
        let samples = bytes.chunks_exact(self.bytes());
        match (self.kind, self.order) {
            (Kind::I16, Order::Little) => out.extend(samples.map(|bytes| integer(bytes, 2))),
            (Kind::F32, Order::Little) => {
                out.extend(samples.map(|bytes| f32::from_bits(word(bytes))));
            }
            (_, Order::Little) => out.extend(samples.map(|bytes| self.kind.sample(bytes))),
            (_, Order::Big) => out.extend(samples.map(|bytes| {
                let mut turned = [0; 8];
                let turned = &mut turned[..bytes.len()];
                turned.copy_from_slice(bytes);
                turned.reverse();
                self.kind.sample(turned)
            })),
        }
    }
}

impl Kind {
    /// The sample in `bytes`, the lowest byte first.
    #[inline]
    fn sample(self, bytes: &[u8]) -> f32 {
        match self {
            Self::U8 => (f32::from(bytes[0]) - 128.0) / 128.0,
            Self::I8 => integer(bytes, 1),
            Self::I16 => integer(bytes, 2),
            Self::I24 => integer(bytes, 3),
            Self::I32 => integer(bytes, 4),
            Self::F32 => f32::from_bits(word(bytes)),
            Self::F64 => {
                let bits = u64::from(word(&bytes[4..])) << 32 | u64::from(word(bytes));
                f64::from_bits(bits) as f32
            }
            Self::MuLaw => g711::mu_law(bytes[0]),
            Self::ALaw => g711::a_law(bytes[0]),
        }
    }
}

/// A signed integer of so many bytes, left-justified, so that one scale serves all widths.
#[inline]
fn integer(bytes: &[u8], width: usize) -> f32 {
    let mut word = [0; 4];
    word[4 - width..].copy_from_slice(&bytes[..width]);
    i32::from_le_bytes(word) as f32 / 2_147_483_648.0
}

#[inline]
fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// What the bytes of a recording without a header are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw {
    /// How a sample is stored.
    pub encoding: Encoding,
    /// Samples per second of a channel.
    pub rate: u32,
    /// Samples of a frame, interleaved.
    pub channels: u16,
}

impl Raw {
    /// How long so many bytes last.
    pub(super) fn lasts(self, bytes: u64) -> Seconds {
        let frame = self.encoding.bytes() * usize::from(self.channels);
        Seconds(bytes as f64 / (frame as f64 * f64::from(self.rate)))
    }
}

/// Frames of samples until their bytes end.
pub(super) struct Frames {
    raw: Raw,
    begun: bool,
    /// Bytes at the end that make no frame.
    left: usize,
}

impl Frames {
    /// Bytes that are decoded at once, at most.
    const BLOCK_BYTES: usize = 1 << 16;

    pub(super) fn new(raw: Raw) -> Result<Self, AudioError> {
        if raw.channels == 0 {
            return Err(AudioError::NoChannels);
        }
        super::check_rate(raw.rate)?;
        Ok(Frames { raw, begun: false, left: 0 })
    }

    /// The next block, the first also where it is empty. A frame cut in half at the end is dropped.
    pub(super) fn next_block(
        &mut self,
        bytes: &mut impl Peek,
        block: &mut Block,
    ) -> Result<bool, AudioError> {
        block.restart(self.raw.rate, usize::from(self.raw.channels));
        let frame = self.raw.encoding.bytes() * usize::from(self.raw.channels);
        let here = bytes.peek(frame)?;
        let whole = here.len().min(Self::BLOCK_BYTES.max(frame)) / frame * frame;
        self.raw.encoding.extend(&mut block.samples, &here[..whole]);
        if whole == 0 && !here.is_empty() {
            self.left = here.len();
        }
        let taken = if whole == 0 { here.len() } else { whole };
        bytes.consume(taken);
        Ok(whole > 0 || !std::mem::replace(&mut self.begun, true))
    }
}

/// A recording without a header.
pub(super) struct RawDecoder<'a> {
    bytes: Lookahead<'a>,
    frames: Frames,
}

impl<'a> RawDecoder<'a> {
    pub(super) fn new(bytes: Lookahead<'a>, raw: Raw) -> Result<Self, AudioError> {
        let frames = Frames::new(raw)?;
        Ok(RawDecoder { bytes, frames })
    }
}

impl Decode for RawDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        self.frames.next_block(&mut self.bytes, block)
    }

    fn losses(&self) -> Losses {
        let Frames { raw, left, .. } = &self.frames;
        let frame = raw.encoding.bytes() * usize::from(raw.channels);
        let remark = (*left > 0).then(|| {
            format!(
                "the samples without a header end {left} bytes into a frame of {frame}: make sure that their \
                 encoding and number of channels are right"
            )
        });
        Losses { remarks: remark.into_iter().collect(), ..Losses::default() }
    }
}

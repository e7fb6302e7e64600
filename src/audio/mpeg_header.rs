//! MPEG audio's frame headers, and the info tag that stands in place of a first frame.
//!
//! Reference: ISO/IEC 11172-3, 2.4.2.3; 13818-3 for the lower rates, 2.5 by Fraunhofer; "MP3 Info
//! Tag, revision 1".

use super::Block;
use crate::units::Seconds;

/// Bytes of the longest frame, padding included: layer 1 at 448 kbit/s and 32 kHz takes 672, layer
/// 3 at 160 kbit/s and 8 kHz 1,440, layer 2 at 160 and 8 kHz 2,880.
pub(super) const LONGEST_FRAME: usize = 2_881;

/// Kilobits a second by index, for version 1 layers 1 to 3, and the lower rates' layer 1, and 2 and
/// 3.
const BIT_RATES: [[u16; 14]; 5] = [
    [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// What a frame's first four bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) layer: u8,
    /// The sample rates are those of the first version of the standard.
    first_version: bool,
    pub(super) rate: u32,
    pub(super) channels: usize,
    /// Bytes of the whole frame.
    pub(super) length: usize,
    /// Samples of a channel.
    pub(super) samples: usize,
    has_checksum: bool,
}

impl Header {
    /// The header at the start of `bytes`, if one is there. Frames of a free bit rate are not
    /// recognised, because their header does not state their length.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[0xff, b, c, d, ..] = bytes else {
            return None;
        };
        let (version, layer) = (b >> 3 & 3, 4 - (b >> 1 & 3));
        let (bit_rate, rate) = (usize::from(c >> 4), usize::from(c >> 2 & 3));
        if b & 0xe0 != 0xe0
            || version == 1
            || layer == 4
            || !(1..15).contains(&bit_rate)
            || rate == 3
        {
            return None;
        }
        // 3: version 1; 2: half, 0: a quarter of its rates.
        let first_version = version == 3;
        let rate = [44_100, 48_000, 32_000][rate] >> [2, 0, 1, 0][usize::from(version)];
        let row = match (first_version, layer) {
            (true, layer) => usize::from(layer) - 1,
            (false, 1) => 3,
            (false, _) => 4,
        };
        let bits = usize::from(BIT_RATES[row][bit_rate - 1]) * 1000;
        let padding = usize::from(c >> 1 & 1);
        let samples = match (layer, first_version) {
            (1, _) => 384,
            (3, false) => 576,
            _ => 1152,
        };
        let length = match layer {
            1 => (12 * bits / rate as usize + padding) * 4,
            _ => samples / 8 * bits / rate as usize + padding,
        };
        Some(Header {
            layer,
            first_version,
            rate,
            channels: if d >> 6 == 3 { 1 } else { 2 },
            length,
            samples,
            has_checksum: b & 1 == 0,
        })
    }

    /// Whether a frame may follow another in one stream.
    pub(super) fn is_alike(&self, other: &Header) -> bool {
        (self.layer, self.rate) == (other.layer, other.rate)
    }

    /// Whether one decoder takes both.
    pub(super) fn is_like(&self, other: &Header) -> bool {
        self.is_alike(other) && self.channels == other.channels
    }

    /// Whether the frame's samples may be put behind those of a block.
    pub(super) fn continues(&self, block: &Block) -> bool {
        (block.rate, block.channels) == (self.rate, self.channels)
    }

    pub(super) fn lasts(&self) -> Seconds {
        Seconds(self.samples as f64 / f64::from(self.rate))
    }
}

/// What an encoder says of a recording in place of its first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InfoTag {
    /// Frames after this one.
    pub(super) frames: Option<u64>,
    /// Samples of a channel that the encoder and the decoder put in front.
    pub(super) delay: usize,
    /// Samples that the encoder put behind.
    pub(super) padding: usize,
}

/// By how much a decoder of layer 3 is late.
const DECODER_DELAY: usize = 529;

impl InfoTag {
    /// The tag in a frame's bytes, if it holds one.
    pub(super) fn read(frame: &[u8], header: &Header) -> Option<Self> {
        if header.layer != 3 {
            return None;
        }
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(InfoTag::default());
        }
        let side = match (header.first_version, header.channels) {
            (true, 1) | (false, 2) => 17,
            (true, _) => 32,
            (false, _) => 9,
        };
        let checksum = if header.has_checksum { 2 } else { 0 };
        let mut places = [4 + side, 4 + side + checksum].into_iter();
        let is_tag = |at: &usize| matches!(frame.get(*at..at + 4), Some(b"Xing" | b"Info"));
        let body = frame.get(places.find(is_tag)? + 4..)?;
        let word = |at: usize| {
            let bytes = body.get(at..at + 4)?;
            Some(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let flags = word(0)?;
        let sizes = [4, 4, 100, 4];
        let present = (0..4).filter(|bit| flags & 1 << bit != 0).map(|bit| sizes[bit]);
        let encoder = 4 + present.sum::<usize>();
        let frames = if flags & 1 != 0 { word(4).map(u64::from) } else { None };
        let mut info = InfoTag { frames, ..InfoTag::default() };
        // After the encoder's name come 12 bytes, then delay and padding in 12 bits each.
        if let Some(&[a, b, c]) = body.get(encoder + 21..encoder + 24)
            && body[encoder].is_ascii_alphabetic()
        {
            info.delay = (usize::from(a) << 4 | usize::from(b >> 4)) + DECODER_DELAY;
            let padding = usize::from(b & 15) << 8 | usize::from(c);
            info.padding = padding.saturating_sub(DECODER_DELAY);
        }
        Some(info)
    }
}

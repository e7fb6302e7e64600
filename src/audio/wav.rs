//! WAV: integer PCM of 8, 16, 24 and 32 bits, float of 32 and 64 bits, µ-law and A-law, plain or
//! `WAVE_FORMAT_EXTENSIBLE`, RIFF or RF64, read as the bytes come.
//!
//! Reference: Microsoft, "Multiple Channel Audio Data and WAVE Files"; EBU Tech 3306 (RF64).
//!
//! Why not the `hound` crate, which the tests use to write: it refuses what `ffmpeg … -f wav -`
//! puts into a pipe (a data size of 2^32 - 1), 32-bit PCM behind an 18-byte header, a last frame
//! cut in half, and it loses its place after a chunk of odd length (it does not skip the pad byte).
//! Each of these is common enough to meet someone's first command.

use std::io::{ErrorKind, Read};

use super::{AudioError, Bounds, Mixer, Waveform, g711};

/// Reads a RIFF stream from its first byte.
pub(super) fn read(mut reader: impl Read, bounds: Bounds) -> Result<Waveform, AudioError> {
    let header: [u8; 12] =
        exactly(&mut reader)?.ok_or_else(|| damaged("it ends inside the header"))?;
    if &header[..4] == b"RIFX" {
        return Err(AudioError::Unsupported {
            what: "big-endian WAV (RIFX)".into(),
        });
    }
    if &header[8..] != b"WAVE" {
        return Err(damaged("the RIFF file holds no WAVE"));
    }
    let mut layout = None;
    loop {
        let chunk: [u8; 8] =
            exactly(&mut reader)?.ok_or_else(|| damaged("it ends before the data chunk"))?;
        let size = u32_at(&chunk, 4);
        match &chunk[..4] {
            b"fmt " => layout = Some(Layout::read(&mut reader, size)?),
            b"data" => {
                let layout =
                    layout.ok_or_else(|| damaged("the data chunk precedes the fmt chunk"))?;
                return read_data(reader, &layout, size, bounds);
            }
            _ => skip(&mut reader, padded(size))?,
        }
    }
}

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    /// Unsigned 8-bit integer.
    U8,
    /// Signed integer of 2, 3 or 4 bytes.
    I16,
    I24,
    I32,
    F32,
    F64,
    MuLaw,
    ALaw,
}

impl Encoding {
    fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::MuLaw | Self::ALaw => 1,
            Self::I16 => 2,
            Self::I24 => 3,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The sample in `bytes`, which are [`Encoding::bytes`] many.
    #[inline]
    fn sample(self, bytes: &[u8]) -> f32 {
        let word = |n: usize| {
            let mut word = [0; 4];
            word[4 - n..].copy_from_slice(&bytes[..n]);
            // Left-justified, so that one scale serves all widths.
            i32::from_le_bytes(word) as f32 / 2_147_483_648.0
        };
        match self {
            Self::U8 => (f32::from(bytes[0]) - 128.0) / 128.0,
            Self::I16 => word(2),
            Self::I24 => word(3),
            Self::I32 => word(4),
            Self::F32 => f32::from_bits(u32_at(bytes, 0)),
            Self::F64 => {
                let bits = u64::from(u32_at(bytes, 4)) << 32 | u64::from(u32_at(bytes, 0));
                f64::from_bits(bits) as f32
            }
            Self::MuLaw => g711::mu_law(bytes[0]),
            Self::ALaw => g711::a_law(bytes[0]),
        }
    }
}

/// What the fmt chunk says.
#[derive(Clone, Copy, Debug)]
struct Layout {
    encoding: Encoding,
    channels: u16,
    rate: u32,
}

impl Layout {
    /// Tag, channels, rate, bytes per second, block, bits; then, if extensible: extra size, valid
    /// bits, mask, tag again.
    fn read(reader: &mut impl Read, size: u32) -> Result<Self, AudioError> {
        if size < 16 {
            return Err(damaged("the fmt chunk is shorter than 16 bytes"));
        }
        let mut fmt = [0; 40];
        let kept = fmt.len().min(size as usize);
        if fill(reader, &mut fmt[..kept])? < kept {
            return Err(damaged("it ends inside the fmt chunk"));
        }
        skip(reader, padded(size) - kept as u64)?;
        let (channels, rate) = (u16_at(&fmt, 2), u32_at(&fmt, 4));
        let (block, bits) = (u16_at(&fmt, 12), u16_at(&fmt, 14));
        if channels == 0 {
            return Err(AudioError::NoChannels);
        }
        // The container may be wider than the sample; the sample then sits in its upper bits.
        let container = match block / channels {
            width if block % channels == 0 && width >= bits.div_ceil(8) => width,
            _ => bits.div_ceil(8),
        };
        let tag = match u16_at(&fmt, 0) {
            0xfffe if kept == 40 => u16_at(&fmt, 24),
            tag => tag,
        };
        let encoding = Self::encoding(tag, container).ok_or_else(|| AudioError::Unsupported {
            what: format!("WAV format tag {tag:#06x} with {bits} bits"),
        })?;
        Ok(Layout {
            encoding,
            channels,
            rate,
        })
    }

    fn encoding(tag: u16, container: u16) -> Option<Encoding> {
        match (tag, container) {
            (1, 1) => Some(Encoding::U8),
            (1, 2) => Some(Encoding::I16),
            (1, 3) => Some(Encoding::I24),
            (1, 4) => Some(Encoding::I32),
            (3, 4) => Some(Encoding::F32),
            (3, 8) => Some(Encoding::F64),
            (6, 1) => Some(Encoding::ALaw),
            (7, 1) => Some(Encoding::MuLaw),
            _ => None,
        }
    }
}

/// Sizes that a writer leaves when it cannot seek back: ffmpeg and RF64 write 2^32 - 1, others 0
/// (as ffmpeg reads it).
fn is_open_ended(size: u32) -> bool {
    size == 0 || size == u32::MAX
}

fn read_data(
    mut reader: impl Read,
    layout: &Layout,
    size: u32,
    bounds: Bounds,
) -> Result<Waveform, AudioError> {
    let mut mixer = Mixer::new(layout.rate, usize::from(layout.channels), bounds)?;
    let width = layout.encoding.bytes();
    let frame = width * usize::from(layout.channels);
    let mut block = vec![0; (1 << 16) / frame.min(1 << 16) * frame];
    let mut interleaved = Vec::with_capacity(block.len() / width);
    let mut left = if is_open_ended(size) {
        u64::MAX
    } else {
        u64::from(size)
    };
    while left > 0 {
        let want = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let got = fill(&mut reader, &mut block[..want])?;
        left -= got as u64;
        // A frame cut in half at the end is dropped.
        let samples = block[..got - got % frame].chunks_exact(width);
        interleaved.clear();
        extend(&mut interleaved, samples, layout.encoding);
        mixer.push(&interleaved)?;
        if got < want {
            if !is_open_ended(size) {
                tracing::warn!("the WAV file ends {left} bytes before its data chunk does");
            }
            break;
        }
    }
    Ok(mixer.finish())
}

/// One loop for each encoding, so that the compiler takes the choice out of the loop.
fn extend(out: &mut Vec<f32>, samples: std::slice::ChunksExact<'_, u8>, encoding: Encoding) {
    match encoding {
        Encoding::I16 => out.extend(samples.map(|bytes| Encoding::I16.sample(bytes))),
        Encoding::F32 => out.extend(samples.map(|bytes| Encoding::F32.sample(bytes))),
        other => out.extend(samples.map(|bytes| other.sample(bytes))),
    }
}

fn damaged(what: &str) -> AudioError {
    AudioError::Malformed {
        format: "WAV",
        what: what.into(),
    }
}

/// Chunks start at even offsets.
fn padded(size: u32) -> u64 {
    u64::from(size) + u64::from(size & 1)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Fills `buffer` as far as the stream goes and says how far.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, AudioError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(AudioError::Read(error)),
        }
    }
    Ok(filled)
}

/// The next `N` bytes, or `None` at the end of the stream.
fn exactly<const N: usize>(reader: &mut impl Read) -> Result<Option<[u8; N]>, AudioError> {
    let mut bytes = [0; N];
    Ok((fill(reader, &mut bytes)? == N).then_some(bytes))
}

/// Passes over `count` bytes; the end of the stream is left for the next read to report.
fn skip(reader: &mut impl Read, count: u64) -> Result<(), AudioError> {
    std::io::copy(&mut reader.take(count), &mut std::io::sink()).map_err(AudioError::Read)?;
    Ok(())
}

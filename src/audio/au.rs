//! AU, the format of Sun and NeXT: a header of six words, then samples. Ours because symphonia has
//! none, and the samples are those of WAV.
//!
//! Reference: Sun Microsystems, "audio(4): audio file format".

use super::pcm::{Encoding, Frames, Kind, Order, Raw};
use super::source::{Lookahead, Peek};
use super::{AudioError, Block, Decode, Losses};
use crate::units::Seconds;

/// The size of samples that nobody counted.
const UNKNOWN: u32 = u32::MAX;

/// Decodes AU files, one after the other.
pub(super) struct AuDecoder<'a> {
    bytes: Lookahead<'a>,
    frames: Option<Frames>,
    /// Bytes of samples that are left.
    left: u64,
    /// How long all samples would last, by their size in the header.
    promised: Seconds,
    /// How much of that was heard.
    lasted: Seconds,
    losses: Losses,
    heard: bool,
}

impl<'a> AuDecoder<'a> {
    pub(super) fn new(bytes: Lookahead<'a>) -> Self {
        AuDecoder {
            bytes,
            frames: None,
            left: 0,
            promised: Seconds(0.0),
            lasted: Seconds(0.0),
            losses: Losses::default(),
            heard: false,
        }
    }

    /// Reads a header, if one is there.
    fn begin(&mut self) -> Result<bool, AudioError> {
        let head = self.bytes.peek(24)?;
        if self.heard && !head.starts_with(b".snd") {
            return Ok(false);
        }
        let head = head.first_chunk::<24>().ok_or_else(|| damaged("it ends inside the header"))?;
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (offset, size, code) = (word(4), word(8), word(12));
        let kind = match code {
            1 => Kind::MuLaw,
            2 => Kind::I8,
            3 => Kind::I16,
            4 => Kind::I24,
            5 => Kind::I32,
            6 => Kind::F32,
            7 => Kind::F64,
            27 => Kind::ALaw,
            23..=26 => return Err(refused("ADPCM in AU")),
            _ => return Err(refused(&format!("AU of encoding {code}"))),
        };
        let raw = Raw {
            encoding: Encoding::new(kind, Order::Big),
            rate: word(16),
            channels: u16::try_from(word(20)).map_err(|_| damaged("it has too many channels"))?,
        };
        if offset < 24 {
            return Err(damaged("its samples would begin inside the header"));
        }
        self.frames = Some(Frames::new(raw)?);
        (self.left, self.promised) = match size {
            UNKNOWN | 0 => (u64::MAX, Seconds(0.0)),
            size => (u64::from(size), raw.lasts(size.into())),
        };
        self.lasted = Seconds(0.0);
        self.bytes.skip(u64::from(offset))?;
        Ok(true)
    }
}

impl Decode for AuDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        loop {
            let Some(frames) = &mut self.frames else {
                if !self.begin()? {
                    return Ok(false);
                }
                continue;
            };
            let mut samples = Samples { bytes: &mut self.bytes, left: &mut self.left };
            if frames.next_block(&mut samples, block)? {
                self.heard = true;
                self.lasted.0 += block.duration().0;
                return Ok(true);
            }
            self.losses.ends_early(self.lasted, self.promised);
            self.frames = None;
        }
    }

    fn losses(&self) -> Losses {
        self.losses.clone()
    }
}

/// The bytes of the samples.
struct Samples<'s, 'a> {
    bytes: &'s mut Lookahead<'a>,
    left: &'s mut u64,
}

impl Peek for Samples<'_, '_> {
    fn peek(&mut self, count: usize) -> Result<&[u8], AudioError> {
        let most = usize::try_from(*self.left).unwrap_or(usize::MAX);
        let bytes = self.bytes.peek(count.min(most))?;
        Ok(&bytes[..bytes.len().min(most)])
    }

    fn consume(&mut self, count: usize) {
        self.bytes.consume(count);
        *self.left -= (count as u64).min(*self.left);
    }
}

fn damaged(what: &str) -> AudioError {
    AudioError::Malformed { format: "AU", what: what.into() }
}

fn refused(what: &str) -> AudioError {
    AudioError::Unsupported { what: what.into() }
}

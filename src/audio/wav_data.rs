//! Where a WAV file's data chunk ends: where its size says, or, where no size was filled in, where
//! the file ends or chunks of metadata begin.
//!
//! Who cannot seek back leaves 0 or 2^32 − 1 as the size (ffmpeg, RF64), and still may put chunks
//! after the samples. Their names are looked for; a name counts where the sizes lead from chunk to
//! chunk to the very end of the file, which samples do by chance about never.

use std::ops::RangeInclusive;

use super::source::{Lookahead, Peek};
use super::{AudioError, Losses};
use crate::units::Seconds;

/// How far the chunks after the samples are followed: pictures are among them.
const LONGEST_TAIL: usize = 1 << 24;
/// What sox and arecord put into a pipe's header promises nothing.
const PIPE_SIZES: RangeInclusive<u32> = 0x7fff_f000..=0x8000_0000;
/// Chunks that are written after samples whose size was not known.
const TAIL_NAMES: [&[u8; 4]; 27] = [
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"iXML", b"cue ", b"smpl", b"inst", b"fact", b"JUNK",
    b"junk", b"PEAK", b"axml", b"chna", b"_PMX", b"afsp", b"acid", b"cart", b"levl", b"PAD ",
    b"plst", b"minf", b"elm1", b"regn", b"umid", b"DISP", b"FLLR",
];

/// Whether `bytes` begin as a WAV file.
pub(super) fn is_form(bytes: &[u8]) -> bool {
    let riff = |bytes: &[u8]| matches!(bytes, b"RIFF" | b"RIFX" | b"RF64" | b"BW64");
    bytes.len() >= 12 && riff(&bytes[..4]) && &bytes[8..12] == b"WAVE"
}

/// Whether `bytes` may begin with the name of a chunk: letters, digits and the like.
pub(super) fn is_name(bytes: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-+.".contains(byte);
    bytes.len() >= 4 && bytes[..4].iter().all(letter) && bytes[0] != b' '
}

/// Whether what follows samples may begin with `bytes`; where none came before, any chunk may.
fn may_be_tail(bytes: &[u8], first: bool) -> bool {
    // Most bytes begin none of the names.
    let begins = matches!(bytes[0], b'A'..=b'Z' | b'_' | b'a'..=b'z') && bytes.len() >= 4;
    begins
        && (TAIL_NAMES.iter().any(|&name| bytes.starts_with(name))
            || is_form(bytes)
            || first && is_name(bytes)
            || bytes.len() == 128 && bytes.starts_with(b"TAG"))
}

/// A data chunk being read.
pub(super) struct Data {
    size: u32,
    /// Bytes that are still to come, or none where nobody knows.
    left: Option<u64>,
    /// Bytes, of those that come next, in which no tail begins.
    sound: usize,
    taken: u64,
    ended: bool,
}

impl Data {
    /// The chunk's size, and that of a ds64 chunk.
    pub(super) fn new(size: u32, long: Option<u64>) -> Self {
        let known = match (size, long) {
            (u32::MAX, Some(long)) if long != 0 && long != u64::MAX => Some(long),
            (0 | u32::MAX, _) => None,
            (size, _) => Some(u64::from(size)),
        };
        Data { size, left: known, sound: 0, taken: 0, ended: false }
    }

    /// The chunk's bytes.
    pub(super) fn view<'d, 'b, 'a>(&'d mut self, bytes: &'b mut Lookahead<'a>) -> View<'d, 'b, 'a> {
        View { data: self, bytes }
    }

    /// Skips the samples that were not taken, and reports it if the file ends before they do.
    /// `heard` is the duration of those that were taken.
    pub(super) fn finish(
        &mut self,
        bytes: &mut Lookahead<'_>,
        heard: Seconds,
        losses: &mut Losses,
    ) -> Result<(), AudioError> {
        let Some(left) = self.left.filter(|&left| left > 0) else {
            return Ok(());
        };
        if !bytes.skip(left)? && !PIPE_SIZES.contains(&self.size) {
            match self.taken {
                0 => losses.stop("it ends before the samples that its header promises"),
                taken => {
                    let promised = (taken + left) as f64 / taken as f64;
                    losses.ends_early(heard, Seconds(heard.0 * promised));
                }
            }
        }
        Ok(())
    }

    /// 1 where the chunk has an odd size and so a pad byte after it, else 0.
    pub(super) fn odd(&self) -> u32 {
        self.left.map_or(0, |_| (self.taken % 2) as u32)
    }
}

/// A data chunk and the bytes that it is read from.
pub(super) struct View<'d, 'b, 'a> {
    data: &'d mut Data,
    bytes: &'b mut Lookahead<'a>,
}

impl View<'_, '_, '_> {
    /// Looks for a tail among the next `count` bytes.
    fn look_for_tail(&mut self, count: usize) -> Result<(), AudioError> {
        while self.data.sound < count && !self.data.ended {
            // A tail may begin in the last bytes that are wanted.
            let bytes = self.bytes.peek(count + 12)?;
            let first = self.data.taken == 0;
            let end = bytes.len();
            let mut places = self.data.sound..count.max(end.saturating_sub(12)).min(end);
            let Some(at) = places.find(|&at| may_be_tail(&bytes[at..], first && at == 0)) else {
                self.data.sound = places.end;
                return Ok(());
            };
            self.data.sound = at;
            match self.is_tail(at)? {
                true => self.data.ended = true,
                false => self.data.sound += 1,
            }
        }
        Ok(())
    }

    /// Whether the bytes from `start` on are another file, or chunks to the end.
    fn is_tail(&mut self, start: usize) -> Result<bool, AudioError> {
        let mut at = start;
        loop {
            let bytes = self.bytes.peek(at + 12)?;
            let rest = bytes.get(at..).unwrap_or_default();
            if is_form(rest) || rest.len() == 128 && rest.starts_with(b"TAG") {
                return Ok(true);
            }
            if rest.len() < 8 {
                let padding = at == bytes.len() + 1 || rest.iter().all(|&byte| byte == 0);
                return Ok(at > start && at <= bytes.len() + 1 && padding);
            }
            if !is_name(rest) {
                return Ok(false);
            }
            let size = u32::from_le_bytes([rest[4], rest[5], rest[6], rest[7]]) as usize;
            at = at.saturating_add(8 + size + size % 2);
            if at - start > LONGEST_TAIL {
                return Ok(false);
            }
        }
    }
}

impl Peek for View<'_, '_, '_> {
    fn peek(&mut self, count: usize) -> Result<&[u8], AudioError> {
        let Some(left) = self.data.left else {
            self.look_for_tail(count)?;
            let sound = self.data.sound;
            let bytes = self.bytes.peek(count)?;
            return Ok(&bytes[..bytes.len().min(sound)]);
        };
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let bytes = self.bytes.peek(count.min(most))?;
        Ok(&bytes[..bytes.len().min(most)])
    }

    fn consume(&mut self, count: usize) {
        self.bytes.consume(count);
        self.data.taken += count as u64;
        self.data.sound = self.data.sound.saturating_sub(count);
        if let Some(left) = &mut self.data.left {
            *left -= (count as u64).min(*left);
        }
    }
}

//! MPEG transport streams (`.ts`, `.m2ts`, what broadcasters and HLS send): the first track of MPEG
//! audio or AAC, later than the others by what the times of their first packets say. Ours because
//! symphonia has none.
//!
//! Reference: ISO/IEC 13818-1, 2.4.3 (packets), 2.4.3.6 (PES), 2.4.4 (program tables).

use std::io::{self, Read};

use super::aac::AdtsDecoder;
use super::mpeg::MpegDecoder;
use super::source::{Lookahead, Peek};
use super::{AudioError, Block, Decode, Losses};
use crate::units::Seconds;

const PACKET: usize = 188;
/// A packet and the four bytes of time that camcorders and discs put before it.
const STAMPED: usize = PACKET + 4;
/// Packets that are searched for the program's tables.
const SEARCHED: usize = 20_000;
const SYNC: u8 = 0x47;
/// Values of the clock that packets are timed by.
const CLOCK: u64 = 1 << 33;

/// Decodes the sound of a transport stream.
pub(super) struct TransportDecoder<'a> {
    decoder: Box<dyn Decode + 'a>,
    delay: Seconds,
}

impl<'a> TransportDecoder<'a> {
    pub(super) fn new(mut bytes: Lookahead<'a>) -> Result<Self, AudioError> {
        let (offset, stride) = layout(bytes.peek(4 * STAMPED)?).unwrap_or((0, PACKET));
        bytes.skip(offset as u64)?;
        let track = find_track(&mut bytes, stride)?;
        let delay = delay(&mut bytes, stride, track.pid)?;
        let payload =
            Lookahead::of(Payload { bytes, stride, pid: track.pid, rest: Vec::new(), at: 0 });
        let decoder: Box<dyn Decode + 'a> = match track.kind {
            0x0f => Box::new(AdtsDecoder::new(payload)),
            _ => Box::new(MpegDecoder::new(payload)),
        };
        Ok(TransportDecoder { decoder, delay })
    }
}

impl Decode for TransportDecoder<'_> {
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError> {
        self.decoder.next_block(block)
    }

    fn losses(&self) -> Losses {
        self.decoder.losses()
    }

    fn delay(&self) -> Seconds {
        self.delay
    }
}

/// Where the first packet of a transport stream begins, and the distance from one packet to the
/// next; `None` if `head` is no transport stream.
pub(super) fn layout(head: &[u8]) -> Option<(usize, usize)> {
    let follow = |(offset, stride): &(usize, usize)| {
        head.len() > offset + 2 * stride
            && head[*offset..].iter().step_by(*stride).take(5).all(|&byte| byte == SYNC)
    };
    [(0, PACKET), (4, STAMPED)].into_iter().find(follow)
}

/// Where a program's sound is.
#[derive(Clone, Copy)]
struct Track {
    pid: u16,
    /// The stream type.
    kind: u8,
}

/// What the first of the units says for which `said` has something to say, without taking bytes.
/// It is given a unit's stream and the payload of the packet that it begins in.
fn first_of<T>(
    bytes: &mut Lookahead<'_>,
    stride: usize,
    mut said: impl FnMut(u16, &[u8]) -> Option<T>,
) -> Result<Option<T>, AudioError> {
    for at in (0..SEARCHED * stride).step_by(stride) {
        let ahead = bytes.peek(at + PACKET)?;
        let Some(packet) = ahead.get(at..at + PACKET) else {
            break;
        };
        if let Some((pid, true, payload)) = split(packet)
            && let Some(found) = said(pid, payload)
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Looks for the tables, without taking bytes.
fn find_track(bytes: &mut Lookahead<'_>, stride: usize) -> Result<Track, AudioError> {
    let (mut map, mut other) = (None, None);
    let found = first_of(bytes, stride, |pid, payload| {
        // A pointer says where in the packet the table begins.
        let section = payload.get(1 + usize::from(*payload.first()?)..)?;
        if pid == 0 {
            map = map.or_else(|| program_map(section));
        } else if Some(pid) == map {
            match track_of(section) {
                Ok(track) => return track,
                Err(kind) => other = other.or(Some(kind)),
            }
        }
        None
    })?;
    if let Some(track) = found {
        return Ok(track);
    }
    let what = match other {
        Some(0x81 | 0x87) => "AC-3 (Dolby Digital) in a transport stream",
        Some(0x11) => "AAC in LATM in a transport stream",
        Some(0x82 | 0x85 | 0x86 | 0x8a) => "DTS in a transport stream",
        Some(0x80 | 0x83) => "Blu-ray's PCM or TrueHD in a transport stream",
        Some(0x06) => "a transport stream whose sound is of a private kind (AC-3, Opus or DTS)",
        _ => "a transport stream without sound that is read",
    };
    Err(AudioError::Unsupported { what: what.into() })
}

/// How much later than the earliest other track a track begins, without taking bytes.
fn delay(bytes: &mut Lookahead<'_>, stride: usize, track: u16) -> Result<Seconds, AudioError> {
    let mut earliest: Option<u64> = None;
    let later = first_of(bytes, stride, |pid, payload| {
        let time = presented_at(payload)?;
        if pid != track {
            earliest = Some(earliest.map_or(time, |first| first.min(time)));
            return None;
        }
        // The clock begins anew after a day.
        let later = earliest.map_or(0, |first| time.wrapping_sub(first) % CLOCK);
        Some(if later < CLOCK / 2 { later } else { 0 })
    })?;
    Ok(Seconds(later.unwrap_or(0) as f64 / 90_000.0))
}

/// When a PES packet of sound or pictures is presented, in 90,000ths of a second.
fn presented_at(payload: &[u8]) -> Option<u64> {
    let &[0, 0, 1, 0xc0..=0xef | 0xbd | 0xfd, _, _, _, flags, _, a, b, c, d, e, ..] = payload
    else {
        return None;
    };
    let bits = |byte: u8, from: u32, to: u32| u64::from(byte) >> from << to;
    let time =
        bits(a & 0x0e, 1, 30) | bits(b, 0, 22) | bits(c, 1, 15) | bits(d, 0, 7) | bits(e, 1, 0);
    (flags & 0x80 != 0).then_some(time)
}

/// The stream's id, whether a unit begins, and the payload of a packet.
fn split(packet: &[u8]) -> Option<(u16, bool, &[u8])> {
    let [SYNC, b, c, d, ..] = *packet else {
        return None;
    };
    let pid = u16::from(b & 0x1f) << 8 | u16::from(c);
    let start = match d >> 4 & 3 {
        1 => 4,
        3 => 5 + usize::from(packet[4]),
        _ => return None,
    };
    Some((pid, b & 0x40 != 0, packet.get(start..)?))
}

/// The stream that holds the first program's table.
fn program_map(section: &[u8]) -> Option<u16> {
    let length = section_length(section)?;
    let programs = section.get(8..length.checked_sub(4)?)?;
    let mut programs = programs.chunks_exact(4);
    // Program 0 is the network's information.
    let program = programs.find(|program| program[..2] != [0, 0])?;
    Some(u16::from(program[2] & 0x1f) << 8 | u16::from(program[3]))
}

/// The first track with sound that is read; else the kind of one that is not.
fn track_of(section: &[u8]) -> Result<Option<Track>, u8> {
    let Some(length) = section_length(section).filter(|_| section[0] == 2) else {
        return Ok(None);
    };
    let info = usize::from(section[10] & 0x0f) << 8 | usize::from(section[11]);
    let mut streams = section.get(12 + info..length.saturating_sub(4)).unwrap_or_default();
    let mut other = None;
    while let [kind, b, c, d, e, rest @ ..] = streams {
        let pid = u16::from(b & 0x1f) << 8 | u16::from(*c);
        match kind {
            0x03 | 0x04 | 0x0f => return Ok(Some(Track { pid, kind: *kind })),
            0x06 | 0x11 | 0x80..=0x83 | 0x85..=0x87 | 0x8a => other = other.or(Some(*kind)),
            _ => {}
        }
        let info = usize::from(d & 0x0f) << 8 | usize::from(*e);
        streams = rest.get(info..).unwrap_or_default();
    }
    other.map_or(Ok(None), Err)
}

/// Bytes of a table that is whole in its packet.
fn section_length(section: &[u8]) -> Option<usize> {
    let [_, b, c, ..] = section else { return None };
    let length = 3 + (usize::from(b & 0x0f) << 8 | usize::from(*c));
    (16..=section.len()).contains(&length).then_some(length)
}

/// The bytes of one track, taken out of its packets.
struct Payload<'a> {
    bytes: Lookahead<'a>,
    /// From one packet to the next.
    stride: usize,
    pid: u16,
    /// The last packet's payload, and what of it was given.
    rest: Vec<u8>,
    at: usize,
}

impl Payload<'_> {
    /// Reads packets up to the next of the track; false at the end.
    fn refill(&mut self) -> Result<bool, AudioError> {
        loop {
            let ahead = self.bytes.peek(PACKET)?;
            let Some(packet) = ahead.get(..PACKET) else {
                return Ok(false);
            };
            if packet[0] != SYNC {
                self.bytes.consume(1);
                continue;
            }
            let payload = split(packet).filter(|(pid, ..)| *pid == self.pid);
            let sound = payload.map(|(_, begins, payload)| match begins {
                true => without_header(payload),
                false => payload,
            });
            self.rest.clear();
            self.rest.extend_from_slice(sound.unwrap_or_default());
            self.at = 0;
            self.bytes.consume(self.stride);
            if !self.rest.is_empty() {
                return Ok(true);
            }
        }
    }
}

/// What of a PES packet's first bytes is sound.
fn without_header(payload: &[u8]) -> &[u8] {
    match payload {
        [0, 0, 1, _, _, _, _, _, header, rest @ ..] => {
            rest.get(usize::from(*header)..).unwrap_or_default()
        }
        other => other,
    }
}

impl Read for Payload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.rest.len() {
            let more = self.refill().map_err(|error| match error {
                AudioError::Read(error) => error,
                error => io::Error::other(error),
            })?;
            if !more {
                return Ok(0);
            }
        }
        let rest = &self.rest[self.at..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

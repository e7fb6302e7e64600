//! Ogg: the packets of one audio stream after the other, page by page.
//!
//! Reference: RFC 3533. Pages with a wrong checksum are passed over, and reading resumes at the
//! next capture pattern; a packet that continues over a lost page is dropped. Of several streams at
//! once (a film's), the first with sound is followed; where one stream follows another (a chain, as
//! radio stations and `cat` make), each is.
//!
//! Why not symphonia's reader: it parses Vorbis' codebooks a second time for the packets' lengths,
//! and a damaged codebook makes it panic (0.6.1, `lookup1_values`).

use super::AudioError;
use super::source::{Lookahead, Peek};

/// The packets that end on one page.
#[derive(Default)]
pub(super) struct Page {
    /// How many packets there are, and their bytes.
    count: usize,
    packets: Vec<Vec<u8>>,
    /// The position in the stream after the last of them, in the codec's unit; none on a page on
    /// which no packet ends.
    pub(super) granule: Option<u64>,
    /// The first page of a stream.
    pub(super) begins: bool,
    /// The last page of a stream.
    pub(super) ends: bool,
}

impl Page {
    pub(super) fn packets(&self) -> impl Iterator<Item = &[u8]> {
        self.packets[..self.count].iter().map(Vec::as_slice)
    }
}

/// Reads the pages of the streams that `wanted` says are sound, by their first bytes.
pub(super) struct Pages<'a> {
    bytes: Lookahead<'a>,
    wanted: fn(&[u8]) -> bool,
    serial: Option<u32>,
    /// The stream's first page has been followed by another.
    under_way: bool,
    /// The sequence number that the next page must have for a packet to continue onto it.
    next_page: u32,
    /// The beginning of a packet that the page before did not finish.
    pending: Vec<u8>,
    /// What begins a stream that is not wanted, where none that is was found.
    pub(super) unwanted: Option<Vec<u8>>,
    /// Bytes that belong to no page.
    pub(super) junk: u64,
}

const HEADER: usize = 27;
const LONGEST_PAGE: usize = HEADER + 255 + 255 * 255;
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;
/// The granule position of a page on which no packet ends.
const NO_GRANULE: u64 = u64::MAX;
/// The longest packet that is put together: far above any codec's setup.
const LONGEST_PACKET: usize = 1 << 24;

impl<'a> Pages<'a> {
    pub(super) fn new(bytes: Lookahead<'a>, wanted: fn(&[u8]) -> bool) -> Self {
        Pages {
            bytes,
            wanted,
            serial: None,
            under_way: false,
            next_page: 0,
            pending: Vec::new(),
            unwanted: None,
            junk: 0,
        }
    }

    /// Moves to the next page of the stream under way, or to the first page of the next; false at
    /// the end of the bytes.
    pub(super) fn next(&mut self, page: &mut Page) -> Result<bool, AudioError> {
        loop {
            let bytes = self.bytes.peek(LONGEST_PAGE)?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let Some((header, lacing, body)) = sound_page(bytes) else {
                let next = bytes[1..].iter().position(|&byte| byte == b'O');
                let passed = next.map_or(bytes.len(), |at| at + 1);
                let silent = bytes[..passed].iter().all(|&byte| byte == 0);
                self.junk += if silent { 0 } else { passed as u64 };
                self.bytes.consume(passed);
                continue;
            };
            let length = HEADER + lacing.len() + body.len();
            let flags = header[5];
            let follows = match flags & FIRST != 0 {
                true => begins(&mut self.unwanted, self.wanted, self.serial, self.under_way, body),
                false => self.serial == Some(word(header, 14)),
            };
            if follows {
                if flags & FIRST != 0 {
                    self.serial = Some(word(header, 14));
                    self.pending.clear();
                    self.next_page = word(header, 18);
                }
                self.under_way = flags & FIRST == 0;
                let number = word(header, 18);
                let continues = flags & CONTINUED != 0;
                let lost = number != self.next_page;
                if !continues || lost {
                    self.pending.clear();
                }
                self.next_page = number.wrapping_add(1);
                fill(page, &mut self.pending, lacing, body, continues && lost);
                page.granule = Some(granule(header)).filter(|&at| at != NO_GRANULE);
                (page.begins, page.ends) = (flags & FIRST != 0, flags & LAST != 0);
            }
            self.bytes.consume(length);
            if follows {
                return Ok(true);
            }
        }
    }
}

/// Whether the stream that begins with `body` is to be followed: the first that has sound, and each
/// that begins after another is under way.
fn begins(
    unwanted: &mut Option<Vec<u8>>,
    wanted: fn(&[u8]) -> bool,
    serial: Option<u32>,
    under_way: bool,
    body: &[u8],
) -> bool {
    let is_next = serial.is_none() || under_way;
    if is_next && !wanted(body) {
        unwanted.get_or_insert_with(|| body[..body.len().min(64)].to_vec());
    }
    is_next && wanted(body)
}

/// Cuts a page's body into packets; the first is dropped where its beginning was lost.
fn fill(page: &mut Page, pending: &mut Vec<u8>, lacing: &[u8], mut body: &[u8], mut lost: bool) {
    page.count = 0;
    for &length in lacing {
        let (segment, rest) = body.split_at(usize::from(length));
        body = rest;
        if !lost && pending.len() < LONGEST_PACKET {
            pending.extend_from_slice(segment);
        }
        if length == 255 {
            continue;
        }
        if !std::mem::take(&mut lost) {
            if page.packets.len() == page.count {
                page.packets.push(Vec::new());
            }
            std::mem::swap(&mut page.packets[page.count], pending);
            page.count += 1;
        }
        pending.clear();
    }
}

/// Header, lacing and body of the page at the start of `bytes`, if it is whole and its checksum
/// holds.
fn sound_page(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    if &header[..4] != b"OggS" {
        return None;
    }
    let (lacing, rest) = rest.split_at_checked(usize::from(header[26]))?;
    let length = lacing.iter().map(|&length| usize::from(length)).sum();
    let body = rest.get(..length)?;
    let mut blank = [0; HEADER];
    blank.copy_from_slice(header);
    blank[22..26].fill(0);
    let sum = checksum(checksum(checksum(0, &blank), lacing), body);
    // A fuzzer cannot guess checksums; it should reach what is behind them.
    (sum == word(header, 22) || cfg!(fuzzing)).then_some((header, lacing, body))
}

pub(super) fn damaged(what: &str) -> AudioError {
    AudioError::Malformed { format: "Ogg", what: what.into() }
}

/// Puts the right checksum on every page in `bytes`, so that tests can damage what is behind it.
#[cfg(test)]
pub(super) fn seal(bytes: &mut [u8]) {
    let starts: Vec<usize> = (0..bytes.len().saturating_sub(HEADER))
        .filter(|&at| &bytes[at..at + 4] == b"OggS")
        .collect();
    for start in starts {
        let page = &mut bytes[start..];
        let lacing = HEADER..HEADER + usize::from(page[26]);
        let Some(lengths) = page.get(lacing.clone()) else {
            continue;
        };
        let end = lacing.end + lengths.iter().map(|&length| usize::from(length)).sum::<usize>();
        let Some(page) = page.get_mut(..end) else {
            continue;
        };
        page[22..26].fill(0);
        let sum = checksum(0, page);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Ogg's CRC-32: polynomial 0x04c11db7, not reflected, no inversions.
fn checksum(start: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    bytes.iter().fold(start, |sum, &byte| sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut sum = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
            bit += 1;
        }
        table[index] = sum;
        index += 1;
    }
    table
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn granule(header: &[u8]) -> u64 {
    u64::from(word(header, 10)) << 32 | u64::from(word(header, 6))
}

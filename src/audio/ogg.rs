//! Ogg: pages in a byte slice, packets out.
//!
//! Reference: RFC 3533. Pages with a wrong checksum are passed over, and reading resumes at the
//! next capture pattern; a packet that continues over a lost page is dropped. Only the logical
//! stream that starts the file is followed.

/// A packet of the stream.
pub(super) struct Packet {
    /// The packet's bytes.
    pub data: Vec<u8>,
    /// On the last packet that ends on a page: the page's granule position, where it has one. The
    /// unit is the codec's.
    pub end: Option<u64>,
}

/// An iterator over the packets of the first logical stream in `bytes`.
pub(super) struct Packets<'a> {
    bytes: &'a [u8],
    serial: Option<u32>,
    /// The sequence number that the next page must have for a packet to continue onto it.
    next_page: u32,
    page: Option<Page<'a>>,
    /// The beginning of a packet that the page before did not finish.
    pending: Vec<u8>,
}

/// What is left of a page: segment lengths and the body they divide.
struct Page<'a> {
    granule: u64,
    lacing: &'a [u8],
    body: &'a [u8],
}

const HEADER: usize = 27;
const CONTINUED: u8 = 1;
/// The granule position of a page on which no packet ends.
const NO_GRANULE: u64 = u64::MAX;

impl<'a> Packets<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Packets {
            bytes,
            serial: None,
            next_page: 0,
            page: None,
            pending: Vec::new(),
        }
    }

    /// Moves to the next sound page of this stream; `None` at the end of the bytes.
    fn turn(&mut self) -> Option<Page<'a>> {
        loop {
            let start = self.bytes.windows(4).position(|window| window == b"OggS")?;
            self.bytes = &self.bytes[start..];
            let Some((header, lacing, body)) = sound_page(self.bytes) else {
                self.bytes = &self.bytes[4..];
                continue;
            };
            self.bytes = &self.bytes[HEADER + lacing.len() + body.len()..];
            let serial = word(header, 14);
            if *self.serial.get_or_insert(serial) != serial {
                continue;
            }
            let number = word(header, 18);
            let mut page = Page {
                granule: granule(header),
                lacing,
                body,
            };
            if header[5] & CONTINUED == 0 || number != self.next_page {
                self.pending.clear();
                if header[5] & CONTINUED != 0 {
                    page.drop_packet();
                }
            }
            self.next_page = number.wrapping_add(1);
            return Some(page);
        }
    }
}

impl Page<'_> {
    /// Passes over the rest of a packet whose beginning was lost.
    fn drop_packet(&mut self) {
        let mut nothing = Vec::new();
        self.take_packet(&mut nothing);
    }

    /// Appends the next packet's bytes on this page to `packet`; whether the packet ends here.
    fn take_packet(&mut self, packet: &mut Vec<u8>) -> bool {
        while let Some((&length, rest)) = self.lacing.split_first() {
            let (segment, body) = self.body.split_at(usize::from(length));
            packet.extend_from_slice(segment);
            (self.lacing, self.body) = (rest, body);
            if length < 255 {
                return true;
            }
        }
        false
    }

    /// Whether another packet ends on this page.
    fn has_end(&self) -> bool {
        self.lacing.iter().any(|&length| length < 255)
    }
}

impl Iterator for Packets<'_> {
    type Item = Packet;

    fn next(&mut self) -> Option<Packet> {
        loop {
            let Some(page) = &mut self.page else {
                self.page = Some(self.turn()?);
                continue;
            };
            if page.take_packet(&mut self.pending) {
                let end = (!page.has_end() && page.granule != NO_GRANULE).then_some(page.granule);
                return Some(Packet {
                    data: std::mem::take(&mut self.pending),
                    end,
                });
            }
            self.page = None;
        }
    }
}

/// Header, lacing and body of the page at the start of `bytes`, if it is whole and its checksum
/// holds.
fn sound_page(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
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
        let end = lacing.end
            + lengths
                .iter()
                .map(|&length| usize::from(length))
                .sum::<usize>();
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
    bytes.iter().fold(start, |sum, &byte| {
        sum << 8 ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)]
    })
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut sum = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum >> 31 == 1 {
                sum << 1 ^ 0x04c1_1db7
            } else {
                sum << 1
            };
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

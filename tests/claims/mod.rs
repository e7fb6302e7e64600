//! Small files that claim to be hours long, or are: what a decompression bomb is to a recogniser.

/// Ten hours at [`RATE`].
pub const HOURS: u64 = 10 * 3600 * RATE as u64;
const RATE: u32 = 16_000;
/// The longest block of FLAC.
const BLOCK: u16 = u16::MAX;

/// Ten hours of silence as FLAC: a constant takes 15 bytes a block. RFC 9639.
pub fn flac_of_hours() -> Vec<u8> {
    let mut bytes = flac_header(HOURS);
    for number in 0..HOURS / u64::from(BLOCK) {
        let start = bytes.len();
        // A block of fixed size, its size at the end of the header, rate and width as at the start.
        bytes.extend([0xff, 0xf8, 0x70, 0x00]);
        let number = char::from_u32(number as u32).expect("below the surrogates");
        bytes.extend(number.to_string().bytes());
        bytes.extend((BLOCK - 1).to_be_bytes());
        bytes.push(crc8(&bytes[start..]));
        // One channel: a constant, 0.
        bytes.extend([0x00, 0x00, 0x00]);
        bytes.extend(crc16(&bytes[start..]).to_be_bytes());
    }
    bytes
}

/// The magic and the description of one channel of 16 bits with so many samples.
fn flac_header(samples: u64) -> Vec<u8> {
    let mut bytes = b"fLaC\x80\x00\x00\x22".to_vec();
    bytes.extend([BLOCK.to_be_bytes(), BLOCK.to_be_bytes()].concat());
    bytes.extend([0; 6]);
    let packed = u64::from(RATE) << 44 | 15 << 36 | samples;
    bytes.extend(packed.to_be_bytes());
    bytes.extend([0; 16]);
    bytes
}

/// A FLAC file with the most samples that its header can claim.
pub fn flac_claiming(mut flac: Vec<u8>) -> Vec<u8> {
    assert!(flac.starts_with(b"fLaC") && flac[4] & 0x7f == 0);
    // 36 bits from the middle of the 14th byte of the first block.
    flac[21] |= 0x0f;
    flac[22..26].fill(0xff);
    flac
}

/// A WAV file that claims to be of four gigabytes.
pub fn wav_claiming(mut wav: Vec<u8>) -> Vec<u8> {
    wav[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    wav[40..44].copy_from_slice(&(u32::MAX - 100).to_le_bytes());
    wav
}

/// An Ogg file whose last page claims to end after 2^62 samples.
pub fn ogg_claiming(mut ogg: Vec<u8>) -> Vec<u8> {
    let last = ogg.windows(4).rposition(|four| four == b"OggS");
    let last = last.expect("a page");
    ogg[last + 6..last + 14].copy_from_slice(&(1_u64 << 62).to_le_bytes());
    seal(&mut ogg[last..]);
    ogg
}

/// Ten hours of nothing as Ogg Opus: the two headers of a file, then packets of one byte, which
/// stand for 60 ms each. RFC 6716, Section 3.1, and RFC 7845.
pub fn opus_of_hours(opus: &[u8]) -> Vec<u8> {
    let starts: Vec<usize> = opus
        .windows(4)
        .enumerate()
        .filter_map(|(at, four)| (four == b"OggS").then_some(at))
        .collect();
    let serial = &opus[14..18];
    let mut bytes = opus[..starts[2]].to_vec();
    let packets = 10 * 3600 * 1000 / 60;
    for page in 0..packets / 255 {
        let start = bytes.len();
        bytes.extend(b"OggS\0\0");
        bytes.extend(((page as u64 + 1) * 255 * 2880).to_le_bytes());
        bytes.extend(serial);
        bytes.extend((page as u32 + 2).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.push(255);
        bytes.extend([1; 255]);
        // Silk, narrow band, 60 ms, one channel, one frame, which is empty.
        bytes.extend([3 << 3; 255]);
        seal(&mut bytes[start..]);
    }
    bytes
}

/// Writes a page's checksum.
fn seal(page: &mut [u8]) {
    page[22..26].fill(0);
    let sum = page.iter().fold(0_u32, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
            sum << 1 ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    });
    page[22..26].copy_from_slice(&sum.to_le_bytes());
}

fn crc8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ byte, |sum: u8, _| sum << 1 ^ if sum >> 7 == 1 { 0x07 } else { 0 })
    })
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, &byte| {
        (0..8).fold(sum ^ u16::from(byte) << 8, |sum: u16, _| {
            sum << 1 ^ if sum >> 15 == 1 { 0x8005 } else { 0 }
        })
    })
}

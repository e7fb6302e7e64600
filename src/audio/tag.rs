//! Tags that stand before, after and between audio, passed over by their lengths.
//!
//! Reference: id3.org, "ID3v2.4.0 structure" and "ID3v1"; "APE Tags v2"; "Lyrics3 v2".

/// The longest head of a tag that [`length`] looks at.
pub(super) const HEAD: usize = 32;
/// Bytes of an ID3v1 tag, which is the last thing in a file.
const ID3V1: u64 = 128;

/// How many bytes the tag has that begins at `bytes`; none where none begins there.
pub(super) fn length(bytes: &[u8]) -> Option<u64> {
    id3v2(bytes).or_else(|| ape(bytes)).or_else(|| id3v1(bytes))
}

/// The length of an ID3v2 tag, its header included: seven bits in each of four bytes.
pub(super) fn id3v2(bytes: &[u8]) -> Option<u64> {
    let [b'I', b'D', b'3', version, _, flags, size @ ..] = bytes else {
        return None;
    };
    let size = size.first_chunk::<4>()?;
    if *version == 0xff || size.iter().any(|&byte| byte >= 0x80) {
        return None;
    }
    let body = size.iter().fold(0, |sum, &byte| sum << 7 | u64::from(byte));
    let footer = if flags & 0x10 != 0 { 10 } else { 0 };
    Some(10 + body + footer)
}

/// The length of an APE tag that begins with its header, or of the footer of one that has none.
fn ape(bytes: &[u8]) -> Option<u64> {
    let fields = bytes.strip_prefix(b"APETAGEX")?.get(4..16)?;
    let word = |at: usize| {
        u32::from_le_bytes([fields[at], fields[at + 1], fields[at + 2], fields[at + 3]])
    };
    let (size, flags) = (word(0), word(8));
    let is_header = flags & 1 << 29 != 0;
    Some(if is_header { 32 + u64::from(size) } else { 32 })
}

/// An ID3v1 tag, or the longer one that may precede it.
fn id3v1(bytes: &[u8]) -> Option<u64> {
    match bytes {
        [b'T', b'A', b'G', b'+', ..] => Some(227),
        [b'T', b'A', b'G', ..] => Some(ID3V1),
        _ => None,
    }
}

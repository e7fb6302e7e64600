//! Any bytes, read as the recogniser reads recordings, give blocks of finite samples or a typed
//! error. The first byte says what stands before the others: the head of a container, nothing where
//! they are samples without a header, and nothing where they are a whole file.

#![no_main]

mod decoders;

use libfuzzer_sys::fuzz_target;
use paretone::audio::{ChannelChoice, Encoding, Raw, Reader, Signal};
use paretone::units::Hertz;

/// What a file of each kind begins with.
const HEADS: [&[u8]; 14] = [
    b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0",
    b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x1f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02\x18\x53\x80\x67",
    b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x15OpusHead\x01\x06",
    b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x1e\x01vorbis",
    b"FORM\0\0\x40\0AIFFCOMM\0\0\0\x12\0\x01",
    b"FORM\0\0\x40\0AIFCFVER\0\0\0\x04\xa2\x80\x51\x40",
    b"caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20",
    b".snd\0\0\0\x18\xff\xff\xff\xff",
    b"\xff\xf1\x60\x40\x20\x1f\xfc",
    b"RIFF\xff\xff\xff\xffWAVEfmt \x14\0\0\0\x11\0\x01\0\x80\x3e\0\0\x40\x1f\0\0\0\x01\x04\0",
    b"RIFF\xff\xff\xff\xffWAVEfmt \x14\0\0\0\x31\0\x01\0\x40\x1f\0\0\x59\x06\0\0\x41\0\0\0\x02\0\x40\x01data\0\0\0\0",
    b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0",
    b"ID3\x04\0\0\0\0\0\x02ab\xff\xfb\x90\xc4",
];

fuzz_target!(init: decoders::may_panic(), |input: (u8, &[u8])| {
    let (kind, rest) = (usize::from(input.0), input.1);
    let head = HEADS.get(kind).copied().unwrap_or_default();
    let encoding = kind.checked_sub(HEADS.len()).and_then(|n| Encoding::names().nth(n));
    let raw = encoding.and_then(Encoding::named);
    let raw = raw.map(|encoding| Raw { encoding, rate: 8000, channels: 2 });
    let bytes = [head, rest].concat();
    let Ok(reader) = Reader::of_bytes(bytes, None, raw) else {
        return;
    };
    let Ok(mut signal) = Signal::new(reader, Hertz(16_000), ChannelChoice::Mix) else {
        return;
    };
    let mut block = Vec::new();
    // A few bytes of FLAC or Vorbis may stand for hours of silence.
    for _ in 0..2000 {
        block.clear();
        match signal.next_block(&mut block) {
            Ok(true) => assert!(block.iter().all(|sample| sample.is_finite())),
            _ => break,
        }
    }
});

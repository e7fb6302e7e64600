//! WAV files as their writers leave them: what is sound is heard, all of it, and nothing else.

use super::tests::{RATE, Wav, read, riff};
use super::*;

fn samples(bytes: &[u8]) -> Vec<i16> {
    let waveform = read(bytes).unwrap();
    let whole = |sample: &f32| (sample * 32768.0).round() as i16;
    waveform.samples.iter().map(whole).collect()
}

fn shortfall(bytes: &[u8]) -> Option<String> {
    let reader = Reader::of_bytes(bytes.to_vec(), None, None).unwrap();
    let mut signal = Signal::at_its_rate(reader, ChannelChoice::Mix).unwrap();
    Waveform::collect(&mut signal, Bounds::default()).unwrap();
    signal.shortfall()
}

/// A tone and its bytes: no run of zeros, nothing that looks like a chunk.
fn sound() -> (Vec<i16>, Vec<u8>) {
    let sample = |n: i32| ((n * 7919) % 20_000 - 10_000) as i16;
    let samples: Vec<i16> = (0..2000).map(sample).collect();
    let bytes = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    (samples, bytes)
}

fn fmt() -> Vec<u8> {
    Wav::default().bytes()[20..36].to_vec()
}

/// A chunk of metadata, with what could be heard.
fn info() -> Vec<u8> {
    let body: Vec<u8> = (0..=255).cycle().take(3000).collect();
    [b"INFOINAM".as_slice(), &2992u32.to_le_bytes(), &body[..2992]].concat()
}

#[test]
fn metadata_after_samples_of_unknown_length_is_not_heard() {
    let ((expected, data), fmt, info) = (sound(), fmt(), info());
    let tag = [b"TAG".as_slice(), &[b'a'; 125]].concat();
    for claimed in [0, u32::MAX] {
        for tail in [&[][..], &[(b"LIST", info.len() as u32, info.as_slice())]] {
            let mut chunks = vec![(b"fmt ", 16, fmt.as_slice()), (b"data", claimed, &data)];
            chunks.extend_from_slice(tail);
            assert_eq!(samples(&riff(&chunks)), expected, "{claimed:x} {}", tail.len());
        }
        let open = riff(&[(b"fmt ", 16, &fmt), (b"data", claimed, &data)]);
        assert_eq!(samples(&[open.as_slice(), &tag].concat()), expected);
        // And a whole file after it is.
        let twice = [open.as_slice(), &open].concat();
        assert_eq!(samples(&twice), [expected.clone(), expected.clone()].concat());
    }
    let empty =
        riff(&[(b"fmt ", 16, &fmt), (b"data", 0, &[]), (b"LIST", info.len() as u32, &info)]);
    assert!(samples(&empty).is_empty());
}

#[test]
fn chunks_come_in_any_order_with_and_without_padding() {
    let ((expected, data), fmt, info) = (sound(), fmt(), info());
    let (size, length) = (data.len() as u32, info.len() as u32);
    let early = riff(&[(b"data", size, &data), (b"fmt ", 16, &fmt), (b"LIST", length, &info)]);
    assert_eq!(samples(&early), expected);
    let unpadded = riff(&[
        (b"note", 3, b"abc"),
        (b"fmt ", 16, &fmt),
        (b"junk", 5, b"abcde\0"),
        (b"data", size, &data),
        (b"note", 1, b"x"),
        (b"LIST", length, &info),
    ]);
    assert_eq!(samples(&unpadded), expected);
    let two_chunks = riff(&[(b"fmt ", 16, &fmt), (b"data", size, &data), (b"data", size, &data)]);
    assert_eq!(samples(&two_chunks), [expected.clone(), expected].concat());
}

#[test]
fn sizes_of_64_bits_are_read_from_ds64() {
    let ((expected, data), fmt, info) = (sound(), fmt(), info());
    let sizes = [0, data.len() as u64, 2000].map(u64::to_le_bytes).concat();
    let ds64 = [sizes.as_slice(), &[0; 4]].concat();
    for form in [b"RF64", b"BW64", b"RIFF"] {
        let mut bytes = riff(&[
            (b"ds64", 28, &ds64),
            (b"fmt ", 16, &fmt),
            (b"data", u32::MAX, &data),
            (b"LIST", info.len() as u32, &info),
        ]);
        bytes[..4].copy_from_slice(form);
        assert_eq!(samples(&bytes), expected);
    }
}

#[test]
fn files_after_each_other_are_heard_at_the_first_one_s_rate() {
    let (expected, data) = sound();
    let wav = |rate, channels| Wav {
        rate,
        channels,
        block: 2 * channels,
        data: data.clone(),
        ..Wav::default()
    };
    let (first, second) = (wav(RATE, 1).bytes(), wav(RATE / 2, 2).bytes());
    let heard = samples(&[first.clone(), second, first].concat());
    assert_eq!(heard[..2000], expected);
    assert_eq!((heard.len(), &heard[4000..]), (6000, expected.as_slice()));
}

#[test]
fn what_follows_and_is_no_sound_is_told_where_it_is_much() {
    let (_, data) = sound();
    let wav = Wav { data, ..Wav::default() };
    let wav = wav.bytes();
    let noise: Vec<u8> = (1..200u8).cycle().take(2000).collect();
    for (tail, told) in
        [(&[][..], false), (&[0; 5000], false), (&noise[..100], false), (&noise, true)]
    {
        let bytes = [wav.as_slice(), tail].concat();
        assert_eq!(shortfall(&bytes).is_some(), told, "{}", tail.len());
        assert_eq!(samples(&bytes).len(), 2000);
    }
}

#[test]
fn big_endian_and_headerless_samples_are_read() {
    let (expected, data) = sound();
    let wav = Wav { data: data.clone(), ..Wav::default() };
    let mut bytes = wav.bytes();
    bytes[..4].copy_from_slice(b"RIFX");
    for (at, width) in [(16, 4), (20, 2), (22, 2), (24, 4), (28, 4), (32, 2), (34, 2), (40, 4)] {
        bytes[at..at + width].reverse();
    }
    bytes[44..].chunks_exact_mut(2).for_each(|pair| pair.reverse());
    assert_eq!(samples(&bytes), expected);
    let raw = |name| Raw { encoding: Encoding::named(name).unwrap(), rate: RATE, channels: 1 };
    for (name, bytes) in [("s16le", &data), ("s16be", &bytes[44..].to_vec())] {
        let reader = Reader::of_bytes(bytes.clone(), None, Some(raw(name))).unwrap();
        let mut signal = Signal::at_its_rate(reader, ChannelChoice::Mix).unwrap();
        let waveform = Waveform::collect(&mut signal, Bounds::default()).unwrap();
        assert_eq!((waveform.rate, waveform.samples.len()), (Hertz(RATE), 2000));
        assert_eq!((waveform.samples[5] * 32768.0) as i16, expected[5]);
    }
    for (bytes, told) in [(7, 1), (8, 0), (0, 0)] {
        let encoding = Encoding::named("s16le").unwrap();
        let raw = Raw { encoding, rate: RATE, channels: 2 };
        let mut reader = Reader::of_bytes(vec![1; bytes], None, Some(raw)).unwrap();
        while reader.next_block(&mut Block::default()).unwrap() {}
        assert_eq!(reader.remarks().len(), told, "{bytes}");
    }
    assert!(Encoding::names().all(|name| Encoding::named(name).is_some()));
    assert_eq!(Encoding::named("s17le"), None);
}

#[test]
fn channels_are_chosen_and_those_that_cancel_noticed() {
    let (expected, _) = sound();
    let opposed = expected.iter().flat_map(|&s| [s, -s].map(i16::to_le_bytes).concat());
    let wav = Wav { channels: 2, block: 4, data: opposed.collect(), ..Wav::default() };
    let heard = |choice| {
        let reader = Reader::of_bytes(wav.bytes(), None, None).unwrap();
        let mut signal = Signal::new(reader, Hertz(RATE), choice)?;
        let waveform = Waveform::collect(&mut signal, Bounds::default())?;
        let told = signal.remarks().iter().any(|remark| remark.contains("cancel each other"));
        assert_eq!(told, choice == ChannelChoice::Mix);
        Ok(waveform)
    };
    let first = heard(ChannelChoice::One(0)).unwrap();
    let second = heard(ChannelChoice::One(1)).unwrap();
    let mixed = heard(ChannelChoice::Mix).unwrap();
    assert!(first.samples.iter().zip(&second.samples).all(|(a, b)| *a == -b));
    assert!(mixed == first || mixed == second);
    let none = heard(ChannelChoice::One(2));
    assert!(matches!(none, Err(AudioError::NoSuchChannel { channel: 3, channels: 2 })));
}

/// The reader reports a file that holds less than its header promises, but not one whose header
/// gives the length that stands for "unknown".
#[test]
fn a_header_that_promises_more_than_there_is_is_told() {
    let (expected, data) = sound();
    let wav = |claimed| Wav { claimed: Some(claimed), data: data.clone(), ..Wav::default() };
    let held = data.len() as u32;
    for (claimed, told) in [
        // Some GiB, twice as much, a second more, and a careless writer's 44 bytes.
        (0xffff_fff0, true),
        (4_000_000_000, true),
        (2 * held, true),
        (held + 2 * RATE, true),
        (held + 44, false),
        (held, false),
        // ffmpeg, RF64 without its sizes, sox and arecord, into pipes.
        (u32::MAX, false),
        (0, false),
        (0x7fff_f000, false),
        (0x8000_0000, false),
    ] {
        let bytes = wav(claimed).bytes();
        assert_eq!(shortfall(&bytes).is_some(), told, "{claimed}");
        assert_eq!(samples(&bytes), expected);
    }
    let told = shortfall(&wav(4_000_000_000).bytes()).unwrap();
    assert!(told.contains("promises"), "{told}");
    let none = Wav { claimed: Some(4_000_000_000), ..Wav::default() };
    assert!(shortfall(&none.bytes()).is_some());
    // 64 bits promise as much as 32.
    let sizes = [0, 5_000_000_000, 2000].map(u64::to_le_bytes).concat();
    let ds64 = [sizes.as_slice(), &[0; 4]].concat();
    let fmt = fmt();
    let chunks: [(&[u8; 4], u32, &[u8]); 3] =
        [(b"ds64", 28, &ds64), (b"fmt ", 16, &fmt), (b"data", u32::MAX, &data)];
    assert!(shortfall(&riff(&chunks)).is_some());
}

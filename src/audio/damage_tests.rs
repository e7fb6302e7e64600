//! The table of bad input, endless input, and random damage.

use proptest::prelude::*;

use super::tests::{RATE, Wav, read, riff};
use super::*;

#[test]
fn bad_input_is_a_typed_error_or_empty() {
    use AudioError::*;
    let float = |value: f32| Wav {
        tag: 3,
        block: 4,
        bits: 32,
        data: value.to_le_bytes().into(),
        ..Wav::default()
    };
    let header_only = read(&Wav::default().bytes()).unwrap();
    assert_eq!((header_only.samples.len(), header_only.duration()), (0, Seconds(0.0)));
    let one = read(&Wav { data: vec![0, 64], ..Wav::default() }.bytes()).unwrap();
    assert_eq!((one.samples.as_slice(), one.rate), ([0.5f32].as_slice(), Hertz(RATE)));
    assert_eq!(one.at_rate(Hertz(8000)).unwrap().samples.len(), 1);

    type Expected = fn(&AudioError) -> bool;
    let table: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("empty", vec![], |e| matches!(e, Empty)),
        ("text", b"hello world, this is no audio".into(), |e| matches!(e, NotAudio { .. })),
        ("one byte", vec![0xff], |e| matches!(e, NotAudio { .. })),
        ("zeros", vec![0; 5000], |e| matches!(e, NotAudio { .. })),
        ("RIFF alone", b"RIFF".into(), |e| matches!(e, Malformed { .. })),
        ("an AVI file", b"RIFF\0\0\0\0AVI LIST".into(), |e| e.to_string().contains("AVI is not")),
        ("no data chunk", Wav::default().bytes()[..36].into(), |e| matches!(e, Malformed { .. })),
        ("data before fmt", riff(&[(b"data", 2, &[0, 0])]), |e| matches!(e, Malformed { .. })),
        ("fmt of 4 bytes", riff(&[(b"fmt ", 4, &[0; 4])]), |e| matches!(e, Malformed { .. })),
        ("a chunk of 4 GiB", riff(&[(b"LIST", u32::MAX, b"x")]), |e| matches!(e, Malformed { .. })),
        ("0 Hz", Wav { rate: 0, ..Wav::default() }.bytes(), |e| matches!(e, Rate { rate: 0 })),
        ("4 GHz", Wav { rate: u32::MAX, ..Wav::default() }.bytes(), |e| matches!(e, Rate { .. })),
        ("0 channels", Wav { channels: 0, ..Wav::default() }.bytes(), |e| matches!(e, NoChannels)),
        ("0 bits", Wav { bits: 0, block: 0, ..Wav::default() }.bytes(), |e| {
            matches!(e, Unsupported { .. })
        }),
        ("ADPCM", Wav { tag: 2, bits: 4, ..Wav::default() }.bytes(), |e| {
            matches!(e, Malformed { .. })
        }),
        ("Windows Media Audio in WAV", Wav { tag: 0x161, ..Wav::default() }.bytes(), |e| {
            e.to_string().contains("Windows Media Audio") && e.to_string().contains("ffmpeg")
        }),
        ("NaN", float(f32::NAN).bytes(), |e| matches!(e, NotFinite { index: 0, .. })),
        ("infinity", float(f32::INFINITY).bytes(), |e| matches!(e, NotFinite { .. })),
        ("1e30", float(1e30).bytes(), |e| matches!(e, NotFinite { .. })),
        ("FLAC magic alone", b"fLaC".into(), |e| matches!(e, Malformed { .. })),
        ("Ogg magic alone", b"OggS".into(), |e| matches!(e, Malformed { .. } | Unsupported { .. })),
        ("an ID3 tag alone", b"ID3\x04\0\0\0\0\0\0".into(), |e| {
            matches!(e, Malformed { .. } | Unsupported { .. })
        }),
    ];
    for (name, bytes, expected) in table {
        match read(&bytes) {
            Err(error) if expected(&error) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
    let missing = Waveform::open(Path::new("/nonexistent/a.wav")).unwrap_err();
    assert!(matches!(missing, Open { .. }) && missing.to_string().contains("/nonexistent/a.wav"));
    assert!(matches!(Waveform::open(Path::new(".")), Err(Open { .. })));
}

/// Found by random damage: a codebook whose code lengths grow past 32 bits indexes past a table in
/// symphonia 0.6.1.
#[test]
fn a_decoder_s_panic_is_an_error() {
    let mut bytes = include_bytes!("../../tests/audio/chirp.ogg").to_vec();
    bytes[757] = 244;
    ogg::seal(&mut bytes);
    assert!(matches!(read(&bytes), Err(AudioError::Malformed { format: "Ogg", .. })));
}

#[test]
fn an_endless_stream_stops_at_the_limit() {
    // 1 kHz, 8 bits: 24 hours are 86 million samples, and the stream would go on.
    let head =
        Wav { rate: 1000, block: 1, bits: 8, claimed: Some(u32::MAX), ..Wav::default() }.bytes();
    let endless = head.chain(std::io::repeat(128));
    assert!(matches!(
        Waveform::read(endless, None),
        Err(AudioError::TooLong { most: 86_400_000, .. })
    ));
}

/// The same cases in every run; `PROPTEST_CASES=100000` digs deeper.
fn fixed() -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(1);
    ProptestConfig { rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(fixed())]

    /// Damaged files never panic; what survives is finite.
    #[test]
    fn damaged_files_do_not_panic(
        file in 0..5usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let wav = Wav { channels: 2, block: 4, data: (0..400).map(|n| n as u8).collect(), ..Wav::default() };
        let files: [&[u8]; 5] = [
            include_bytes!("../../tests/audio/chirp.flac"),
            include_bytes!("../../tests/audio/chirp.mp3"),
            include_bytes!("../../tests/audio/chirp.ogg"),
            include_bytes!("../../tests/audio/chirp.opus"),
            &wav.bytes(),
        ];
        let mut bytes = files[file].to_vec();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        ogg::seal(&mut bytes);
        if let Ok(wave) = read(&bytes) {
            prop_assert!(wave.samples.iter().all(|sample| sample.is_finite()));
        }
    }
}

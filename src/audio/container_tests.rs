//! Every container and codec: the chirp of `scripts/golden_audio.py` is heard, once and twice.

use super::tests::{RATE, chirp};
use super::*;

/// A file of `tests/audio`, and how far from the chirp it may be.
macro_rules! file {
    ($name:literal, $error:literal) => {
        ($name, include_bytes!(concat!("../../tests/audio/", $name)) as &[u8], $error)
    };
}

/// File, and how far from the chirp what is heard may be, relative to its power.
const FILES: [(&str, &[u8], f32); 19] = [
    file!("aac.m4a", 0.3),
    file!("alac.m4a", 1e-4),
    file!("fragmented.mp4", 0.3),
    file!("pcm.mov", 1e-4),
    file!("opus.webm", 0.3),
    file!("recorder.webm", 0.3),
    file!("flac.mka", 1e-4),
    file!("adts.aac", 0.3),
    file!("aac.ts", 0.3),
    file!("mp2.ts", 0.1),
    file!("chirp.mp2", 0.1),
    file!("flac.oga", 1e-4),
    file!("surround.opus", 0.45),
    file!("chirp.aiff", 1e-4),
    file!("chirp.caf", 1e-4),
    file!("mulaw.au", 0.05),
    file!("ima.wav", 0.15),
    file!("ms.wav", 0.15),
    file!("mp3.wav", 0.1),
];

/// What is heard at the model's rate, and why only a part.
fn heard(bytes: Vec<u8>) -> Result<(Vec<f32>, Option<String>), AudioError> {
    let reader = Reader::of_bytes(bytes, None, None)?;
    let mut signal = Signal::new(reader, Hertz(RATE), ChannelChoice::Mix)?;
    let waveform = Waveform::collect(&mut signal, Bounds::default())?;
    Ok((waveform.samples, signal.shortfall()))
}

/// The least distance over the delays that encoders add, relative to the chirp's power.
fn distance(heard: &[f32], wave: &[f32]) -> f32 {
    let power: f32 = wave.iter().map(|sample| sample * sample).sum();
    let at = |delay: usize| {
        let pairs = heard[delay..].iter().zip(wave);
        let error: f32 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
        (error / power).sqrt()
    };
    let most = heard.len().saturating_sub(wave.len());
    (0..=most).map(at).fold(f32::INFINITY, f32::min)
}

/// CAF says how wide the samples of a logarithmic law are.
#[test]
fn logarithmic_laws_are_heard_in_caf() {
    let au = include_bytes!("../../tests/audio/mulaw.au");
    let mut caf = b"caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20".to_vec();
    caf.extend(f64::from(RATE).to_be_bytes());
    caf.extend(b"ulaw");
    for field in [0u32, 1, 1, 1, 8] {
        caf.extend(field.to_be_bytes());
    }
    caf.extend(b"data");
    caf.extend((au.len() as u64 - 32 + 4).to_be_bytes());
    caf.extend([0; 4]);
    caf.extend(&au[32..]);
    let (once, shortfall) = heard(caf).unwrap();
    assert_eq!(shortfall, None);
    assert!(distance(&[once.as_slice(), &[0.0; 100]].concat(), &chirp()) < 0.05);
}

#[test]
fn every_container_gives_the_chirp() {
    let wave = chirp();
    for (name, bytes, error) in FILES {
        let (once, shortfall) = heard(bytes.to_vec()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(shortfall, None, "{name}");
        assert!(
            once.len() >= wave.len() - 100 && once.len() < wave.len() + 3500,
            "{name}: {}",
            once.len()
        );
        let padded = [once.as_slice(), &[0.0; 100]].concat();
        let off = distance(&padded, &wave);
        assert!(off <= error, "{name}: off by {off}");
    }
}

/// The chirp begins half a second after the pictures, as a player has it.
#[test]
fn sound_that_begins_later_than_its_file_is_heard_later() {
    let wave = chirp();
    for (name, bytes, error) in
        [file!("late.mp4", 0.3), file!("late.mkv", 1e-3), file!("late.ts", 0.1)]
    {
        let (late, shortfall) = heard(bytes.to_vec()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(shortfall, None, "{name}");
        let begins = late.iter().position(|sample| *sample != 0.0).unwrap();
        let (best, off) = (0..=late.len().saturating_sub(wave.len()))
            .map(|at| (at, distance(&late[at..at + wave.len()], &wave)))
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap();
        assert!(off <= error, "{name}: off by {off}");
        // 5 ms.
        assert!(begins > 6000 && best.abs_diff(8000) <= 80, "{name}: at {begins}, {best}");
    }
}

#[test]
fn two_files_after_each_other_are_both_heard() {
    for (name, bytes, _) in FILES {
        let (once, _) = heard(bytes.to_vec()).unwrap();
        let (twice, shortfall) = heard([bytes, bytes].concat()).unwrap();
        assert_eq!(shortfall, None, "{name}");
        assert!(
            twice.len().abs_diff(2 * once.len()) <= 2304,
            "{name}: {} of {}",
            twice.len(),
            once.len()
        );
    }
}

/// Containers that say how much they hold, cut in the middle of it.
#[test]
fn what_a_container_promises_and_does_not_hold_is_told() {
    // These are streams, or were never finished: they promise nothing.
    let open_ended = [
        "opus.webm",
        "recorder.webm",
        "flac.mka",
        "adts.aac",
        "aac.ts",
        "mp2.ts",
        "chirp.mp2",
        "flac.oga",
        "surround.opus",
    ];
    for (name, bytes, _) in FILES {
        let half = bytes[..bytes.len() * 6 / 10].to_vec();
        let Ok((part, shortfall)) = heard(half) else {
            continue;
        };
        let told = shortfall.is_some();
        assert!(told || open_ended.contains(&name), "{name}: {} heard", part.len());
    }
}

#[test]
fn cut_short_a_file_gives_what_it_holds_or_says_what_is_wrong() {
    for (name, bytes, _) in FILES {
        let (whole, _) = heard(bytes.to_vec()).unwrap();
        for cut in (0..bytes.len()).step_by(211) {
            if let Ok((part, _)) = heard(bytes[..cut].to_vec()) {
                assert!(part.len() <= whole.len() + 2304, "{name} cut to {cut} bytes");
            }
        }
    }
}

#[test]
fn tags_of_any_size_are_passed_over() {
    let mp3: &[u8] = include_bytes!("../../tests/audio/chirp.mp3");
    let flac: &[u8] = include_bytes!("../../tests/audio/chirp.flac");
    let picture: Vec<u8> =
        (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let size = picture.len();
    let size = [size >> 21, size >> 14 & 127, size >> 7 & 127, size & 127].map(|byte| byte as u8);
    let id3 = [b"ID3\x04\0\0".as_slice(), &size, &picture].concat();
    let tail = [b"TAG".as_slice(), &[0xff; 125]].concat();
    let ape = |flags: u32| {
        let fields = [2000u32, 132, 1, flags].map(u32::to_le_bytes).concat();
        [b"APETAGEX".as_slice(), &fields, &[0; 8]].concat()
    };
    let ape = [ape(0xa000_0000), vec![0xff; 100], ape(0x8000_0000)].concat();
    let (once, _) = heard(mp3.to_vec()).unwrap();
    for (bytes, times) in [
        (vec![id3.as_slice(), mp3], 1),
        (vec![mp3, &tail], 1),
        (vec![mp3, &ape, &tail], 1),
        (vec![&id3, mp3, &tail, &id3, mp3, &ape], 2),
    ] {
        let (samples, shortfall) = heard(bytes.concat()).unwrap();
        assert_eq!((samples.len(), shortfall), (times * once.len(), None));
    }
    let (samples, _) = heard([&id3, flac].concat()).unwrap();
    assert_eq!(samples.len(), chirp().len());
}

#[test]
fn recordings_of_other_rates_and_kinds_follow_in_one_file() {
    let part = |name: &str| FILES.iter().find(|(known, ..)| *known == name).unwrap().1;
    let opus: &[u8] = include_bytes!("../../tests/audio/chirp.opus");
    let vorbis: &[u8] = include_bytes!("../../tests/audio/chirp.ogg");
    let chain = [opus, vorbis, part("flac.oga"), part("surround.opus"), opus].concat();
    let (samples, shortfall) = heard(chain).unwrap();
    assert_eq!((samples.len(), shortfall), (5 * chirp().len(), None));
    let mp3: &[u8] = include_bytes!("../../tests/audio/chirp.mp3");
    let stereo: &[u8] = include_bytes!("../../tests/audio/stereo44.mp3");
    let (samples, shortfall) = heard([mp3, stereo, mp3].concat()).unwrap();
    assert_eq!(shortfall, None);
    assert!(samples.len().abs_diff(3 * chirp().len()) < 2304, "{}", samples.len());
}

#[test]
fn gsm_is_heard_at_half_the_rate() {
    let (samples, _) = heard(include_bytes!("../../tests/audio/gsm.wav").to_vec()).unwrap();
    assert!(samples.len().abs_diff(chirp().len()) <= 640);
    // What lies below 3 kHz, which is the chirp's first quarter of a second.
    let wave = &chirp()[..3000];
    let off = distance(&samples, wave);
    assert!(off < 0.5, "off by {off}");
}

#[test]
fn what_is_not_read_is_named_with_a_way_out() {
    let speex: &[u8] = b"OggS\0\x02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\x01\x08Speex   ";
    let mut speex = speex.to_vec();
    ogg::seal(&mut speex);
    for (bytes, name) in [
        (b"#!AMR\n\x3c".to_vec(), "AMR"),
        (b"#!AMR-WB\n\x3c".to_vec(), "AMR-WB"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9".to_vec(), "WMA"),
        (speex, "Speex"),
        (b"wvpk\0\0\0\0".to_vec(), "WavPack"),
        (b"MThd\0\0\0\x06".to_vec(), "MIDI"),
    ] {
        let error = heard(bytes).unwrap_err();
        assert!(matches!(error, AudioError::Unsupported { .. }), "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains("ffmpeg -i FILE"), "{text}");
    }
}

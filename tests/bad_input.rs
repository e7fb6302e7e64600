//! The table of bad inputs: each ends in a typed error that says what to do, or in a sensible empty result; none in a
//! panic, and none takes memory out of proportion.

mod tiny_model;

use std::path::Path;

use paretone::audio::Waveform;
use paretone::units::{Hertz, Seconds};
use tiny_model::{noise, wav};

/// The bytes of a 32-bit float WAV file of these samples.
fn float_wav(samples: &[f32]) -> Vec<u8> {
    let mut bytes = wav(16000, &[]);
    let data = 4 * samples.len() as u32;
    bytes[4..8].copy_from_slice(&(36 + data).to_le_bytes());
    bytes[20..22].copy_from_slice(&3u16.to_le_bytes());
    bytes[28..32].copy_from_slice(&64_000u32.to_le_bytes());
    bytes[32..34].copy_from_slice(&4u16.to_le_bytes());
    bytes[34..36].copy_from_slice(&32u16.to_le_bytes());
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

#[test]
fn audio_that_is_no_audio_is_refused_with_a_reason() {
    let whole = wav(16000, &noise(1600));
    let table: &[(&str, Vec<u8>)] = &[
        ("an empty file", Vec::new()),
        ("half a header", whole[..20].to_vec()),
        ("0 Hz", wav(0, &noise(1600))),
        (
            "text",
            b"Dear Sir, this is a letter and not a sound.\n".repeat(20),
        ),
        ("zeros", vec![0; 5000]),
        ("NaN floats", float_wav(&[f32::NAN; 4000])),
        ("infinite floats", float_wav(&[f32::INFINITY; 4000])),
    ];
    for (what, bytes) in table {
        let result = Waveform::read(bytes.as_slice(), None);
        let error = result.expect_err(what).to_string();
        assert!(error.len() > 15, "{what}: {error:?} does not say enough");
    }
}

#[test]
fn a_missing_file_and_a_folder_are_refused_by_name() {
    for path in ["no/such/file.wav", env!("CARGO_MANIFEST_DIR")] {
        let error = Waveform::open(Path::new(path)).expect_err(path).to_string();
        assert!(error.contains(path), "{error:?} does not name {path}");
    }
}

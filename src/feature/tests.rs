//! The features against kaldi-native-fbank's, against themselves in chunks, and the means against
//! their definition.

use ndarray::{Array2, Axis};
use proptest::prelude::*;

use super::*;
use crate::audio::Waveform;

const RATE: Hertz = Hertz(16_000);

fn config(kind: FeatureKind) -> MfccConfig {
    MfccConfig { kind, ..MfccConfig::default() }
}

/// The generator of `scripts/golden_mfcc.py`.
fn noise(count: usize) -> Waveform {
    let mut state = 1u32;
    let sample = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 65536.0 - 0.5
    };
    Waveform { samples: (0..count).map(sample).collect(), rate: RATE }
}

fn golden(bytes: &[u8], dims: usize) -> Array2<f32> {
    let values: Vec<f32> =
        bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Array2::from_shape_vec((values.len() / dims, dims), values).unwrap()
}

#[test]
fn the_numbers_are_kaldi_s() {
    let speech = include_bytes!("../../tests/golden/mfcc_speech.wav");
    let speech = Waveform::read(speech.as_slice(), None).unwrap();
    let noise = noise(8000);
    let table: [(&str, &Waveform, FeatureKind, &[u8]); 4] = [
        (
            "noise",
            &noise,
            FeatureKind::Mfcc,
            include_bytes!("../../tests/golden/mfcc_noise.mfcc.f32"),
        ),
        (
            "noise",
            &noise,
            FeatureKind::LogMel,
            include_bytes!("../../tests/golden/mfcc_noise.log-mel.f32"),
        ),
        (
            "speech",
            &speech,
            FeatureKind::Mfcc,
            include_bytes!("../../tests/golden/mfcc_speech.mfcc.f32"),
        ),
        (
            "speech",
            &speech,
            FeatureKind::LogMel,
            include_bytes!("../../tests/golden/mfcc_speech.log-mel.f32"),
        ),
    ];
    for (name, waveform, kind, bytes) in table {
        let ours = Mfcc::new(config(kind)).unwrap().compute(waveform).unwrap();
        let theirs = golden(bytes, 40);
        assert_eq!(ours.frames.dim(), theirs.dim());
        let worst = (&ours.frames - &theirs).iter().fold(0f32, |worst, d| worst.max(d.abs()));
        assert!(worst < 1e-3, "{name}, {kind:?}: off by {worst}");
        assert_eq!(ours.shift, Seconds(0.01));
    }
}

/// Quiet speech above a floor of rounding noise, against the formulas in double precision.
#[test]
fn the_noise_floor_is_the_expected_energy_of_white_noise() {
    let speech = include_bytes!("../../tests/golden/mfcc_speech.wav");
    let mut speech = Waveform::read(speech.as_slice(), None).unwrap();
    speech.samples.iter_mut().for_each(|sample| *sample /= 1000.0);
    let floored = |kind| {
        let noise_floor = 1.0 / 12.0;
        Mfcc::new(MfccConfig { noise_floor, ..config(kind) }).unwrap()
    };
    let log_mel = floored(FeatureKind::LogMel).compute(&speech).unwrap().frames;
    let theirs = golden(include_bytes!("../../tests/golden/mfcc_speech.floor.f32"), 40);
    let distance =
        |a: &Array2<f32>, b: &Array2<f32>| (a - b).iter().fold(0f32, |worst, d| worst.max(d.abs()));
    assert!(distance(&log_mel, &theirs) < 1e-3);
    // Cepstra are the cosine transform of the same energies.
    let cepstra = floored(FeatureKind::Mfcc).compute(&speech).unwrap().frames;
    let cosines = mel::cosine_transform(&config(FeatureKind::Mfcc));
    let cosines = Array2::from_shape_vec((40, 40), cosines).unwrap();
    assert!(distance(&cepstra, &log_mel.dot(&cosines)) < 1e-3);
    // Silence lies at the floor, whatever its length; without a floor nothing has changed.
    let silence = Waveform { samples: vec![0.0; 800], rate: RATE };
    let floor = floored(FeatureKind::LogMel).compute(&silence).unwrap().frames;
    assert!(floor.iter().all(|value| (-5.0..7.0).contains(value)), "{floor}");
}

/// The same cases in every run; `PROPTEST_CASES=100000` digs deeper.
fn fixed() -> ProptestConfig {
    let rng_seed = proptest::test_runner::RngSeed::Fixed(1);
    ProptestConfig { rng_seed, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(fixed())]

    /// Chunks of any size give the bits of the whole.
    #[test]
    fn a_stream_is_the_whole(chunks in prop::collection::vec(0..1500usize, 0..12), log_mel: bool) {
        let kind = if log_mel { FeatureKind::LogMel } else { FeatureKind::Mfcc };
        let mfcc = Mfcc::new(config(kind)).unwrap();
        let whole = noise(chunks.iter().sum());
        let expected = mfcc.compute(&whole).unwrap().frames;
        let mut stream = mfcc.stream();
        // Twice, so that the first recording must leave no trace.
        for _ in 0..2 {
            let mut rows = Vec::new();
            let mut rest = whole.samples.as_slice();
            for &chunk in &chunks {
                let (now, later) = rest.split_at(chunk);
                stream.push(now, |frame| rows.extend_from_slice(frame));
                rest = later;
            }
            stream.finish();
            prop_assert_eq!(rows.as_slice(), expected.as_slice().unwrap());
        }
    }

    /// The sliding mean, against its definition.
    #[test]
    fn the_online_mean_is_its_definition(
        count in 1..40usize,
        window in 1..12usize,
        prior_frames in 0..12usize,
        with_prior: bool,
    ) {
        let frames: Vec<f32> = noise(count).samples;
        let prior = with_prior.then_some([3.0f32].as_slice());
        let config = OnlineMeanConfig { window, prior_frames, ..Default::default() };
        let mut online = OnlineMean::new(config, 1, prior).unwrap();
        for t in 0..count {
            let mut frame = [frames[t]];
            online.apply(&mut frame);
            let seen = &frames[(t + 1).saturating_sub(window)..=t];
            let weight = if with_prior { prior_frames.min(window - seen.len()) } else { 0 };
            let sum: f64 = seen.iter().map(|&x| f64::from(x)).sum::<f64>() + weight as f64 * 3.0;
            let mean = sum / (seen.len() + weight) as f64;
            prop_assert!((f64::from(frame[0]) - (f64::from(frames[t]) - mean)).abs() < 1e-6);
        }
    }
}

/// libvosk's `--cmn-min-energy`, by hand.
#[test]
fn a_quiet_frame_is_taken_less_what_the_last_one_was_with_the_prior_once_more() {
    let config = OnlineMeanConfig { window: 10, prior_frames: 4, least_energy: 50.0 };
    let mut online = OnlineMean::new(config, 1, Some(&[60.0])).unwrap();
    let mut taken = |value: f32| {
        let mut frame = [value];
        online.apply(&mut frame);
        value - frame[0]
    };
    // Quiet at first: the prior alone. Then that frame counts, as 50 itself does.
    assert_eq!(taken(0.0), 60.0);
    assert_eq!(taken(90.0), (0.0 + 90.0 + 4.0 * 60.0) / 6.0);
    assert_eq!(taken(50.0), (0.0 + 90.0 + 8.0 * 60.0) / 10.0);
    // The mean is of as many frames as the window holds, and no prior fits in.
    assert_eq!(taken(50.0), (0.0 + 90.0 + 8.0 * 60.0) / 10.0);
    assert_eq!(taken(92.0), (0.0 + 90.0 + 50.0 + 50.0 + 92.0 + 4.0 * 60.0) / 9.0);
}

#[test]
fn a_fixed_mean_does_not_follow() {
    let mut fixed = OnlineMean::fixed(&[3.0, -1.0]);
    for _ in 0..3 {
        let mut frame = [5.0, 5.0];
        fixed.apply(&mut frame);
        assert_eq!(frame, [2.0, 6.0]);
        fixed.reset();
    }
}

#[test]
fn the_mean_is_gone() {
    let mut features = Mfcc::new(MfccConfig::default()).unwrap().compute(&noise(4000)).unwrap();
    subtract_mean(&mut features);
    let mean = features.frames.mean_axis(Axis(0)).unwrap();
    assert!(mean.iter().all(|mean| mean.abs() < 1e-4), "{mean}");
    let mut none = Features { frames: Array2::zeros((0, 40)), shift: Seconds(0.01) };
    subtract_mean(&mut none);
    assert_eq!(none.frames.dim(), (0, 40));
}

#[test]
fn short_and_silent_audio_is_fine_and_another_rate_is_not() {
    let mfcc = Mfcc::new(MfccConfig::default()).unwrap();
    let rows = |count| mfcc.compute(&noise(count)).unwrap().frames.nrows();
    assert_eq!([0, 1, 399, 400, 559, 560].map(rows), [0, 0, 0, 1, 1, 2]);
    let silence = Waveform { samples: vec![0.0; 16_000], rate: RATE };
    assert!(mfcc.compute(&silence).unwrap().frames.iter().all(|value| value.is_finite()));
    // The loudest that a waveform may hold.
    let loud = Waveform { samples: [2_147_483_648.0, -2_147_483_648.0].repeat(300), rate: RATE };
    assert!(mfcc.compute(&loud).unwrap().frames.iter().all(|value| value.is_finite()));
    let telephone = Waveform { samples: vec![0.0; 800], rate: Hertz(8000) };
    let error = mfcc.compute(&telephone).unwrap_err();
    assert_eq!(error, FeatureError::Rate { expected: RATE, found: Hertz(8000) });
}

#[test]
fn a_model_s_description_is_read_and_checked() {
    let json = r#"{"kind":"mfcc","sample_rate":16000,"frame_length_ms":25.0,"frame_shift_ms":10.0,
        "num_bins":40,"num_ceps":40,"low_hz":20.0,"high_hz":7600.0,"cepstral_lifter":22.0,
        "preemphasis":0.97,"window":"povey","snip_edges":true}"#;
    assert_eq!(serde_json::from_str::<MfccConfig>(json).unwrap(), MfccConfig::default());
    let wrong: [fn(&mut MfccConfig); 12] = [
        |c| c.sample_rate = Hertz(0),
        |c| c.frame_length_ms = f64::NAN,
        |c| c.frame_length_ms = 1e12,
        |c| c.frame_shift_ms = 0.0,
        |c| c.num_bins = 400,
        |c| c.num_ceps = 41,
        |c| c.low_hz = 7600.0,
        |c| c.high_hz = 8001.0,
        |c| c.cepstral_lifter = -1.0,
        |c| c.snip_edges = false,
        |c| c.noise_floor = -0.1,
        |c| c.noise_floor = f64::NAN,
    ];
    for (number, spoil) in wrong.iter().enumerate() {
        let mut config = MfccConfig::default();
        spoil(&mut config);
        assert!(matches!(Mfcc::new(config), Err(FeatureError::Config(_))), "case {number}");
    }
    assert!(OnlineMean::new(OnlineMeanConfig::default(), 2, Some(&[0.0])).is_err());
}

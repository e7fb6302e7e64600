//! The shipped gate on speech and on what is none, and against itself in pieces.

use super::*;
use crate::acoustic::Precision;
use crate::audio::Waveform;
use crate::feature::{FeatureKind, Mfcc};
use crate::units::Hertz;

const RATE: usize = 16_000;

/// The shipped gate and the log mel energies that it reads, where it is there.
fn shipped() -> Option<(Gate, Mfcc)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/en");
    let config =
        MfccConfig { kind: FeatureKind::LogMel, noise_floor: 1.0 / 12.0, ..MfccConfig::default() };
    let gate = Gate::of_model(&folder, &config, Precision::F32.kernels()).unwrap();
    if gate.is_none() {
        eprintln!("skipped: models/en has no gate.json");
    }
    gate.map(|gate| (gate, Mfcc::new(config).unwrap()))
}

/// By frame, in pushes of so many frames: whether it holds speech.
fn heard((gate, mfcc): &(Gate, Mfcc), samples: Vec<f32>, push: usize) -> Vec<bool> {
    let waveform = Waveform { samples, rate: Hertz(RATE as u32) };
    let frames = mfcc.compute(&waveform).unwrap().frames;
    let (mut stream, mut speech) = (gate.stream(), Vec::new());
    // Twice, so that the first recording must leave no trace.
    for _ in 0..2 {
        speech.clear();
        for part in frames.as_slice().unwrap().chunks(push * 40) {
            stream.push(part, &mut speech).unwrap();
        }
        stream.finish(&mut speech).unwrap();
    }
    assert_eq!(speech.len(), frames.nrows());
    speech
}

fn seconds(speech: &[bool]) -> f64 {
    speech.iter().filter(|speech| **speech).count() as f64 / 100.0
}

fn sample(name: &str) -> Vec<f32> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/samples");
    let waveform = Waveform::open(folder.join(name)).unwrap();
    waveform.at_rate(Hertz(RATE as u32)).unwrap().samples
}

#[test]
fn speech_is_heard_at_any_volume_and_between_pauses() {
    let Some(gate) = shipped() else { return };
    for name in ["river.wav", "children.wav", "winter.wav", "night.wav"] {
        let loud = sample(name);
        let whole = heard(&gate, loud.clone(), 1000);
        let all = whole.len() as f64 / 100.0;
        assert!(seconds(&whole) > 0.6 * all, "{name}: {whole:?}");
        let quiet: Vec<f32> = loud.iter().map(|sample| sample / 100.0).collect();
        let quiet = seconds(&heard(&gate, quiet, 1000));
        assert!((quiet - seconds(&whole)).abs() < 0.2 * all, "{name}");
        let pause = vec![0.0; 10 * RATE];
        let between = [pause.clone(), loud, pause].concat();
        let between = heard(&gate, between, 1000);
        assert!(seconds(&between[..900]) == 0.0 && seconds(&between[between.len() - 900..]) == 0.0);
        assert!((seconds(&between) - seconds(&whole)).abs() < 0.1 * all, "{name}");
    }
}

#[test]
fn noises_tones_and_silence_are_no_speech() {
    let Some(gate) = shipped() else { return };
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 32768.0 - 1.0
    };
    let time = |at: usize| at as f32 / RATE as f32;
    let sine = |at: usize, hertz: f32| (std::f32::consts::TAU * hertz * time(at)).sin();
    let on = |at: usize, period: f32, share: f32| f32::from(u8::from(time(at) % period < share));
    let sounds: Vec<(&str, Vec<f32>)> = vec![
        ("silence", vec![0.0; 10 * RATE]),
        ("white noise", (0..10 * RATE).map(|_| 0.1 * noise()).collect()),
        ("dither", (0..10 * RATE).map(|_| noise() / 32768.0).collect()),
        ("hum", (0..10 * RATE).map(|at| 0.1 * sine(at, 50.0) + 0.03 * sine(at, 150.0)).collect()),
        ("a tone", (0..10 * RATE).map(|at| 0.3 * sine(at, 1000.0)).collect()),
        (
            "a ring tone",
            (0..12 * RATE)
                .map(|at| 0.2 * (sine(at, 440.0) + sine(at, 480.0)) * on(at, 6.0, 2.0))
                .collect(),
        ),
        ("clicks", (0..10 * RATE).map(|at| 0.8 * on(at, 0.5, 0.001)).collect()),
    ];
    for (name, samples) in sounds {
        let speech = seconds(&heard(&gate, samples, 1000));
        assert!(speech <= 0.1, "{name}: {speech} s");
    }
}

#[test]
fn answers_do_not_depend_on_how_the_frames_come() {
    let Some(gate) = shipped() else { return };
    let samples = [sample("river.wav"), vec![0.0; 1234], sample("night.wav")].concat();
    let whole = heard(&gate, samples.clone(), 1_000_000);
    for push in [1, 7, 10, 100] {
        assert_eq!(heard(&gate, samples.clone(), push), whole);
    }
    for frames in [0, 1, 2, 3, 29, 61] {
        let short = samples[..frames * 160 + 300].to_vec();
        assert_eq!(heard(&gate, short.clone(), 1), heard(&gate, short, 1000));
    }
}

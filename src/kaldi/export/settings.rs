//! The small files of a Vosk folder: configuration, words, the mean of the features.

use std::fmt::Write;

use super::super::KaldiError;
use super::ExportOptions;
use crate::acoustic::{Hmm, ModelDescription, Normalisation};
use crate::feature::{FeatureKind, MfccConfig, Window};
use crate::graph::WordTable;
use crate::units::WordId;

/// Frames that the written mean claims to be of; Kaldi weighs it by its own options.
const MEAN_FRAMES: f64 = 1e5;

/// The mean of [`MfccConfig::default`] over clean read English: 100 utterances of Mini
/// LibriSpeech's training set.
const CLEAN_SPEECH: [f32; 40] = [
    92.07, -6.94, -8.76, 6.81, -11.14, -10.85, -15.18, -9.52, -0.09, -3.49, -2.82, -2.93, -4.05,
    -1.16, -6.46, -3.46, -3.11, -1.41, -1.65, -0.66, -0.80, -0.17, -0.11, 0.01, 0.19, 0.18, -0.07,
    -0.22, 0.06, -0.25, 0.34, 0.11, 0.48, 0.46, 0.53, 0.25, 0.43, -0.17, -0.25, -0.12,
];
/// The same of log mel energies: what `paretone model export --speech` writes of as many utterances
/// of the same set.
const CLEAN_ENERGIES: [f32; 40] = [
    11.89, 12.91, 13.67, 13.97, 14.01, 14.34, 14.65, 14.74, 14.78, 14.45, 14.21, 13.99, 13.91,
    13.87, 13.94, 13.98, 14.18, 14.53, 14.85, 15.02, 15.13, 15.17, 15.15, 15.25, 15.35, 15.38,
    15.36, 15.43, 15.44, 15.52, 15.57, 15.40, 15.13, 14.85, 14.61, 14.46, 14.45, 14.43, 14.34,
    14.07,
];

/// What Kaldi's running mean begins with.
pub(super) fn mean(
    description: &ModelDescription,
    options: &ExportOptions,
) -> Result<Vec<f32>, KaldiError> {
    let (feature, dims) = (&description.feature, description.feature.dims());
    match &options.mean {
        Some(mean) if mean.len() == dims => Ok(mean.clone()),
        Some(mean) => Err(KaldiError::NotExportable(format!(
            "the mean has {} values, the features {dims}",
            mean.len()
        ))),
        None => usual_mean(feature).ok_or_else(|| {
            let what = "the mean over clean speech is known of 40 mel energies from 20 to 7600 Hz at 16 kHz and of their \
                        cepstra alone; give recordings of typical speech with --speech";
            KaldiError::NotExportable(what.into())
        }),
    }
}

/// The mean over clean read English, of front ends of which it was measured.
fn usual_mean(feature: &MfccConfig) -> Option<Vec<f32>> {
    // Of cepstra, the first are the same however many are kept. Energies are not liftered.
    let (lifter, usual) = (feature.cepstral_lifter, MfccConfig::default());
    let (known, cepstral_lifter) = match feature.kind {
        FeatureKind::Mfcc => (CLEAN_SPEECH, usual.cepstral_lifter),
        FeatureKind::LogMel => (CLEAN_ENERGIES, lifter),
    };
    let measured = MfccConfig {
        kind: feature.kind,
        num_ceps: feature.num_ceps,
        noise_floor: feature.noise_floor,
        cepstral_lifter,
        ..usual
    };
    (*feature == measured).then(|| known.iter().copied().take(feature.dims()).collect())
}

/// Sums and a count of frames, and the sums of squares, which nobody asks for.
pub(super) fn cmvn_stats(mean: &[f32]) -> Vec<u8> {
    let mut text = String::from(" [\n ");
    for value in mean {
        let _ = write!(text, " {}", f64::from(*value) * MEAN_FRAMES);
    }
    let _ = write!(text, " {MEAN_FRAMES}\n ");
    for value in mean {
        let _ = write!(text, " {}", (f64::from(*value).powi(2) + 1.0) * MEAN_FRAMES);
    }
    text.push_str(" 0 ]\n");
    text.into_bytes()
}

/// Names and texts of the configuration files.
pub(super) fn files(
    description: &ModelDescription,
    hmm: &Hmm,
) -> Result<Vec<(&'static str, String)>, KaldiError> {
    let feature = match description.feature.kind {
        FeatureKind::Mfcc => "conf/mfcc.conf",
        FeatureKind::LogMel => "conf/fbank.conf",
    };
    Ok(vec![
        (feature, features(&description.feature)),
        ("conf/model.conf", search(description, hmm)),
        ("conf/paretone.conf", own(description)),
        ("README", readme(description)),
    ])
}

/// A word and its number a line.
pub(super) fn words(words: &WordTable) -> String {
    let mut text = String::new();
    for id in 0..words.len() as u32 {
        let word = words.name(WordId(id)).unwrap_or_default();
        let _ = writeln!(text, "{word} {id}");
    }
    text
}

fn lines(options: &[(&str, String)]) -> String {
    let line = |(name, value): &(&str, String)| format!("--{name}={value}\n");
    options.iter().map(line).collect()
}

fn features(config: &MfccConfig) -> String {
    let window = match config.window {
        Window::Povey => "povey",
        Window::Hann => "hanning",
        Window::Hamming => "hamming",
    };
    let mut options = vec![
        ("sample-frequency", config.sample_rate.0.to_string()),
        ("frame-length", config.frame_length_ms.to_string()),
        ("frame-shift", config.frame_shift_ms.to_string()),
        ("window-type", window.to_owned()),
        ("preemphasis-coefficient", config.preemphasis.to_string()),
        // Noise of the variance whose expected energy we add.
        ("dither", config.noise_floor.sqrt().to_string()),
        ("snip-edges", config.snip_edges.to_string()),
        ("use-energy", "false".to_owned()),
        ("num-mel-bins", config.num_bins.to_string()),
        ("low-freq", config.low_hz.to_string()),
        ("high-freq", config.high_hz.to_string()),
    ];
    if config.kind == FeatureKind::Mfcc {
        options.push(("num-ceps", config.num_ceps.to_string()));
        options.push(("cepstral-lifter", config.cepstral_lifter.to_string()));
    }
    lines(&options)
}

fn search(description: &ModelDescription, hmm: &Hmm) -> String {
    let decode = &description.decode;
    let silent = format!("{}:{}", hmm.silence().0 + 1, hmm.unknown().0 + 1);
    lines(&[
        ("min-active", decode.min_active.to_string()),
        ("max-active", decode.max_active.to_string()),
        ("beam", decode.beam.to_string()),
        ("lattice-beam", decode.lattice_beam.to_string()),
        ("acoustic-scale", decode.acoustic_scale.to_string()),
        ("frame-subsampling-factor", description.network.subsampling.to_string()),
        ("endpoint.silence-phones", silent),
        ("endpoint.rule2.min-trailing-silence", "0.5".to_owned()),
        ("endpoint.rule3.min-trailing-silence", "1.0".to_owned()),
        ("endpoint.rule4.min-trailing-silence", "2.0".to_owned()),
    ])
}

/// What Kaldi has no word for.
fn own(description: &ModelDescription) -> String {
    let normalisation = match description.normalisation {
        Normalisation::None => "none",
        Normalisation::UtteranceMean => "utterance-mean",
        Normalisation::SpeechMean => "speech-mean",
    };
    let note = "# What the model was trained for, where Kaldi's own options cannot say it. Only Paretone \
                reads this.\n";
    let options = lines(&[
        ("normalisation", normalisation.to_owned()),
        ("noise-floor", description.feature.noise_floor.to_string()),
        ("graph-scale", "1".to_owned()),
        ("minimum-bayes-risk", "false".to_owned()),
    ]);
    format!("{note}{options}")
}

fn readme(description: &ModelDescription) -> String {
    format!(
        "The model \"{}\" of Paretone as a Vosk folder, written by `paretone model export --vosk`.\n\
         Licence of the weights: {}\n\n\
         Open it with vosk.Model(\"this folder\"), or with paretone transcribe --model.\n",
        description.name, description.licence
    )
}

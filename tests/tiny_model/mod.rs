//! A whole model of a few kilobytes, made of fixed numbers: for tests that need a model but no
//! accuracy.
//!
//! Two words, four phones, one layer. What it hears has no meaning; that it answers, and how fast
//! it gives up on damage, has.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use paretone::graph::WordTable;
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::pack::pack;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

/// A `versions.toml` of two versions, a fast one and an accurate one.
pub const TWO_VERSIONS: &str = "\
[[version]]
name = \"v1\"
setting = \"network_beam=2 network_top_n=3 lattice_beam=1 rescore\"
measured = { wer_percent = 20.0, response_seconds = 0.1, arcs_per_frame = 5.0 }
[[version]]
name = \"v2\"
setting = \"network_beam=13 lattice_beam=8 rescore\"
measured = { wer_percent = 10.0, response_seconds = 0.2, arcs_per_frame = 9.0 }
";

const PHONES: [&str; 4] = ["SIL", "SPN", "AA", "B"];
const PDFS: usize = 2 * PHONES.len();
const INPUTS: usize = 40;
const OFFSETS: [i32; 3] = [-1, 0, 1];

/// The words, as `words.txt` lists them.
pub const WORDS: &str = "<eps>\n<s>\n</s>\n<unk>\nah\nbah\n";
/// Their pronunciations.
pub const LEXICON: &str = "<unk>\tSPN\nah\tAA\nbah\tB AA\n";
/// How they follow each other.
pub const ARPA: &str = "\
\\data\\
ngram 1=5
ngram 2=4

\\1-grams:
-99\t<s>\t-0.3
-0.8\t</s>
-2.0\t<unk>
-0.6\tah\t-0.2
-0.5\tbah\t-0.2

\\2-grams:
-0.3\t<s> bah
-0.4\tbah ah
-0.5\tah bah
-0.3\tah </s>

\\end\\
";

/// The shipped model's calibration, for any model: it does not say what it was made for.
pub fn calibration() -> Vec<u8> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/en/confidence.json");
    let bytes = fs::read(shipped).expect("a calibration");
    let mut calibration: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let fields = calibration.as_object_mut().expect("an object");
    fields.remove("made_for");
    serde_json::to_vec(&calibration).expect("JSON")
}

/// A folder with the model and two seconds of noise, `a.wav`.
pub fn place() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path());
    fs::write(folder.path().join("a.wav"), wav(16_000, &noise(32_000))).expect("writable");
    folder
}

/// The program in such a folder, with its model and a cache of its own.
pub fn paretone(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::cargo_bin("paretone").expect("built with the tests");
    command
        .env("PARETONE_CACHE", folder.join("cache"))
        .env("PARETONE_MODEL", folder.join("tiny"))
        .current_dir(folder)
        .args(args);
    command
}

/// What the program says of `a.wav` there, where the user's file of defaults holds this.
pub fn transcribed_with(folder: &Path, defaults: &str, args: &[&str]) -> Assert {
    let config = folder.join("config.toml");
    fs::write(&config, defaults).expect("writable");
    let mut command = paretone(folder, &["transcribe"]);
    command.env("PARETONE_CONFIG", &config).args(args).arg("a.wav").assert()
}

/// Writes the model into `folder/tiny` and returns that folder.
pub fn write(folder: &Path) -> PathBuf {
    let model = folder.join("tiny");
    fs::create_dir_all(&model).expect("a folder for the model");
    let put = |name: &str, bytes: &[u8]| fs::write(model.join(name), bytes).expect("writable");
    put("model.json", description().as_bytes());
    put("acoustic.safetensors", &weights());
    put("words.txt", WORDS.as_bytes());
    put("lexicon.txt", LEXICON.as_bytes());
    for name in ["graph.ngram", "rescore.ngram"] {
        let words = WordTable::from_reader(WORDS.as_bytes(), "words").expect("a word table");
        let arpa = Arpa::from_reader(ARPA.as_bytes(), "arpa", &words).expect("an n-gram");
        let packed = pack(arpa, &words, xxh3_64(WORDS.as_bytes())).expect("a small n-gram");
        packed.save(&model.join(name)).expect("writable");
    }
    model
}

fn description() -> String {
    serde_json::json!({
        "format": 1, "name": "tiny", "licence": "CC0-1.0",
        "feature": {"kind": "mfcc", "sample_rate": 16000, "frame_length_ms": 25.0, "frame_shift_ms": 10.0,
            "num_bins": 40, "num_ceps": INPUTS, "low_hz": 20.0, "high_hz": 7600.0, "cepstral_lifter": 22.0,
            "preemphasis": 0.97, "window": "povey", "snip_edges": true},
        "normalisation": "utterance-mean",
        "network": {"weights": "acoustic.safetensors", "input_dim": INPUTS, "subsampling": 3, "layers": [
            {"name": "output", "offsets": OFFSETS, "stride": 3, "input_dim": INPUTS, "output_dim": PDFS,
                "bias": true, "relu": false, "norm": false}]},
        "hmm": {"phones": PHONES, "silence": "SIL", "unknown": "SPN", "pdfs": PDFS, "context": "left-biphone"},
        "decode": {"acoustic_scale": 1.0, "word_penalty": 0.0, "silence_probability": 0.5, "beam": 13.0,
            "lattice_beam": 8.0, "max_active": 7000}
    })
    .to_string()
}

/// Small weights without pattern, by a fixed linear congruence, and every pdf of its own phone
/// alone.
fn weights() -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1 << 24) - 0.5) as f32 * 0.02
    };
    let columns = OFFSETS.len() * INPUTS;
    let weight: Vec<u8> = (0..PDFS * columns).flat_map(|_| next().to_le_bytes()).collect();
    let bias: Vec<u8> = (0..PDFS).flat_map(|_| next().to_le_bytes()).collect();
    let table: Vec<u8> =
        (0..PHONES.len()).flat_map(|_| 0..PDFS as i32).flat_map(i32::to_le_bytes).collect();
    let view = |dtype, shape: &[usize], bytes| {
        TensorView::new(dtype, shape.to_vec(), bytes).expect("shape and bytes agree")
    };
    let tensors = BTreeMap::from([
        ("output.weight", view(Dtype::F32, &[PDFS, columns], &weight)),
        ("output.bias", view(Dtype::F32, &[PDFS], &bias)),
        ("hmm.pdfs", view(Dtype::I32, &[PHONES.len(), PHONES.len(), 2], &table)),
    ]);
    safetensors::serialize(tensors, None).expect("a few tensors")
}

/// Adds a neural language model of random weights to a model's folder.
pub fn add_neural(model: &Path) {
    let words = WORDS.lines().count();
    let (frequent, width, short, cell) = (4, 4, 2, 3);
    let mut state = 7u32;
    let mut bytes = |count: usize| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        // Each row of integers has a 127 among them, as the exporter sees to.
        (0..count).map(|at| if at % 2 == 0 { 127 } else { next() }).collect()
    };
    let floats =
        |values: Vec<f32>| -> Vec<u8> { values.into_iter().flat_map(f32::to_le_bytes).collect() };
    let halves = |values: Vec<f32>| -> Vec<u8> {
        let half = |value: f32| half::f16::from_f32(value).to_le_bytes();
        values.into_iter().flat_map(half).collect()
    };
    let mut tensors = vec![
        (
            "rank",
            Dtype::U16,
            vec![words],
            (0..words as u16).rev().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "bias",
            Dtype::F16,
            vec![words],
            halves((0..words).map(|at| -1.5 - 0.1 * at as f32).collect()),
        ),
        ("widen", Dtype::F16, vec![width, short], halves(vec![0.5; width * short])),
        ("gate_bias", Dtype::F32, vec![4 * cell], floats(vec![0.25; 4 * cell])),
    ];
    for (name, scale, rows, columns) in [
        ("frequent", "frequent.scale", frequent, width),
        ("rare", "rare.scale", words - frequent, short),
        ("input", "input.scale", 4 * cell, width),
        ("recurrent", "recurrent.scale", 4 * cell, width),
        ("projection", "projection.scale", width, cell),
    ] {
        tensors.push((name, Dtype::I8, vec![rows, columns], bytes(rows * columns)));
        tensors.push((scale, Dtype::F32, vec![rows], floats(vec![0.02; rows])));
    }
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.clone(), bytes).expect("shape and bytes agree"))
    });
    let said = [("format", "paretone neural language model 1"), ("weight", "0.5")];
    let said = said.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let file = safetensors::serialize(views, Some(said.into())).expect("a few tensors");
    fs::write(model.join("neural.safetensors"), file).expect("writable");
}

/// A 16-bit mono WAV file of these samples.
pub fn wav(rate: u32, samples: &[i16]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(44 + 2 * samples.len());
    let data = 2 * samples.len() as u32;
    bytes.extend(b"RIFF");
    bytes.extend((36 + data).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.wrapping_mul(2).to_le_bytes());
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(data.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

/// Noise without pattern: `count` samples of about a tenth of full scale.
pub fn noise(count: usize) -> Vec<i16> {
    let mut state = 7u32;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) as i16) / 10
        })
        .collect()
}

/// A rules file for two versions: the lines of its `[made_for]`, and its tiers.
pub fn rules(made_for: &str, tiers: &str) -> String {
    format!("{CERTIFICATE}[made_for]\n{made_for}[tolerances]\nstep = 0.001\nsteps = 100\n{tiers}")
}

/// The head of [`rules`].
const CERTIFICATE: &str = "\
format = \"paretone-rules-2\"
[certificate]
method = \"population\"
delta = 0.001
requests = 100
groups = 10
date = \"2026-11-27\"
outcomes_sha256 = \"00\"
reference = \"v2\"
reference_error_rate = 0.1
sharing = \"shared\"
network_seconds = 0.0
";

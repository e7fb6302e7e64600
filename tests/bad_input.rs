//! The table of bad inputs: each ends in a typed error that says what to do, or in a sensible empty
//! result; none in a panic, and none takes memory out of proportion.

mod tiny_model;

use std::fs;
use std::path::Path;

use ndarray::Array2;
use paretone::audio::Waveform;
use paretone::decode::{Decoder, Pruning, Scratch};
use paretone::graph::{Graph, GraphError};
use paretone::recognizer::{Cache, Options, Recognizer, RecognizerError};
use paretone::units::Hertz;
use tempfile::TempDir;
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
        ("text", b"Dear Sir, this is a letter and not a sound.\n".repeat(20)),
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

fn waveform(samples: Vec<f32>) -> Waveform {
    Waveform { samples, rate: Hertz(16000) }
}

fn noisy(count: usize) -> Waveform {
    waveform(noise(count).into_iter().map(|sample| f32::from(sample) / 32768.0).collect())
}

/// Opens a model with a cache of its own beside it.
fn open(model: &Path) -> Result<Recognizer, RecognizerError> {
    let cache = Cache::in_folder(model.with_extension("cache"));
    Recognizer::open_with(model, Options::default().cache(cache))
}

fn tiny() -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = tiny_model::write(folder.path());
    (folder, model)
}

#[test]
fn nothing_is_heard_where_there_is_nothing_to_hear() {
    let (_folder, model) = tiny();
    let recognizer = open(&model).expect("the tiny model opens");
    let mut scratch = recognizer.scratch();
    let header_only =
        Waveform::read(wav(16000, &[]).as_slice(), None).expect("a header is a WAV file");
    let table = [
        ("header only", header_only),
        ("no samples", waveform(Vec::new())),
        ("one sample", waveform(vec![0.5])),
        ("less than a frame", noisy(300)),
        ("10 minutes of silence", waveform(vec![0.0; 600 * 16000])),
        ("an offset", waveform(vec![0.25; 16000])),
    ];
    for (what, waveform) in table {
        let transcript = recognizer.transcribe_with(&waveform, &mut scratch).expect(what);
        assert!(transcript.words.is_empty(), "{what}: {:?}", transcript.text());
        assert_eq!(transcript.audio, waveform.duration(), "{what}");
    }
}

#[test]
fn noise_and_numbers_that_are_none_do_no_harm() {
    let (_folder, model) = tiny();
    let recognizer = open(&model).expect("the tiny model opens");
    let mut scratch = recognizer.scratch();
    let before = recognizer.transcribe_with(&noisy(32000), &mut scratch).expect("noise is audio");
    for bad in [f32::NAN, f32::INFINITY] {
        let mut samples = noisy(32000).samples;
        samples[16000] = bad;
        assert!(recognizer.transcribe_with(&waveform(samples), &mut scratch).is_err(), "{bad}");
    }
    // What failed has left nothing behind in the scratch.
    let mut after =
        recognizer.transcribe_with(&noisy(32000), &mut scratch).expect("noise is audio");
    after.timings = before.timings;
    assert_eq!(before, after);
}

#[test]
fn a_missing_file_of_the_model_is_named() {
    for name in ["model.json", "acoustic.safetensors", "words.txt", "lexicon.txt", "graph.ngram"] {
        let (_folder, model) = tiny();
        fs::remove_file(model.join(name)).expect("it was there");
        let error = open(&model).err().expect(name).to_string();
        assert!(error.contains(name), "{error:?} does not name {name}");
    }
    let (_folder, model) = tiny();
    fs::remove_file(model.join("rescore.ngram")).expect("it was there");
    open(&model).expect("rescoring is not needed");
}

/// Every file of the model, cut short, emptied, replaced and with bytes flipped: an error, or a
/// model that still answers; no panic.
#[test]
fn a_damaged_model_is_refused_or_answers() {
    let (_folder, model) = tiny();
    for name in [
        "model.json",
        "acoustic.safetensors",
        "words.txt",
        "lexicon.txt",
        "graph.ngram",
        "rescore.ngram",
    ] {
        let path = model.join(name);
        let whole = fs::read(&path).expect("a file of the model");
        let step = (whole.len() / 60).max(1);
        let flipped = (0..whole.len()).step_by(step).map(|at| {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            bytes
        });
        let cut = [0, 1, 8, whole.len() / 2, whole.len() - 1].map(|len| whole[..len].to_vec());
        for bytes in flipped.chain(cut).chain([vec![0xff; 4096], vec![0; 4096]]) {
            fs::write(&path, bytes).expect("writable");
            if let Ok(recognizer) = open(&model) {
                // An answer or a typed error: either will do.
                let _ = recognizer.transcribe_with(&noisy(8000), &mut recognizer.scratch());
            }
        }
        fs::write(&path, whole).expect("writable");
    }
    open(&model).expect("the whole model opens again");
}

#[test]
fn another_version_of_a_file_is_named_as_such() {
    for (name, from, to) in [
        ("model.json", &b"\"format\":1"[..], &b"\"format\":9"[..]),
        ("graph.ngram", b"PTNGRAM\0\x01", b"PTNGRAM\0\x09"),
    ] {
        let (_folder, model) = tiny();
        let bytes = fs::read(model.join(name)).expect("a file of the model");
        let at = bytes.windows(from.len()).position(|part| part == from).expect("its version");
        let mut other = bytes.clone();
        other[at..at + to.len()].copy_from_slice(to);
        fs::write(model.join(name), other).expect("writable");
        let error = open(&model).err().expect(name).to_string();
        assert!(error.contains("format 9"), "{name}: {error:?} does not name the version");
    }
}

/// The graph that a model's first use left in its cache.
fn cached_graph(model: &Path) -> std::path::PathBuf {
    open(model).expect("the tiny model opens");
    let entries = fs::read_dir(model.with_extension("cache")).expect("the cache folder");
    let mut files = entries.map(|entry| entry.expect("readable").path());
    files.find(|path| path.extension().is_some_and(|e| e == "graph")).expect("a graph in the cache")
}

/// Each byte of a graph in turn: verifying finds it, and a search of what still opens ends without
/// a panic.
#[test]
fn every_damaged_byte_of_a_graph_is_found_and_survived() {
    let (_folder, model) = tiny();
    let path = cached_graph(&model);
    let whole = fs::read(&path).expect("a graph");
    Graph::verify(&path).expect("a whole graph");
    let scores = Array2::from_shape_fn((20, 8), |(t, pdf)| ((t * 7 + pdf * 5) % 11) as f32 * -0.3);
    let mut scratch = Scratch::new();
    let mut opened = 0;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xa5;
        fs::write(&path, &bytes).expect("writable");
        if let Ok(graph) = Graph::open(&path) {
            opened += 1;
            let decoder = Decoder::new(&graph, Pruning::default()).expect("valid pruning");
            let _ = decoder.decode(&scores, &mut scratch);
            let _ = decoder.lattice(&scores, &mut scratch);
            // Bytes between sections belong to nobody; any other must be found.
            let padding = whole[at] == 0 && Graph::verify(&path).is_ok();
            assert!(padding || Graph::verify(&path).is_err(), "byte {at} was not missed");
        }
    }
    assert!(opened > whole.len() / 4, "opening is meant to check the header only");
    for len in [0, 7, 8, 200, 256, whole.len() / 2] {
        fs::write(&path, &whole[..len]).expect("writable");
        assert!(Graph::open(&path).is_err(), "cut to {len} bytes");
    }
    let mut version = whole.clone();
    version[8] = 9;
    fs::write(&path, version).expect("writable");
    assert!(matches!(Graph::open(&path), Err(GraphError::Version { found: 9, .. })));
}

/// A damaged graph in the cache is compiled again, unasked, wherever the damage is.
#[test]
fn a_damaged_cache_mends_itself() {
    let (_folder, model) = tiny();
    let path = cached_graph(&model);
    let whole = fs::read(&path).expect("a graph");
    fs::write(&path, &whole[..100]).expect("writable");
    open(&model).expect("compiled again");
    assert_eq!(fs::read(&path).expect("a graph"), whole);
    for at in (256..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x24;
        fs::write(&path, damaged).expect("writable");
        open(&model).expect("compiled again");
        let mended = fs::read(&path).expect("a graph") == whole;
        assert!(mended || whole[at] == 0, "byte {at} was not missed");
    }
}

/// Damage that leaves an n-gram's header whole would give other words.
#[test]
fn a_damaged_language_model_is_refused() {
    for name in ["graph.ngram", "rescore.ngram"] {
        let (_folder, model) = tiny();
        open(&model).expect("the tiny model opens");
        let path = model.join(name);
        let mut bytes = fs::read(&path).expect("an n-gram");
        bytes[1024] ^= 0x24;
        fs::write(&path, bytes).expect("writable");
        let error = open(&model).err().expect(name).to_string();
        assert!(error.contains(name) && error.contains("damaged"), "{error:?}");
    }
}

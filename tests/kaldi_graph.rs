//! Vosk folders whose graph is in two parts, `HCLr.fst` and `Gr.fst`: composed, named by the
//! language model, heard with; and such that are damaged.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::fs;
use std::path::{Path, PathBuf};

use paretone::graph::{Graph, WORD_END, WORD_START};
use paretone::kaldi::{TransitionModel, VoskFolder, check_language_fst, check_lexicon_fst};
use paretone::recognizer::{Cache, Options};
use paretone::units::{Hertz, WordId};
use paretone::{Recognizer, Waveform};

#[path = "nnet3/fst.rs"]
mod fst;
#[allow(dead_code)] // Of the model its writer alone is needed here.
mod nnet3;

use fst::{Context, Fst, ngram};
use nnet3::{Network, Part};

/// Features of a frame, and pdfs: two of each of four phones.
const DIMS: [usize; 2] = [6, 8];
/// Names by number, as `Gr.fst` has them.
const WORDS: [&str; 4] = ["<eps>", "yes", "yet", "[unk]"];
/// The label that reads nothing.
const SILENT: u32 = 9;

/// Where phone `phone` is entered, and where it stays.
fn entry(phone: u32) -> u32 {
    2 * phone
}

fn stay(phone: u32) -> u32 {
    2 * phone - 1
}

/// `yes` of phones 1 and 2, `yet` of 1 and 3, `[unk]` of 4, all between pauses of 4.
fn lexicon() -> Fst {
    let never = f32::INFINITY;
    Fst {
        start: 0,
        states: vec![
            (0.0, vec![(entry(1), 0, 0.1, 1), (entry(4), 0, 9.0, 4), (entry(4), 3, 12.0, 4)]),
            (never, vec![(stay(1), 0, 0.3, 1), (entry(2), 1, 0.0, 2), (entry(3), 2, 0.0, 3)]),
            (never, vec![(stay(2), 0, 0.3, 2), (SILENT, 0, 0.0, 0)]),
            (never, vec![(stay(3), 0, 0.3, 3), (SILENT, 0, 0.0, 0)]),
            (never, vec![(stay(4), 0, 0.3, 4), (SILENT, 0, 0.0, 0)]),
        ],
    }
}

fn language() -> Vec<u8> {
    let context = |parent, word, words: &[(u32, f32)]| {
        let words = words.to_vec();
        Context { parent, word, back_off: 0.25, ending: 0.5, words }
    };
    let contexts = [
        context(0, u32::MAX, &[(1, 1.0), (2, 1.0), (3, 4.0)]),
        context(0, 0, &[(1, 0.5)]),
        context(0, 1, &[(2, 0.75)]),
    ];
    ngram(&contexts, Some(&WORDS))
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A Vosk folder whose network makes little difference between phones: the graph decides.
fn folder(at: &Path) -> PathBuf {
    let [features, pdfs] = DIMS;
    let mut net = Network::default();
    net.line(&format!("input-node name=input dim={features}"));
    let row = |pdf: usize| (0..features).map(|at| ((pdf * 7 + at * 3) % 5) as f32 / 1e5).collect();
    let weights = (0..pdfs).map(row).collect();
    net.node("output.affine", "input", Part::Affine(weights, vec![0.0; pdfs]));
    net.line("output-node name=output input=output.affine objective=linear");
    let vosk = at.join("vosk");
    put(&vosk, "am/final.mdl", &net.model(pdfs as i32));
    let mfcc = format!("--use-energy=false\n--num-mel-bins=23\n--num-ceps={features}\n");
    put(&vosk, "conf/mfcc.conf", mfcc.as_bytes());
    let settings = "--beam=13.0\n--max-active=7000\n--lattice-beam=6.0\n--acoustic-scale=1.0\n";
    put(&vosk, "conf/model.conf", settings.as_bytes());
    put(&vosk, "graph/HCLr.fst", &lexicon().look_ahead());
    put(&vosk, "graph/Gr.fst", &language());
    put(&vosk, "graph/disambig_tid.int", format!("{SILENT}\n").as_bytes());
    put(&vosk, "graph/phones/word_boundary.int", b"1 begin\n2 end\n3 end\n4 nonword\n");
    vosk
}

fn composed(vosk: &Path) -> Result<Graph, String> {
    let transitions = TransitionModel::open(&vosk.join("am/final.mdl")).unwrap();
    let found = VoskFolder::find(vosk).unwrap();
    found.graph_of(&transitions).map_err(|error| paretone::WithCauses(&error).to_string())
}

#[test]
fn two_parts_are_one_graph_with_its_own_words() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    let words = VoskFolder::find(&vosk).unwrap().words().unwrap();
    assert_eq!(words.name(WordId(2)), Some("yet"));
    assert_eq!(words.id("[unk]"), Some(WordId(3)));
    let graph = composed(&vosk).unwrap();
    let arcs = || graph.states().flat_map(|state| graph.emitting_arcs(state));
    assert!(arcs().all(|arc| arc.pdf.is_some_and(|pdf| pdf.index() < DIMS[1])));
    // Words begin where the first phone does, and have ended where a pause begins.
    let entered = |phone: u32| 2 * phone - 2;
    for arc in arcs() {
        let pdf = arc.pdf.unwrap().0;
        assert_eq!(arc.label & WORD_START != 0, pdf == entered(1), "{arc:?}");
        assert_eq!(arc.label & WORD_END != 0, pdf == entered(4), "{arc:?}");
    }
    assert_eq!(graph.largest_word(), WordId(3));
}

#[test]
fn a_const_language_model_takes_its_names_from_words_txt() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    let loops = vec![(0.5, vec![(2, 2, 1.0, 0), (1, 1, 1.0, 0)])];
    put(&vosk, "graph/Gr.fst", &Fst { start: 0, states: loops }.constant());
    put(&vosk, "graph/words.txt", b"<eps> 0\nyes 1\nyet 2\n");
    let words = VoskFolder::find(&vosk).unwrap().words().unwrap();
    assert_eq!(words.name(WordId(1)), Some("yes"));
    assert_eq!(composed(&vosk).unwrap().largest_word(), WordId(2));
}

#[test]
fn damaged_and_missing_parts_are_named() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    for name in ["HCLr.fst", "Gr.fst"] {
        let path = format!("graph/{name}");
        let whole = fs::read(vosk.join(&path)).unwrap();
        for length in [0, 3, 30, 100, whole.len() - 1] {
            put(&vosk, &path, &whole[..length]);
            let error = composed(&vosk).unwrap_err();
            assert!(error.contains(name) && error.contains("cut short"), "{length}: {error}");
        }
        put(&vosk, &path, &[&whole[..], b"more"].concat());
        assert!(composed(&vosk).unwrap_err().contains("the end"));
        put(&vosk, &path, &whole);
    }
    put(&vosk, "graph/disambig_tid.int", b"nine\n");
    let error = composed(&vosk).unwrap_err();
    assert!(error.contains("disambig_tid.int") && error.contains("nine"), "{error}");
    put(&vosk, "graph/disambig_tid.int", b"10\n");
    let error = composed(&vosk).unwrap_err();
    assert!(error.contains("HCLr.fst") && error.contains("label 9"), "{error}");
    for name in ["disambig_tid.int", "Gr.fst"] {
        fs::remove_file(vosk.join("graph").join(name)).unwrap();
        let error = composed(&vosk).unwrap_err();
        assert!(error.contains(name), "{error}");
    }
}

/// A second of noise.
fn noise() -> Waveform {
    let mut state = 7u32;
    let samples = (0..16_000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    });
    Waveform { samples: samples.collect(), rate: Hertz(16_000) }
}

fn open(vosk: &Path) -> Recognizer {
    let options = Options::default().cache(Cache::in_folder(vosk.join("cache")));
    Recognizer::open_with(vosk, options).unwrap()
}

#[test]
fn a_folder_in_two_parts_is_opened_and_kept() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    let first = open(&vosk).transcribe(&noise()).unwrap();
    assert!(!first.words.is_empty());
    assert!(first.words.iter().all(|word| WORDS.contains(&word.word.as_str())));
    let graphs = || {
        let files = fs::read_dir(vosk.join("cache")).unwrap().flatten();
        files.filter(|file| file.path().extension().is_some_and(|end| end == "graph")).count()
    };
    assert_eq!(graphs(), 1);
    assert_eq!(open(&vosk).transcribe(&noise()).unwrap().text(), first.text());
    assert_eq!(graphs(), 1);
    // Another lexicon makes another graph.
    let mut other = lexicon();
    other.states[0].1[0].2 = 2.5;
    put(&vosk, "graph/HCLr.fst", &other.look_ahead());
    open(&vosk);
    assert_eq!(graphs(), 2);
}

#[test]
fn seeds_of_fuzzing_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi");
    if std::env::var_os("PARETONE_WRITE_SEEDS").is_some() {
        fs::write(folder.join("HCLr.fst"), lexicon().look_ahead()).unwrap();
        fs::write(folder.join("Gr.fst"), language()).unwrap();
    }
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(check_lexicon_fst(&read("HCLr.fst")).unwrap(), (5, 12));
    assert_eq!(check_language_fst(&read("Gr.fst")).unwrap(), (3, 7));
}

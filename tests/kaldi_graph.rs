//! Vosk folders whose graph is in two parts, `HCLr.fst` and `Gr.fst`: composed, named by the
//! language model, heard with; and such that are damaged.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::fs;
use std::path::Path;

use paretone::Recognizer;
use paretone::graph::{Grammar, Graph, WORD_END, WORD_START, WordList};
use paretone::kaldi::{TransitionModel, VoskFolder, check_language_fst, check_lexicon_fst};
use paretone::recognizer::{Cache, Options};
use paretone::units::WordId;

#[path = "nnet3/fst.rs"]
mod fst;
#[allow(dead_code)] // Of the model its writer alone is needed here.
mod nnet3;
#[path = "nnet3/parts.rs"]
mod parts;

use fst::Fst;
use parts::{DIMS, entry, folder, language, lexicon, noise, put};

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
    assert!(first.words.iter().all(|word| ["yes", "yet"].contains(&word.word.as_str())));
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

/// What is heard by a recogniser in noise.
fn heard(recognizer: &Recognizer) -> Vec<String> {
    let said = recognizer.transcribe(&noise()).unwrap();
    said.words.into_iter().map(|word| word.word).collect()
}

fn listed(phrases: &[&str]) -> Vec<String> {
    phrases.iter().map(|phrase| (*phrase).to_owned()).collect()
}

#[test]
fn phrases_and_grammars_are_all_that_is_heard() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    let recognizer = open(&vosk);
    assert!(recognizer.is_of_vosk());
    // "no" is no word of the model, and passed over.
    for (phrases, only) in [(["yet", "no"], "yet"), (["yes", "yes"], "yes")] {
        let hears = recognizer.with_phrases(&listed(&phrases)).unwrap();
        let words = heard(&hears);
        assert!(!words.is_empty() && words.iter().all(|word| word == only), "{words:?}");
    }
    let unknown = recognizer.with_phrases(&listed(&["[unk]"])).unwrap();
    assert!(heard(&unknown).iter().all(|word| word == "[unk]"));
    let error = recognizer.with_phrases(&listed(&["no"])).err().unwrap().to_string();
    assert!(error.contains("does not know") && error.contains("no"), "{error}");
    let grammar = Grammar::parse("yet yes\n", "answers").unwrap();
    assert_eq!(heard(&recognizer.with_grammar(&grammar).unwrap()), ["yet", "yes"]);
    let grammar = Grammar::parse("yes no\n", "answers").unwrap();
    let error = recognizer.with_grammar(&grammar).err().unwrap().to_string();
    assert!(error.contains("no"), "{error}");
    let words = WordList::from_reader("yet\n".as_bytes(), "words").unwrap();
    let error = recognizer.with_words(&words).err().unwrap().to_string();
    assert!(error.contains("no lexicon"), "{error}");
}

#[test]
fn a_whole_graph_takes_no_phrases_and_says_so() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    let found = VoskFolder::find(&vosk).unwrap();
    let loops = vec![(0.0, vec![(entry(1), 1, 0.5, 0)])];
    put(&vosk, "graph/HCLG.fst", &Fst { start: 0, states: loops }.constant());
    let error = found.graph_of_phrases(&listed(&["yes"])).unwrap_err().to_string();
    assert!(error.contains("HCLG.fst") && error.contains("HCLr.fst"), "{error}");
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

//! `rescore/` of big Vosk folders: what G.carpa and G.fst cost, held against costs that
//! `scripts/kaldi/golden_rescoring.py` computes by the definition; files that are damaged; and a
//! folder whose words change with them.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use paretone::Recognizer;
use paretone::kaldi::{VoskFolder, check_const_arpa, check_subtracted_fst};
use paretone::recognizer::{Cache, Options};

#[allow(dead_code)] // Of the graphs one type alone is needed here.
#[path = "nnet3/fst.rs"]
mod fst;
#[allow(dead_code)] // Of the model its writer alone is needed here.
mod nnet3;
#[allow(dead_code)] // Of the folder its writer alone is needed here.
#[path = "nnet3/parts.rs"]
mod parts;

use fst::Fst;
use parts::{folder, lexicon, noise, put};

fn golden(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi");
    fs::read(folder.join(name)).unwrap()
}

#[test]
fn sentences_cost_what_the_definition_says() {
    let lines = String::from_utf8(golden("rescoring.txt")).unwrap();
    let mut compared = 0;
    for line in lines.lines() {
        let (said, costs) = line.split_once(':').unwrap();
        let mut said = said.split_whitespace();
        let file = said.next().unwrap();
        let words: Vec<u32> = said.map(|word| word.parse().unwrap()).collect();
        let costs: Vec<f32> = costs.split_whitespace().map(|cost| cost.parse().unwrap()).collect();
        let found = match file {
            "G.carpa" => check_const_arpa(&golden(file), &words).unwrap(),
            _ => vec![check_subtracted_fst(&golden(file), &words).unwrap().iter().sum()],
        };
        assert_eq!(found.len(), costs.len(), "{line}");
        for (found, cost) in found.iter().zip(&costs) {
            assert!(found == cost || (found - cost).abs() < 1e-4, "{line}: {found}");
        }
        compared += 1;
    }
    assert!(compared > 200, "{compared}");
}

/// A file with other numbers at a place behind a token.
fn changed(bytes: &[u8], token: &str, behind: usize, with: &[u8]) -> Vec<u8> {
    let at = bytes.windows(token.len()).position(|found| found == token.as_bytes()).unwrap();
    let at = at + token.len() + 1 + behind;
    let mut changed = bytes.to_vec();
    changed[at..at + with.len()].copy_from_slice(with);
    changed
}

#[test]
fn a_word_that_nothing_stands_for_is_said_by_no_path() {
    let without = changed(&golden("G.carpa"), "<LmInfo>", 11, &(-1i32).to_le_bytes());
    let costs = check_const_arpa(&without, &[1, 5, 1]).unwrap();
    assert_eq!(costs[1], f32::INFINITY);
    // A number beyond all words of the model is one that it does not know either.
    assert_eq!(check_const_arpa(&without, &[u32::MAX]).unwrap()[0], f32::INFINITY);
    assert!(check_const_arpa(&golden("G.carpa"), &[u32::MAX]).unwrap()[0].is_finite());
    assert_eq!(check_subtracted_fst(&golden("G.fst"), &[5]).unwrap()[0], f32::INFINITY);
}

#[test]
fn files_cut_short_anywhere_are_errors() {
    let whole = golden("G.carpa");
    for length in 0..whole.len() {
        let error = check_const_arpa(&whole[..length], &[1]).unwrap_err().to_string();
        assert!(error.starts_with("G.carpa"), "{length}: {error}");
    }
    let more = [whole, vec![0]].concat();
    assert!(check_const_arpa(&more, &[1]).unwrap_err().to_string().contains("behind the end"));
    let whole = golden("G.fst");
    for length in 0..whole.len() {
        assert!(check_subtracted_fst(&whole[..length], &[1]).is_err(), "{length}");
    }
}

#[test]
fn damaged_files_are_errors_or_models_but_never_panics() {
    for name in ["G.carpa", "G.fst"] {
        let whole = golden(name);
        for at in 0..whole.len() {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = check_const_arpa(&damaged, &[1, 2, 3, 1]);
                let _ = check_subtracted_fst(&damaged, &[1, 2, 3, 1]);
            }
        }
    }
}

#[test]
fn a_damaged_carpa_says_what_and_where() {
    let whole = golden("G.carpa");
    let int = |number: i32| number.to_le_bytes();
    let nan = f32::NAN.to_le_bytes();
    // The first history is that of word 1: two numbers, three words behind it, the first of which
    // begins a history itself.
    let first = 9;
    for (token, behind, with, told) in [
        ("<LmInfo>", 1, int(9), "<s> is word 9"),
        ("<LmInfo>", 6, int(0), "</s> is word 0"),
        ("<LmInfo>", 11, int(-2), "the unknown word is word -2"),
        ("<LmInfo>", 16, int(9), "order"),
        ("<LmStates>", 1, int(i32::MAX), "more than the file holds"),
        ("<LmStates>", first, nan, "the history at 0: NaN"),
        ("<LmStates>", first + 4, f32::INFINITY.to_le_bytes(), "the history at 0: inf"),
        ("<LmStates>", first + 8, int(-1), "-1 words"),
        ("<LmStates>", first + 8, int(1 << 30), "words, more than"),
        ("<LmStates>", first + 12, int(8), "word 6 after 8"),
        ("<LmStates>", first + 12, int(0), "word 0 after 0"),
        ("<LmStates>", first + 16, int(2 * 4 + 1), "no history begins there"),
        ("<LmStates>", first + 16, int(-3), "does not lie behind"),
        ("<LmStates>", first + 16, int(i32::MAX), "does not lie behind"),
        ("<LmUnigram>", 5 + 8, int(3), "no history begins at 3, as word 1 says"),
        ("<LmUnigram>", 1, int(-1), "-1 elements"),
        ("<LmOverflow>", 5, int(0), "does not lie behind"),
        ("<LmOverflow>", 1, int(1 << 28), "more than the file holds"),
    ] {
        let damaged = changed(&whole, token, behind, &with);
        let error = check_const_arpa(&damaged, &[1]).unwrap_err().to_string();
        assert!(error.starts_with("G.carpa") && error.contains(told), "{told}: {error}");
    }
    let old = [b"\0B\x04".as_slice(), &int(7)].concat();
    let error = check_const_arpa(&old, &[1]).unwrap_err().to_string();
    assert!(error.contains("arpa-to-const-arpa"), "{error}");
}

#[test]
fn what_is_no_back_off_model_is_refused() {
    let of = |rows: Vec<Vec<fst::Arc>>| {
        let states = rows.into_iter().map(|arcs| (0.0, arcs)).collect();
        check_subtracted_fst(&Fst { start: 0, states }.constant(), &[1])
    };
    assert_eq!(of(vec![vec![(0, 0, 0.5, 1)], vec![(1, 1, 2.0, 0)]]).unwrap(), [2.5, 0.0]);
    for (rows, told) in [
        (vec![vec![(0, 0, 0.5, 0)]], "in a circle"),
        (vec![vec![(0, 0, -0.5, 1)], vec![(9, 0, -0.5, 0)]], "in a circle"),
        (vec![vec![(0, 0, 0.5, 1), (9, 0, 0.25, 1)], vec![]], "two states"),
        (vec![vec![(1, 1, 0.5, 0), (2, 1, 0.25, 0)]], "two arcs have word 1"),
        (vec![vec![(1, 1, f32::NAN, 0)]], "cost"),
        (vec![vec![(1, 1, 0.5, 7)]], "state 7"),
    ] {
        let error = of(rows).unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
    }
}

fn open(vosk: &Path, rescores: bool) -> Result<Recognizer, String> {
    let options = Options::default().cache(Cache::in_folder(vosk.join("cache")));
    let opened = Recognizer::open_with(vosk, options.large_model(rescores));
    opened.map_err(|error| paretone::WithCauses(&error).to_string())
}

/// The language model in the folder's graph: histories of nothing, of the beginning and of `yes`.
fn subtracted() -> Fst {
    let all = vec![(1, 1, 1.0, 2), (2, 2, 1.0, 0), (3, 3, 4.0, 0)];
    let states = vec![
        (0.5, all),
        (0.5, vec![(1, 1, 0.5, 2), (9, 0, 0.25, 0)]),
        (0.5, vec![(2, 2, 0.75, 0), (9, 0, 0.25, 0)]),
    ];
    Fst { start: 1, states }
}

/// What a sentence costs more with the large model, `[unk]` left out.
fn change(words: &[u32]) -> f64 {
    let mut before = 0;
    let (mut small, mut large) = (0.0, 0.0);
    for &word in words {
        small += match (before, word) {
            (0, 1) => 0.5,
            (0, 2) => 1.25,
            (1, 1) => 1.25,
            (1, 2) => 0.75,
            _ => 1.0,
        };
        large += match (before, word) {
            (0, 1) => 3.25,
            (0, 2) => 0.25,
            (1, 1) => 3.5,
            (1, 2) => 0.75,
            (2, 1) => 3.125,
            _ => 0.625,
        };
        before = word;
    }
    let end = match before {
        0 => 1.25,
        1 => 1.5,
        _ => 0.375,
    };
    large + end - small - 0.5
}

#[test]
fn a_folder_is_rescored_and_its_words_change() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    // Here [unk] is as likely as the words.
    let mut words = lexicon();
    words.states[0].1[2].2 = -3.0;
    put(&vosk, "graph/HCLr.fst", &words.look_ahead());
    put(&vosk, "rescore/G.fst", &subtracted().constant());
    put(&vosk, "rescore/G.carpa", &golden("folder.carpa"));
    let answers = |rescores: bool| {
        let recognizer = open(&vosk, rescores).unwrap();
        let (mut scratch, setting) = (recognizer.scratch(), recognizer.setting());
        let scored = recognizer.score(&noise(), &mut scratch).unwrap();
        let all = recognizer.n_best(&setting, &scored, 200, &mut scratch).unwrap();
        let all: BTreeMap<String, f64> =
            all.iter().map(|answer| (answer.words.join(" "), answer.cost.0)).collect();
        (all, recognizer.transcribe(&noise()).unwrap().text())
    };
    let ((plain, before), (rescored, after)) = (answers(false), answers(true));
    assert!(plain.keys().any(|said| said.contains("[unk]")));
    assert!(!rescored.keys().any(|said| said.contains("[unk]")), "nothing stands for it");
    let mut compared = 0;
    for (said, cost) in &rescored {
        let Some(earlier) = plain.get(said) else { continue };
        let number = |word: &str| if word == "yes" { 1 } else { 2 };
        let words: Vec<u32> = said.split_whitespace().map(number).collect();
        let expected = earlier + 0.9 * change(&words);
        assert!((cost - expected).abs() < 1e-3 * expected.abs(), "{said}: {cost}, not {expected}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
    assert!(
        before.contains("yes") && !after.contains("yes") && after.contains("yet"),
        "{before}; {after}"
    );
}

#[test]
fn where_no_word_is_known_nothing_is_heard() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    // What nobody says: nothing is left of any path, not even of the one without words.
    let states = vec![(f32::INFINITY, vec![(3, 3, 0.5, 0)])];
    put(&vosk, "rescore/G.fst", &Fst { start: 0, states }.constant());
    put(&vosk, "rescore/G.carpa", &golden("folder.carpa"));
    let recognizer = open(&vosk, true).unwrap();
    let heard = recognizer.transcribe(&noise()).unwrap();
    assert_eq!((heard.text().as_str(), heard.cost.0), ("", 0.0));
    assert!(heard.evidence.is_some());
    let mut scratch = recognizer.scratch();
    let scored = recognizer.score(&noise(), &mut scratch).unwrap();
    let all = recognizer.n_best(&recognizer.setting(), &scored, 5, &mut scratch).unwrap();
    assert!(all.len() == 1 && all[0].words.is_empty(), "{all:?}");
}

#[test]
fn files_that_do_not_belong_together_are_named() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    // A small model alone is not asked for, as in libvosk.
    put(&vosk, "rescore/G.fst", b"anything");
    assert!(open(&vosk, true).is_ok());
    put(&vosk, "rescore/G.carpa", &golden("folder.carpa"));
    let error = open(&vosk, true).err().unwrap();
    assert!(error.contains("G.fst") && error.contains("OpenFst"), "{error}");
    assert!(open(&vosk, false).is_ok());
    fs::remove_file(vosk.join("rescore/G.fst")).unwrap();
    let error = open(&vosk, true).err().unwrap();
    assert!(error.contains("G.fst is missing"), "{error}");
    let states = vec![(0.0, vec![(4, 4, 0.5, 0)])];
    put(&vosk, "rescore/G.fst", &Fst { start: 0, states }.constant());
    let error = open(&vosk, true).err().unwrap();
    assert!(error.contains("G.fst") && error.contains("another graph"), "{error}");
    put(&vosk, "rescore/G.fst", &subtracted().constant());
    put(&vosk, "rescore/G.carpa", b"");
    let error = open(&vosk, true).err().unwrap();
    assert!(error.contains("G.carpa"), "{error}");
}

#[test]
fn the_network_that_rescores_is_named_and_left_out() {
    let at = tempfile::tempdir().unwrap();
    let vosk = folder(at.path());
    let left_out = || VoskFolder::find(&vosk).unwrap().left_out();
    put(&vosk, "rescore/G.carpa", b"");
    assert_eq!(left_out(), None);
    put(&vosk, "rnnlm/final.raw", b"");
    assert_eq!(left_out(), Some(vosk.join("rnnlm/final.raw")));
}

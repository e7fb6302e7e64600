//! Kaldi's nnet3 models: a tiny model of ours written as a Vosk folder.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

use std::fs;
use std::path::Path;

use paretone::graph::ngram::Ngram;
use paretone::graph::{Graph, WordTable};
use paretone::kaldi::{ExportOptions, check_const_arpa, check_subtracted_fst, export};

mod tiny_model;

#[test]
fn a_model_is_written_as_a_vosk_folder() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    let out = folder.path().join("vosk");
    let exported = export(&model, &out, &ExportOptions::default()).unwrap();
    for name in [
        "am/final.mdl",
        "am/global_cmvn.stats",
        "conf/mfcc.conf",
        "conf/model.conf",
        "graph/HCLG.fst",
        "graph/words.txt",
    ] {
        assert!(exported.files.contains(&out.join(name)), "{name}");
        assert!(out.join(name).is_file(), "{name}");
    }
    let mdl = fs::read(out.join("am/final.mdl")).unwrap();
    assert!(mdl.starts_with(b"\0B<TransitionModel> <Topology> "));
    assert!(mdl.ends_with(b"<Priors> FV \x04\0\0\0\0"));
    let words = fs::read_to_string(out.join("graph/words.txt")).unwrap();
    assert!(words.starts_with("<eps> 0\n<s> 1\n"), "{words}");
}

#[test]
fn the_graph_of_a_vosk_folder_names_transitions() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    let exported = export(&model, &folder.path().join("vosk"), &ExportOptions::default()).unwrap();
    let graph = Graph::read_openfst(&folder.path().join("vosk/graph/HCLG.fst")).unwrap();
    let (emitting, epsilon) = graph.num_arcs();
    assert_eq!(graph.num_states(), exported.states);
    assert_eq!(emitting + epsilon, exported.arcs);
    // Four phones, each with an entry and a loop.
    assert_eq!(exported.transition_ids, 8);
    assert!(graph.num_pdfs() <= exported.transition_ids);
}

#[test]
fn the_large_n_gram_goes_along_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    let out = folder.path().join("vosk");
    let options = ExportOptions::default().rescoring(true);
    let exported = export(&model, &out, &options).unwrap();
    let words = WordTable::open(&model.join("words.txt")).unwrap();
    let id = |word: &str| words.id(word).unwrap();
    let said = ["ah", "bah", "ah"].map(id);
    let numbers: Vec<u32> = said.iter().map(|word| word.0).collect();
    let costs = |name: &str| {
        let ngram = Ngram::open(&model.join(name)).unwrap();
        let mut state = ngram.start();
        let mut costs: Vec<f32> = Vec::new();
        for word in said {
            let (next, cost) = ngram.step(state, word);
            (state, costs) = (next, [costs, vec![cost.0]].concat());
        }
        [costs, vec![ngram.end(state).0]].concat()
    };
    for (name, check, ours) in [
        ("G.carpa", check_const_arpa as fn(&[u8], &[u32]) -> _, "rescore.ngram"),
        ("G.fst", check_subtracted_fst, "graph.ngram"),
    ] {
        let path = out.join("rescore").join(name);
        assert!(exported.files.contains(&path));
        let theirs: Vec<f32> = check(&fs::read(path).unwrap(), &numbers).unwrap();
        for (theirs, ours) in theirs.iter().zip(costs(ours)) {
            assert!((theirs - ours).abs() < 1e-3, "{name}: {theirs} {ours}");
        }
        assert_eq!(theirs.len(), said.len() + 1);
    }
    fs::remove_file(model.join("rescore.ngram")).unwrap();
    let error = export(&model, &out, &options).unwrap_err().to_string();
    assert!(error.contains("rescore.ngram"), "{error}");
}

#[test]
fn a_mean_of_another_width_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    let options = ExportOptions::default().mean(vec![0.0; 3]);
    let error = export(&model, &folder.path().join("vosk"), &options).unwrap_err();
    assert!(error.to_string().contains("the mean has 3 values"), "{error}");
}

/// A change to a model's description.
fn describe(model: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let path = model.join("model.json");
    let mut description = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut description);
    fs::write(path, serde_json::to_vec(&description).unwrap()).unwrap();
}

/// What the running mean of an export begins with.
fn mean_of(vosk: &Path) -> Vec<f64> {
    let text = fs::read_to_string(vosk.join("am/global_cmvn.stats")).unwrap();
    let row = text.lines().nth(1).unwrap().split_whitespace();
    let mut sums: Vec<f64> = row.map(|value| value.parse().unwrap()).collect();
    let frames = sums.pop().unwrap();
    sums.iter().map(|sum| sum / frames).collect()
}

#[test]
fn the_mean_of_clean_speech_is_known_of_cepstra_and_of_energies() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    let vosk = folder.path().join("vosk");
    let exported = |kind: &str| {
        describe(&model, |json| {
            json["feature"]["kind"] = kind.into();
            json["normalisation"] = "speech-mean".into();
        });
        export(&model, &vosk, &ExportOptions::default()).unwrap();
        mean_of(&vosk)
    };
    let (cepstra, energies) = (exported("mfcc"), exported("log-mel"));
    assert_eq!((cepstra.len(), energies.len()), (40, 40));
    // The zeroth cepstrum is the sum of the energies times the square root of 1/40.
    let zeroth = energies.iter().sum::<f64>() / 40f64.sqrt();
    assert!((zeroth - cepstra[0]).abs() < 0.01 * zeroth, "{zeroth} {}", cepstra[0]);
}

#[test]
fn what_cannot_be_exported_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let model = tiny_model::write(folder.path());
    describe(&model, |json| {
        json["feature"]["low_hz"] = 60.into();
        json["normalisation"] = "speech-mean".into();
    });
    let vosk = folder.path().join("vosk");
    let error = export(&model, &vosk, &ExportOptions::default()).unwrap_err().to_string();
    assert!(error.contains("--speech"), "{error}");
    assert!(!vosk.exists());
}

#[test]
fn a_folder_without_a_model_names_what_is_missing() {
    let nowhere = Path::new("no/such/model");
    let error = export(nowhere, Path::new("no/such/vosk"), &ExportOptions::default()).unwrap_err();
    assert!(error.to_string().contains("model.json"), "{error}");
}

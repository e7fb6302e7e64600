//! The second look with a neural language model: what the recogniser answers is what both models,
//! asked for the whole sentence, say.

mod tiny_model;

use std::path::Path;

use paretone::acoustic::Precision;
use paretone::audio::Waveform;
use paretone::graph::WordTable;
use paretone::graph::ngram::Ngram;
use paretone::language::NeuralModel;
use paretone::recognizer::{
    Alternative, Cache, Options, Recognizer, RecognizerError, Setting, StreamOptions, Transcript,
};
use paretone::units::{Hertz, WordId};

const SEARCHED: &str = "network_beam=13 lattice_beam=8";
const RESCORED: &str = "network_beam=13 lattice_beam=8 rescore";
const NEURAL: &str = "network_beam=13 lattice_beam=8 rescore neural";

fn open(model: &Path) -> Recognizer {
    let options = Options::default().cache(Cache::in_folder(model.join("cache")));
    Recognizer::open_with(model, options).expect("the tiny model opens")
}

fn waveform() -> Waveform {
    let samples = tiny_model::noise(20_000).into_iter();
    Waveform {
        samples: samples.map(|sample| f32::from(sample) / 32_768.0).collect(),
        rate: Hertz(16_000),
    }
}

/// What is heard at a setting, and the best few answers.
fn heard(recognizer: &Recognizer, setting: &str) -> (Transcript, Vec<Alternative>) {
    let setting: Setting = setting.parse().expect("a setting");
    let mut scratch = recognizer.scratch();
    let waveform = waveform();
    let transcript = recognizer.transcribe_at(&setting, &waveform, &mut scratch);
    let scored = recognizer.score(&waveform, &mut scratch).expect("scores");
    let again = recognizer.search(&setting, &scored, &mut scratch).expect("an answer");
    let answers = recognizer.n_best(&setting, &scored, 30, &mut scratch);
    let transcript = transcript.expect("a transcript");
    assert_eq!(transcript.text(), again.text());
    assert_eq!(transcript.cost, again.cost);
    (transcript, answers.expect("answers"))
}

#[test]
fn without_the_file_nothing_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let recognizer = open(&tiny_model::write(folder.path()));
    let (plain, neural) = (heard(&recognizer, RESCORED), heard(&recognizer, NEURAL));
    assert_eq!(plain.0.cost, neural.0.cost);
    assert_eq!(plain.1, neural.1);
}

/// The mixture's cost of a sentence, by the models themselves.
fn mixture(model: &Path, words: &[String]) -> f64 {
    let table = WordTable::open(&model.join("words.txt")).expect("words");
    let ids: Vec<WordId> = words.iter().map(|word| table.id(word).expect("known")).collect();
    let ngram = Ngram::open(&model.join("rescore.ngram")).expect("an n-gram");
    let kernels = Precision::Auto.kernels();
    let network = NeuralModel::open(&model.join("neural.safetensors"), kernels).expect("a network");
    let mut state = ngram.start();
    let mut plain = Vec::new();
    for &id in &ids {
        let (next, cost) = ngram.step(state, id);
        plain.push(cost);
        state = next;
    }
    plain.push(ngram.end(state));
    let weight = f64::from(network.weight());
    let p = |cost: f32| (-f64::from(cost)).exp();
    let both = network.costs(&ids).into_iter().zip(plain);
    both.map(|(neural, plain)| -(weight * p(neural.0) + (1.0 - weight) * p(plain.0)).ln()).sum()
}

#[test]
fn answers_cost_what_the_models_say_of_the_whole_sentence() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = tiny_model::write(folder.path());
    let plain = heard(&open(&model), RESCORED).1;
    let searched = heard(&open(&model), SEARCHED).1;
    tiny_model::add_neural(&model);
    let recognizer = open(&model);
    let (transcript, answers) = heard(&recognizer, NEURAL);
    assert!(answers.len() > 5, "{} answers", answers.len());
    assert_eq!(transcript.text(), answers[0].words.join(" "));
    assert_eq!(transcript.cost, answers[0].cost);
    for answer in &answers {
        let costs = answer.costs.expect("the models are open");
        let sum = costs.acoustic.0 + costs.language.0 + costs.word_penalty.0 + costs.silences.0;
        assert!((sum - answer.cost.0).abs() < 1e-9);
        let expected = mixture(&model, &answer.words);
        assert!((costs.language.0 - expected).abs() < 1e-3, "{expected} {costs:?}");
        // What is heard does not depend on who judges the words.
        for others in [&plain, &searched] {
            let same = others.iter().find(|other| other.words == answer.words);
            let Some(other) = same.and_then(|other| other.costs) else {
                continue;
            };
            let (ours, theirs) =
                (costs.acoustic.0 + costs.silences.0, other.acoustic.0 + other.silences.0);
            assert!((ours - theirs).abs() < 2e-2, "{ours} {theirs}");
            assert_eq!(costs.graph_ngram, other.graph_ngram);
        }
    }
}

#[test]
fn a_stream_ends_with_what_the_network_says_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = tiny_model::write(folder.path());
    tiny_model::add_neural(&model);
    let recognizer = open(&model);
    let setting: Setting = NEURAL.parse().expect("a setting");
    let (whole, _) = heard(&recognizer, NEURAL);
    let (plain, _) = heard(&recognizer, RESCORED);
    assert_ne!(whole.cost, plain.cost);
    let mut stream = recognizer.stream(&StreamOptions::default()).expect("a stream");
    let mut ended = Vec::new();
    for chunk in waveform().samples.chunks(777) {
        ended.extend(stream.push(chunk).expect("good samples"));
    }
    ended.extend(stream.finish().expect("an end"));
    let mut scratch = recognizer.scratch();
    let mut cost = 0.0;
    let mut words = Vec::new();
    for utterance in &ended {
        let heard = recognizer.transcribe_utterance(&setting, utterance, &mut scratch);
        let heard = heard.expect("a transcript").later(utterance.start);
        cost += heard.cost.0;
        words.extend(heard.words);
    }
    assert_eq!(words, whole.words);
    assert!((cost - whole.cost.0).abs() <= 1e-9 * cost.abs());
}

#[test]
fn a_damaged_network_is_told_to_whoever_asks_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = tiny_model::write(folder.path());
    std::fs::write(model.join("neural.safetensors"), b"none").expect("a file");
    let recognizer = open(&model);
    let hear = |recognizer: &Recognizer, setting: &str| {
        let setting: Setting = setting.parse().expect("a setting");
        recognizer.transcribe_at(&setting, &waveform(), &mut recognizer.scratch())
    };
    assert!(hear(&recognizer, RESCORED).is_ok());
    let error = hear(&recognizer, NEURAL).err();
    assert!(matches!(error, Some(RecognizerError::Language(_))), "{error:?}");
    // A version that needs it cannot be offered.
    let versions = tiny_model::TWO_VERSIONS.replacen("rescore", "rescore neural", 1);
    std::fs::write(model.join("versions.toml"), versions).expect("a file");
    let options = Options::default().cache(Cache::in_folder(model.join("cache")));
    let error = Recognizer::open_with(&model, options).err();
    assert!(matches!(error, Some(RecognizerError::Language(_))), "{error:?}");
}

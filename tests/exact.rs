//! All pruning off is exact Viterbi, on recordings: the shipped samples under the shipped acoustic
//! model, over a graph of a few hundred words of the shipped lexicon. (The whole graph's trellis
//! would not fit a machine's memory.)

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use paretone::acoustic::{Hmm, ModelDescription, Network, NetworkScratch, Scores};
use paretone::audio::Waveform;
use paretone::decode::{Decoder, Pruning, Scratch, Word, oracle};
use paretone::feature::{Mfcc, MfccConfig, subtract_mean};
use paretone::graph::compile::{CompileOptions, Sentence, compile, compile_sentence};
use paretone::graph::lexicon::Lexicon;
use paretone::graph::ngram::{Ngram, arpa::Arpa, pack::pack};
use paretone::graph::{Graph, WordTable};

/// Words that nobody says, beside those of the transcripts.
const OTHER_WORDS: usize = 200;

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// (file, words) of every sample.
fn samples() -> Vec<(String, Vec<String>)> {
    let table = fs::read_to_string(repository("corpora/samples/manifest.tsv")).expect("samples");
    let row = |line: &str| {
        let mut fields = line.split('\t').skip(1);
        let file = fields.next().expect("a path");
        let said = fields.next().expect("a transcript");
        (file.to_owned(), said.split(' ').map(str::to_owned).collect())
    };
    table.lines().skip(1).map(row).collect()
}

/// Every word equally likely, and the transcripts' word pairs five times as likely as chance.
fn arpa(words: &[&str], pairs: &BTreeSet<(&str, &str)>) -> String {
    let unigram = -(words.len() as f64).log10();
    let mut text = format!("\\data\\\nngram 1={}\nngram 2={}\n\n", words.len() + 3, pairs.len());
    text += "\\1-grams:\n-99\t<s>\t-0.1\n-99\t<unk>\n";
    writeln!(text, "{unigram:.5}\t</s>").expect("a string grows");
    for word in words {
        writeln!(text, "{unigram:.5}\t{word}\t-0.1").expect("a string grows");
    }
    text += "\n\\2-grams:\n";
    for (first, second) in pairs {
        writeln!(text, "{:.5}\t{first} {second}", unigram + 0.7).expect("a string grows");
    }
    text + "\n\\end\\\n"
}

/// The small graph, and what sentences are aligned with.
struct Small {
    graph: Graph,
    hmm: Hmm,
    lexicon: Lexicon,
    ngram: Ngram,
}

fn small(model: &Path, samples: &[(String, Vec<String>)]) -> Small {
    let lexicon = fs::read_to_string(model.join("lexicon.txt")).expect("a lexicon");
    let said: BTreeSet<&str> = samples.iter().flat_map(|(_, s)| s).map(String::as_str).collect();
    let entries = || lexicon.lines().filter_map(|line| Some((line.split_once('\t')?.0, line)));
    let step = entries().count() / OTHER_WORDS;
    let others = entries().step_by(step).map(|(word, _)| word);
    let chosen: BTreeSet<&str> = said.iter().copied().chain(others).collect();
    let pairs =
        samples.iter().flat_map(|(_, s)| s.windows(2).map(|p| (p[0].as_str(), p[1].as_str())));
    let list: Vec<&str> = chosen.iter().copied().collect();
    let table = format!("<eps>\n<s>\n</s>\n<unk>\n{}\n", list.join("\n"));
    let words = WordTable::from_reader(table.as_bytes(), "words").expect("a word table");
    let hmm = Hmm::open(model).expect("the HMM table");
    let lines: String = entries()
        .filter(|(word, _)| chosen.contains(word))
        .fold(String::new(), |all, (_, line)| all + line + "\n");
    let lexicon =
        Lexicon::from_reader(lines.as_bytes(), "lexicon", &words, &hmm.phones).expect("lexicon");
    let text = arpa(&list, &pairs.collect());
    let arpa = Arpa::from_reader(text.as_bytes(), "arpa", &words).expect("a language model");
    let ngram = pack(arpa, &words, 0).expect("a packed model");
    let graph = compile(&hmm, &lexicon, &ngram, &CompileOptions::default()).expect("a graph");
    Small { graph, hmm, lexicon, ngram }
}

impl Small {
    /// The cost of the best path that says the words, in a graph of nothing else.
    fn cost_of(&self, words: &[Word], scores: &Scores) -> f64 {
        let mut state = self.ngram.start();
        let mut step = |word: &Word| {
            let (next, cost) = self.ngram.step(state, word.id);
            state = next;
            (word.id, cost)
        };
        let words = words.iter().map(&mut step).collect();
        let end = self.ngram.end(state);
        let sentence = Sentence { words, end };
        let options = CompileOptions::default();
        let graph = compile_sentence(&self.hmm, &self.lexicon, &sentence, &options);
        let graph = graph.expect("a sentence's graph");
        let decoder = Decoder::new(&graph, Pruning::OFF).expect("a decoder");
        let heard = decoder.decode(scores, &mut Scratch::new()).expect("a path");
        assert!(heard.reached_final);
        heard.cost.0
    }
}

/// Scores of one sample under the shipped acoustic model.
fn scores(model: &Path, file: &str) -> Scores {
    let description = ModelDescription::open(model).expect("a description");
    let config: MfccConfig = serde_json::to_value(&description.feature)
        .and_then(serde_json::from_value)
        .expect("the front end's settings");
    let waveform = Waveform::open(repository("corpora/samples").join(file)).expect("a sample");
    let waveform = waveform.at_rate(config.sample_rate).expect("a known rate");
    let mut features =
        Mfcc::new(config).expect("a front end").compute(&waveform).expect("features");
    subtract_mean(&mut features);
    let network = Network::open(model).expect("a network");
    network.scores(&features, &mut NetworkScratch::default()).expect("scores")
}

#[test]
fn pruning_off_is_exact_viterbi_on_recordings() {
    let model = repository("models/en");
    if !model.join("acoustic.safetensors").is_file() {
        eprintln!("skipped: models/en has no acoustic.safetensors");
        return;
    }
    let samples = samples();
    let small = small(&model, &samples);
    let graph = &small.graph;
    let decoder = Decoder::new(graph, Pruning::OFF).expect("a decoder");
    let mut scratch = Scratch::new();
    for (file, _) in &samples {
        let scores = scores(&model, file);
        let exact = oracle::viterbi(graph, &scores).expect("a path");
        let heard = decoder.decode(&scores, &mut scratch).expect("a path");
        let ids = |words: &[Word]| words.iter().map(|w| w.id).collect::<Vec<_>>();
        assert_eq!(ids(&heard.words), ids(&exact.words), "{file}");
        assert!((heard.cost.0 - exact.cost.0).abs() < 1e-3, "{file}: {heard:?} {exact:?}");
        assert!(!heard.words.is_empty(), "{file}");
        // The graph's back-off arcs may undercut the n-gram, never exceed it; costs are rounded.
        let alone = small.cost_of(&heard.words, &scores);
        let undercut = alone - heard.cost.0;
        assert!((-1e-2..0.5).contains(&undercut), "{file}: {alone} {}", heard.cost.0);
    }
}

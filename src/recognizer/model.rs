//! A model folder, opened: description, features, network, words, and the graph from the cache.

use std::fs;
use std::path::Path;
use std::time::Instant;

use tracing::info;

use super::cache::{Cache, CacheKey};
use super::opening::Stage;
use super::second_look::{GRAPH_NGRAM, SecondLook};
use super::{Options, RecognizerError};
use crate::acoustic::{DecodeDefaults, Hmm, HmmArc, ModelDescription, Network, Tensors};
use crate::feature::{Mfcc, MfccConfig, OnlineMean, OnlineMeanConfig};
use crate::gate::Gate;
use crate::graph::compile::{CompileOptions, compile};
use crate::graph::lexicon::Lexicon;
use crate::graph::ngram::Ngram;
use crate::graph::{GRAPH_FORMAT, Graph, WordTable};
use crate::units::{Cost, PhoneId, Seconds, WordId};

/// The vocabulary: line n is the word of id n.
const WORDS: &str = "words.txt";
/// The pronunciations.
pub(super) const LEXICON: &str = "lexicon.txt";

/// Everything a recognition reads.
pub(super) struct Model {
    pub description: ModelDescription,
    pub mfcc: Mfcc,
    pub network: Network,
    /// None where the folder has none, or the caller wants none.
    pub gate: Option<Gate>,
    pub graph: Graph,
    pub words: WordTable,
    /// The larger language models, where the caller wants rescoring and the model has them.
    pub second_look: Option<SecondLook>,
    /// What a running mean of the features begins with, where the model wants that subtracted.
    pub running_mean: Option<Vec<f32>>,
    /// Factor of the graph's costs when the lattice is looked at; 1 but for Kaldi's models.
    pub graph_scale: f32,
}

impl Model {
    /// Whether a folder holds a model of ours.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join("model.json").is_file()
    }

    pub(super) fn open(folder: &Path, options: &Options) -> Result<Self, RecognizerError> {
        if !Model::is_in(folder) {
            return Err(RecognizerError::NoModel {
                folder: folder.to_owned(),
            });
        }
        let opening = options.opening.clone().unwrap_or_default();
        opening.enter(Stage::Weights);
        let description = ModelDescription::open(folder)?;
        let mfcc = Mfcc::new(mfcc_config(&description)?)?;
        let tensors = Tensors::open(&folder.join(&description.network.weights))?;
        let network = Network::from_tensors(&description, &tensors, options.precision.kernels())?;
        let gate = gate_of(folder, &mfcc, options)?;
        let hmm = Hmm::from_tensors(&description.hmm, &tensors)?;
        let words = WordTable::open(&folder.join(WORDS))?;
        let cache = options.cache.clone().unwrap_or_else(Cache::of_user);
        let cache = match options.private_copies {
            true => cache.copying(),
            false => cache,
        };
        opening.enter(Stage::Graph);
        let compile = || {
            opening.enter(Stage::Compilation);
            compile_graph(folder, &description.decode, &hmm)
        };
        let graph = open_graph(folder, &description.decode, &hmm, &cache, compile)?;
        check_fit(&mfcc, &network, &graph)?;
        opening.enter(Stage::LanguageModels);
        let second_look = if options.large_model {
            SecondLook::open(folder, &words, &cache, options.precision.kernels())?
        } else {
            None
        };
        opening.enter(Stage::Ready);
        Ok(Model {
            description,
            mfcc,
            network,
            gate,
            graph,
            words,
            second_look,
            running_mean: None,
            graph_scale: 1.0,
        })
    }

    /// The running mean that the features are taken less, if any.
    pub(super) fn online_mean(&self) -> Option<OnlineMean> {
        let prior = self.running_mean.as_ref()?;
        let mean = OnlineMean::new(OnlineMeanConfig::default(), prior.len(), Some(prior));
        Some(mean.expect("a prior of the features' width"))
    }

    /// The spelling of a word; a question mark for an id that a damaged graph made up.
    pub(super) fn word(&self, id: WordId) -> &str {
        self.words.name(id).unwrap_or("?")
    }

    /// The vocabulary.
    pub(super) fn words(&self) -> &WordTable {
        &self.words
    }

    /// Time from one row of scores to the next.
    pub(super) fn score_shift(&self) -> Seconds {
        Seconds(self.mfcc.config().shift().0 * self.network.subsampling() as f64)
    }
}

fn mfcc_config(description: &ModelDescription) -> Result<MfccConfig, RecognizerError> {
    let read = serde_json::to_value(&description.feature).and_then(serde_json::from_value);
    read.map_err(|error| mismatch(format!("\"feature\" of model.json: {error}")))
}

fn mismatch(what: String) -> RecognizerError {
    RecognizerError::Mismatch { what }
}

/// The speech gate of a model's folder, where it has one and the options want it.
pub(super) fn gate_of(
    folder: &Path,
    mfcc: &Mfcc,
    options: &Options,
) -> Result<Option<Gate>, RecognizerError> {
    if !options.speech_gate {
        return Ok(None);
    }
    let kernels = options.precision.kernels();
    Ok(Gate::of_model(folder, mfcc.config(), kernels)?)
}

/// The parts meet in two numbers: the width of a feature frame and the number of pdfs.
pub(super) fn check_fit(
    mfcc: &Mfcc,
    network: &Network,
    graph: &Graph,
) -> Result<(), RecognizerError> {
    let (dims, inputs) = (mfcc.config().dims(), network.input_dim());
    if dims != inputs {
        return Err(mismatch(format!(
            "features have {dims} dimensions, the network reads {inputs}"
        )));
    }
    let (needed, scored) = (graph.num_pdfs(), network.num_pdfs());
    if needed > scored {
        return Err(mismatch(format!(
            "the graph needs {needed} pdfs, the network scores {scored}"
        )));
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, RecognizerError> {
    fs::read(path).map_err(|source| RecognizerError::Io {
        path: path.to_owned(),
        source,
    })
}

/// The graph of the model from the cache, compiled if it is not there.
fn open_graph(
    folder: &Path,
    settings: &DecodeDefaults,
    hmm: &Hmm,
    cache: &Cache,
    compile: impl FnOnce() -> Result<Graph, RecognizerError>,
) -> Result<Graph, RecognizerError> {
    let mut key = CacheKey::new(&format!(
        "graph-{GRAPH_FORMAT}-{}",
        env!("CARGO_PKG_VERSION")
    ));
    for name in [WORDS, LEXICON, GRAPH_NGRAM] {
        key = key.with(&read(&folder.join(name))?);
    }
    key = key.with(&hmm_bytes(hmm));
    for setting in [settings.word_penalty, settings.silence_probability] {
        key = key.with(&setting.to_le_bytes());
    }
    cache.open_or_make(&key, "graph", compile, |graph, out| graph.write(out))
}

/// Returns the parts of the HMMs that a graph depends on: phone names, the silence phone, and every
/// pdf.
fn hmm_bytes(hmm: &Hmm) -> Vec<u8> {
    let phones = || (0..hmm.phones.len() as u32).map(PhoneId);
    let pairs = phones().flat_map(|left| phones().map(move |phone| (left, phone)));
    let pdfs = pairs.flat_map(|(left, phone)| {
        [HmmArc::Entry, HmmArc::Loop].map(|arc| hmm.pdf(left, phone, arc).0)
    });
    let mut bytes = hmm.phones.join("\n").into_bytes();
    bytes.extend(hmm.silence().0.to_le_bytes());
    bytes.extend(pdfs.flat_map(u32::to_le_bytes));
    bytes
}

fn compile_graph(
    folder: &Path,
    settings: &DecodeDefaults,
    hmm: &Hmm,
) -> Result<Graph, RecognizerError> {
    let started = Instant::now();
    info!("compiling the decoding graph of {}, once", folder.display());
    let words = WordTable::open(&folder.join(WORDS))?;
    let lexicon = Lexicon::open(&folder.join(LEXICON), &words, &hmm.phones)?;
    let ngram = Ngram::verify(&folder.join(GRAPH_NGRAM))?;
    let graph = compile(hmm, &lexicon, &ngram, &compile_options(settings))?;
    info!("compiled in {:.1} s", started.elapsed().as_secs_f64());
    Ok(graph)
}

/// The weights of the graph that are neither in the lexicon nor in the n-gram.
pub(super) fn compile_options(settings: &DecodeDefaults) -> CompileOptions {
    CompileOptions {
        word_penalty: Cost(settings.word_penalty),
        silence_probability: settings.silence_probability,
    }
}

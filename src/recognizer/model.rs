//! A model folder, opened: description, features, network, words, and the graph from the cache.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::info;

use super::cache::{Cache, CacheKey};
use super::files::{GRAPH_NGRAM, LEXICON, WORDS, compile_options, read};
use super::opening::Stage;
use super::own_words::{OwnVocabulary, Source};
use super::second_look::SecondLook;
use super::{Options, RecognizerError};
use crate::acoustic::{DecodeDefaults, Hmm, HmmArc, ModelDescription, Network, Tensors};
use crate::decode::{AtLeast, Pruning};
use crate::feature::{Mfcc, MfccConfig, OnlineMean};
use crate::gate::Gate;
use crate::graph::compile::compile;
use crate::graph::lexicon::Lexicon;
use crate::graph::ngram::Ngram;
use crate::graph::{GRAPH_FORMAT, Graph, WordList, WordTable};
use crate::kaldi::{InputMean, KaldiError, RescoringModel};
use crate::units::{Cost, PhoneId, Seconds, WordId};

/// Everything a recognition reads. A copy shares it.
#[derive(Clone)]
pub(super) struct Model {
    pub description: ModelDescription,
    pub mfcc: Arc<Mfcc>,
    pub network: Arc<Network>,
    /// None where the folder has none, or the caller wants none.
    pub gate: Option<Arc<Gate>>,
    pub graph: Arc<Graph>,
    pub words: Arc<WordTable>,
    /// The user's own words, which are in the graph.
    pub own: Option<Arc<OwnVocabulary>>,
    /// The larger language models, where the caller wants rescoring and the model has them.
    pub second_look: Option<Arc<SecondLook>>,
    /// The same of a Vosk folder.
    pub rescoring: Option<Arc<RescoringModel>>,
    /// What is taken from the features of Kaldi's models.
    pub input_mean: Option<InputMean>,
    /// Factor of the graph's costs when the lattice is looked at; 1 but for Kaldi's models.
    pub graph_scale: f32,
    /// Whether the words of least Bayes risk are the answer rather than those of the best path.
    pub least_risk: bool,
    /// What own words are made from, once it was read.
    pub source: Arc<Mutex<Option<Arc<Source>>>>,
    pub cache: Cache,
}

impl Model {
    /// Whether a folder holds a model of ours.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join("model.json").is_file()
    }

    pub(super) fn open(folder: &Path, options: &Options) -> Result<Self, RecognizerError> {
        if !Model::is_in(folder) {
            return Err(RecognizerError::NoModel { folder: folder.to_owned() });
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
        let cache = options.graph_cache();
        opening.enter(Stage::Graph);
        let compile = || {
            opening.enter(Stage::Compilation);
            compile_graph(folder, &description.decode, &hmm)
        };
        let graph = match graph_of(options, words.len())? {
            Some(graph) => graph,
            None => open_graph(folder, &description.decode, &hmm, &cache, compile)?,
        };
        check_fit(&mfcc, &network, &graph)?;
        opening.enter(Stage::LanguageModels);
        // The language models take the place of the n-gram in the model's own graph.
        let second_look = if options.large_model && options.graph.is_none() {
            SecondLook::open(folder, &words, &cache, options.precision.kernels())?
        } else {
            None
        };
        opening.enter(Stage::Ready);
        Ok(Model {
            description,
            mfcc: Arc::new(mfcc),
            network: Arc::new(network),
            gate: gate.map(Arc::new),
            graph: Arc::new(graph),
            words: Arc::new(words),
            own: None,
            second_look: second_look.map(Arc::new),
            rescoring: None,
            input_mean: None,
            graph_scale: 1.0,
            least_risk: false,
            source: Arc::default(),
            cache,
        })
    }

    /// The mean that the features are taken less as they come, if any.
    pub(super) fn online_mean(&self) -> Option<OnlineMean> {
        self.input_mean.as_ref().map(InputMean::online)
    }

    /// The spelling of a word; a question mark for an id that a damaged graph made up.
    pub(super) fn word(&self, id: WordId) -> &str {
        let own = || self.own.as_ref().and_then(|own| own.name(id));
        self.words.name(id).or_else(own).unwrap_or("?")
    }

    /// The user's own words.
    pub(super) fn own(&self) -> Option<&OwnVocabulary> {
        self.own.as_deref()
    }

    /// The pruning that the model was tuned for.
    pub(super) fn pruning(&self) -> Pruning {
        let defaults = &self.description.decode;
        Pruning {
            network_beam: Cost(defaults.beam),
            network_top_n: defaults.max_active,
            min_active: AtLeast(defaults.min_active),
            lattice_beam: Cost(defaults.lattice_beam),
            ..Pruning::default()
        }
    }

    /// The same model, whose graph also has the words of a list in place of those of another; how
    /// they are said may be kept in the cache.
    pub(super) fn with_words(
        &self,
        folder: &Path,
        list: &WordList,
        is_kept: bool,
    ) -> Result<Self, RecognizerError> {
        let started = Instant::now();
        let source = self.source(folder)?;
        // What words cost is told by the graph's n-gram, also where nothing is rescored.
        let opened = match &self.second_look {
            Some(_) => None,
            None => Some(self.cache.open::<Ngram>(&folder.join(GRAPH_NGRAM))?),
        };
        let known = self.second_look.as_ref().map(|models| &models.small);
        let small = opened.as_ref().or(known);
        let words = (&*self.words, small);
        let cache = is_kept.then_some(&self.cache);
        let (graph, own) = source.extend(&self.graph, words, &self.description, list, cache)?;
        info!(
            "{} own words added in {:.3} s",
            list.entries().len(),
            started.elapsed().as_secs_f64()
        );
        Ok(Model { graph: Arc::new(graph), own: Some(Arc::new(own)), ..self.clone() })
    }

    /// What own words are made from.
    pub(super) fn source(&self, folder: &Path) -> Result<Arc<Source>, RecognizerError> {
        let mut known = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = &*known {
            return Ok(Arc::clone(source));
        }
        if !Model::is_in(folder) {
            return Err(KaldiError::NoLexicon { path: folder.to_owned() }.into());
        }
        let source = Source::open(folder, &self.description, &self.words, &self.cache)?;
        let source = Arc::new(source);
        *known = Some(Arc::clone(&source));
        Ok(source)
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

/// The graph that the options name, where they do, for a model of so many words.
pub(super) fn graph_of(options: &Options, words: usize) -> Result<Option<Graph>, RecognizerError> {
    let Some(path) = &options.graph else {
        return Ok(None);
    };
    let graph = match options.private_copies {
        true => Graph::load(path)?,
        false => Graph::open_checked(path)?,
    };
    let largest = graph.largest_word().0 as usize;
    if largest >= words {
        return Err(mismatch(format!(
            "{} has a word of number {largest}, and the model {words} words: compile it with the model's {WORDS}",
            path.display()
        )));
    }
    Ok(Some(graph))
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

/// The graph of the model from the cache, compiled if it is not there.
fn open_graph(
    folder: &Path,
    settings: &DecodeDefaults,
    hmm: &Hmm,
    cache: &Cache,
    compile: impl FnOnce() -> Result<Graph, RecognizerError>,
) -> Result<Graph, RecognizerError> {
    let mut key = CacheKey::new(&format!("graph-{GRAPH_FORMAT}-{}", env!("CARGO_PKG_VERSION")));
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

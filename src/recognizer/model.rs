//! A model folder, opened: description, features, network, words, and the graph from the cache.

use std::fs;
use std::path::Path;
use std::time::Instant;

use tracing::info;

use super::cache::{Cache, CacheKey, CachedFile};
use super::{Options, RecognizerError};
use crate::acoustic::{DecodeDefaults, Hmm, ModelDescription, Network};
use crate::feature::{Mfcc, MfccConfig};
use crate::graph::{GRAPH_FORMAT, Graph};
use crate::units::{Seconds, WordId};

/// The vocabulary: line n is the word of id n.
const WORDS: &str = "words.txt";
/// The pronunciations.
const LEXICON: &str = "lexicon.txt";
/// The n-gram that goes into the graph.
const GRAPH_NGRAM: &str = "graph.ngram";

/// Everything a recognition reads.
pub(super) struct Model {
    pub description: ModelDescription,
    pub mfcc: Mfcc,
    pub network: Network,
    pub graph: Graph,
    words: Vec<Box<str>>,
    /// Keeps a graph that could not be cached on disk for as long as it is mapped.
    _graph_file: CachedFile,
}

impl Model {
    pub(super) fn open(folder: &Path, options: &Options) -> Result<Self, RecognizerError> {
        if !folder.join("model.json").is_file() {
            return Err(RecognizerError::NoModel {
                folder: folder.to_owned(),
            });
        }
        let started = Instant::now();
        let description = ModelDescription::open(folder)?;
        let mfcc = Mfcc::new(mfcc_config(&description)?)?;
        let network = Network::open(folder)?;
        let hmm = Hmm::open(folder)?;
        let words = read_words(&folder.join(WORDS))?;
        let cache = options.cache.clone().unwrap_or_else(Cache::of_user);
        let (graph, file) = open_graph(folder, &description.decode, &hmm, &cache)?;
        check_fit(&mfcc, &network, &graph)?;
        info!(
            "model {} opened in {:.3} s",
            description.name,
            started.elapsed().as_secs_f64()
        );
        Ok(Model {
            description,
            mfcc,
            network,
            graph,
            words,
            _graph_file: file,
        })
    }

    /// The spelling of a word; a question mark for an id that a damaged graph made up.
    pub(super) fn word(&self, id: WordId) -> &str {
        self.words.get(id.index()).map_or("?", AsRef::as_ref)
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

/// The parts meet in two numbers: the width of a feature frame and the number of pdfs.
fn check_fit(mfcc: &Mfcc, network: &Network, graph: &Graph) -> Result<(), RecognizerError> {
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

fn read_words(path: &Path) -> Result<Vec<Box<str>>, RecognizerError> {
    let text = String::from_utf8(read(path)?)
        .map_err(|error| mismatch(format!("{}: {error}", path.display())))?;
    Ok(text.lines().map(Box::from).collect())
}

/// The graph of the model from the cache, compiled if it is not there.
fn open_graph(
    folder: &Path,
    settings: &DecodeDefaults,
    hmm: &Hmm,
    cache: &Cache,
) -> Result<(Graph, CachedFile), RecognizerError> {
    let words = read(&folder.join(WORDS))?;
    let lexicon = read(&folder.join(LEXICON))?;
    let ngram = read(&folder.join(GRAPH_NGRAM))?;
    let key = CacheKey::new(&format!(
        "graph-{GRAPH_FORMAT}-{}",
        env!("CARGO_PKG_VERSION")
    ))
    .with(&words)
    .with(&lexicon)
    .with(&ngram)
    .with(&settings.word_penalty.to_le_bytes())
    .with(&settings.silence_probability.to_le_bytes());
    cache.open_or_make(
        &key,
        "graph",
        |path| Ok(Graph::open(path)?),
        |path| {
            let _ = (path, hmm);
            Err(mismatch("this build cannot compile a graph yet".into()))
        },
    )
}

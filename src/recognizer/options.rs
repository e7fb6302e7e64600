//! How a model is to be opened.

use std::path::PathBuf;

use super::{Cache, Opening};
use crate::acoustic::Precision;

/// How a model is to be opened.
///
/// # Examples
/// ```
/// use paretone::acoustic::Precision;
/// use paretone::recognizer::Options;
///
/// let options = Options::default().precision(Precision::F32).large_model(false);
/// assert!(!options.large_model);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Whether to open the large language models, where the folder has them; without them no
    /// setting rescores. Default: yes.
    pub large_model: bool,
    /// Where the compiled graph is kept. `None`: [`Cache::of_user`].
    pub cache: Option<Cache>,
    /// In which numbers the network multiplies. [`Precision::Auto`] is fastest; its accuracy is
    /// that of floats to within a tenth of a percent of the words.
    pub precision: Precision,
    /// Whether to leave out what is no speech, where the folder has a gate; without it all of a
    /// recording is recognised, and pauses and noise may become words. Default: yes.
    pub speech_gate: bool,
    /// Whether graph and language models are read into memory instead of mapped. That takes 0.1 to
    /// 0.2 s and memory of this process's own (116 MB for `models/en`). It protects from later
    /// changes to the files: the system kills a process that reads a mapped file which has become
    /// shorter. And where the system has huge pages, a wide search takes some per cent less time.
    /// Default: no.
    pub private_copies: bool,
    /// A graph to search in place of the model's own, compiled for its phones and its words
    /// (`paretone graph compile`), such as that of a small grammar. The graph alone then says how
    /// words follow each other: nothing is rescored. Default: none.
    pub graph: Option<PathBuf>,
    /// Where to look how far the opening is. Default: nowhere.
    pub opening: Option<Opening>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            speech_gate: true,
            private_copies: false,
            graph: None,
            opening: None,
            large_model: true,
            cache: None,
            precision: Precision::default(),
        }
    }
}

impl Options {
    /// Whether to open the large language model; see [`Options::large_model`].
    pub fn large_model(self, large_model: bool) -> Self {
        Options { large_model, ..self }
    }

    /// Where the compiled graph is kept; see [`Options::cache`].
    pub fn cache(self, cache: Cache) -> Self {
        let cache = Some(cache);
        Options { cache, ..self }
    }

    /// In which numbers the network multiplies; see [`Options::precision`].
    pub fn precision(self, precision: Precision) -> Self {
        Options { precision, ..self }
    }

    /// Whether to leave out what is no speech; see [`Options::speech_gate`].
    pub fn speech_gate(self, speech_gate: bool) -> Self {
        Options { speech_gate, ..self }
    }

    /// Whether graph and language models are read into memory; see [`Options::private_copies`].
    pub fn private_copies(self, private_copies: bool) -> Self {
        Options { private_copies, ..self }
    }

    /// A graph to search in place of the model's own; see [`Options::graph`].
    pub fn graph(self, graph: impl Into<PathBuf>) -> Self {
        let graph = Some(graph.into());
        Options { graph, ..self }
    }

    /// The cache to open graphs and language models from, as these options say.
    pub(super) fn graph_cache(&self) -> Cache {
        let cache = self.cache.clone().unwrap_or_else(Cache::of_user);
        if self.private_copies { cache.copying() } else { cache }
    }

    /// Where to look how far the opening is; see [`Options::opening`].
    pub fn opening(self, opening: Opening) -> Self {
        let opening = Some(opening);
        Options { opening, ..self }
    }
}

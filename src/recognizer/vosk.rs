//! A Vosk folder, opened: Kaldi's network and graph in the place of ours.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tracing::{info, warn};

use super::cache::CacheKey;
use super::model::{Model, check_fit, gate_of, graph_of};
use super::opening::Stage;
use super::{Options, RecognizerError};
use crate::acoustic::Network;
use crate::feature::Mfcc;
use crate::graph::GRAPH_FORMAT;
use crate::kaldi::VoskFolder;

/// Opens the model in a Vosk folder. The first time, its graph is brought into our form; later it
/// is mapped.
pub(super) fn open(folder: &VoskFolder, options: &Options) -> Result<Model, RecognizerError> {
    let opening = options.opening.clone().unwrap_or_default();
    opening.enter(Stage::Weights);
    if let Some(path) = folder.left_out() {
        warn!("{} is not used: no neural network rescores a Vosk folder", path.display());
    }
    let imported = folder.import()?;
    let description = imported.description;
    let mfcc = Mfcc::new(description.feature.clone())?;
    let network =
        Network::from_tensors(&description, &imported.tensors, options.precision.kernels())?;
    let network = match imported.adaptation {
        Some(adaptation) => network.adapted(adaptation)?,
        None => network,
    };
    let gate = gate_of(folder.path(), &mfcc, options)?;
    let cache = options.graph_cache();
    let words = folder.words()?;
    opening.enter(Stage::Graph);
    let import = || {
        opening.enter(Stage::Compilation);
        info!("reading the graph of {}, once", folder.path().display());
        folder.graph_of(&imported.transitions)
    };
    let graph = match graph_of(options, words.len())? {
        Some(graph) => graph,
        None => {
            let key = graph_key(folder)?;
            cache.open_or_make(&key, "graph", import, |graph, out| graph.write(out))?
        }
    };
    check_fit(&mfcc, &network, &graph)?;
    opening.enter(Stage::LanguageModels);
    // The large language model takes the place of the one in the folder's own graph.
    let rescoring = match options.large_model && options.graph.is_none() {
        true => folder.rescoring(words.len(), options.private_copies)?,
        false => None,
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
        second_look: None,
        rescoring: rescoring.map(Arc::new),
        input_mean: imported.mean,
        graph_scale: imported.graph_scale,
        least_risk: imported.least_risk,
        source: Arc::default(),
        cache,
    })
}

/// The files that the graph is made from, known by their places, sizes and times: they are too
/// large to be read at each start.
fn graph_key(folder: &VoskFolder) -> Result<CacheKey, RecognizerError> {
    let kind = format!("vosk-graph-{GRAPH_FORMAT}-{}", env!("CARGO_PKG_VERSION"));
    let mut key = CacheKey::new(&kind);
    for path in folder.graph_files() {
        key = with_file(key, &path).map_err(|source| RecognizerError::Io { path, source })?;
    }
    Ok(key)
}

fn with_file(key: CacheKey, path: &Path) -> std::io::Result<CacheKey> {
    let (whole, found) = (fs::canonicalize(path)?, fs::metadata(path)?);
    let since = found.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let key = key.with(whole.as_os_str().as_encoded_bytes());
    let key = key.with(&found.len().to_le_bytes());
    Ok(key.with(&since.as_nanos().to_le_bytes()))
}

//! Which model this is: hashes of what its words and its confidences depend on, for
//! [`MadeFor`](crate::MadeFor).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::files::{GRAPH_NGRAM, LEXICON, NEURAL, RESCORING_NGRAM, WORDS, read};
use super::{RecognizerError, Versions};
use crate::acoustic::ModelDescription;
use crate::confidence::Calibration;
use crate::gate::GATE_FILE;
use crate::provenance::{MadeFor, hash};

/// The header of an n-gram or a graph, which holds the checksums of all that follows, ends before
/// this.
const HEAD: u64 = 4096;
/// The gate's weights, which its description names; a folder has one gate.
const GATE_WEIGHTS: &str = "gate.safetensors";

/// The hashes of a model's folder: of the model itself, of its front end with the speech gate or
/// without, of its versions and of its calibration.
/// [`Recognizer::made_for`](super::Recognizer::made_for) has those of an open model, in which a
/// calibration that was made for other parts is none.
///
/// # Errors
/// A file of the model is missing or cannot be used.
pub fn made_for(folder: &Path, with_gate: bool) -> Result<MadeFor, RecognizerError> {
    let description = ModelDescription::open(folder)?;
    let versions = Versions::of_model(folder)?;
    let parts = parts(folder, &description, with_gate)?;
    Ok(MadeFor {
        versions: versions.hash(),
        calibration: Calibration::of_model(folder)?.hash(),
        ..parts
    })
}

/// The model and the front end of a folder. The neural language model belongs to it even where no
/// version asks for it, so that a sweep with it is of the model that its versions are picked for.
pub(super) fn parts(
    folder: &Path,
    description: &ModelDescription,
    with_gate: bool,
) -> Result<MadeFor, RecognizerError> {
    // Kaldi's models have other files, and no promises of ours.
    if !folder.join("model.json").is_file() {
        return Ok(MadeFor::default());
    }
    let json = |value: serde_json::Result<String>| value.expect("descriptions are plain values");
    let decode = &description.decode;
    let mut model = vec![
        json(serde_json::to_string(&description.network)).into_bytes(),
        json(serde_json::to_string(&description.hmm)).into_bytes(),
        format!(
            "{} {} {}",
            decode.acoustic_scale, decode.word_penalty, decode.silence_probability
        )
        .into_bytes(),
        read(&folder.join(&description.network.weights))?,
        read(&folder.join(WORDS))?,
        read(&folder.join(LEXICON))?,
        head(&folder.join(GRAPH_NGRAM))?,
    ];
    let large = folder.join(RESCORING_NGRAM);
    if large.is_file() {
        model.push(head(&large)?);
    }
    let neural = folder.join(NEURAL);
    if neural.is_file() {
        model.push(read(&neural)?);
    }
    let mut front_end = vec![
        json(serde_json::to_string(&description.feature)).into_bytes(),
        json(serde_json::to_string(&description.normalisation)).into_bytes(),
    ];
    if with_gate {
        for name in [GATE_FILE, GATE_WEIGHTS] {
            let path = folder.join(name);
            if path.is_file() {
                front_end.push(read(&path)?);
            }
        }
    }
    Ok(MadeFor {
        model: Some(hash(model.iter().map(Vec::as_slice))),
        front_end: Some(hash(front_end.iter().map(Vec::as_slice))),
        ..MadeFor::default()
    })
}

/// The hash of a model that searches another graph.
pub(super) fn with_graph(model: Option<&str>, graph: &Path) -> Result<String, RecognizerError> {
    let head = head(graph)?;
    Ok(hash([model.unwrap_or_default().as_bytes(), &head]))
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, RecognizerError> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut bytes));
    file.map_err(|source| RecognizerError::Io {
        path: path.to_owned(),
        source,
    })?;
    Ok(bytes)
}

//! Which model this is: hashes of what its words and its confidences depend on, for
//! [`MadeFor`](crate::MadeFor).

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{GRAPH_NGRAM, LEXICON, NEURAL, RESCORING_NGRAM, WORDS, read};
use super::model::Model;
use super::{RecognizerError, Versions};
use crate::acoustic::ModelDescription;
use crate::confidence::Calibration;
use crate::gate::GATE_FILE;
use crate::kaldi::{KaldiError, VoskFolder};
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
    let parts = made_for_uncalibrated(folder, with_gate)?;
    Ok(MadeFor { calibration: Calibration::for_use(folder)?.hash(), ..parts })
}

/// As [`made_for`], but for the calibration, whose file is not read: it may be one to be replaced.
///
/// # Errors
/// As [`made_for`].
pub fn made_for_uncalibrated(folder: &Path, with_gate: bool) -> Result<MadeFor, RecognizerError> {
    let versions = Versions::of_model(folder)?;
    let parts = match VoskFolder::find(folder).filter(|_| !Model::is_in(folder)) {
        Some(vosk) => of_vosk(&vosk, with_gate)?,
        None => parts(folder, &ModelDescription::open(folder)?, with_gate)?,
    };
    Ok(MadeFor { versions: versions.hash(), ..parts })
}

/// The model and the front end of a folder. The neural language model belongs to it even where no
/// version asks for it, so that a sweep with it is of the model that its versions are picked for.
pub(super) fn parts(
    folder: &Path,
    description: &ModelDescription,
    with_gate: bool,
) -> Result<MadeFor, RecognizerError> {
    let json = |value: serde_json::Result<String>| value.expect("descriptions are plain values");
    let decode = &description.decode;
    let mut model = vec![
        json(serde_json::to_string(&description.network)).into_bytes(),
        json(serde_json::to_string(&description.hmm)).into_bytes(),
        format!("{} {} {}", decode.acoustic_scale, decode.word_penalty, decode.silence_probability)
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
    front_end.extend(gate(folder, with_gate)?);
    Ok(made_of(&model, &front_end))
}

/// The model and the front end of a Vosk folder. A graph or language model may be larger than
/// memory; it is known by its size, its head and its tail.
pub(super) fn of_vosk(vosk: &VoskFolder, with_gate: bool) -> Result<MadeFor, RecognizerError> {
    let whole = |files: Vec<PathBuf>| -> Result<Vec<_>, KaldiError> {
        files.iter().map(|path| vosk.bytes(path)).collect()
    };
    let mut model = whole(vosk.model_files())?;
    for path in vosk.graph_files().into_iter().chain(vosk.rescoring_files()) {
        model.push(Arc::new(ends(&path)?));
    }
    let mut front_end = whole(vosk.front_end_files())?;
    front_end.extend(gate(vosk.path(), with_gate)?.into_iter().map(Arc::new));
    Ok(made_of(&model, &front_end))
}

/// The files of a folder's speech gate, where it has one and it is asked.
fn gate(folder: &Path, with_gate: bool) -> Result<Vec<Vec<u8>>, RecognizerError> {
    let files = [GATE_FILE, GATE_WEIGHTS].map(|name| folder.join(name));
    let there = files.iter().filter(|path| with_gate && path.is_file());
    there.map(|path| read(path)).collect()
}

fn made_of<B: Deref<Target: AsRef<[u8]>>>(model: &[B], front_end: &[B]) -> MadeFor {
    let hash = |parts: &[B]| hash(parts.iter().map(|part| (**part).as_ref()));
    MadeFor { model: Some(hash(model)), front_end: Some(hash(front_end)), ..MadeFor::default() }
}

/// The hash of a model that searches another graph.
pub(super) fn with_graph(model: Option<&str>, graph: &Path) -> Result<String, RecognizerError> {
    let head = head(graph)?;
    Ok(hash([model.unwrap_or_default().as_bytes(), &head]))
}

/// A file's length, its first bytes and its last.
fn ends(path: &Path) -> Result<Vec<u8>, RecognizerError> {
    let mut bytes = head(path)?;
    let tail = File::open(path).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(HEAD)))?;
        bytes.extend(length.to_le_bytes());
        file.take(HEAD).read_to_end(&mut bytes)
    });
    tail.map_err(|source| RecognizerError::Io { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, RecognizerError> {
    let mut bytes = Vec::new();
    let file = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut bytes));
    file.map_err(|source| RecognizerError::Io { path: path.to_owned(), source })?;
    Ok(bytes)
}

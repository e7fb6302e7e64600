//! A model of ours as a Vosk folder.
//!
//! Everything that a model folder of ours says can be expressed in Kaldi's terms, except for three
//! things, which the export replaces:
//! - we subtract the mean over the utterance, Kaldi's online pipeline that of the last six seconds,
//!   mixed with a mean known beforehand (`am/global_cmvn.stats`);
//! - our noise floor is the expected energy of noise, Kaldi's `--dither` the noise itself;
//! - Kaldi has no speech gate, and the large n-gram stays behind unless it is asked for.
//!
//! `conf/paretone.conf` and `gate.json` keep what Kaldi cannot express, so that the folder,
//! imported again, gives the same answers as the model. Other programs ignore these files.

mod components;
mod network;
mod rescoring;
mod settings;
mod transitions;

use std::fs;
use std::path::{Path, PathBuf};

use super::KaldiError;
use super::output::Output;
use crate::acoustic::{Hmm, ModelDescription, Normalisation, Tensors};
use crate::graph::WordTable;
use crate::graph::compile::{CompileOptions, compile};
use crate::graph::lexicon::Lexicon;
use crate::graph::ngram::Ngram;
use crate::units::Cost;
use transitions::Transitions;

/// The description of the speech gate.
const GATE: &str = "gate.json";

/// How a model is written as a Vosk folder.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ExportOptions {
    /// The mean of the features over typical speech, which Kaldi's running mean begins with: one
    /// value a dimension. `None`: that of clean read English, which is known of the usual 40 mel
    /// energies and their cepstra alone.
    pub mean: Option<Vec<f32>>,
    /// Whether the large n-gram is written too, with which libvosk then rescores, and the one in
    /// the graph, which it subtracts. Default: no.
    pub rescoring: bool,
}

impl ExportOptions {
    /// What the running mean begins with; see [`ExportOptions::mean`].
    pub fn mean(self, mean: Vec<f32>) -> Self {
        ExportOptions { mean: Some(mean), ..self }
    }

    /// Whether the large n-gram is written too; see [`ExportOptions::rescoring`].
    pub fn rescoring(self, rescoring: bool) -> Self {
        ExportOptions { rescoring, ..self }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exported {
    /// The files, in the order they were written.
    pub files: Vec<PathBuf>,
    /// Components of the network.
    pub components: usize,
    /// Transition-ids of the HMMs.
    pub transition_ids: usize,
    /// States of the graph.
    pub states: usize,
    /// Arcs of the graph.
    pub arcs: usize,
}

/// Writes the model in `folder` as a Vosk folder `out`, which is made if it is not there; files of
/// the same names are replaced.
///
/// # Errors
/// The model cannot be read, has what Kaldi has no component for, or the folder cannot be written.
pub fn export(folder: &Path, out: &Path, options: &ExportOptions) -> Result<Exported, KaldiError> {
    let description = ModelDescription::open(folder)?;
    let tensors = Tensors::open(&folder.join(&description.network.weights))?;
    let hmm = Hmm::from_tensors(&description.hmm, &tensors)?;
    let transitions = Transitions::of(&hmm)?;
    let words = WordTable::open(&folder.join("words.txt"))?;
    let mean = match description.normalisation {
        Normalisation::None => None,
        _ => Some(settings::mean(&description, options)?),
    };
    let mut files = Files::new(out);
    let mut model = Output::new();
    transitions.write(&mut model);
    let components = network::write(&description.network, &tensors, &mut model)?;
    files.put("am/final.mdl", &model.into_bytes())?;
    if let Some(mean) = mean {
        files.put("am/global_cmvn.stats", &settings::cmvn_stats(&mean))?;
    }
    for (name, text) in settings::files(&description, &hmm)? {
        files.put(name, text.as_bytes())?;
    }
    files.put("graph/words.txt", settings::words(&words).as_bytes())?;
    let lexicon = Lexicon::open(&folder.join("lexicon.txt"), &words, &hmm.phones)?;
    let ngram = Ngram::verify(&folder.join("graph.ngram"))?;
    let weights = CompileOptions::default()
        .word_penalty(Cost(description.decode.word_penalty))
        .silence_probability(description.decode.silence_probability);
    let graph = compile(&transitions.hmm, &lexicon, &ngram, &weights)?;
    let path = files.place("graph/HCLG.fst")?;
    graph.save_openfst_const(&path)?;
    if options.rescoring {
        rescoring::write(folder, &ngram, words.len(), &mut files)?;
    }
    files.copy_gate(folder)?;
    let (emitting, epsilon) = graph.num_arcs();
    Ok(Exported {
        files: files.written,
        components,
        transition_ids: transitions.count(),
        states: graph.num_states(),
        arcs: emitting + epsilon,
    })
}

/// The folder that is written.
struct Files<'f> {
    folder: &'f Path,
    written: Vec<PathBuf>,
}

impl<'f> Files<'f> {
    fn new(folder: &'f Path) -> Self {
        let written = Vec::new();
        Files { folder, written }
    }

    /// The path of a file, whose folder is made.
    fn place(&mut self, name: &str) -> Result<PathBuf, KaldiError> {
        let path = self.folder.join(name);
        let parent = path.parent().expect("a name below the folder");
        fs::create_dir_all(parent).map_err(|error| KaldiError::io(parent, error))?;
        self.written.push(path.clone());
        Ok(path)
    }

    /// Copies the speech gate, which our own import of the folder uses.
    fn copy_gate(&mut self, model: &Path) -> Result<(), KaldiError> {
        let path = model.join(GATE);
        if !path.is_file() {
            return Ok(());
        }
        let bytes = super::read(&path)?;
        self.put(GATE, &bytes)?;
        let description: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
        let weights = description.and_then(|gate| {
            let name = Path::new(gate["network"]["weights"].as_str()?).file_name()?;
            Some(name.to_str()?.to_owned())
        });
        let weights = weights.ok_or_else(|| {
            KaldiError::NotExportable(format!("{} names no weights", path.display()))
        })?;
        let bytes = super::read(&model.join(&weights))?;
        self.put(&weights, &bytes)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), KaldiError> {
        let path = self.place(name)?;
        fs::write(&path, bytes).map_err(|error| KaldiError::io(&path, error))
    }
}

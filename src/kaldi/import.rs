//! A Vosk folder as a model of ours: front end, network, search settings, graph and words.

use std::fs;
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tracing::warn;

use super::KaldiError;
use super::boundaries::Boundaries;
use super::conf::Conf;
use super::folder::VoskFolder;
use super::front_end::front_end;
use super::input::Input;
use super::ivector::LEAST_ENERGY;
use super::matrix_file::matrix_file;
use super::nnet::{Folded, Nnet, fold};
use super::transitions::TransitionModel;
use super::two_parts::{LANGUAGE, LEXICON, SILENT};
use crate::acoustic::{
    Adaptation, DecodeDefaults, HmmDescription, ModelDescription, NetworkDescription,
    Normalisation, Rhythm, Tensors,
};
use crate::feature::{FeatureKind, MfccConfig, OnlineMean, OnlineMeanConfig};
use crate::graph::{Graph, WordTable};
use crate::units::PdfId;

/// libvosk multiplies the graph's costs by this after the search.
const GRAPH_SCALE: f32 = 0.9;
/// What the old layout's settings are: libvosk's own.
const OLD_SETTINGS: &str = "--max-active=7000\n--beam=13.0\n--lattice-beam=6.0\n--acoustic-scale=1.0\n\
                            --frame-subsampling-factor=3\n--endpoint.silence-phones=1:2:3:4:5:6:7:8:9:10\n";
/// The name of the weights of an imported network, which is in no file.
const WEIGHTS: &str = "imported.safetensors";

/// What of a folder is neither its graph nor its words.
pub struct Imported {
    /// Front end, layers, search settings. The HMM is that of the graph alone, so of its phones
    /// none are named.
    pub description: ModelDescription,
    /// The weights of the layers.
    pub tensors: Tensors,
    /// What the input labels of the graph stand for.
    pub transitions: TransitionModel,
    /// The mean that is taken from the features, where the model was trained on one; with
    /// i-vectors the adaptation has it.
    pub mean: Option<InputMean>,
    /// Where the i-vectors come from, of networks that read some.
    pub adaptation: Option<Adaptation>,
    /// Factor of the graph's costs after the search.
    pub graph_scale: f32,
    /// Whether answers are the words of least Bayes risk rather than those of the best path.
    pub least_risk: bool,
}

/// What libvosk takes from the features.
#[derive(Clone, Debug, PartialEq)]
pub enum InputMean {
    /// The mean of the last frames, which begins with these values: of cepstra.
    Running(Vec<f32>),
    /// These values, whatever is heard: of mel energies (`fbank.conf`). In libvosk the mean moves
    /// only with frames whose first value is above 50, which c0 of speech is and no mel energy.
    Fixed(Vec<f32>),
}

impl InputMean {
    /// What takes it from frames as they come.
    pub fn online(&self) -> OnlineMean {
        let mean = match self {
            InputMean::Running(prior) => {
                let config = OnlineMeanConfig { least_energy: LEAST_ENERGY, ..Default::default() };
                OnlineMean::new(config, prior.len(), Some(prior))
            }
            InputMean::Fixed(mean) => Ok(OnlineMean::fixed(mean)),
        };
        mean.expect("a prior of the features' width")
    }
}

impl VoskFolder {
    /// Reads the acoustic model and the settings.
    ///
    /// # Errors
    /// A file is missing or damaged, or has what is not supported; the message says which, and at
    /// which token.
    pub fn import(&self) -> Result<Imported, KaldiError> {
        let (mut feature, path) = (self.front_end()?, self.model());
        let settings = match self.settings() {
            Some(path) => Conf::open(&path)?,
            None => Conf::parse(OLD_SETTINGS.as_bytes(), &self.conf("mfcc.conf"))?,
        };
        let subsampling = settings.get("frame-subsampling-factor", 1)?;
        let bytes = self.bytes(&path)?;
        let (transitions, nnet) = final_mdl(&bytes, &path)?;
        let folded = fold(&nnet, subsampling);
        let folded = folded.map_err(|what| KaldiError::Network { path: path.clone(), what })?;
        let dims = feature.dims();
        let (read, ivector_dim) = folded.inputs;
        if read != dims {
            let what =
                format!("the network reads {read} values a frame, the front end gives {dims}");
            return Err(KaldiError::Network { path, what });
        }
        let own = Own::read(&self.conf("paretone.conf"))?;
        feature.noise_floor = own.noise_floor;
        let mean = match (own.normalisation, feature.kind) {
            (Some(_), _) => None,
            (None, FeatureKind::Mfcc) => self.global_mean(dims)?.map(InputMean::Running),
            (None, FeatureKind::LogMel) => self.global_mean(dims)?.map(InputMean::Fixed),
        };
        let mut mean = mean;
        let adaptation = match ivector_dim {
            0 => None,
            _ => {
                let mean = mean.take().map(|mean| mean.online());
                let shape = (ivector_dim, folded.layers.last().map_or(0, |layer| layer.output_dim));
                Some(self.adaptation(&feature, &settings, (&transitions, shape), mean)?)
            }
        };
        let network = network(&folded, subsampling);
        let description = ModelDescription {
            format: 1,
            name: name(self.path()),
            licence: "as the folder says".into(),
            feature,
            normalisation: own.normalisation.unwrap_or(Normalisation::None),
            hmm: hmm(network.output_dim()),
            network,
            decode: decode(&settings)?,
        };
        if transitions.num_pdfs() > description.hmm.pdfs {
            let (named, known) = (transitions.num_pdfs(), description.hmm.pdfs);
            let what = format!("the transitions name {named} pdfs, the network scores {known}");
            return Err(KaldiError::Network { path, what });
        }
        // In JSON and back: what a description must keep to is checked there.
        let text = serde_json::to_vec(&description).expect("a description is plain data");
        Ok(Imported {
            description: ModelDescription::from_json(&text)?,
            tensors: tensors(&folded),
            transitions,
            mean,
            adaptation,
            graph_scale: own.graph_scale,
            least_risk: own.least_risk,
        })
    }

    fn front_end(&self) -> Result<MfccConfig, KaldiError> {
        let (mfcc, fbank) = (self.conf("mfcc.conf"), self.conf("fbank.conf"));
        match !mfcc.is_file() && fbank.is_file() {
            true => front_end(&Conf::open(&fbank)?, FeatureKind::LogMel),
            false => front_end(&Conf::open(&mfcc)?, FeatureKind::Mfcc),
        }
    }

    fn global_mean(&self, dims: usize) -> Result<Option<Vec<f32>>, KaldiError> {
        let path = self.cmvn();
        path.is_file().then(|| self.mean_of(&path, dims)).transpose()
    }

    /// The mean of features that a file of sums and a count says.
    pub(super) fn mean_of(&self, path: &Path, dims: usize) -> Result<Vec<f32>, KaldiError> {
        let stats = matrix_file(path)?;
        let frames = stats.get((0, dims)).copied().filter(|frames| *frames > 0.0);
        let frames = frames.filter(|_| stats.ncols() == dims + 1);
        let frames = frames.ok_or_else(|| KaldiError::Format {
            path: path.to_owned(),
            token: "[".into(),
            what: format!("it has no sums of {dims} values and a count of frames"),
        })?;
        let sums = stats.row(0);
        Ok(sums.iter().take(dims).map(|sum| (sum / frames) as f32).collect())
    }

    /// How a network of so many i-vector dimensions and pdfs is adapted.
    fn adaptation(
        &self,
        feature: &MfccConfig,
        settings: &Conf,
        (transitions, (ivector_dim, pdfs)): (&TransitionModel, (usize, usize)),
        mean: Option<OnlineMean>,
    ) -> Result<Adaptation, KaldiError> {
        let extractor = self.ivector_extractor(feature.dims())?;
        if extractor.ivector_dim() != ivector_dim {
            let found = extractor.ivector_dim();
            return Err(KaldiError::Network {
                path: self.ivector("final.ie"),
                what: format!(
                    "it gives i-vectors of {found} values, the network reads {ivector_dim}"
                ),
            });
        }
        let phones = settings.text("endpoint.silence-phones").unwrap_or_default();
        let phones: Result<Vec<u32>, _> =
            phones.split([':', ',']).filter(|id| !id.is_empty()).map(str::parse).collect();
        let phones =
            phones.map_err(|error| settings.error("endpoint.silence-phones", error.to_string()))?;
        let chunk = settings.get("frames-per-chunk", 24)?;
        Ok(Adaptation {
            extractor,
            rhythm: Rhythm::new(feature, chunk, settings.get("frame-subsampling-factor", 1)?),
            silence: (!phones.is_empty()).then(|| transitions.pdfs_of(&phones, pdfs)),
            mean,
        })
    }

    /// The files that [`VoskFolder::graph_of`] reads: what a cached graph depends on.
    pub fn graph_files(&self) -> Vec<std::path::PathBuf> {
        let mut files = match self.is_in_parts() {
            true => present([LEXICON, LANGUAGE, SILENT].map(|name| self.graph(name))),
            false => present([self.graph("HCLG.fst")]),
        };
        files.extend(present([self.word_boundary(), self.model()]));
        files
    }

    /// The files, the graph apart, that decide what is heard in features.
    pub fn model_files(&self) -> Vec<std::path::PathBuf> {
        let settings = self.settings().unwrap_or_else(|| self.model());
        let mut files = present([self.model(), self.graph("words.txt"), settings]);
        files.extend(self.ivector_files());
        files
    }

    /// The files that decide what the features are.
    pub fn front_end_files(&self) -> Vec<std::path::PathBuf> {
        let conf = ["mfcc.conf", "fbank.conf", "paretone.conf"];
        let mut files = present(conf.map(|name| self.conf(name)));
        files.extend(present([self.cmvn()]));
        files
    }

    /// Reads the decoding graph, or composes it of its two parts.
    ///
    /// # Errors
    /// It is missing or damaged, names transitions that the model does not have, or is larger than
    /// a graph of ours can be.
    pub fn graph_of(&self, transitions: &TransitionModel) -> Result<Graph, KaldiError> {
        if self.is_in_parts() {
            return self.composed(transitions);
        }
        let path = self.graph("HCLG.fst");
        transitions.graph(&path, &self.word_boundary())
    }

    /// Reads the words; the number of each is its place. A graph in two parts names them itself,
    /// in numbers of its own.
    ///
    /// # Errors
    /// The list is missing or damaged.
    pub fn words(&self) -> Result<WordTable, KaldiError> {
        if self.is_in_parts()
            && let Some(words) = self.words_of_language()?
        {
            return Ok(words);
        }
        let path = self.graph("words.txt");
        let name = path.display().to_string();
        Ok(WordTable::from_numbered(self.bytes(&path)?.as_slice(), &name)?)
    }
}

impl TransitionModel {
    /// Reads a decoding graph (`HCLG.fst`) whose input labels are this model's transition-ids.
    /// Where there is a file of word boundaries, words end where it says.
    ///
    /// # Errors
    /// It is missing or damaged, names transitions that the model does not have, or is larger than
    /// a graph of ours can be.
    pub fn graph(&self, path: &Path, word_boundary: &Path) -> Result<Graph, KaldiError> {
        let boundaries = Boundaries::open(word_boundary)?;
        let (all, marks) = (self.all(), boundaries.of_all(self));
        let graph = Graph::read_openfst_with(path, |label| {
            let at = (label as usize).wrapping_sub(1);
            let transition = all.get(at)?;
            Some((PdfId(transition.pdf), marks[at]))
        });
        graph.map_err(|error| KaldiError::File {
            path: path.to_owned(),
            source: Box::new(error.into()),
        })
    }
}

/// Those of the files that are there.
fn present<const N: usize>(files: [std::path::PathBuf; N]) -> Vec<std::path::PathBuf> {
    files.into_iter().filter(|path| path.is_file()).collect()
}

/// Reads the transitions and the network of a `final.mdl`.
pub(super) fn final_mdl(bytes: &[u8], path: &Path) -> Result<(TransitionModel, Nnet), KaldiError> {
    let mut input = Input::new(bytes, path)?;
    let transitions = TransitionModel::read(&mut input)?;
    Ok((transitions, Nnet::read(&mut input)?))
}

fn name(folder: &Path) -> String {
    let name = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = name.file_name().unwrap_or(folder.as_os_str());
    name.to_string_lossy().into_owned()
}

fn network(folded: &Folded, subsampling: usize) -> NetworkDescription {
    NetworkDescription {
        weights: WEIGHTS.into(),
        input_dim: folded.inputs.0,
        ivector_dim: folded.inputs.1,
        subsampling,
        layers: folded.layers.clone(),
    }
}

/// No HMM: the graph names pdfs.
fn hmm(pdfs: usize) -> HmmDescription {
    HmmDescription {
        phones: vec!["SIL".into()],
        silence: "SIL".into(),
        unknown: "SIL".into(),
        pdfs,
        context: "left-biphone".into(),
    }
}

/// Kaldi's defaults where the file is silent.
fn decode(settings: &Conf) -> Result<DecodeDefaults, KaldiError> {
    let max_active = settings.get("max-active", i32::MAX as usize)?;
    Ok(DecodeDefaults {
        acoustic_scale: settings.get("acoustic-scale", 0.1)?,
        word_penalty: 0.0,
        silence_probability: 0.5,
        beam: settings.get("beam", 16.0)?,
        lattice_beam: settings.get("lattice-beam", 10.0)?,
        max_active,
        min_active: settings.get("min-active", max_active.min(200))?,
    })
}

fn tensors(folded: &Folded) -> Tensors {
    let bytes = |values: &mut dyn Iterator<Item = &f32>| -> Vec<u8> {
        values.flat_map(|value| value.to_le_bytes()).collect()
    };
    let mut held = Vec::new();
    for (layer, numbers) in folded.layers.iter().zip(&folded.tensors) {
        let mut put = |part: &str, shape: Vec<usize>, bytes: Vec<u8>| {
            held.push((format!("{}.{part}", layer.name), shape, bytes));
        };
        let (rows, columns) = numbers.weights.dim();
        put("weight", vec![rows, columns], bytes(&mut numbers.weights.iter()));
        put("bias", vec![rows], bytes(&mut numbers.bias.iter()));
        if let Some(ivector) = &numbers.ivector {
            put("ivector", vec![rows, ivector.ncols()], bytes(&mut ivector.iter()));
        }
        if let Some((scale, shift)) = &numbers.norm {
            put("scale", vec![rows], bytes(&mut scale.iter()));
            put("shift", vec![rows], bytes(&mut shift.iter()));
        }
    }
    let views = held.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name, view.expect("shape and bytes agree"))
    });
    Tensors::from_bytes(safetensors::serialize(views, None).expect("tensors of plain floats"))
}

/// What an export of ours notes beside Kaldi's settings.
struct Own {
    normalisation: Option<Normalisation>,
    noise_floor: f64,
    graph_scale: f32,
    least_risk: bool,
}

impl Own {
    fn read(path: &Path) -> Result<Own, KaldiError> {
        if !path.is_file() {
            return Ok(Own {
                normalisation: None,
                noise_floor: 0.0,
                graph_scale: GRAPH_SCALE,
                least_risk: true,
            });
        }
        let conf = Conf::open(path)?;
        let normalisation = match conf.text("normalisation") {
            None => None,
            Some("none") => Some(Normalisation::None),
            Some("utterance-mean") => Some(Normalisation::UtteranceMean),
            Some("speech-mean") => Some(Normalisation::SpeechMean),
            Some(other) => {
                warn!("{}: normalisation \"{other}\" is not known and left out", path.display());
                None
            }
        };
        let graph_scale = conf.get("graph-scale", GRAPH_SCALE)?;
        if !(0.0..=100.0).contains(&graph_scale) {
            return Err(conf.error("graph-scale", format!("{graph_scale} is not within 0 to 100")));
        }
        Ok(Own {
            normalisation,
            noise_floor: conf.get("noise-floor", 0.0)?,
            graph_scale,
            least_risk: conf.get("minimum-bayes-risk", true)?,
        })
    }
}

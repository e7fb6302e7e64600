//! What can be wrong with a model directory or with the features fed to a network.

use std::path::PathBuf;

use thiserror::Error;

/// Why a model could not be opened or a network could not score.
///
/// Every variant names the file, layer or tensor to look at; the message ends with the remedy where
/// there is one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcousticError {
    /// A file of the model directory could not be read.
    #[error("cannot read {path}; give a directory with model.json and its weights file")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file is larger than any model this version supports.
    #[error("{path} has {bytes} bytes, more than the {limit} that a model file may have")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size accepted.
        limit: u64,
    },
    /// A file of scores holds no matrix of floats.
    #[error(
        "no matrix of scores: {what}; write one with numpy.save, floats of 32 or 64 bits, one row a frame and one column a \
         class"
    )]
    ScoreFile {
        /// What is wrong.
        what: String,
    },
    /// `model.json` is not JSON of the documented shape.
    #[error("model.json is no valid description of a model")]
    Json(#[from] serde_json::Error),
    /// `model.json` was written for another version of the format.
    #[error("the model description has format {found}, this version reads format {supported}")]
    Format {
        /// The `format` field found.
        found: u32,
        /// The one supported.
        supported: u32,
    },
    /// A quantity of `model.json` lies outside its range.
    #[error("model description: {field} is {found}, expected {expected}")]
    Range {
        /// Path of the field, for instance `network.layers[3].stride`.
        field: String,
        /// The value found.
        found: String,
        /// The range or the value that would do.
        expected: String,
    },
    /// A name in `model.json` refers to nothing.
    #[error("model description: {field} names `{name}`, which is not {expected}")]
    UnknownName {
        /// Path of the field.
        field: String,
        /// The dangling name.
        name: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// The weights file is not a valid safetensors file.
    #[cfg(feature = "speech")]
    #[error("the weights are not a valid safetensors file")]
    Weights(#[from] safetensors::SafeTensorError),
    /// A tensor that the description asks for is absent.
    #[error(
        "the weights file has no tensor `{0}`; the description and the weights do not belong together"
    )]
    MissingTensor(String),
    /// A tensor has another shape than the description says.
    #[error("tensor `{tensor}` has shape {found:?}, the description asks for {expected:?}")]
    Shape {
        /// The tensor.
        tensor: String,
        /// Its dimensions in the file.
        found: Vec<usize>,
        /// The dimensions the description implies.
        expected: Vec<usize>,
    },
    /// A tensor has an element type that is not supported for its purpose.
    #[error("tensor `{tensor}` has element type {found}, supported are {expected}")]
    ElementType {
        /// The tensor.
        tensor: String,
        /// Its element type.
        found: String,
        /// The types accepted.
        expected: &'static str,
    },
    /// A weight is infinite or not a number.
    #[error("tensor `{tensor}` holds a non-finite value at element {element}")]
    NonFiniteWeight {
        /// The tensor.
        tensor: String,
        /// Flat index of the first such element.
        element: usize,
    },
    /// The table of HMM distributions names a pdf the network does not have.
    #[error("hmm.pdfs holds pdf {pdf} at element {element}, the network has {pdfs}")]
    UnknownPdf {
        /// The value found.
        pdf: i64,
        /// Flat index into the table.
        element: usize,
        /// Number of network outputs.
        pdfs: usize,
    },
    /// I-vectors that a network cannot read.
    #[error(
        "the i-vector extractor has {} feature dimensions, {} i-vector dimensions and silence among {} pdfs, the network {}, {} and {}; \
         they do not belong together", found.0, found.1, found.2, expected.0, expected.1, expected.2
    )]
    Adaptation {
        /// Values of a feature frame and of an i-vector, and pdfs, of the extractor.
        found: (usize, usize, usize),
        /// Those of the network.
        expected: (usize, usize, usize),
    },
    /// Features with another width than the network's input.
    #[error("features have {found} dimensions, the network takes {expected}")]
    FeatureWidth {
        /// Columns of the features.
        found: usize,
        /// Input dimension of the network.
        expected: usize,
    },
    /// A feature frame is infinite or not a number.
    #[error("feature frame {frame} holds a non-finite value; check the waveform")]
    NonFiniteFeatures {
        /// Index of the first such frame since the start of the utterance.
        frame: usize,
    },
    /// The network overflowed: features or weights far outside the range seen in training.
    #[error(
        "the scores of output frame {frame} are not finite; the features lie far outside the training range"
    )]
    NonFiniteScores {
        /// Index of the output frame.
        frame: usize,
    },
}

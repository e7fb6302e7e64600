//! What can be wrong with a file of a neural language model.

use std::path::PathBuf;

use thiserror::Error;

/// Why a neural language model could not be opened. Messages end with the remedy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LanguageError {
    /// The file could not be read.
    #[error("{path} cannot be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is larger than any model this version supports.
    #[error("{path} has more than the {limit} bytes that a neural language model may have")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size accepted.
        limit: u64,
    },
    /// The file is not a valid safetensors file.
    #[error("the neural language model is no valid safetensors file; copy it again")]
    Tensors(#[from] safetensors::SafeTensorError),
    /// The file says that it is something else, or of another version.
    #[error(
        "the neural language model has format {found:?}, this version reads {supported:?}; \
         export it again with scripts/train/nlm_export.py"
    )]
    Format {
        /// What its metadata has.
        found: Option<String>,
        /// What is supported.
        supported: &'static str,
    },
    /// A setting in the metadata is absent or out of range.
    #[error("the neural language model's {name} is {found:?}, it should be {expected}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// What was found.
        found: Option<String>,
        /// The range.
        expected: &'static str,
    },
    /// A tensor is absent.
    #[error("the neural language model has no tensor `{0}`; export it again")]
    Missing(String),
    /// A tensor has another type or shape than its part needs.
    #[error("tensor `{tensor}` is {found}, it should be {expected}; export it again")]
    Shape {
        /// The tensor.
        tensor: String,
        /// Element type and dimensions in the file.
        found: String,
        /// Those that fit the other tensors.
        expected: String,
    },
    /// A value is infinite or not a number, or a scale is negative.
    #[error("tensor `{tensor}` has an impossible value at element {element}; copy the file again")]
    Value {
        /// The tensor.
        tensor: String,
        /// Flat index of the first such element.
        element: usize,
    },
    /// The table of ranks does not name every word once.
    #[error("tensor `rank` does not give every word a rank of its own; export the model again")]
    Rank,
}

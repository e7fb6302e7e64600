//! Kaldi's nnet3 models in the folders that Vosk publishes, and ours written as such.
//!
//! A Vosk folder is a Kaldi chain model with its graph: `am/final.mdl` (transition model and nnet3
//! network), `graph/HCLG.fst` with `words.txt`, and a few settings in `conf/`. [`export`] writes a
//! model of ours as one, so that whatever runs Kaldi models runs it.
//!
//! The formats are those of Kaldi's `base/io-funcs`, `matrix`, `hmm` and `nnet3` and of OpenFst 1.7.

mod error;
mod export;
mod output;

pub use error::KaldiError;
pub use export::{ExportOptions, Exported, export};

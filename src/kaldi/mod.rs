//! Kaldi's nnet3 models in the folders that Vosk publishes, and ours written as such.
//!
//! A Vosk folder is a Kaldi chain model with its graph: `am/final.mdl` (transition model and nnet3
//! network), `graph/HCLG.fst` with `words.txt`, and a few settings in `conf/`. [`export`] writes a
//! model of ours as one, so that whatever runs Kaldi models runs it; [`VoskFolder`] reads one as a
//! model of ours.
//!
//! The formats are those of Kaldi's `base/io-funcs`, `matrix`, `hmm` and `nnet3` and of OpenFst
//! 1.7.

mod archive;
mod boundaries;
mod check;
mod conf;
mod const_arpa;
mod error;
mod export;
mod folder;
mod front_end;
mod import;
mod input;
mod ivector;
mod language_fst;
mod matrix;
mod matrix_file;
mod nnet;
mod output;
mod own_language;
mod rescoring;
mod transitions;
mod two_parts;

pub use archive::Archive;
#[doc(hidden)]
pub use archive::matrices as check_archive;
#[doc(hidden)]
pub use check::{
    check_config_lines, check_const_arpa, check_extractor, check_final_mdl, check_front_end,
    check_language_fst, check_lexicon_fst, check_mixture, check_subtracted_fst,
};
pub use error::KaldiError;
pub use export::{ExportOptions, Exported, export};
pub use folder::VoskFolder;
pub use import::{Imported, InputMean};
pub(crate) use rescoring::{RescoringHistory, RescoringModel};
pub use transitions::{Transition, TransitionModel};

use std::path::Path;

/// All of a file.
fn read(path: &Path) -> Result<Vec<u8>, KaldiError> {
    std::fs::read(path).map_err(|error| KaldiError::io(path, error))
}

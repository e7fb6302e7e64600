//! Where the parts of a Vosk folder lie: in its present layout, or in the old one without folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::KaldiError;

/// The files of a model that runs in Vosk.
#[derive(Debug)]
pub struct VoskFolder {
    folder: PathBuf,
    /// Files that were read whole: the model is wanted twice, for its weights and for its hash.
    read: Mutex<HashMap<PathBuf, Arc<Vec<u8>>>>,
    /// `am/`, `conf/` and `graph/` rather than all in one.
    parted: bool,
}

impl VoskFolder {
    /// Recognises a folder as libvosk does; `None` if it is none.
    pub fn find(folder: &Path) -> Option<VoskFolder> {
        let is = |name: &str| folder.join(name).is_file();
        let parted = is("am/final.mdl") && is("conf/model.conf");
        let flat = is("final.mdl") && is("mfcc.conf");
        (parted || flat).then(|| VoskFolder {
            folder: folder.to_owned(),
            read: Mutex::default(),
            parted,
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// What is there and not used: the neural language model that libvosk rescores with.
    pub fn left_out(&self) -> Option<PathBuf> {
        Some(self.folder.join("rnnlm/final.raw")).filter(|path| path.is_file())
    }

    /// The language model that is in the graph, in both layouts.
    pub(super) fn subtracted(&self) -> PathBuf {
        self.folder.join("rescore/G.fst")
    }

    /// The one that takes its place.
    pub(super) fn const_arpa(&self) -> PathBuf {
        self.folder.join("rescore/G.carpa")
    }

    /// The files that lattices are rescored with, where they are.
    pub fn rescoring_files(&self) -> Vec<PathBuf> {
        match self.const_arpa().is_file() {
            true => vec![self.subtracted(), self.const_arpa()],
            false => Vec::new(),
        }
    }

    /// All of a file, which is read once as long as this value lives.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn bytes(&self, path: &Path) -> Result<Arc<Vec<u8>>, KaldiError> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = read.get(path) {
            return Ok(Arc::clone(bytes));
        }
        let bytes = Arc::new(super::read(path)?);
        read.insert(path.to_owned(), Arc::clone(&bytes));
        Ok(bytes)
    }

    fn at(&self, part: &str, name: &str) -> PathBuf {
        match self.parted {
            true => self.folder.join(part).join(name),
            false => self.folder.join(name),
        }
    }

    pub(super) fn model(&self) -> PathBuf {
        self.at("am", "final.mdl")
    }

    pub(super) fn cmvn(&self) -> PathBuf {
        self.at("am", "global_cmvn.stats")
    }

    /// In both layouts a folder of its own.
    pub(super) fn ivector(&self, name: &str) -> PathBuf {
        self.folder.join("ivector").join(name)
    }

    pub(super) fn conf(&self, name: &str) -> PathBuf {
        self.at("conf", name)
    }

    /// The settings of the search; the old layout has none.
    pub(super) fn settings(&self) -> Option<PathBuf> {
        self.parted.then(|| self.conf("model.conf"))
    }

    pub(super) fn graph(&self, name: &str) -> PathBuf {
        self.at("graph", name)
    }

    pub(super) fn word_boundary(&self) -> PathBuf {
        match self.parted {
            true => self.folder.join("graph/phones/word_boundary.int"),
            false => self.folder.join("word_boundary.int"),
        }
    }
}

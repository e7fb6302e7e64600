//! Where the parts of a Vosk folder lie: in its present layout, or in the old one without folders.

use std::path::{Path, PathBuf};

/// The files of a model that runs in Vosk.
#[derive(Clone, Debug)]
pub struct VoskFolder {
    folder: PathBuf,
    /// `am/`, `conf/` and `graph/` rather than all in one.
    parted: bool,
}

impl VoskFolder {
    /// Recognises a folder as libvosk does; `None` if it is none.
    pub fn find(folder: &Path) -> Option<VoskFolder> {
        let is = |name: &str| folder.join(name).is_file();
        let parted = is("am/final.mdl") && is("conf/model.conf");
        let flat = is("final.mdl") && is("mfcc.conf");
        (parted || flat).then(|| VoskFolder { folder: folder.to_owned(), parted })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.folder
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

//! What can be wrong with a graph, by what the caller can do about it.

use std::path::{Path, PathBuf};

use super::container::Fault;

/// Why a graph could not be built, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// The file could not be opened, read or written.
    #[error("{path} cannot be read or written")]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not a Paretone graph at all.
    #[error("{path}: not a Paretone graph; compile one with `paretone graph compile`")]
    NotAGraph {
        /// The file concerned.
        path: PathBuf,
    },
    /// The file is of another version of the format.
    #[error(
        "{path}: graph format {found}, this program reads {supported}; compile the graph again"
    )]
    Version {
        /// The file concerned.
        path: PathBuf,
        /// The version the file states.
        found: u32,
        /// The version this program reads.
        supported: u32,
    },
    /// The file is damaged or was cut short.
    #[error("{path}: damaged graph ({what}); delete it and compile it again")]
    Corrupt {
        /// The file concerned.
        path: PathBuf,
        /// What disagrees.
        what: String,
    },
    /// The graph is larger than the packed arc can number.
    #[error(
        "graph too large: {what} {found}, the format holds {limit}; make it with a smaller language model or lexicon, or, for \
         pdfs, with a network of fewer"
    )]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many were asked for.
        found: u64,
        /// How many fit.
        limit: u64,
    },
    /// An arc, final cost or start refers to a state that was never added.
    #[error("state {state} does not exist: the graph has {states} states")]
    NoSuchState {
        /// The state referred to.
        state: u32,
        /// The number of states.
        states: u32,
    },
    /// A cost is not a number, or negative beyond what the packed arc holds.
    #[error(
        "cost {cost} at state {state} is not usable: costs are -ln p, above -128 and never NaN"
    )]
    BadCost {
        /// The state the arc leaves, or the final state.
        state: u32,
        /// The cost given.
        cost: f32,
    },
    /// No start state was set.
    #[error("the graph has no start state")]
    NoStart,
    /// Two automata were composed that have no path in common.
    #[error(
        "the lexicon and the language model have no path in common: they are not of one model, or their labels were numbered anew apart"
    )]
    NoPath,
    /// An OpenFst file is of a kind that is not read, or is damaged.
    #[error("OpenFst file, in {at}: {what}")]
    OpenFst {
        /// The part of the file that was read last.
        at: String,
        /// What is wrong there.
        what: String,
    },
}

impl GraphError {
    /// What is wrong with the file at a path.
    pub(super) fn of(fault: Fault, path: &Path) -> GraphError {
        let path = path.to_owned();
        match fault {
            Fault::Io(source) => GraphError::Io { path, source },
            Fault::Foreign => GraphError::NotAGraph { path },
            Fault::Version { found, supported } => GraphError::Version { path, found, supported },
            Fault::Corrupt(what) => GraphError::Corrupt { path, what },
        }
    }
}

//! Where may speech go? The decoding graph, and what it is built from: lexicon and n-gram.
//!
//! A [`Graph`] is a weighted automaton over frames: *emitting* arcs consume one frame of scores
//! with one pdf, *epsilon* arcs consume nothing. It is built in memory by [`GraphBuilder`], saved
//! and mapped by [`Graph::save`] and
//! [`Graph::open`], and exchanged with OpenFst and Kaldi by [`Graph::read_openfst`] and
//! [`Graph::save_openfst`].

mod builder;
pub mod compile;
#[cfg(feature = "speech")]
mod composition;
mod container;
mod error;
mod file;
mod grammar;
#[cfg(feature = "speech")]
mod gzip;
#[cfg(not(feature = "speech"))]
#[path = "gzip_absent.rs"]
mod gzip;
pub mod lexicon;
pub mod ngram;
// What Vosk folders need of it is not used without `speech`.
#[cfg_attr(not(feature = "speech"), allow(dead_code, unused_imports))]
mod openfst;
#[cfg(feature = "speech")]
mod phrases;
mod rows;
pub mod spelling;
mod strangers;
mod textfile;
mod wordlist;
mod words;
#[cfg(test)]
#[path = "../../tests/nnet3/fst.rs"]
mod written;

pub use builder::GraphBuilder;
pub use compile::ctc;
#[cfg(feature = "speech")]
pub(crate) use container::Place;
pub use error::GraphError;
pub use file::GRAPH_FORMAT;
pub use grammar::{Grammar, GrammarError};
#[cfg(feature = "speech")]
pub(crate) use openfst::{Automaton, FstArc, LookAhead};
pub use rows::{ArcRef, Gateway, Graph, GraphView, PackedArc};
pub use textfile::TextError;
pub use wordlist::{ListedWord, WordList};
pub(crate) use words::SPECIALS;
pub use words::WordTable;

/// Flag in an arc's label: this arc enters the first phone of a word, so a word starts at the frame
/// it consumes.
pub const WORD_START: u32 = 1 << 31;

/// Flag in an arc's label: this arc enters the silence after a word, so the word ends before the
/// frame it consumes.
pub const WORD_END: u32 = 1 << 30;

/// The bits of an arc's label that hold the [`WordId`](crate::units::WordId) it puts out; 0 is no
/// word.
pub const WORD_MASK: u32 = WORD_END - 1;

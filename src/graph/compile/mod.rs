//! Compiles the decoding graph straight from lexicon, back-off n-gram and HMM, without general
//! automata.
//!
//! For a lexicon, an n-gram and left-biphone context, the graph that Kaldi calls HCLG has a regular
//! shape, so the compiler writes it down directly: one *root* for each LM state and last phone,
//! from each root a prefix tree of the words that the LM state lists, and back-off arcs between the
//! roots. Composition, determinisation and minimisation are then local: the trees are deterministic
//! by construction (`tree`), the compiler pushes weights and labels while it grows them, and
//! hash-consing from the leaves shares all equal suffixes (`nodes`). General determinisation and
//! minimisation of the same graph take minutes and gigabytes.
//!
//! Semantics, which the search relies on:
//! - an arc that consumes a frame enters a phone (with the entry pdf of its left context) or stays
//!   in one;
//! - the best path of a word sequence costs: n-gram with back-off, `−ln` of the pronunciation
//!   probability, the word penalty for each word, and at the start and after each word `−ln p` for
//!   a silence or `−ln (1 − p)` for none;
//! - back-off is by epsilon arcs, also where an explicit n-gram exists, as in Kaldi's graphs; a
//!   path may so be cheaper than the model says, which is rare and small;
//! - labels carry [`WORD_START`](super::WORD_START) on the arc into a word's first phone and
//!   [`WORD_END`](super::WORD_END) on the arc into the silence after it.
//!
//! The same input gives the same graph, byte for byte.
//!
//! Reference: Mohri, Pereira and Riley, "Speech recognition with weighted finite-state
//! transducers", 2008; the direct construction is in the spirit of Novak, Minematsu and Hirose,
//! "Dynamic grammars with lookahead composition", 2012.

mod assemble;
mod contexts;
pub mod ctc;
mod dictionary;
mod grammar;
mod histories;
mod inputs;
mod layout;
mod nodes;
mod own_words;
mod roots;
mod sentence;
mod steps;
mod topology;
mod tree;

#[cfg(test)]
mod literal;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use crate::acoustic::Hmm;
use crate::units::Cost;

use super::lexicon::Lexicon;
use super::ngram::Ngram;
use super::{Graph, GraphError};
use assemble::{Assembly, Pauses};
use dictionary::{Dictionary, Pronunciation};
pub use grammar::{GrammarWord, compile_grammar};
use histories::{BackoffModel, Histories};
pub use own_words::{OwnWord, with_own_words};
pub use sentence::{Sentence, compile_sentence};

use roots::{LOOP_LIMIT, PHONE_LIMIT, Roots};
use steps::Steps;
use topology::Topology;

/// Weights of the graph that come neither from the lexicon nor from the n-gram.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct CompileOptions {
    /// Cost added to each word. Default 0, useful between −2 and 2; larger: fewer and longer words.
    pub word_penalty: Cost,
    /// Probability of a silence at the start and after each word. Default 0.5, from 0 (no silences:
    /// a smaller graph that cannot pause) to below 1.
    pub silence_probability: f32,
}

impl CompileOptions {
    /// The cost added to each word; see [`CompileOptions::word_penalty`].
    pub fn word_penalty(self, word_penalty: Cost) -> Self {
        CompileOptions { word_penalty, ..self }
    }

    /// How probable silences are; see [`CompileOptions::silence_probability`].
    pub fn silence_probability(self, silence_probability: f32) -> Self {
        CompileOptions { silence_probability, ..self }
    }
}

impl Default for CompileOptions {
    fn default() -> Self {
        CompileOptions { word_penalty: Cost::FREE, silence_probability: 0.5 }
    }
}

/// Why no graph could be compiled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// The silence probability is not one.
    #[error("silence probability {found}: give one from 0 to below 1")]
    SilenceProbability {
        /// The value given.
        found: f32,
    },
    /// The word penalty is not usable.
    #[error("word penalty {found}: give a cost between -100 and 100")]
    WordPenalty {
        /// The value given.
        found: f32,
    },
    /// The acoustic model has more phones or pdfs than a root's key holds.
    #[error("the model has {found} {what}, a graph holds {limit}")]
    TooLarge {
        /// Phones or pdfs.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many fit.
        limit: usize,
    },
    /// A pronunciation cannot be compiled.
    #[error("word {word} (counted from 0 in the word table) {problem}; correct the lexicon")]
    Pronunciation {
        /// The word's id.
        word: u32,
        /// What is wrong.
        problem: &'static str,
    },
    /// The graph does not say where words can be added.
    #[error(
        "words cannot be added to this graph, which was not compiled by `paretone graph compile` or has no state without \
         history; compile one from lexicon and n-gram"
    )]
    NoGateways,
    /// No word of the n-gram has a pronunciation.
    #[error("no word of the n-gram has a pronunciation; do lexicon and n-gram belong together?")]
    NoWords,
    /// The graph could not be laid out.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// Counts of what the compiler read and built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompileReport {
    /// Words with a pronunciation, whether the n-gram has them or not.
    pub words: usize,
    /// Words that the n-gram lists and the lexicon does not pronounce: left out.
    pub unpronounced: usize,
    /// Pronunciations of those words.
    pub pronunciations: usize,
    /// LM states, those that only back off not counted.
    pub histories: usize,
    /// States between words.
    pub roots: usize,
    /// States within words.
    pub nodes: usize,
}

/// Compiles the decoding graph of a lexicon, an n-gram and an acoustic model's HMMs, which must
/// share word ids and phone ids. Words without a pronunciation are left out.
///
/// ```
/// use std::path::Path;
/// use paretone::acoustic::Hmm;
/// use paretone::graph::WordTable;
/// use paretone::graph::compile::{CompileOptions, compile};
/// use paretone::graph::lexicon::Lexicon;
/// use paretone::graph::ngram::{arpa::Arpa, pack::pack};
///
/// let hmm = Hmm::open(Path::new("models/en"))?;
/// let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\nyes\n".as_bytes(), "words")?;
/// let lexicon = Lexicon::from_reader("yes\tY EH S\n".as_bytes(), "lexicon", &words, &hmm.phones)?;
/// let text = "\\data\\\nngram 1=3\n\n\\1-grams:\n-99 <s>\n-0.3 </s>\n-0.3 yes\n\n\\end\\\n";
/// let ngram = pack(Arpa::from_reader(text.as_bytes(), "arpa", &words)?, &words, 0)?;
/// let graph = compile(&hmm, &lexicon, &ngram, &CompileOptions::default())?;
/// assert!(graph.num_states() > 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompileError`]: unusable options, a pronunciation that does not fit the acoustic model,
/// nothing to say, or a graph beyond what the format numbers.
pub fn compile(
    hmm: &Hmm,
    lexicon: &Lexicon,
    ngram: &Ngram,
    options: &CompileOptions,
) -> Result<Graph, CompileError> {
    compile_with_report(hmm, lexicon, ngram, options).map(|(graph, _)| graph)
}

/// As [`compile`], and says what went into the graph.
///
/// # Errors
/// As [`compile`].
pub fn compile_with_report(
    hmm: &Hmm,
    lexicon: &Lexicon,
    ngram: &Ngram,
    options: &CompileOptions,
) -> Result<(Graph, CompileReport), CompileError> {
    let topology = Topology::of(hmm);
    assemble(&topology, inputs::pronunciations(lexicon.iter(), &topology)?, ngram, options)
}

/// The construction proper, on plain inputs.
fn assemble<M: BackoffModel>(
    topology: &Topology,
    pronunciations: Vec<Pronunciation>,
    model: &M,
    options: &CompileOptions,
) -> Result<(Graph, CompileReport), CompileError> {
    let (pauses, word_penalty) = weights(options)?;
    for (what, found, limit) in
        [("phones", topology.phones, PHONE_LIMIT), ("pdfs", topology.pdfs, LOOP_LIMIT)]
    {
        if found > limit {
            return Err(CompileError::TooLarge { what, found, limit });
        }
    }
    let dictionary = Dictionary::new(pronunciations);
    let histories = Histories::new(model, &dictionary, word_penalty);
    let roots = Roots::find(&histories, topology, pauses.silence.is_some());
    tracing::debug!(roots = roots.len(), "roots found");
    let (graph, sizes) = Assembly::new(&histories, topology, &roots, pauses).graph()?;
    if !sizes.speaks {
        return Err(CompileError::NoWords);
    }
    let report = CompileReport {
        words: dictionary.num_words(),
        unpronounced: histories.unpronounced(),
        pronunciations: dictionary.len(),
        histories: sizes.histories,
        roots: sizes.roots,
        nodes: sizes.nodes,
    };
    Ok((graph, report))
}

/// The options as costs.
fn weights(options: &CompileOptions) -> Result<(Pauses, Steps), CompileError> {
    let p = options.silence_probability;
    if !(0.0..1.0).contains(&p) {
        return Err(CompileError::SilenceProbability { found: p });
    }
    let found = options.word_penalty.0;
    if !(-100.0..=100.0).contains(&found) {
        return Err(CompileError::WordPenalty { found });
    }
    let steps = |cost: f32| Steps::of(Cost(cost)).unwrap_or(Steps::FREE);
    let silence = (p > 0.0).then(|| steps(-p.ln()));
    Ok((Pauses { silence, none: steps(-(-p).ln_1p()) }, steps(found)))
}

//! Decoding graphs for networks that were trained with connectionist temporal classification (CTC):
//! any network that gives, frame by frame, a score for each token (character, piece of a word,
//! phone) and for the *blank*.
//!
//! A token counts once, for however many frames it goes on. The blank stands for nothing: it may
//! separate any two tokens, and it must separate two equal ones. With lexicon and n-gram that is
//! the graph called TLG.
//!
//! The construction has two steps. Without the blank, CTC's tokens are phones of one state each
//! without context, so the compiler of [`compile`](super::compile) builds the graph of lexicon and
//! n-gram over them, trees and look-ahead included. Then each of its states is split in two
//! (`expand`): the token goes on, or the blank does. Back-off is by epsilon arcs, as in all our
//! graphs.
//!
//! Reference: Graves, Fernández, Gomez and Schmidhuber, "Connectionist temporal classification",
//! 2006; Miao, Gowayyed and Metze, "EESEN", 2015, for the graph.

mod expand;
#[cfg(test)]
mod tests;

use crate::graph::lexicon::{self, Lexicon};
use crate::graph::ngram::Ngram;
use crate::graph::{Graph, TextError, WordTable};
use crate::units::{Cost, PdfId, PhoneId};

use super::histories::BackoffModel;
use super::inputs;
use super::topology::Topology;
use super::{CompileError, CompileOptions, CompileReport, Pronunciation};

/// The tokens of a network: the name of each column of its scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    names: Vec<String>,
    blank: PdfId,
}

/// Names that are no tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokensError {
    /// The blank is not among them.
    #[error("the blank is column {blank}, and there are {tokens} tokens: count columns from 0")]
    NoBlank {
        /// Its column.
        blank: u32,
        /// How many tokens there are.
        tokens: usize,
    },
    /// Two columns have one name.
    #[error("\"{name}\" is the token of two columns, {first} and {second}: names tell them apart")]
    Twice {
        /// The name.
        name: String,
        /// The one column.
        first: usize,
        /// The other.
        second: usize,
    },
    /// A name that no lexicon can hold.
    #[error("the token of column {column}, {name:?}, is empty or has a blank in it: rename it")]
    NoName {
        /// The column.
        column: usize,
        /// Its name.
        name: String,
    },
}

impl Tokens {
    /// The tokens of columns 0, 1 and so on, one of which is the blank.
    ///
    /// # Errors
    /// [`TokensError`]: the blank is not among them, or names are empty, hold white space, or stand
    /// twice.
    pub fn new(names: Vec<String>, blank: PdfId) -> Result<Tokens, TokensError> {
        if blank.index() >= names.len() {
            return Err(TokensError::NoBlank { blank: blank.0, tokens: names.len() });
        }
        let mut columns = std::collections::HashMap::new();
        for (column, name) in names.iter().enumerate() {
            if name.is_empty() || name.contains(char::is_whitespace) {
                let name = name.clone();
                return Err(TokensError::NoName { column, name });
            }
            if let Some(first) = columns.insert(name.as_str(), column) {
                return Err(TokensError::Twice { name: name.clone(), first, second: column });
            }
        }
        Ok(Tokens { names, blank })
    }

    /// The names, by column.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The blank's column.
    pub fn blank(&self) -> PdfId {
        self.blank
    }

    /// A lexicon over these tokens; see [`Lexicon::from_reader`].
    ///
    /// # Errors
    /// As [`Lexicon::from_reader`].
    pub fn lexicon(
        &self,
        reader: impl std::io::BufRead,
        name: &str,
        words: &WordTable,
    ) -> Result<Lexicon, TextError> {
        Lexicon::from_reader(reader, name, words, &self.names)
    }
}

/// Compiles the decoding graph of a lexicon over a CTC network's tokens and an n-gram, which must
/// share word ids. Words without a pronunciation are left out.
///
/// ```
/// use paretone::graph::WordTable;
/// use paretone::graph::ctc::{Tokens, compile};
/// use paretone::graph::ngram::{arpa::Arpa, pack::pack};
/// use paretone::units::{Cost, PdfId};
///
/// let tokens = ["<blk>", "e", "s", "y"].map(String::from).to_vec();
/// let tokens = Tokens::new(tokens, PdfId(0))?;
/// let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\nyes\n".as_bytes(), "words")?;
/// let lexicon = tokens.lexicon("yes\ty e s\n".as_bytes(), "lexicon", &words)?;
/// let text = "\\data\\\nngram 1=3\n\n\\1-grams:\n-99 <s>\n-0.3 </s>\n-0.3 yes\n\n\\end\\\n";
/// let ngram = pack(Arpa::from_reader(text.as_bytes(), "arpa", &words)?, &words, 0)?;
/// let (graph, report) = compile(&tokens, &lexicon, &ngram, Cost::FREE)?;
/// assert_eq!((graph.num_pdfs(), report.words), (4, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CompileError`]: an unusable penalty, a pronunciation with the blank, nothing to say, or a
/// graph beyond what the format numbers.
pub fn compile(
    tokens: &Tokens,
    lexicon: &Lexicon,
    ngram: &Ngram,
    word_penalty: Cost,
) -> Result<(Graph, CompileReport), CompileError> {
    let blank = PhoneId(tokens.blank.0);
    let has_blank = |said: &lexicon::Pronunciation| said.phones.contains(&blank);
    if let Some((word, _)) = lexicon.iter().find(|(_, said)| said.iter().any(has_blank)) {
        return Err(CompileError::Pronunciation {
            word: word.0,
            problem: "has the blank, which is heard between tokens without being named",
        });
    }
    let topology = Topology::without_context(tokens.names.len(), blank);
    let pronunciations = inputs::pronunciations(lexicon.iter(), &topology)?;
    assemble(&topology, pronunciations, ngram, word_penalty)
}

/// The construction proper, on plain inputs; the topology's silence is the blank.
fn assemble<M: BackoffModel>(
    topology: &Topology,
    pronunciations: Vec<Pronunciation>,
    model: &M,
    word_penalty: Cost,
) -> Result<(Graph, CompileReport), CompileError> {
    let options = CompileOptions::default().word_penalty(word_penalty).silence_probability(0.0);
    let (tokens, report) = super::assemble(topology, pronunciations, model, &options)?;
    let graph = expand::expand(&tokens, PdfId(topology.silence.0))?;
    Ok((graph, report))
}

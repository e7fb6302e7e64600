//! The cost of the reference transcript, which tells model errors from search errors. If the
//! reference costs more than the wrong answer, the model prefers the wrong words; if it costs less,
//! the search missed the better path.

use std::path::Path;

use crate::acoustic::{Hmm, Tensors};
use crate::decode::{Decoder, PathCost, Pruning, Scratch};
use crate::graph::compile::{CompileOptions, Sentence, compile_sentence};
use crate::graph::lexicon::Lexicon;
use crate::units::WordId;

use super::files::{LEXICON, compile_options};
use super::{Recognizer, RecognizerError, ScoredAudio, Setting};

/// Aligns references with the HMMs and pronunciations behind a recogniser's graph.
pub struct References<'r> {
    recognizer: &'r Recognizer,
    hmm: Hmm,
    lexicon: Lexicon,
    options: CompileOptions,
}

/// The cost of a reference transcript.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceCost {
    /// The cost of its best path, comparable with [`Transcript::cost`](super::Transcript::cost).
    Cost(PathCost),
    /// This many of its words are not in the vocabulary, so no path can say it.
    OutOfVocabulary(u32),
    /// It is empty, or the recording was cut into segments, or the words do not fit into it.
    Unknown,
}

impl<'r> References<'r> {
    /// Reads what the recogniser, opened from the same `folder`, compiled its graph from.
    ///
    /// # Errors
    /// A file of the model cannot be read.
    pub fn open(folder: &Path, recognizer: &'r Recognizer) -> Result<Self, RecognizerError> {
        let description = &recognizer.model.description;
        let tensors = Tensors::open(&folder.join(&description.network.weights))?;
        let hmm = Hmm::from_tensors(&description.hmm, &tensors)?;
        let path = folder.join(LEXICON);
        let lexicon = Lexicon::open(&path, recognizer.model.words(), &hmm.phones)?;
        Ok(References { recognizer, lexicon, hmm, options: compile_options(&description.decode) })
    }

    /// The ids of words; [`WordId::EPSILON`] for those that cannot be recognised.
    pub fn ids(&self, words: &[String]) -> Vec<WordId> {
        let id = |word: &String| {
            let id = self.recognizer.model.words().id(word);
            id.filter(|&id| !self.lexicon.pronunciations(id).is_empty())
        };
        words.iter().map(|word| id(word).unwrap_or_default()).collect()
    }

    /// The cost of the best path that says `words`, under the language models that have the last
    /// word at a setting.
    ///
    /// # Errors
    /// The scores cannot be searched.
    pub fn cost(
        &self,
        scored: &ScoredAudio,
        words: &[WordId],
        setting: &Setting,
    ) -> Result<ReferenceCost, RecognizerError> {
        let unknown = words.iter().filter(|&&word| word == WordId::EPSILON).count();
        if unknown > 0 {
            return Ok(ReferenceCost::OutOfVocabulary(unknown as u32));
        }
        let ([segment], false) = (scored.segments.as_slice(), words.is_empty()) else {
            return Ok(ReferenceCost::Unknown);
        };
        let Some(models) = self.recognizer.model.second_look.as_deref() else {
            return Ok(ReferenceCost::Unknown);
        };
        let (costs, end) = models.word_costs(setting, words, None)?;
        let sentence = Sentence { words: words.iter().copied().zip(costs).collect(), end };
        let graph = compile_sentence(&self.hmm, &self.lexicon, &sentence, &self.options)?;
        let decoder = Decoder::new(&graph, Pruning::OFF)?;
        let heard = decoder.decode(&segment.scores, &mut Scratch::new())?;
        Ok(match heard.reached_final {
            true => ReferenceCost::Cost(heard.cost),
            false => ReferenceCost::Unknown,
        })
    }
}

//! A recogniser with the words of a list, and how words are said.

use super::known::known;
use super::model::Model;
use super::{Recognizer, RecognizerError};
use crate::graph::WordList;
use crate::provenance::{MadeFor, hash};

impl Recognizer {
    /// The same model, which also knows the words and phrases of a list, and thinks them likelier
    /// than usual: some 0.1 s for a graph of six million arcs, and the time that finding out how
    /// the words are said takes; of 200 unknown words or more, this is kept in the cache. The
    /// network and the language models are shared with this one. The words of an earlier list are
    /// forgotten.
    ///
    /// What is promised of the model without them ([`Recognizer::made_for`]) is not promised of it;
    /// confidences are those of the model without them.
    ///
    /// # Errors
    /// A word cannot be pronounced, or a file of the model cannot be read.
    ///
    /// # Examples
    /// ```
    /// use paretone::Recognizer;
    /// use paretone::graph::WordList;
    ///
    /// let recognizer = Recognizer::open("models/en")?;
    /// let list = WordList::from_reader("Paretone\nAda Lovelace\n".as_bytes(), "names")?;
    /// let knows_names = recognizer.with_words(&list)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_words(&self, list: &WordList) -> Result<Recognizer, RecognizerError> {
        self.with_list(list, true)
    }

    /// The same for words that a stranger brings along, who shall not fill the cache.
    #[cfg(feature = "service")]
    pub(crate) fn with_brought_words(&self, list: &WordList) -> Result<Self, RecognizerError> {
        self.with_list(list, false)
    }

    fn with_list(&self, list: &WordList, is_kept: bool) -> Result<Self, RecognizerError> {
        let base = self.without_words.as_ref().unwrap_or(&self.model);
        let model = base.with_words(&self.folder, list, is_kept)?;
        Ok(self.varied(model, &format!("{list:?}")))
    }

    /// The same recogniser with another graph, which is known again by what it was made of.
    pub(super) fn varied(&self, model: Model, made_of: &str) -> Recognizer {
        let parts = [self.made_for.model.as_deref().unwrap_or(""), made_of].map(str::as_bytes);
        Recognizer {
            folder: self.folder.clone(),
            versions: self.versions.clone(),
            calibration: self.calibration.clone(),
            made_for: MadeFor { model: Some(hash(parts)), ..self.made_for.clone() },
            without_words: Some(self.without_words.as_ref().unwrap_or(&self.model).clone()),
            model,
        }
    }

    /// Whether a word is in the model's vocabulary, whatever its case.
    pub fn knows(&self, word: &str) -> bool {
        known(self.model.words(), word).is_some()
    }

    /// How a word is said: as the model's lexicon has it, else as its spelling tells, the likeliest
    /// first; none where it has letters that the lexicon lacks.
    ///
    /// # Errors
    /// A file of the model cannot be read.
    pub fn pronunciations(&self, word: &str) -> Result<Vec<Vec<String>>, RecognizerError> {
        let source = self.model.source(&self.folder)?;
        let said = source.pronunciations(self.model.words(), word);
        let names = |(phones, _): &(Vec<_>, _)| {
            let names = source.phone_names(phones).into_iter();
            names.map(str::to_owned).collect()
        };
        Ok(said.iter().map(names).collect())
    }
}

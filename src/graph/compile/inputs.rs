//! The compiler's inputs from the pipeline's types: pdfs from the HMM, pronunciations from the
//! lexicon, histories from the packed n-gram.

use crate::acoustic::{Hmm, HmmArc};
use crate::graph::lexicon;
use crate::graph::ngram::{LmState, Ngram};
use crate::units::{Cost, PhoneId, WordId};

use super::CompileError;
use super::dictionary::Pronunciation;
use super::histories::{BackoffModel, History};
use super::steps::Steps;
use super::topology::{PhonePdfs, Topology};

impl Topology {
    /// The topology of an acoustic model.
    pub(super) fn of(hmm: &Hmm) -> Self {
        let phones = hmm.phones.len();
        let ids = || (0..phones as u32).map(PhoneId);
        let pdfs = |left, phone| PhonePdfs {
            entry: hmm.pdf(left, phone, HmmArc::Entry),
            again: hmm.pdf(left, phone, HmmArc::Loop),
        };
        Topology {
            phones,
            pdfs: hmm.num_pdfs(),
            silence: hmm.silence(),
            table: ids().flat_map(|left| ids().map(move |phone| pdfs(left, phone))).collect(),
        }
    }
}

/// The pronunciations of words of a lexicon, checked against the phone set.
pub(super) fn pronunciations<'l>(
    words: impl Iterator<Item = (WordId, &'l [lexicon::Pronunciation])>,
    topology: &Topology,
) -> Result<Vec<Pronunciation>, CompileError> {
    let mut all = Vec::new();
    for (word, said) in words {
        for pronunciation in said {
            let phones = &pronunciation.phones;
            check_phones(word, phones, topology)?;
            let Some(cost) = Steps::of(pronunciation.cost) else {
                continue;
            };
            all.push(Pronunciation { phones: phones.clone(), word, cost });
        }
    }
    Ok(all)
}

/// A pronunciation has phones, of the model's, and no silence.
pub(super) fn check_phones(
    word: WordId,
    phones: &[PhoneId],
    topology: &Topology,
) -> Result<(), CompileError> {
    let problem = if phones.is_empty() {
        "has no phones"
    } else if phones.iter().any(|phone| phone.index() >= topology.phones) {
        "has a phone that the acoustic model lacks"
    } else if phones.contains(&topology.silence) {
        "has the silence phone, which stands between words alone"
    } else {
        return Ok(());
    };
    Err(CompileError::Pronunciation { word: word.0, problem })
}

impl BackoffModel for Ngram {
    fn num_states(&self) -> usize {
        Ngram::num_states(self)
    }

    fn start(&self) -> History {
        History(Ngram::start(self).0)
    }

    fn successors(&self, history: History, visit: &mut dyn FnMut(WordId, Cost, History)) {
        for (word, cost, next) in Ngram::successors(self, LmState(history.0)) {
            visit(word, cost, History(next.0));
        }
    }

    fn backoff(&self, history: History) -> Option<(History, Cost)> {
        let (next, cost) = Ngram::backoff(self, LmState(history.0))?;
        Some((History(next.0), cost))
    }

    fn end(&self, history: History) -> Cost {
        Ngram::end(self, LmState(history.0))
    }
}

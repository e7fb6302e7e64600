//! The second look: what larger language models make of a lattice.
//!
//! The n-gram in the graph is small, since the graph grows with it. A large one takes its place on
//! the lattice's paths, and where the model has one and the setting asks for it, a neural network
//! joins in.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::acoustic::Kernels;
use crate::decode::{
    Cancel, DecodeError, HistoryId, Hypothesis, LanguageModel, Lattice, PathCost, PathGraph,
    Rescoring, Reweighing, SequenceModel,
};
use crate::graph::WordTable;
use crate::graph::ngram::{LmState, Ngram};
use crate::language::{Histories, Mixture, NeuralModel, Reached};
use crate::units::{Cost, WordId};

use super::cache::Cache;
use super::costs::Costs;
use super::files::{GRAPH_NGRAM, NEURAL, RESCORING_NGRAM};
use super::own_words::{Extended, OwnVocabulary};
use super::{RecognizerError, Setting};

/// Histories that rescoring by n-gram follows from one lattice node.
const HISTORIES: usize = 16;
/// Histories that the neural network follows from one node; eight change nothing (as does a beam of
/// 8 below) but take twice the time: benches/records/2026-11-27/neural-lm.txt.
const NEURAL_HISTORIES: usize = 4;
/// Paths that cost so much more than the best under the n-gram are not shown to the network.
const NEURAL_BEAM: Cost = Cost(5.0);
/// States of the network that may be computed for a frame of scores, on average: what bounds its
/// time on noise and foreign speech. Speech takes about one half.
const STATES_A_FRAME: usize = 4;

/// The language models, opened.
pub(super) struct SecondLook {
    /// The one whose costs are in the graph.
    pub small: Ngram,
    /// The one that replaces it.
    pub large: Ngram,
    /// What is mixed with the large one.
    neural: Option<Unread>,
}

/// A network that is read when a setting first asks for it: most do without.
struct Unread {
    path: PathBuf,
    kernels: Kernels,
    /// Words that it should know.
    words: usize,
    network: OnceLock<NeuralModel>,
}

/// What a second look writes to.
#[derive(Default)]
pub(super) struct LookScratch {
    histories: Histories,
    reached: Vec<Reached>,
}

impl SecondLook {
    /// Opens the models of a folder; `None` where it has no large n-gram.
    pub(super) fn open(
        folder: &Path,
        words: &WordTable,
        cache: &Cache,
        kernels: Kernels,
    ) -> Result<Option<SecondLook>, RecognizerError> {
        let large = folder.join(RESCORING_NGRAM);
        if !large.is_file() {
            return Ok(None);
        }
        let small = cache.open::<Ngram>(&folder.join(GRAPH_NGRAM))?;
        let large = cache.open::<Ngram>(&large)?;
        for known in [&small, &large].map(Ngram::num_words) {
            check_words("an n-gram", known, words.len())?;
        }
        let path = folder.join(NEURAL);
        let neural = path.is_file().then(|| Unread {
            path,
            kernels,
            words: words.len(),
            network: OnceLock::new(),
        });
        Ok(Some(SecondLook { small, large, neural }))
    }

    /// Whether there is a network.
    pub(super) fn has_network(&self) -> bool {
        self.neural.is_some()
    }

    /// The network, where there is one and the setting asks for it; read at the first time.
    ///
    /// # Errors
    /// Its file cannot be used.
    pub(super) fn network(
        &self,
        setting: &Setting,
    ) -> Result<Option<&NeuralModel>, RecognizerError> {
        let asked = self.neural.as_ref().filter(|_| setting.neural);
        asked.map(Unread::read).transpose()
    }

    /// The paths of a lattice, in which there may be own words, under the models that a setting
    /// which rescores asks for.
    pub(super) fn paths<'l>(
        &self,
        setting: &Setting,
        (lattice, own): (&'l Lattice, Option<&OwnVocabulary>),
        scratch: &mut LookScratch,
        cancel: Option<&Cancel>,
    ) -> Result<PathGraph<'l>, RecognizerError> {
        let paths = self.under_ngram(lattice, own, cancel)?;
        let Some(network) = self.network(setting)? else {
            return Ok(paths);
        };
        let how =
            Reweighing { beam: NEURAL_BEAM, histories: NEURAL_HISTORIES, every_end: false, cancel };
        let limit = STATES_A_FRAME * lattice.num_frames() as usize;
        let mut model = WithOwn { mixture: self.mixture(network, scratch, limit), own };
        Ok(paths.reweighed(&how, &mut model)?)
    }

    /// The paths of a lattice under the large n-gram.
    pub(super) fn under_ngram<'l>(
        &self,
        lattice: &'l Lattice,
        own: Option<&OwnVocabulary>,
        cancel: Option<&Cancel>,
    ) -> Result<PathGraph<'l>, DecodeError> {
        let small = Extended::graphs(&self.small, own);
        let large = Extended::large(&self.large, own);
        lattice.rescored(&Rescoring {
            small: &small,
            large: &large,
            scale: 1.0,
            histories: HISTORIES,
            cancel,
        })
    }

    fn mixture<'a>(
        &'a self,
        network: &'a NeuralModel,
        scratch: &'a mut LookScratch,
        limit: usize,
    ) -> Mixture<'a> {
        let LookScratch { histories, reached } = scratch;
        Mixture::new(network, &self.large, (histories, reached), limit)
    }

    /// What each word costs, and ending after them, under the models that have the last word at a
    /// setting.
    ///
    /// # Errors
    /// As [`SecondLook::network`].
    pub(super) fn word_costs(
        &self,
        setting: &Setting,
        words: &[WordId],
        own: Option<&OwnVocabulary>,
    ) -> Result<(Vec<Cost>, Cost), RecognizerError> {
        if !setting.rescore {
            return Ok(under(Extended::graphs(&self.small, own), words));
        }
        let (mut costs, mut end) = under(Extended::large(&self.large, own), words);
        if let Some(network) = self.network(setting)? {
            let mut scratch = LookScratch::default();
            let mut mixture =
                WithOwn { mixture: self.mixture(network, &mut scratch, words.len() + 1), own };
            let mut history = SequenceModel::start(&mut mixture);
            for (cost, &word) in costs.iter_mut().zip(words) {
                let (next, added) = SequenceModel::step(&mut mixture, history, word);
                (history, *cost) = (next, *cost + added);
            }
            end = end + SequenceModel::end(&mut mixture, history);
        }
        Ok((costs, end))
    }

    /// The cost of a path taken apart; `word_penalty` is what the graph charges for each word.
    ///
    /// # Errors
    /// As [`SecondLook::network`].
    pub(super) fn costs(
        &self,
        setting: &Setting,
        (heard, own): (&Hypothesis, Option<&OwnVocabulary>),
        word_penalty: Cost,
    ) -> Result<Costs, RecognizerError> {
        let words = heard.word_ids();
        let total = |(costs, end): (Vec<Cost>, Cost)| {
            // Outside a final state, no end was charged.
            let end = if heard.reached_final { end } else { Cost::FREE };
            let all = costs.iter().chain([&end]);
            PathCost(all.map(|cost| f64::from(cost.0)).sum())
        };
        let language = total(self.word_costs(setting, &words, own)?);
        let acoustic = heard.parts.map_or(PathCost(0.0), |parts| parts.acoustic);
        let penalty = PathCost(f64::from(word_penalty.0) * words.len() as f64);
        let neural = self.network(setting)?.map(|network| neural_costs(network, &words, own));
        Ok(Costs {
            acoustic,
            language,
            word_penalty: penalty,
            silences: heard.cost - acoustic - language - penalty,
            graph_ngram: total(under(Extended::graphs(&self.small, own), &words)),
            rescoring_ngram: setting
                .rescore
                .then(|| total(under(Extended::large(&self.large, own), &words))),
            neural: neural.map(total),
        })
    }
}

impl Unread {
    fn read(&self) -> Result<&NeuralModel, RecognizerError> {
        if let Some(network) = self.network.get() {
            return Ok(network);
        }
        let network = NeuralModel::open(&self.path, self.kernels)?;
        let who = "the neural language model";
        check_words(who, network.num_words(), self.words)?;
        // Another thread may have been sooner: then this one is dropped.
        Ok(self.network.get_or_init(|| network))
    }
}

fn check_words(who: &str, known: usize, listed: usize) -> Result<(), RecognizerError> {
    if known == listed {
        return Ok(());
    }
    let what = format!("{who} has {known} words, the word table lists {listed}");
    Err(RecognizerError::Mismatch { what })
}

/// What each word costs under an n-gram, and ending after them.
fn under(model: Extended<'_>, words: &[WordId]) -> (Vec<Cost>, Cost) {
    let mut state = model.start();
    let mut step = |&word: &WordId| {
        let (next, cost) = model.step(state, word);
        state = next;
        cost
    };
    let costs = words.iter().map(&mut step).collect();
    (costs, model.end(state))
}

/// What each word costs under the network alone, and ending after them.
fn neural_costs(
    network: &NeuralModel,
    words: &[WordId],
    own: Option<&OwnVocabulary>,
) -> (Vec<Cost>, Cost) {
    let stand_in = |&word: &WordId| own.map_or(word, |own| own.stand_in(word).0);
    let words: Vec<WordId> = words.iter().map(stand_in).collect();
    let mut all = network.costs(&words);
    let end = all.pop().unwrap_or(Cost::FREE);
    (all, end)
}

/// The network and the n-gram, to which own words are what stands in for them; of those that
/// neither knows they have no opinion.
struct WithOwn<'m> {
    mixture: Mixture<'m>,
    own: Option<&'m OwnVocabulary>,
}

impl SequenceModel for WithOwn<'_> {
    fn start(&mut self) -> HistoryId {
        HistoryId(self.mixture.start())
    }

    fn step(&mut self, history: HistoryId, word: WordId) -> (HistoryId, Cost) {
        let (word, is_known) = self.own.map_or((word, true), |own| own.stand_in(word));
        let (next, added) = self.mixture.step(history.0, word);
        (HistoryId(next), if is_known { added } else { Cost::FREE })
    }

    fn end(&mut self, history: HistoryId) -> Cost {
        self.mixture.end(history.0)
    }

    fn foresee(&mut self, words: &[WordId]) {
        match self.own {
            None => self.mixture.foresee(words),
            Some(own) => {
                let words: Vec<WordId> = words.iter().map(|&word| own.stand_in(word).0).collect();
                self.mixture.foresee(&words);
            }
        }
    }

    fn prepare(&mut self, histories: &[HistoryId]) {
        self.mixture.prepare(histories.iter().map(|history| history.0));
    }
}

impl LanguageModel for Ngram {
    type State = LmState;

    fn start(&self) -> LmState {
        self.start()
    }

    fn step(&self, state: LmState, word: WordId) -> (LmState, Cost) {
        self.step(state, word)
    }

    fn end(&self, state: LmState) -> Cost {
        self.end(state)
    }
}

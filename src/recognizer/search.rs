//! From scores to words: the search, the second look, and what is known of the answer.

use std::time::Instant;

use super::exchange::exchanged;
use super::second_look::LookScratch;
use super::transcript::phrase;
use super::{
    Alternative, Recognizer, RecognizerError, RecognizerScratch, ScoredAudio, ScoredSegment,
    Setting, Transcript, add, check,
};
use crate::confidence::{Findings, Heads, doubt, least_risk_words};
use crate::decode::{self, Cancel, DecodeError, Decoder, Hypothesis, Lattice, PathCost, PathGraph};
use crate::units::{Cost, Seconds, WordId};

impl Recognizer {
    /// What was said, by scores and a setting: the same as [`Recognizer::transcribe_at`] hears.
    ///
    /// # Errors
    /// When the setting is out of range, or the scores cannot be searched.
    pub fn search(
        &self,
        setting: &Setting,
        scored: &ScoredAudio,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        let mut transcript = Transcript {
            audio: scored.audio,
            reached_final: true,
            timings: scored.timings,
            ..Transcript::default()
        };
        for segment in &scored.segments {
            self.search_segment(setting, segment, scratch, &mut transcript)?;
        }
        self.judge(setting, &mut transcript);
        Ok(transcript)
    }

    /// As [`Recognizer::search`], of one segment alone, by its place in
    /// [`ScoredAudio::segments`]; nothing where there is no such segment.
    ///
    /// # Errors
    /// As [`Recognizer::search`].
    pub fn search_part(
        &self,
        setting: &Setting,
        scored: &ScoredAudio,
        part: usize,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        let mut transcript = Transcript { reached_final: true, ..Transcript::default() };
        if let Some(segment) = scored.segments.get(part) {
            self.search_segment(setting, segment, scratch, &mut transcript)?;
        }
        self.judge(setting, &mut transcript);
        Ok(transcript)
    }

    /// What a setting's confidences come from, where it is a calibrated version.
    fn heads(&self, setting: &Setting) -> Option<&Heads> {
        self.calibration.versions.get(&self.versions.at(setting)?.name)
    }

    /// Says what to believe of a transcript and its words, where its setting is a calibrated
    /// version.
    pub(super) fn judge(&self, setting: &Setting, transcript: &mut Transcript) {
        if let Some(heads) = self.heads(setting) {
            transcript.judge_by(heads);
        }
    }

    /// Appends the words behind the scores of one segment: those of the best path, or of the
    /// lattice's best under larger language models or at the graph scale of the model.
    pub(super) fn search_segment(
        &self,
        setting: &Setting,
        segment: &ScoredSegment,
        scratch: &mut RecognizerScratch,
        transcript: &mut Transcript,
    ) -> Result<(), RecognizerError> {
        let started = Instant::now();
        let decoder = Decoder::new(&self.model.graph, setting.pruning)?;
        let RecognizerScratch { search, look, .. } = scratch;
        // Where nothing rescores, the lattice still says how far to trust the best path.
        if !setting.rescore {
            let heard = decoder.decode(&segment.scores, search)?;
            add(&mut transcript.timings.search, started);
            transcript.append(&heard, None, |word| self.place(word, segment));
            return Ok(());
        }
        let lattice = decoder.lattice(&segment.scores, search)?;
        add(&mut transcript.timings.search, started);
        check(search, segment.scores.num_frames())?;
        let started = Instant::now();
        let cancel = search.cancel.as_ref();
        let paths = self.paths(setting, &lattice, look, cancel)?;
        let heard = match self.model.least_risk {
            true => {
                let (beam, scale) = (setting.pruning.lattice_beam, self.model.graph_scale);
                let sequences = self.exchanged(lattice.determinized(beam, scale), cancel)?;
                least_risk_words(&paths, &sequences, cancel)?
            }
            false => paths.best(),
        };
        // Where the language models know no word of any path none is left, and libvosk is silent.
        let heard = match heard.cost {
            PathCost::IMPOSSIBLE => Hypothesis { cost: PathCost(0.0), ..heard },
            _ => heard,
        };
        let findings = Findings::of(&paths, &heard, cancel)?;
        let place = |word: &decode::Word| self.place(word, segment);
        let evidence = transcript.append(&heard, Some(&findings), place);
        if let (Some(heads), Some(evidence)) = (self.heads(setting), evidence)
            && let Some(errors) = heads.expected_errors(&evidence)
        {
            *transcript.expected_errors.get_or_insert_default() += errors;
        }
        add(&mut transcript.timings.rescore, started);
        Ok(())
    }

    /// The paths of a lattice at the costs that have the last word at a setting that rescores.
    fn paths<'l>(
        &self,
        setting: &Setting,
        lattice: &'l Lattice,
        look: &mut LookScratch,
        cancel: Option<&Cancel>,
    ) -> Result<PathGraph<'l>, RecognizerError> {
        match &self.model.second_look {
            Some(models) => models.paths(setting, (lattice, self.model.own()), look, cancel),
            None => Ok(self.exchanged(lattice.scaled_paths(self.model.graph_scale), cancel)?),
        }
    }

    /// The same paths with a Vosk folder's large language model in the place of the small one,
    /// where it has one.
    fn exchanged<'l>(
        &self,
        paths: PathGraph<'l>,
        cancel: Option<&Cancel>,
    ) -> Result<PathGraph<'l>, DecodeError> {
        match &self.model.rescoring {
            Some(model) => exchanged(&paths, (model, self.model.graph_scale), cancel),
            None => Ok(paths),
        }
    }

    /// The least number of word errors that a choice among the paths of a lattice could leave: the
    /// oracle of a setting. `reference` as [`References::ids`](super::References::ids) has it; none
    /// where the setting makes no lattice, or the recording was cut into segments.
    ///
    /// # Errors
    /// As [`Recognizer::search`].
    pub fn lattice_errors(
        &self,
        setting: &Setting,
        scored: &ScoredAudio,
        reference: &[WordId],
        scratch: &mut RecognizerScratch,
    ) -> Result<Option<u32>, RecognizerError> {
        let decoder = Decoder::new(&self.model.graph, setting.pruning)?;
        let ([segment], Some(models), true) =
            (scored.segments.as_slice(), &self.model.second_look, setting.rescore)
        else {
            return Ok(None);
        };
        let lattice = decoder.lattice(&segment.scores, &mut scratch.search)?;
        let (own, cancel) = (self.model.own(), scratch.search.cancel.as_ref());
        let paths = models.under_ngram(&lattice, own, cancel)?;
        Ok(paths.least_errors(reference))
    }

    /// The `count` best different answers, the best first, with their costs and posteriors.
    /// Alternatives of segments are combined.
    ///
    /// # Errors
    /// As [`Recognizer::search`].
    pub fn n_best(
        &self,
        setting: &Setting,
        scored: &ScoredAudio,
        count: usize,
        scratch: &mut RecognizerScratch,
    ) -> Result<Vec<Alternative>, RecognizerError> {
        let decoder = Decoder::new(&self.model.graph, setting.pruning)?;
        let mut all = vec![Alternative::nothing()];
        for segment in &scored.segments {
            let lattice = decoder.lattice(&segment.scores, &mut scratch.search)?;
            let cancel = scratch.search.cancel.as_ref();
            let (models, own) = (self.model.second_look.as_ref(), self.model.own());
            let paths = match setting.rescore {
                true => self.paths(setting, &lattice, &mut scratch.look, cancel)?,
                false => lattice.scaled_paths(self.model.graph_scale),
            };
            let penalty = Cost(self.model.description.decode.word_penalty);
            // A phrase of the user's is one word to the search.
            let parts = |word: &decode::Word| {
                let (text, place) = self.place(word, segment);
                let parts = phrase(text, place);
                parts.map(|(text, time)| (text.to_owned(), time)).collect::<Vec<_>>()
            };
            let mut these = Vec::new();
            let heard = paths.n_best(count);
            if heard.is_empty() {
                these.push(Alternative::nothing());
            }
            for heard in &heard {
                let costs = models.map(|models| models.costs(setting, (heard, own), penalty));
                let (words, times) = heard.words.iter().flat_map(parts).unzip();
                these.push(Alternative {
                    words,
                    times,
                    cost: heard.cost,
                    costs: costs.transpose()?,
                    posterior: doubt(&paths, heard, cancel)?.sequence,
                    confidence: None,
                });
            }
            all = Alternative::combined(&all, &these, count);
        }
        Ok(all)
    }

    /// The spelling of a word of a segment, and where it lies in the recording.
    fn place(&self, word: &decode::Word, segment: &ScoredSegment) -> (&str, (Seconds, Seconds)) {
        let time = word.seconds(self.model.score_shift());
        (self.model.word(word.id), segment.timeline.place(time))
    }
}

//! From scores to words: the search, the second look, and what is known of the answer.

use std::time::Instant;

use super::heard::Timeline;
use super::{
    Alternative, Recognizer, RecognizerError, RecognizerScratch, ScoredAudio, ScoredSegment,
    Setting, Transcript, TranscriptWord, WordTime, add, check,
};
use crate::confidence::{Evidence, Heads, WordEvidence, doubt, mbr::Risk};
use crate::decode::{self, Decoder, Headroom, Hypothesis};
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

    /// What a setting's confidences come from, where it is a calibrated version.
    pub(super) fn heads(&self, setting: &Setting) -> Option<&Heads> {
        let mut versions = self.versions.list.iter();
        let version = versions.find(|version| version.setting == *setting)?;
        self.calibration.versions.get(&version.name)
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
        let models = self.model.second_look.as_ref();
        let scale = self.model.graph_scale;
        if !setting.rescore || (models.is_none() && scale == 1.0) {
            let heard = decoder.decode(&segment.scores, search)?;
            add(&mut transcript.timings.search, started);
            self.write_down(&heard, None, &segment.timeline, transcript);
            return Ok(());
        }
        let lattice = decoder.lattice(&segment.scores, search)?;
        add(&mut transcript.timings.search, started);
        check(search, segment.scores.num_frames())?;
        let started = Instant::now();
        let (own, cancel) = (self.model.own(), search.cancel.as_ref());
        let paths = match models {
            Some(models) => models.paths(setting, (&lattice, own), look, cancel)?,
            None => lattice.scaled_paths(scale),
        };
        let heard = paths.best();
        let doubt = doubt(&paths, &heard, cancel)?;
        let known = (&doubt, &paths.headroom());
        let evidence = self.write_down(&heard, Some(known), &segment.timeline, transcript);
        if let (Some(heads), Some(evidence)) = (self.heads(setting), evidence)
            && let Some(errors) = heads.expected_errors(&evidence)
        {
            *transcript.expected_errors.get_or_insert_default() += errors;
        }
        add(&mut transcript.timings.rescore, started);
        Ok(())
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
            let paths = match models.filter(|_| setting.rescore) {
                Some(models) => {
                    models.paths(setting, (&lattice, own), &mut scratch.look, cancel)?
                }
                None => lattice.scaled_paths(self.model.graph_scale),
            };
            let penalty = Cost(self.model.description.decode.word_penalty);
            // A phrase of the user's is one word to the search.
            let parts = |word: &decode::Word| {
                let place = segment.timeline.place(word.seconds(self.model.score_shift()));
                let parts = phrase(self.model.word(word.id), place);
                parts.map(|(text, time)| (text.to_owned(), time)).collect::<Vec<_>>()
            };
            let mut these = Vec::new();
            for heard in &paths.n_best(count) {
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

    /// Appends the words of a segment, and what is known of it and of them; returns the former.
    fn write_down(
        &self,
        heard: &Hypothesis,
        known: Option<(&Risk, &Headroom)>,
        timeline: &Timeline,
        transcript: &mut Transcript,
    ) -> Option<Evidence> {
        let answer = known.map(|(risk, headroom)| {
            transcript.evidence.get_or_insert_default().add(heard, risk, headroom);
            let mut answer = Evidence::default();
            answer.add(heard, risk, headroom);
            answer
        });
        for (at, word) in heard.words.iter().enumerate() {
            let place = timeline.place(word.seconds(self.model.score_shift()));
            // A phrase of the user's is one word to the search.
            for (text, WordTime { start, end }) in phrase(self.model.word(word.id), place) {
                let word = text.to_owned();
                if let (Some((risk, _)), Some(answer)) = (known, answer) {
                    let spoken = (word.as_str(), end.0 - start.0);
                    let known = WordEvidence::new(&risk.words, at, spoken, answer);
                    transcript.word_evidence.push(known);
                }
                transcript.words.push(TranscriptWord { word, start, end, confidence: None });
            }
        }
        transcript.cost += heard.cost;
        transcript.reached_final &= heard.reached_final;
        transcript.effort += heard.effort;
        answer
    }
}

/// The words of a phrase, each with as much of its time as it has of its letters, rounded to the
/// millisecond.
fn phrase(text: &str, (start, end): (Seconds, Seconds)) -> impl Iterator<Item = (&str, WordTime)> {
    let letters = text.split(' ').map(str::len).sum::<usize>().max(1) as f64;
    let mut before = 0;
    text.split(' ').map(move |word| {
        let place = |letters_before: usize| {
            Seconds(start.0 + (end.0 - start.0) * letters_before as f64 / letters)
        };
        let start = place(before);
        before += word.len();
        (word, WordTime { start, end: place(before) }.later(Seconds(0.0)))
    })
}

//! The whole pipeline in one call: a model folder is opened once, and waveforms become transcripts.
//!
//! [`Recognizer`] is immutable and shared by threads; each thread brings its own
//! [`RecognizerScratch`]. The decoding graph is compiled from the model's lexicon and n-gram the
//! first time a model is used and kept in a cache folder ([`Cache`]). Only what the speech gate
//! ([`Gate`](crate::gate::Gate)) lets through is recognised, without long pauses.

mod adapt;
mod cache;
mod costs;
mod endpoint;
mod error;
mod files;
mod follow;
mod front;
mod grammar;
mod heard;
mod identity;
mod listed;
mod model;
mod opening;
mod options;
mod own_words;
mod reference;
mod scored;
mod second_look;
mod segment;
mod setting;
pub mod shelf;
mod stream;
pub mod subtitle;
mod transcript;
mod turns;
mod versions;
mod vosk;
pub mod written;

pub use crate::graph::WordList;
pub use adapt::{Adapted, Domain, HeldOut, adapt};
pub use cache::{
    CACHE_LIMIT_VARIABLE, CACHE_VARIABLE, Cache, CacheEntry, CacheKey, Mappable, parse_size,
};
pub use costs::Costs;
pub use endpoint::{After, EndRule, Endpointing};
pub use error::RecognizerError;
pub use heard::Heard;
pub use identity::made_for;
pub use opening::{Opening, Stage};
pub use options::Options;
pub use reference::{ReferenceCost, References};
pub use scored::{ScoredAudio, ScoredSegment};
pub use segment::{LONGEST, LONGEST_WITH_PAUSES};
pub use setting::{Setting, SettingError};
pub use stream::{Ending, Guess, Stream, StreamOptions, Utterance};
pub use transcript::{Alternative, Timings, Transcript, TranscriptWord, WordTime};
pub use turns::{Turn, turns};
pub use versions::{Measured, VERSIONS_FILE, Version, Versions, VersionsError};

use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::ArrayView2;
use tracing::warn;

use crate::acoustic::{NetworkScratch, Normalisation, Scores};
use crate::audio::{AudioError, Resampling, Signal, Waveform};
use crate::confidence::{
    Calibration, CalibrationError, Evidence, Heads, WordEvidence, doubt, mbr::Risk,
};
use crate::decode::{self, Cancel, Decoder, Headroom, Hypothesis, Pruning};
use crate::feature::subtract_mean_of;
use crate::kaldi::VoskFolder;
use crate::provenance::MadeFor;
use crate::units::{Cost, Hertz, Seconds, WordId};
use front::Front;
use heard::Timeline;
use model::Model;
use second_look::LookScratch;
use segment::Segment;

/// A model, opened and ready. Immutable: share it between threads.
///
/// # Examples
/// ```
/// use paretone::{Recognizer, Waveform};
///
/// let recognizer = Recognizer::open("models/en")?;
/// let recording = Waveform::open("corpora/samples/river.wav")?;
/// println!("{}", recognizer.transcribe(&recording)?.text());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Recognizer {
    folder: PathBuf,
    model: Model,
    /// The model before words were added.
    without_words: Option<Model>,
    versions: Versions,
    calibration: Calibration,
    made_for: MadeFor,
}

/// What one recognition writes to. Reuse it: once warm, nothing is allocated per frame.
#[derive(Default)]
pub struct RecognizerScratch {
    network: NetworkScratch,
    scores: Scores,
    search: decode::Scratch,
    look: LookScratch,
}

impl RecognizerScratch {
    /// Lets a token stop what is done with this scratch from now on, or nothing. What it stops
    /// fails with [`decode::DecodeError::Cancelled`]: a search before its next frame, the rest
    /// between a segment's stages.
    pub fn cancel_by(&mut self, cancel: Option<Cancel>) {
        self.search.cancel = cancel;
    }
}

impl Recognizer {
    /// Opens the model in `folder`, ours or one of Vosk's. The first time, its graph is compiled or
    /// read, which takes seconds; later it is mapped.
    ///
    /// # Errors
    /// When a file of the model is missing, damaged or of another version, or when the files do not
    /// belong together.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, RecognizerError> {
        Recognizer::open_with(folder, Options::default())
    }

    /// As [`Recognizer::open`], with options.
    ///
    /// # Errors
    /// As [`Recognizer::open`].
    pub fn open_with(folder: impl AsRef<Path>, options: Options) -> Result<Self, RecognizerError> {
        let folder = folder.as_ref();
        let started = Instant::now();
        let vosk = VoskFolder::find(folder).filter(|_| !Model::is_in(folder));
        let model = match &vosk {
            Some(vosk) => vosk::open(vosk, &options)?,
            None => Model::open(folder, &options)?,
        };
        let (name, seconds) = (&model.description.name, started.elapsed().as_secs_f64());
        tracing::info!("model {name} opened in {seconds:.3} s");
        let versions = Versions::of_model(folder)?;
        if let Some(models) = &model.second_look {
            for version in &versions.list {
                models.network(&version.setting)?;
            }
        }
        let mut made_for = match &vosk {
            Some(vosk) => identity::of_vosk(vosk, options.speech_gate)?,
            None => identity::parts(folder, &model.description, options.speech_gate)?,
        };
        warn_of_change("versions", &versions.made_for, &made_for);
        made_for.versions = versions.hash();
        let mut calibration = match Calibration::of_model(folder) {
            Err(error @ CalibrationError::OtherEvidence { .. }) => {
                warn!("{error}; until then confidences are withheld");
                Calibration::default()
            }
            calibration => calibration?,
        };
        if warn_of_change("confidences", &calibration.made_for, &made_for) {
            calibration = Calibration::default();
        }
        if let Some(graph) = &options.graph {
            // Confidences were fitted to the lattices of the model's own graph.
            calibration = Calibration::default();
            made_for.model = Some(identity::with_graph(made_for.model.as_deref(), graph)?);
        }
        made_for.calibration = calibration.hash();
        Ok(Recognizer {
            folder: folder.into(),
            model,
            without_words: None,
            versions,
            calibration,
            made_for,
        })
    }

    /// The folder that the model was opened from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// An empty scratch for [`Recognizer::transcribe_with`].
    pub fn scratch(&self) -> RecognizerScratch {
        RecognizerScratch::default()
    }

    /// The setting of the most accurate version; where none were picked, the one that the model was
    /// tuned for.
    pub fn setting(&self) -> Setting {
        if let Some(version) = self.versions.most_accurate() {
            return version.setting;
        }
        let defaults = &self.model.description.decode;
        Setting {
            rescore: true,
            neural: false,
            pruning: Pruning {
                network_beam: Cost(defaults.beam),
                network_top_n: defaults.max_active,
                lattice_beam: Cost(defaults.lattice_beam),
                ..Pruning::default()
            },
        }
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.model.description.name
    }

    /// Whether the model has a neural language model, which settings may ask for.
    pub fn has_neural_model(&self) -> bool {
        let models = self.model.second_look.as_ref();
        models.is_some_and(|models| models.has_network())
    }

    /// The rate that the model listens at, to which every recording is brought.
    pub fn sample_rate(&self) -> Hertz {
        self.model.mfcc.config().sample_rate
    }

    /// The time from one frame of the search to the next.
    pub fn frame_shift(&self) -> Seconds {
        self.model.score_shift()
    }

    /// The model's versions, fastest first; none if they were not picked yet.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// Hashes of the model, its front end, its versions and its calibration, by which one tells
    /// whether what was measured earlier holds for it.
    pub fn made_for(&self) -> &MadeFor {
        &self.made_for
    }

    /// Whether answers of a version carry a calibrated confidence.
    pub fn is_calibrated(&self, version: &str) -> bool {
        self.calibration.versions.contains_key(version)
    }

    /// What was said in `waveform`, at the setting the model was tuned for. Nothing is heard in
    /// audio that is empty, shorter than a frame (25 ms) or constant, nor where the gate hears no
    /// speech.
    ///
    /// # Errors
    /// When the waveform cannot be resampled to the model's rate, or holds values the network
    /// cannot score.
    pub fn transcribe(&self, waveform: &Waveform) -> Result<Transcript, RecognizerError> {
        self.transcribe_with(waveform, &mut self.scratch())
    }

    /// As [`Recognizer::transcribe`], with a scratch that is used again: the next recording then
    /// finds its memory ready.
    ///
    /// # Errors
    /// As [`Recognizer::transcribe`].
    pub fn transcribe_with(
        &self,
        waveform: &Waveform,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        self.transcribe_at(&self.setting(), waveform, scratch)
    }

    /// What was said in `waveform`, at a setting of the caller's.
    ///
    /// # Errors
    /// As [`Recognizer::transcribe`], and when the setting is out of range.
    pub fn transcribe_at(
        &self,
        setting: &Setting,
        waveform: &Waveform,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        check_finite(&waveform.samples)?;
        let rate = self.sample_rate();
        let mut signal = Signal::of_waveform(waveform, rate)?;
        let mut transcript = self.transcribe_signal(setting, &mut signal, scratch)?;
        transcript.audio = waveform.duration();
        Ok(transcript)
    }

    /// What was said in a recording that is read block by block, at
    /// [`Recognizer::sample_rate`] and a setting of the caller's. Memory is bounded by a segment,
    /// not by the recording.
    ///
    /// # Errors
    /// As [`Recognizer::transcribe_at`], and when the recording cannot be read.
    ///
    /// # Panics
    /// The signal has another rate.
    pub fn transcribe_signal(
        &self,
        setting: &Setting,
        signal: &mut Signal<'_>,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        let mut transcript = Transcript { reached_final: true, ..Transcript::default() };
        let mut timings = Timings::default();
        self.listen(signal, scratch, &mut timings, |timeline, scratch| {
            let segment = ScoredSegment::new(timeline, std::mem::take(&mut scratch.scores));
            self.search_segment(setting, &segment, scratch, &mut transcript)?;
            scratch.scores = segment.scores;
            Ok(())
        })?;
        transcript.audio = signal.heard();
        transcript.timings.features = timings.features;
        transcript.timings.acoustic = timings.acoustic;
        self.judge(setting, &mut transcript);
        Ok(transcript)
    }

    /// What was said in an utterance of a stream, at a setting of the caller's; its times are
    /// counted from its own beginning.
    ///
    /// # Errors
    /// As [`Recognizer::transcribe_at`].
    pub fn transcribe_utterance(
        &self,
        setting: &Setting,
        utterance: &Utterance,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        let scored = self.score_utterance(utterance, scratch)?;
        self.search(setting, &scored, scratch)
    }

    /// The scores of `waveform`, to be searched as often as the caller likes. They take about
    /// 0.2 MB for a second of speech.
    ///
    /// # Errors
    /// As [`Recognizer::transcribe`].
    pub fn score(
        &self,
        waveform: &Waveform,
        scratch: &mut RecognizerScratch,
    ) -> Result<ScoredAudio, RecognizerError> {
        check_finite(&waveform.samples)?;
        let mut signal = Signal::of_waveform(waveform, self.sample_rate())?;
        let mut scored = self.score_signal(&mut signal, scratch)?;
        scored.audio = waveform.duration();
        Ok(scored)
    }

    /// The scores of a recording that is read block by block, at [`Recognizer::sample_rate`].
    ///
    /// # Errors
    /// As [`Recognizer::transcribe_signal`].
    ///
    /// # Panics
    /// The signal has another rate.
    pub fn score_signal(
        &self,
        signal: &mut Signal<'_>,
        scratch: &mut RecognizerScratch,
    ) -> Result<ScoredAudio, RecognizerError> {
        let mut scored = ScoredAudio::default();
        let ScoredAudio { segments, timings, .. } = &mut scored;
        self.listen(signal, scratch, timings, |timeline, scratch| {
            segments.push(ScoredSegment::new(timeline, std::mem::take(&mut scratch.scores)));
            Ok(())
        })?;
        scored.audio = signal.heard();
        Ok(scored)
    }

    /// The scores of an utterance of a stream: of what the gate heard in the stream, where the
    /// stream's gate ended it, so that stream and recording agree.
    ///
    /// # Errors
    /// As [`Recognizer::transcribe`].
    pub fn score_utterance(
        &self,
        utterance: &Utterance,
        scratch: &mut RecognizerScratch,
    ) -> Result<ScoredAudio, RecognizerError> {
        let Some(heard) = &utterance.heard else {
            return self.score(&utterance.audio, scratch);
        };
        let mut scored =
            ScoredAudio { audio: utterance.audio.duration(), ..ScoredAudio::default() };
        check(&scratch.search, 0)?;
        let started = Instant::now();
        let features = self.model.mfcc.compute(&utterance.audio)?;
        let mut rows = features.frames.into_raw_vec_and_offset().0;
        add(&mut scored.timings.features, started);
        if rows.is_empty() {
            return Ok(scored);
        }
        self.score_segment(heard, &mut rows, scratch, &mut scored.timings)?;
        let timeline = heard.timeline(Seconds(0.0), self.model.mfcc.config().shift());
        let scores = std::mem::take(&mut scratch.scores);
        scored.segments.push(ScoredSegment::new(timeline, scores));
        Ok(scored)
    }

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
    fn heads(&self, setting: &Setting) -> Option<&Heads> {
        let mut versions = self.versions.list.iter();
        let version = versions.find(|version| version.setting == *setting)?;
        self.calibration.versions.get(&version.name)
    }

    /// Says what to believe of a transcript and its words, where its setting is a calibrated
    /// version.
    fn judge(&self, setting: &Setting, transcript: &mut Transcript) {
        let Some(heads) = self.heads(setting) else {
            return;
        };
        let evidence = transcript.evidence.unwrap_or_default();
        transcript.confidence = Some(heads.confidence(&evidence));
        if heads.expect_errors() {
            transcript.expected_errors.get_or_insert_default();
        }
        for (word, known) in transcript.words.iter_mut().zip(&transcript.word_evidence) {
            word.confidence = Some(heads.word(known));
        }
    }

    /// Scores one segment after the other into the scratch, and calls `each` with where it lies.
    fn listen(
        &self,
        signal: &mut Signal<'_>,
        scratch: &mut RecognizerScratch,
        timings: &mut Timings,
        mut each: impl FnMut(Timeline, &mut RecognizerScratch) -> Result<(), RecognizerError>,
    ) -> Result<(), RecognizerError> {
        assert_eq!(signal.rate(), self.sample_rate(), "a signal of another rate");
        let mut front = Front::new(&self.model);
        let shift = self.model.mfcc.config().shift();
        // What the segments take is counted by their stages.
        let mut others = Seconds(0.0);
        let mut score = |segment: &Segment, rows: &mut [f32]| {
            let started = Instant::now();
            check(&scratch.search, 0)?;
            self.score_segment(&segment.heard, rows, scratch, timings)?;
            let start = Seconds(segment.first as f64 * shift.0);
            each(segment.heard.timeline(start, shift), scratch)?;
            add(&mut others, started);
            Ok(())
        };
        let started = Instant::now();
        let mut block = Vec::new();
        while signal.next_block(&mut block)? {
            front.push(&block, &mut score)?;
            block.clear();
        }
        front.finish(&mut score)?;
        timings.features.0 += (since(started).0 - others.0).max(0.0);
        Ok(())
    }

    /// From a rate to the model's; none where they are the same.
    fn resampling(&self, rate: Hertz) -> Result<Option<Resampling>, AudioError> {
        match rate == self.sample_rate() {
            true => Ok(None),
            false => Resampling::new(rate, self.sample_rate()).map(Some),
        }
    }

    /// Normalises the features of one segment by what was heard in it, and scores all but the long
    /// pauses into the scratch.
    fn score_segment(
        &self,
        heard: &Heard,
        rows: &mut [f32],
        scratch: &mut RecognizerScratch,
        timings: &mut Timings,
    ) -> Result<(), RecognizerError> {
        let started = Instant::now();
        let dims = self.model.mfcc.config().dims();
        match self.model.description.normalisation {
            Normalisation::None => {
                if let Some(mut mean) = self.model.online_mean() {
                    rows.chunks_exact_mut(dims).for_each(|row| mean.apply(row));
                }
            }
            Normalisation::UtteranceMean => subtract_mean_of(rows, dims, |_| true),
            Normalisation::SpeechMean => {
                subtract_mean_of(rows, dims, |at| heard.is_near(at));
            }
        }
        let rows = heard.without_pauses(rows, dims);
        add(&mut timings.features, started);

        let started = Instant::now();
        let frames = ArrayView2::from_shape((rows.len() / dims, dims), rows);
        let frames = frames.expect("whole frames");
        self.model.network.scores_into(frames, &mut scratch.network, &mut scratch.scores)?;
        let defaults = &self.model.description.decode;
        scratch.scores.scale(defaults.acoustic_scale);
        add(&mut timings.acoustic, started);
        Ok(())
    }

    /// Appends the words behind the scores of one segment: those of the best path, or of the
    /// lattice's best under larger language models or at the graph scale of the model.
    fn search_segment(
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
    /// oracle of a setting. `reference` as [`References::ids`] has it; none where the setting makes
    /// no lattice, or the recording was cut into segments.
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
                if let (Some((Risk { words, .. }, _)), Some(answer)) = (known, answer) {
                    transcript.word_evidence.push(WordEvidence {
                        posterior: words[at],
                        before: at.checked_sub(1).map_or(1.0, |before| words[before]),
                        after: words.get(at + 1).copied().unwrap_or(1.0),
                        // To the millisecond, wherever the word stands.
                        seconds: ((end.0 - start.0) * 1000.0).round() / 1000.0,
                        letters: word.chars().count() as u32,
                        answer,
                    });
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

/// Says that something was made for other parts than these, if so; whether it was.
fn warn_of_change(what: &str, then: &MadeFor, now: &MadeFor) -> bool {
    let changed = then.changed(now);
    let (parts, told) = (changed.join(" and "), !changed.is_empty());
    match what {
        _ if !told => {}
        "versions" => warn!(
            "the versions were picked before the {parts} changed, so their measurements do not hold; pick them again with \
             `paretone versions pick`"
        ),
        _ => warn!(
            "the {what} were fitted before the {parts} changed, and are withheld; fit them again with `paretone confidence fit`"
        ),
    }
    told
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

/// Whether to go on with a segment of which so many frames were searched.
fn check(scratch: &decode::Scratch, frame: usize) -> Result<(), decode::DecodeError> {
    let cancel = scratch.cancel.as_ref();
    cancel.map_or(Ok(()), |cancel| cancel.check(frame))
}

/// Waveforms that were read are finite; samples that a caller made may not be, and a mean would
/// spread what is not.
fn check_finite(samples: &[f32]) -> Result<(), AudioError> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(AudioError::NotFinite { index, value: samples[index] }),
        None => Ok(()),
    }
}

fn since(started: Instant) -> Seconds {
    Seconds(started.elapsed().as_secs_f64())
}

fn add(stage: &mut Seconds, started: Instant) {
    stage.0 += since(started).0;
}

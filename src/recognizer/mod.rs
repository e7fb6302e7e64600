//! The whole pipeline in one call: a model folder is opened once, and waveforms become transcripts.
//!
//! [`Recognizer`] is immutable and shared by threads; each thread brings its own
//! [`RecognizerScratch`]. The decoding graph is compiled from the model's lexicon and n-gram the
//! first time a model is used and kept in a cache folder ([`Cache`]). Only what the speech gate
//! ([`Gate`](crate::gate::Gate)) lets through is recognised, without long pauses.

mod adapt;
mod any_network;
mod cache;
mod compound;
mod costs;
mod endpoint;
mod error;
mod exchange;
mod files;
mod follow;
mod front;
mod grammar;
mod heard;
mod identity;
mod known;
mod listed;
mod model;
mod opening;
mod options;
mod own_words;
mod phrases;
mod reference;
mod score;
mod scored;
mod search;
mod second_look;
mod segment;
mod setting;
pub mod shelf;
mod silence;
mod stream;
pub mod subtitle;
mod transcript;
mod turns;
mod versions;
mod vosk;
pub mod written;

pub use crate::graph::WordList;
pub use adapt::{Adapted, Domain, HeldOut, adapt};
pub use any_network::{AnyNetwork, AnyNetworkError, NetworkScores};
pub use cache::{
    CACHE_LIMIT_VARIABLE, CACHE_VARIABLE, Cache, CacheEntry, CacheKey, Mappable, cache_limit,
    parse_size,
};
pub use costs::Costs;
pub use endpoint::{After, EndRule, Endpointing};
pub use error::RecognizerError;
pub use heard::Heard;
pub use identity::{made_for, made_for_uncalibrated};
pub use opening::{Opening, Stage};
pub use options::Options;
pub use phrases::ANY_OTHER;
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

use tracing::warn;

use crate::acoustic::{NetworkScratch, Scores};
use crate::audio::{Signal, Waveform};
use crate::confidence::Calibration;
use crate::decode::{self, Cancel};
use crate::kaldi::VoskFolder;
use crate::provenance::MadeFor;
use crate::units::{Hertz, Seconds};
use model::Model;
use score::check_finite;
use second_look::LookScratch;
use silence::SilenceScratch;

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
    silence: SilenceScratch,
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
        let mut calibration = Calibration::for_use(folder)?;
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
        Setting { rescore: true, neural: false, pruning: self.model.pruning() }
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

/// Whether to go on with a segment of which so many frames were searched.
fn check(scratch: &decode::Scratch, frame: usize) -> Result<(), decode::DecodeError> {
    let cancel = scratch.cancel.as_ref();
    cancel.map_or(Ok(()), |cancel| cancel.check(frame))
}

fn since(started: Instant) -> Seconds {
    Seconds(started.elapsed().as_secs_f64())
}

fn add(stage: &mut Seconds, started: Instant) {
    stage.0 += since(started).0;
}

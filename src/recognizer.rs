//! The whole pipeline in one call: a model folder is opened once, and waveforms become transcripts.
//!
//! [`Recognizer`] is immutable and shared by threads; each thread brings its own
//! [`RecognizerScratch`]. The decoding graph is compiled from the model's lexicon and n-gram the
//! first time a model is used and kept in a cache folder ([`Cache`]); recordings too long to hold
//! at once are cut at their quietest places.

mod cache;
mod error;
mod model;
mod segment;
mod silence;
mod transcript;

pub use cache::{CACHE_VARIABLE, Cache, CacheKey, CachedFile};
pub use error::RecognizerError;
pub use segment::LONGEST;
pub use transcript::{Timings, Transcript, TranscriptWord};

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

use crate::acoustic::{NetworkScratch, Normalisation, Scores};
use crate::audio::{AudioError, Waveform};
use crate::decode::{self, Decoder, Hypothesis, Pruning, Rescoring, Scorer};
use crate::feature::{Features, subtract_mean};
use crate::units::{Cost, Seconds};
use model::Model;
use segment::segments;
use silence::fill_digital_silence;

/// Histories that rescoring follows from one lattice node.
const RESCORED_HISTORIES: usize = 16;

/// How a model is to be used; the default is what the model was tuned for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Score beam of the search: hypotheses that cost more than the frame's best by this are
    /// dropped. Above 0, usually 8 to 16; larger: slower, more accurate. `None`: the model's.
    pub beam: Option<Cost>,
    /// Most hypotheses kept per frame. At least 1, usually 1000 to 10000; larger: slower, more
    /// accurate. `None`: the model's.
    pub max_active: Option<usize>,
    /// Whether the large language model takes a second look, where the model folder has one. On:
    /// slower, more accurate.
    pub rescore: bool,
    /// Where the compiled graph is kept. `None`: [`Cache::of_user`].
    pub cache: Option<Cache>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            beam: None,
            max_active: None,
            rescore: true,
            cache: None,
        }
    }
}

/// A model, opened and ready. Immutable: share it between threads.
pub struct Recognizer {
    model: Model,
    pruning: Pruning,
}

/// What one recognition writes to. Reuse it: once warm, nothing is allocated per frame.
#[derive(Default)]
pub struct RecognizerScratch {
    network: NetworkScratch,
    scores: Scores,
    search: decode::Scratch,
}

impl Scorer for Scores {
    fn num_frames(&self) -> usize {
        self.num_frames()
    }

    fn num_pdfs(&self) -> usize {
        self.num_pdfs()
    }

    fn frame(&self, frame: usize) -> &[f32] {
        self.row(frame)
    }
}

impl Recognizer {
    /// Opens the model in `folder`. The first time, its graph is compiled, which takes seconds;
    /// later it is mapped.
    ///
    /// # Errors
    /// When a file of the model is missing, damaged or of another version, when the files do not
    /// belong together, or when `options` are out of range.
    pub fn open(folder: &Path, options: Options) -> Result<Self, RecognizerError> {
        let model = Model::open(folder, &options)?;
        let defaults = &model.description.decode;
        let pruning = Pruning {
            network_beam: options.beam.unwrap_or(Cost(defaults.beam)),
            network_top_n: options.max_active.unwrap_or(defaults.max_active),
            lattice_beam: Cost(defaults.lattice_beam),
            ..Pruning::default()
        };
        pruning.validate()?;
        Ok(Recognizer { model, pruning })
    }

    /// An empty scratch for [`Recognizer::transcribe`].
    pub fn scratch(&self) -> RecognizerScratch {
        RecognizerScratch::default()
    }

    /// What was said in `waveform`. Nothing is heard in audio that is empty, shorter than a frame
    /// (25 ms) or constant.
    ///
    /// # Errors
    /// When the waveform cannot be resampled to the model's rate, or holds values the network
    /// cannot score.
    pub fn transcribe(
        &self,
        waveform: &Waveform,
        scratch: &mut RecognizerScratch,
    ) -> Result<Transcript, RecognizerError> {
        check_finite(&waveform.samples)?;
        let started = Instant::now();
        let mut transcript = Transcript {
            audio: waveform.duration(),
            reached_final: true,
            ..Transcript::default()
        };
        let rate = self.model.mfcc.config().sample_rate;
        let resampled = match waveform.rate == rate {
            true => Cow::Borrowed(waveform),
            false => Cow::Owned(waveform.clone().at_rate(rate)?),
        };
        transcript.timings.features = since(started);
        for range in segments(&resampled.samples, rate) {
            let offset = Seconds(range.start as f64 / f64::from(rate.0));
            let mut samples = resampled.samples[range].to_vec();
            if is_constant(&samples) {
                continue;
            }
            fill_digital_silence(&mut samples, rate);
            self.hear(
                &Waveform { samples, rate },
                offset,
                scratch,
                &mut transcript,
            )?;
        }
        Ok(transcript)
    }

    /// Appends what is said in one segment, which begins at `offset` of the recording.
    fn hear(
        &self,
        segment: &Waveform,
        offset: Seconds,
        scratch: &mut RecognizerScratch,
        transcript: &mut Transcript,
    ) -> Result<(), RecognizerError> {
        let started = Instant::now();
        let features = self.features(segment)?;
        add(&mut transcript.timings.features, started);

        let started = Instant::now();
        let frames = features.frames.view();
        self.model
            .network
            .scores_into(frames, &mut scratch.network, &mut scratch.scores)?;
        let defaults = &self.model.description.decode;
        scratch.scores.scale(defaults.acoustic_scale);
        add(&mut transcript.timings.acoustic, started);

        let heard = self.search(scratch, &mut transcript.timings)?;
        self.write_down(&heard, offset, transcript);
        Ok(())
    }

    /// The words behind the scores in `scratch`: the best path, or the best of the lattice under
    /// the large n-gram.
    fn search(
        &self,
        scratch: &mut RecognizerScratch,
        timings: &mut Timings,
    ) -> Result<Hypothesis, RecognizerError> {
        let started = Instant::now();
        let decoder = Decoder::new(&self.model.graph, self.pruning)?;
        let Some([small, large]) = &self.model.rescoring else {
            let heard = decoder.decode(&scratch.scores, &mut scratch.search)?;
            add(&mut timings.search, started);
            return Ok(heard);
        };
        let lattice = decoder.lattice(&scratch.scores, &mut scratch.search)?;
        add(&mut timings.search, started);
        let started = Instant::now();
        let histories = RESCORED_HISTORIES;
        let heard = lattice.rescore(&Rescoring {
            small,
            large,
            scale: 1.0,
            histories,
        });
        add(&mut timings.rescore, started);
        Ok(heard)
    }

    /// The features of a segment, normalised as the network was trained.
    fn features(&self, segment: &Waveform) -> Result<Features, RecognizerError> {
        let mut features = self.model.mfcc.compute(segment)?;
        if self.model.description.normalisation == Normalisation::UtteranceMean {
            subtract_mean(&mut features);
        }
        Ok(features)
    }

    /// Appends the words, their times rounded to the millisecond.
    fn write_down(&self, heard: &Hypothesis, offset: Seconds, transcript: &mut Transcript) {
        let shift = self.model.score_shift();
        let at = |time: Seconds| Seconds(((offset.0 + time.0) * 1000.0).round() / 1000.0);
        transcript.words.extend(heard.words.iter().map(|word| {
            let (start, end) = word.seconds(shift);
            let word = self.model.word(word.id).to_owned();
            TranscriptWord {
                word,
                start: at(start),
                end: at(end),
            }
        }));
        transcript.cost += heard.cost;
        transcript.reached_final &= heard.reached_final;
    }
}

/// Waveforms that were read are finite; one that a caller made may not be, and its mean would
/// spread what is not.
fn check_finite(samples: &[f32]) -> Result<(), AudioError> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(AudioError::NotFinite {
            index,
            value: samples[index],
        }),
        None => Ok(()),
    }
}

/// True where there is no sound at all: digital silence, or a constant offset.
fn is_constant(samples: &[f32]) -> bool {
    samples.windows(2).all(|pair| pair[0] == pair[1])
}

fn since(started: Instant) -> Seconds {
    Seconds(started.elapsed().as_secs_f64())
}

fn add(stage: &mut Seconds, started: Instant) {
    stage.0 += since(started).0;
}

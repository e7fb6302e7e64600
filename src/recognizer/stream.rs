//! Speech as it is spoken: samples go in, guesses and whole utterances come out.
//!
//! A stream does two things. It *follows* what is said: the best path of a search that goes on with
//! every 0.1 s, which ends an utterance by [`Endpointing`]'s rules. And it *keeps* the samples of
//! the utterance, so that what is finally heard in it is what [`Recognizer::transcribe_at`] hears
//! in that stretch of audio, at any setting: the network wants the mean over the whole utterance,
//! and the words their lattice, which only the end can give. The guesses on the way are by the
//! small language model and by the mean so far, and may differ from the end.
//!
//! Neither guesses nor ends of utterances depend on how the samples are cut into chunks. Without
//! rules, utterances are the segments that [`Recognizer::transcribe`] cuts a recording of the same
//! samples into.

use super::endpoint::Endpointing;
use super::follow::Follower;
use super::segment::Cutter;
use super::{Recognizer, RecognizerError, Setting, check_finite};
use crate::audio::{Resampling, Waveform};
use crate::decode::SoFar;
use crate::units::{Hertz, Seconds};

/// The audio that is taken at once; shorter costs more, longer answers later.
const STEP: Seconds = Seconds(0.1);

/// How a stream listens.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamOptions {
    /// Samples per second of what is pushed. Default: 16000.
    pub rate: Hertz,
    /// How the guesses are searched for; they are never rescored. Default: the model's fastest
    /// version.
    pub guess: Option<Setting>,
    /// When utterances end. Default: Kaldi's rules.
    pub endpointing: Endpointing,
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions {
            rate: Hertz(16_000),
            guess: None,
            endpointing: Endpointing::default(),
        }
    }
}

/// Speech under way. Memory is bounded by [`LONGEST`](super::LONGEST): 4 MB of samples and features
/// and what the search takes.
pub struct Stream<'r> {
    recognizer: &'r Recognizer,
    endpointing: Endpointing,
    /// None where the samples have the model's rate.
    resampling: Option<Resampling>,
    follower: Follower<'r>,
    /// The utterance so far, at the model's rate.
    samples: Vec<f32>,
    /// How many of them were followed: whole steps.
    followed: usize,
    /// Where the utterance begins, in samples at the model's rate.
    start: u64,
    cutter: Cutter,
    step: usize,
}

/// Speech from one end to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// What was said, at the model's rate.
    pub audio: Waveform,
    /// Where it begins, from the beginning of the stream.
    pub start: Seconds,
    /// Why it ends.
    pub ending: Ending,
}

/// Why an utterance ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A rule holds.
    Rule,
    /// It became too long, and was cut where it was quietest.
    Length,
    /// The stream ended.
    Stream,
}

/// What an utterance seems to say before it has ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guess {
    /// The words so far. The last may not be complete.
    pub words: Vec<String>,
    /// How many of them, from the first, all paths of the search agree on, 0.3 s before now. Only
    /// another look at the features' mean, or the final answer, may still change them.
    pub agreed: usize,
}

impl Guess {
    /// The words with one space between them.
    pub fn text(&self) -> String {
        self.words.join(" ")
    }
}

impl Recognizer {
    /// Listens to speech that arrives in chunks.
    ///
    /// # Errors
    /// The rate is outside [`RATES`](crate::audio::RATES), or the setting out of range.
    pub fn stream(&self, options: &StreamOptions) -> Result<Stream<'_>, RecognizerError> {
        let rate = self.model.mfcc.config().sample_rate;
        let resampling = match options.rate == rate {
            true => None,
            false => Some(Resampling::new(options.rate, rate)?),
        };
        let fastest = || self.versions.list.first().map(|version| version.setting);
        let guess = options.guess.or_else(fastest);
        let guess = guess.unwrap_or_else(|| self.setting());
        Ok(Stream {
            recognizer: self,
            endpointing: options.endpointing.clone(),
            resampling,
            follower: Follower::new(&self.model, &guess)?,
            samples: Vec::new(),
            followed: 0,
            start: 0,
            cutter: Cutter::new(rate),
            step: ((STEP.0 * f64::from(rate.0)) as usize).max(1),
        })
    }
}

impl Stream<'_> {
    /// Takes the next samples, of any number and nominally in [-1, 1]. Returns the utterances that
    /// ended with them, mostly none.
    ///
    /// # Errors
    /// A sample is no number, and nothing was taken; or the samples cannot be scored or searched,
    /// and the stream cannot go on.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Utterance>, RecognizerError> {
        check_finite(samples)?;
        match &mut self.resampling {
            None => self.samples.extend_from_slice(samples),
            Some(resampling) => resampling.push(samples, &mut self.samples)?,
        }
        self.follow()
    }

    /// Ends the stream: the utterances that are left, the last of them cut off. The next samples
    /// begin another stream.
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub fn finish(&mut self) -> Result<Vec<Utterance>, RecognizerError> {
        if let Some(resampling) = &mut self.resampling {
            resampling.finish(&mut self.samples)?;
        }
        let mut ended = self.follow()?;
        if !self.samples.is_empty() {
            ended.push(self.end(self.samples.len(), Ending::Stream)?);
        }
        self.start = 0;
        Ok(ended)
    }

    /// What the utterance under way seems to say up to now.
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub fn guess(&mut self) -> Result<Guess, RecognizerError> {
        let SoFar { words, agreed, .. } = self.follower.up_to_now()?;
        let name = |word: &crate::decode::Word| self.recognizer.model.word(word.id).to_owned();
        Ok(Guess {
            words: words.iter().map(name).collect(),
            agreed,
        })
    }

    /// Follows every whole step, and ends utterances where they end.
    fn follow(&mut self) -> Result<Vec<Utterance>, RecognizerError> {
        let mut ended = Vec::new();
        loop {
            let next = self.followed + self.step;
            if next > self.cutter.longest()
                && let Some(cut) = self.cutter.first_cut(&self.samples)
            {
                ended.push(self.end(cut, Ending::Length)?);
                continue;
            }
            let Some(step) = self.samples.get(self.followed..next) else {
                return Ok(ended);
            };
            self.follower.push(step)?;
            self.followed = next;
            if self.is_over() {
                ended.push(self.end(self.followed, Ending::Rule)?);
            }
        }
    }

    fn is_over(&mut self) -> bool {
        let length = self.seconds(self.followed as u64);
        let shift = self.recognizer.model.score_shift();
        let heard = self.follower.so_far();
        self.endpointing.ends(&heard, shift, length)
    }

    /// Ends the utterance after so many samples; what follows them begins the next.
    fn end(&mut self, samples: usize, ending: Ending) -> Result<Utterance, RecognizerError> {
        let rest = self.samples.split_off(samples);
        let utterance = Utterance {
            audio: Waveform {
                samples: std::mem::replace(&mut self.samples, rest),
                rate: self.recognizer.model.mfcc.config().sample_rate,
            },
            start: self.seconds(self.start),
            ending,
        };
        self.start += samples as u64;
        self.followed = 0;
        self.follower.restart()?;
        Ok(utterance)
    }

    fn seconds(&self, samples: u64) -> Seconds {
        let rate = self.recognizer.model.mfcc.config().sample_rate;
        Seconds(samples as f64 / f64::from(rate.0))
    }
}

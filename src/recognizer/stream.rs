//! Speech as it is spoken: samples go in, guesses and whole utterances come out.
//!
//! A stream does three things. It *listens* for speech as a recording's front end does, and an
//! utterance begins where the gate hears some; between utterances nothing is searched, and what is
//! no speech is forgotten. It *follows* what is said: the best path of a search that goes on with
//! every 0.1 s, which ends an utterance by [`Endpointing`]'s rules. And it *keeps* the samples of
//! the utterance, so that what is finally heard in it is what [`Recognizer::transcribe_utterance`]
//! hears in that stretch of audio, at any setting: the network wants the mean over the whole
//! utterance, and the words their lattice, which only the end can give. The guesses on the way are
//! by the small language model and by the mean so far, and may differ from the end.
//!
//! Neither guesses nor utterances depend on how the samples are cut into chunks. Without rules,
//! utterances are the segments that [`Recognizer::transcribe`] cuts a recording of the same samples
//! into. Where the model has no gate, all is speech, and the utterances cover the stream.

use super::endpoint::Endpointing;
use super::follow::Follower;
use super::front::FrontEnd;
use super::heard::Heard;
use super::segment::Segment;
use super::{Recognizer, RecognizerError, Setting, check_finite};
use crate::audio::{Resampling, Waveform};
use crate::decode::SoFar;
use crate::units::{Hertz, Seconds};

/// The audio that is taken at once; shorter costs more, longer answers later.
const STEP: Seconds = Seconds(0.1);

/// How a stream listens.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StreamOptions {
    /// Samples per second of what is pushed. Default: 16000.
    pub rate: Hertz,
    /// How the guesses are searched for; they are never rescored. Default: the model's fastest
    /// version.
    pub guess: Option<Setting>,
    /// When utterances end. Default: Kaldi's rules.
    pub endpointing: Endpointing,
}

impl StreamOptions {
    /// The rate of what is pushed; see [`StreamOptions::rate`].
    pub fn rate(self, rate: Hertz) -> Self {
        StreamOptions { rate, ..self }
    }

    /// How guesses are searched for; see [`StreamOptions::guess`].
    pub fn guess(self, guess: Setting) -> Self {
        let guess = Some(guess);
        StreamOptions { guess, ..self }
    }

    /// When utterances end; see [`StreamOptions::endpointing`].
    pub fn endpointing(self, endpointing: Endpointing) -> Self {
        StreamOptions { endpointing, ..self }
    }
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions { rate: Hertz(16_000), guess: None, endpointing: Endpointing::default() }
    }
}

/// Speech under way. Memory is bounded by [`LONGEST_WITH_PAUSES`](super::LONGEST_WITH_PAUSES): 10
/// MB of samples and features and what the search takes.
pub struct Stream<'r> {
    recognizer: &'r Recognizer,
    endpointing: Endpointing,
    /// None where the samples have the model's rate.
    resampling: Option<Resampling>,
    front_end: FrontEnd<'r>,
    follower: Follower<'r>,
    /// The samples that may still belong to an utterance, at the model's rate.
    samples: Vec<f32>,
    /// Where they begin, where the listening is, in whole steps, and where the following, in
    /// samples of the stream.
    first: usize,
    listened: usize,
    followed: usize,
    /// Where the utterance under way begins; none between utterances.
    begun: Option<usize>,
    step: usize,
    /// Samples from one frame to the next.
    shift: usize,
    ended: Vec<Segment>,
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
    /// What the stream's gate heard in it, where it has heard all of it; else the gate is to listen
    /// to the audio by itself.
    pub heard: Option<Heard>,
}

impl From<Waveform> for Utterance {
    /// A whole recording.
    fn from(audio: Waveform) -> Self {
        Utterance { audio, start: Seconds(0.0), ending: Ending::Stream, heard: None }
    }
}

/// Why an utterance ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A rule holds.
    Rule,
    /// The gate has heard no speech for long.
    Pause,
    /// It became too long, and was cut in a pause or where it was quietest.
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
        let config = self.model.mfcc.config();
        let fastest = || self.versions.list.first().map(|version| version.setting);
        let guess = options.guess.or_else(fastest);
        let guess = guess.unwrap_or_else(|| self.setting());
        let shift = config.frame_shift();
        let frames = (STEP.0 / config.shift().0).round() as usize;
        let mut front_end = FrontEnd::new(&self.model);
        if !options.endpointing.rules.is_empty() {
            front_end.segmenter.end_at_pauses();
        }
        Ok(Stream {
            recognizer: self,
            endpointing: options.endpointing.clone(),
            resampling: self.resampling(options.rate)?,
            front_end,
            follower: Follower::new(&self.model, &guess)?,
            samples: Vec::new(),
            first: 0,
            listened: 0,
            followed: 0,
            begun: None,
            step: frames.max(1) * shift,
            shift,
            ended: Vec::new(),
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
        let rest = &self.samples[self.listened - self.first..];
        self.front_end.push(rest, |_| (), &mut self.ended)?;
        self.front_end.finish(&mut self.ended)?;
        ended.extend(self.take_ended());
        // Without a gate the utterances cover the stream, also what is shorter than a frame.
        let covers = self.recognizer.model.gate.is_none();
        let is_last = |utterance: &Utterance| utterance.ending == Ending::Stream;
        if covers && !self.samples.is_empty() && !ended.last().is_some_and(is_last) {
            let end = self.first + self.samples.len();
            ended.push(self.utterance(self.first, end, Ending::Stream));
        }
        self.samples.clear();
        (self.first, self.listened, self.followed, self.begun) = (0, 0, 0, None);
        self.follower.restart()?;
        Ok(ended)
    }

    /// What the utterance under way seems to say up to now.
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub fn guess(&mut self) -> Result<Guess, RecognizerError> {
        let SoFar { words, agreed, .. } = self.follower.up_to_now()?;
        let name = |word: &crate::decode::Word| self.recognizer.model.word(word.id).to_owned();
        Ok(Guess { words: words.iter().map(name).collect(), agreed })
    }

    /// How long the utterance under way is.
    pub fn under_way(&self) -> Seconds {
        self.seconds(self.samples.len())
    }

    /// Hears every whole step, and ends utterances where they end.
    fn follow(&mut self) -> Result<Vec<Utterance>, RecognizerError> {
        let mut ended = Vec::new();
        loop {
            let from = self.listened - self.first;
            let Some(step) = self.samples.get(from..from + self.step) else {
                return Ok(ended);
            };
            self.front_end.push(step, |_| (), &mut self.ended)?;
            self.listened += self.step;
            ended.extend(self.take_ended());
            self.begin()?;
            if self.begun.is_some() {
                self.follower
                    .push(&self.samples[self.followed - self.first..self.listened - self.first])?;
                self.followed = self.listened;
            }
            if let Some(begun) = self.begun
                && self.is_over(begun)
            {
                ended.push(self.utterance(begun, self.listened, Ending::Rule));
                self.front_end.segmenter.cut_at(self.listened / self.shift);
            }
            self.forget();
        }
    }

    /// The utterances that the gate, or their length, ended.
    fn take_ended(&mut self) -> Vec<Utterance> {
        let ended = std::mem::take(&mut self.ended);
        let utterance = |segment: Segment| {
            let heard = self.first + self.samples.len();
            let end = segment.end.map_or(heard, |end| end * self.shift);
            let ending = match segment.end {
                None => Ending::Stream,
                Some(_) if segment.by_length => Ending::Length,
                Some(_) => Ending::Pause,
            };
            let mut utterance = self.utterance(segment.first * self.shift, end, ending);
            utterance.heard = self.recognizer.model.gate.as_ref().map(|_| segment.heard);
            utterance
        };
        ended.into_iter().map(utterance).collect()
    }

    /// Begins to follow the utterance under way, where it is another than before.
    fn begin(&mut self) -> Result<(), RecognizerError> {
        let begun = self.front_end.segmenter.under_way();
        let begun = begun.map(|frame| frame * self.shift);
        if begun != self.begun {
            self.begun = begun;
            self.followed = begun.unwrap_or(self.listened);
            self.follower.restart()?;
        }
        Ok(())
    }

    fn is_over(&mut self, begun: usize) -> bool {
        let length = self.seconds(self.listened - begun);
        let shift = self.recognizer.model.score_shift();
        let heard = self.follower.so_far();
        self.endpointing.ends(&heard, shift, length)
    }

    /// The utterance between two places of the stream.
    fn utterance(&self, from: usize, to: usize, ending: Ending) -> Utterance {
        Utterance {
            audio: Waveform {
                samples: self.samples[from - self.first..to - self.first].to_vec(),
                rate: self.recognizer.model.mfcc.config().sample_rate,
            },
            start: self.seconds(from),
            ending,
            heard: None,
        }
    }

    /// Lets go of the samples that belong to no utterance to come.
    fn forget(&mut self) {
        let keep = self.front_end.segmenter.keep_from() * self.shift;
        let old = keep.min(self.listened).saturating_sub(self.first);
        self.samples.drain(..old);
        self.first += old;
    }

    fn seconds(&self, samples: usize) -> Seconds {
        let rate = self.recognizer.model.mfcc.config().sample_rate;
        Seconds(samples as f64 / f64::from(rate.0))
    }
}

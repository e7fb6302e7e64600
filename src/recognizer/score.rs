//! From audio to scores: one segment after the other through features and network.

use std::time::Instant;

use ndarray::ArrayView2;

use super::front::Front;
use super::heard::Timeline;
use super::segment::Segment;
use super::{
    Heard, Recognizer, RecognizerError, RecognizerScratch, ScoredAudio, ScoredSegment, Timings,
    Utterance, add, check, since,
};
use crate::acoustic::Normalisation;
use crate::audio::{AudioError, Resampling, Signal, Waveform};
use crate::feature::subtract_mean_of;
use crate::units::{Hertz, Seconds};

impl Recognizer {
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

    /// Scores one segment after the other into the scratch, and calls `each` with where it lies.
    pub(super) fn listen(
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
    pub(super) fn resampling(&self, rate: Hertz) -> Result<Option<Resampling>, AudioError> {
        match rate == self.sample_rate() {
            true => Ok(None),
            false => Resampling::new(rate, self.sample_rate()).map(Some),
        }
    }

    /// Normalises the features of one segment by what was heard in it, and scores all but the long
    /// pauses into the scratch.
    pub(super) fn score_segment(
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
        let RecognizerScratch { network, silence, scores, .. } = scratch;
        let finder = self.model.silence_finder(silence);
        self.model.network.stream(network).hearing_silence(finder).whole(frames, scores)?;
        let defaults = &self.model.description.decode;
        scratch.scores.scale(defaults.acoustic_scale);
        add(&mut timings.acoustic, started);
        Ok(())
    }
}

/// Waveforms that were read are finite; samples that a caller made may not be, and a mean would
/// spread what is not.
pub(super) fn check_finite(samples: &[f32]) -> Result<(), AudioError> {
    match samples.iter().position(|sample| !sample.is_finite()) {
        Some(index) => Err(AudioError::NotFinite { index, value: samples[index] }),
        None => Ok(()),
    }
}

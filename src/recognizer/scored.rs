//! A recording's scores, to be searched as often as the caller likes.

use super::Timings;
use super::heard::Timeline;
use crate::acoustic::Scores;
use crate::decode::Scorer;
use crate::units::Seconds;

/// A recording's scores: what all settings of the search share.
#[derive(Clone, Debug, Default)]
pub struct ScoredAudio {
    pub(super) segments: Vec<ScoredSegment>,
    /// How long the recording is.
    pub audio: Seconds,
    /// What features and scores took.
    pub timings: Timings,
}

impl ScoredAudio {
    /// Scores of whoever made them, as one segment from the beginning: natural-log
    /// pseudo-likelihoods, already scaled as the search wants them
    /// ([`Recognizer::score`](super::Recognizer::score) gives such).
    pub fn of_scores(scores: Scores) -> Self {
        let audio = Seconds(scores.num_frames() as f64 * scores.shift().0);
        ScoredAudio {
            segments: vec![ScoredSegment::new(Timeline::default(), scores)],
            audio,
            timings: Timings::default(),
        }
    }

    /// What was recognised by itself, in the order of time.
    pub fn segments(&self) -> &[ScoredSegment] {
        &self.segments
    }

    /// Drops the scores, which are large, and keeps the times.
    pub fn forget_scores(&mut self) {
        self.segments = Vec::new();
    }
}

/// The scores of a stretch of speech.
#[derive(Clone, Debug)]
pub struct ScoredSegment {
    pub(super) timeline: Timeline,
    /// Its scores, without those of long pauses.
    pub scores: Scores,
}

impl ScoredSegment {
    pub(super) fn new(timeline: Timeline, scores: Scores) -> Self {
        ScoredSegment { timeline, scores }
    }

    /// Where in the recording it begins.
    pub fn start(&self) -> Seconds {
        self.timeline.start
    }
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

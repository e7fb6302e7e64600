//! Which stretches of a recording are recognised? Those with speech in them, each with some pause
//! on either side, cut where the speaker pauses long; so memory is bounded by a segment, not by the
//! file, and what is no speech never reaches the search.
//!
//! Scores, tokens and lattice all grow with the audio: a segment of half a minute holds them to a
//! few megabytes, an hour at once would take gigabytes. A cut costs the language model its history
//! and may split a word, so between long pauses it is made only where it must be, in the longest
//! pause, or else where the sound is weakest.

use std::collections::VecDeque;
use std::ops::Range;

use crate::feature::MfccConfig;
use crate::units::Seconds;

/// The longest stretch that is recognised at once: above the longest utterance of the usual test
/// sets (35 s).
pub const LONGEST: Seconds = Seconds(40.0);
/// Where a stretch gets too long, the cut is sought from here on, so that segments are not
/// needlessly short.
const SHORTEST: Seconds = Seconds(15.0);
/// A longer pause ends a segment. Sentences are spoken with shorter ones; what follows a longer one
/// gains little from the words before it.
const LONGEST_PAUSE: Seconds = Seconds(2.0);
/// So much of a pause goes with the speech beside it, as far as the network looks around a frame;
/// less where digital silence begins, which says nothing and is unlike any room.
const MARGIN: Seconds = Seconds(0.3);
/// So far from speech a frame is near it, and counts for the mean.
const NEAR: Seconds = Seconds(0.2);
/// No word is as short as this, all its frames together.
const SHORTEST_SPEECH: Seconds = Seconds(0.1);
/// A pause in which a cut is best made.
const GOOD_PAUSE: Seconds = Seconds(0.15);
/// The window whose energy says how quiet a place is: long enough not to cut inside a stop
/// consonant.
const WINDOW: Seconds = Seconds(0.3);

/// A stretch to be recognised, in frames of the recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    /// Its first frame.
    pub first: usize,
    /// The frame before which its last sample lies; `None` where it ends with the recording.
    pub end: Option<usize>,
    /// By frame that lies in it whole: whether it is near speech.
    pub near: Vec<bool>,
    /// Whether it was cut because it grew too long.
    pub by_length: bool,
}

/// The gate's decision about a frame.
#[derive(Clone, Copy)]
struct Frame {
    speech: bool,
    /// Mean log energy.
    level: f32,
}

/// Cuts a recording as its frames come, each with the gate's answer.
pub(super) struct Segmenter {
    lengths: Lengths,
    /// The frames that are still of interest: of the segment under way, or of a margin.
    frames: VecDeque<Frame>,
    /// The first of them.
    first: usize,
    /// Nothing before this frame belongs to a segment to come.
    floor: usize,
    /// Of the segment under way: the last frame of speech.
    last_speech: Option<usize>,
    /// A frame of no higher level is digital silence.
    silence: f32,
}

/// Digital silence with rounding errors.
const ABOUT: f32 = 0.01;

/// The lengths above in frames.
struct Lengths {
    longest: usize,
    shortest: usize,
    pause: usize,
    margin: usize,
    near: usize,
    speech: usize,
    good_pause: usize,
    window: usize,
    /// Frames that reach across the end of a segment, and so do not lie in it.
    across: usize,
}

impl Segmenter {
    /// `silence` is the level of digital silence.
    pub(super) fn new(config: &MfccConfig, silence: f32) -> Self {
        let frames = |time: Seconds| ((time.0 / config.shift().0).round() as usize).max(1);
        let length = (LONGEST.0 * f64::from(config.sample_rate.0)) as usize;
        Segmenter {
            lengths: Lengths {
                longest: config.num_frames(length).max(2),
                shortest: frames(SHORTEST),
                pause: frames(LONGEST_PAUSE),
                margin: frames(MARGIN),
                near: frames(NEAR),
                speech: frames(SHORTEST_SPEECH),
                good_pause: frames(GOOD_PAUSE),
                window: frames(WINDOW),
                across: (config.frame_length() - 1) / config.frame_shift(),
            },
            frames: VecDeque::new(),
            first: 0,
            floor: 0,
            last_speech: None,
            silence: silence + ABOUT,
        }
    }

    /// Takes the next frame; returns the segment that ends with it.
    pub(super) fn push(&mut self, speech: bool, level: f32) -> Option<Segment> {
        let at = self.next();
        self.frames.push_back(Frame { speech, level });
        if speech && at >= self.floor {
            if self.last_speech.is_none() {
                self.forget_before(self.margin_before(at));
            }
            self.last_speech = Some(at);
        }
        let Some(last) = self.last_speech else {
            self.forget_before(at.saturating_sub(self.lengths.margin));
            return None;
        };
        if at - last > self.lengths.pause {
            return self.end(self.margin_after(last), false);
        }
        if self.frames.len() > self.lengths.longest {
            let cut = self.first + self.cut();
            return self.end(cut, true);
        }
        None
    }

    /// Ends the recording; returns the segment under way.
    pub(super) fn finish(&mut self) -> Option<Segment> {
        let end = self.last_speech.map(|last| self.margin_after(last));
        let segment = match end {
            None => None,
            Some(end) if end < self.next() => self.end(end, false),
            Some(_) => self.segment(self.frames.len()),
        };
        self.frames.clear();
        (self.first, self.floor, self.last_speech) = (0, 0, None);
        segment
    }

    /// Lets the next segment begin here at the earliest, and forgets the one under way.
    pub(super) fn cut_at(&mut self, frame: usize) {
        self.floor = self.floor.max(frame);
        self.last_speech = None;
        self.begin_again();
    }

    /// Returns the first frame of the open segment, or `None` between segments.
    pub(super) fn under_way(&self) -> Option<usize> {
        self.last_speech.map(|_| self.first)
    }

    /// Frames before this one are of no more interest.
    pub(super) fn keep_from(&self) -> usize {
        self.first
    }

    fn next(&self) -> usize {
        self.first + self.frames.len()
    }

    fn forget_before(&mut self, frame: usize) {
        let frame = frame.max(self.floor);
        let count = frame.saturating_sub(self.first).min(self.frames.len());
        self.frames.drain(..count);
        self.first += count;
    }

    /// Ends the segment under way before a frame, and goes on with what follows it. None where it
    /// holds too little speech.
    fn end(&mut self, end: usize, by_length: bool) -> Option<Segment> {
        let inside = (end - self.first).saturating_sub(self.lengths.across);
        let segment =
            self.segment(inside).map(|segment| Segment { end: Some(end), by_length, ..segment });
        self.floor = end;
        self.last_speech = None;
        self.begin_again();
        segment
    }

    /// The segment of so many of the frames held.
    fn segment(&self, inside: usize) -> Option<Segment> {
        let speech: Vec<bool> = self.frames.iter().map(|frame| frame.speech).collect();
        let speech = &speech[..inside];
        let heard = speech.iter().filter(|speech| **speech).count();
        (heard >= self.lengths.speech.min(self.frames.len())).then(|| Segment {
            first: self.first,
            end: None,
            near: near(speech, self.lengths.near),
            by_length: false,
        })
    }

    /// Looks for speech in the frames from the floor on, as if they came only now.
    fn begin_again(&mut self) {
        let from = self.floor.saturating_sub(self.first).min(self.frames.len());
        let speech = |at: &usize| self.frames[*at].speech;
        let mut speaking = (from..self.frames.len()).filter(speech);
        let (onset, last) = (speaking.next(), speaking.next_back());
        let begin = onset.unwrap_or(self.frames.len()) + self.first;
        self.last_speech = last.or(onset).map(|last| last + self.first);
        self.forget_before(self.margin_before(begin));
    }

    /// Returns the first frame of the margin before speech that begins at `onset`.
    fn margin_before(&self, onset: usize) -> usize {
        let from = onset.saturating_sub(self.lengths.margin).max(self.first);
        let mut margin = (from..onset.min(self.next())).rev();
        margin.find(|at| self.is_silent(*at)).map_or(from, |at| at + 1)
    }

    /// Returns the end of the margin after speech whose last frame is `last`. A frame that reaches
    /// across the end does not belong to the segment.
    fn margin_after(&self, last: usize) -> usize {
        let end = last + 1 + self.lengths.margin;
        let silence = (last + 1..end.min(self.next())).find(|at| self.is_silent(*at));
        silence.map_or(end, |at| end.min(at + self.lengths.across))
    }

    fn is_silent(&self, frame: usize) -> bool {
        self.frames[frame - self.first].level <= self.silence
    }

    /// Returns where to cut an open segment that has become too long: in the middle of its longest
    /// pause, or of its quietest window if it has no pause. Among equals the last one wins, so that
    /// segments are as long as allowed.
    fn cut(&self) -> usize {
        let range = self.lengths.shortest..self.lengths.longest;
        let pause = self.longest_pause(range.clone());
        match pause.len() >= self.lengths.good_pause {
            true => pause.start + pause.len() / 2,
            false => self.quietest(range),
        }
    }

    fn longest_pause(&self, range: Range<usize>) -> Range<usize> {
        let (mut best, mut begin) = (0..0, range.start);
        for at in range {
            if self.frames[at].speech {
                begin = at + 1;
            } else if at + 1 - begin >= best.len() {
                best = begin..at + 1;
            }
        }
        best
    }

    fn quietest(&self, range: Range<usize>) -> usize {
        let window = self.lengths.window.min(range.len());
        let levels = || self.frames.range(range.clone()).map(|frame| f64::from(frame.level));
        let mut sum: f64 = levels().take(window).sum();
        let mut best = (sum, 0);
        for (at, (new, old)) in levels().skip(window).zip(levels()).enumerate() {
            sum += new - old;
            if sum <= best.0 {
                best = (sum, at + 1);
            }
        }
        range.start + best.1 + window / 2
    }
}

/// By frame, whether it lies within `reach` frames of speech.
fn near(speech: &[bool], reach: usize) -> Vec<bool> {
    let mut near = vec![false; speech.len()];
    let mut until = 0;
    for (at, _) in speech.iter().enumerate().filter(|(_, speech)| **speech) {
        let end = (at + reach + 1).min(speech.len());
        near[until.max(at.saturating_sub(reach))..end].fill(true);
        until = end;
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(frames: impl IntoIterator<Item = (bool, f32)>) -> Vec<Segment> {
        let mut segmenter = Segmenter::new(&MfccConfig::default(), -9.0);
        let mut frames = frames.into_iter();
        let mut all: Vec<Segment> =
            frames.by_ref().filter_map(|(speech, level)| segmenter.push(speech, level)).collect();
        all.extend(segmenter.finish());
        all
    }

    fn ranges(segments: &[Segment]) -> Vec<(usize, Option<usize>)> {
        segments.iter().map(|s| (s.first, s.end)).collect()
    }

    /// Speech of so many frames, then so many without, and so on.
    fn turns(lengths: &[usize]) -> Vec<(bool, f32)> {
        let turn = |(at, count): (usize, &usize)| std::iter::repeat_n((at % 2 == 0, 0.0), *count);
        lengths.iter().enumerate().flat_map(turn).collect()
    }

    #[test]
    fn what_is_all_speech_and_of_usual_length_stays_whole() {
        assert!(segments([]).is_empty());
        let whole = segments(turns(&[3998]));
        assert_eq!(ranges(&whole), [(0, None)]);
        assert_eq!(whole[0].near, vec![true; 3998]);
    }

    #[test]
    fn long_pauses_are_left_out_and_short_ones_are_not() {
        let heard = segments(turns(&[0, 1000, 100, 150, 100, 5000, 200]));
        assert_eq!(ranges(&heard), [(970, Some(1380)), (6320, None)]);
        // Near speech: 0.2 s on either side; two frames reach beyond the end.
        let expected = |at: usize| (10..150).contains(&at) || (260..400).contains(&at);
        let expected: Vec<bool> = (0..408).map(expected).collect();
        assert_eq!(heard[0].near, expected);
        assert_eq!(heard[1].near.len(), 230);
        // A recording that ends in a pause, and one of nothing but clicks.
        assert_eq!(ranges(&segments(turns(&[100, 90]))), [(0, Some(130))]);
        assert!(segments(turns(&[9, 300, 9, 300])).is_empty());
    }

    #[test]
    fn digital_silence_is_no_margin() {
        let level = |at: usize| if (980..1105).contains(&at) { 1.0 } else { -9.0 };
        let speech = |at: usize| (1000..1100).contains(&at);
        let heard = segments((0..2000).map(|at| (speech(at), level(at))));
        // Its last frame is 1104, and two more reach across the end.
        assert_eq!(ranges(&heard), [(980, Some(1107))]);
        assert_eq!(heard[0].near.len(), 125);
    }

    #[test]
    fn what_is_too_long_is_cut_in_its_longest_pause() {
        let heard = segments(turns(&[2000, 40, 1000, 60, 1500, 20, 100]));
        assert_eq!(ranges(&heard), [(0, Some(3070)), (3070, None)]);
        assert!(heard[0].by_length && !heard[1].by_length);
    }

    #[test]
    fn and_where_it_is_quietest_without_pauses() {
        let quiet = |at: usize| (3000..3060).contains(&at) || (6000..6060).contains(&at);
        let level = |at: usize| if quiet(at) { -5.0 } else { 1.0 };
        let heard = segments((0..9000).map(|at| (true, level(at))));
        let cuts: Vec<usize> = heard.iter().filter_map(|segment| segment.end).collect();
        assert_eq!(cuts.len(), 2);
        assert!(cuts.iter().all(|&cut| quiet(cut)), "{cuts:?}");
        let constant = segments(turns(&[20_000]));
        assert!(constant.iter().all(|segment| segment.near.len() <= 3998));
        assert_eq!(constant.len(), 6);
    }
}

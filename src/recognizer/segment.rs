//! Which stretches of a recording are recognised? Those with speech in them, each with some pause
//! on either side; so memory is bounded by a segment, not by the file, and what is no speech never
//! reaches the search.
//!
//! Scores, tokens and lattice all grow with the audio: a segment of half a minute holds them to a
//! few megabytes, an hour at once would take gigabytes. A cut costs the language model its history
//! and may split a word. A long pause is therefore left out of its segment, which goes on behind
//! it; a cut is made only where the segment becomes too long, in its longest pause, or else where
//! the sound is weakest.

use std::collections::VecDeque;
use std::ops::Range;

use super::heard::Heard;
use crate::feature::MfccConfig;
use crate::units::Seconds;

/// The longest stretch that is recognised at once, without the pauses that are left out of it:
/// above the longest utterance of the usual test sets (35 s).
pub const LONGEST: Seconds = Seconds(40.0);
/// The same with them. In a longer pause a segment ends.
pub const LONGEST_WITH_PAUSES: Seconds = Seconds(100.0);
/// Where a stretch gets too long, the cut is sought from here on, so that segments are not
/// needlessly short.
const SHORTEST: Seconds = Seconds(15.0);
/// A longer pause is left out. Sentences are spoken with shorter ones.
const LONGEST_PAUSE: Seconds = Seconds(2.0);
/// So much of a pause goes with the speech beside it, as far as the network looks around a frame;
/// less where digital silence begins, which says nothing and is unlike any room.
const MARGIN: Seconds = Seconds(0.3);
/// So much of a pause that is left out stays on either side, as long as at a comma: more sounds
/// like the end of a sentence, and less runs words together.
const MARGIN_INSIDE: Seconds = Seconds(0.07);
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
    /// What was heard in the frames that lie in it whole.
    pub heard: Heard,
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
    /// Of the segment under way: its long pauses.
    pauses: Vec<LongPause>,
    /// Frames of speech after the last of them.
    spoken: usize,
    /// A frame of no higher level is digital silence.
    silence: f32,
    /// Whether a long pause ends a segment.
    end_at_pauses: bool,
}

/// A pause that is left out.
struct LongPause {
    /// The last frame of speech before it.
    last_speech: usize,
    /// Its frames, without the margins that stay.
    left_out: Range<usize>,
}

/// Digital silence with rounding errors.
const ABOUT: f32 = 0.01;

/// The lengths above in frames.
struct Lengths {
    longest: usize,
    with_pauses: usize,
    shortest: usize,
    pause: usize,
    margin: usize,
    margin_inside: usize,
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
        let within = |time: Seconds| {
            config.num_frames((time.0 * f64::from(config.sample_rate.0)) as usize).max(2)
        };
        Segmenter {
            lengths: Lengths {
                longest: within(LONGEST),
                with_pauses: within(LONGEST_WITH_PAUSES),
                shortest: frames(SHORTEST),
                pause: frames(LONGEST_PAUSE),
                margin: frames(MARGIN),
                margin_inside: frames(MARGIN_INSIDE),
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
            pauses: Vec::new(),
            spoken: 0,
            silence: silence + ABOUT,
            end_at_pauses: false,
        }
    }

    /// Lets every long pause end a segment, for a stream, whose speaker waits for an answer.
    pub(super) fn end_at_pauses(&mut self) {
        self.end_at_pauses = true;
    }

    /// Takes the next frame; returns the segment that ends with it.
    pub(super) fn push(&mut self, speech: bool, level: f32) -> Option<Segment> {
        let at = self.next();
        self.frames.push_back(Frame { speech, level });
        if speech && at >= self.floor {
            self.speak(at);
        }
        let Some(last) = self.last_speech else {
            self.forget_before(at.saturating_sub(self.lengths.margin));
            return None;
        };
        let pausing = at - last > self.lengths.pause;
        let too_long = self.frames.len() > self.lengths.with_pauses;
        if pausing && (too_long || self.end_at_pauses) {
            let end = self.end_of_speech(last);
            return self.end(end, false);
        }
        if too_long || (!pausing && self.kept() > self.lengths.longest) {
            let cut = self.first + self.cut();
            return self.end(self.before_pause(cut), true);
        }
        None
    }

    /// Ends the recording; returns the segment under way.
    pub(super) fn finish(&mut self) -> Option<Segment> {
        let end = self.last_speech.map(|last| self.end_of_speech(last));
        let segment = match end {
            None => None,
            Some(end) if end < self.next() => self.end(end, false),
            Some(_) => self.segment(self.frames.len()),
        };
        self.frames.clear();
        self.pauses.clear();
        (self.first, self.floor, self.last_speech, self.spoken) = (0, 0, None, 0);
        segment
    }

    /// Lets the next segment begin here at the earliest, and forgets the one under way.
    pub(super) fn cut_at(&mut self, frame: usize) {
        self.floor = self.floor.max(frame);
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

    /// Frames of the segment under way that are not left out of it.
    fn kept(&self) -> usize {
        self.frames.len() - self.pauses.iter().map(|pause| pause.left_out.len()).sum::<usize>()
    }

    /// Takes a frame of speech, which begins a segment, ends a long pause or goes on.
    fn speak(&mut self, at: usize) {
        match self.last_speech {
            None => self.forget_before(self.margin_before(at, self.lengths.margin)),
            Some(last) if at - last > self.lengths.pause => self.leave_out(last, at),
            Some(_) => {}
        }
        self.last_speech = Some(at);
        self.spoken += 1;
    }

    /// Leaves out the pause between two frames of speech, and with it what came before if that is
    /// shorter than a word.
    fn leave_out(&mut self, last: usize, onset: usize) {
        let margin = self.lengths.margin_inside;
        let end = self.margin_before(onset, margin);
        let is_word = self.spoken >= self.lengths.speech;
        self.spoken = 0;
        match self.pauses.last_mut() {
            _ if is_word => {
                let begin = self.margin_after(last, margin) - self.lengths.across;
                self.pauses.push(LongPause { last_speech: last, left_out: begin..end });
            }
            Some(before) => before.left_out.end = end,
            None => self.forget_before(self.margin_before(onset, self.lengths.margin)),
        }
    }

    /// Where a segment ends whose last frame of speech is `last`: in the pause before it if what
    /// came after that is shorter than a word.
    fn end_of_speech(&mut self, last: usize) -> usize {
        let pause = self.pauses.pop_if(|_| self.spoken < self.lengths.speech);
        let last = pause.map_or(last, |pause| pause.last_speech);
        self.margin_after(last, self.lengths.margin)
    }

    /// The same frame, or where the speech before it ends if it lies in a pause that is left out.
    fn before_pause(&self, frame: usize) -> usize {
        let pause = self.pauses.iter().find(|pause| pause.left_out.contains(&frame));
        pause.map_or(frame, |pause| self.margin_after(pause.last_speech, self.lengths.margin))
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
        self.begin_again();
        segment
    }

    /// The segment of so many of the frames held.
    fn segment(&self, inside: usize) -> Option<Segment> {
        let speech: Vec<bool> = self.frames.iter().map(|frame| frame.speech).collect();
        let speech = &speech[..inside];
        let heard = speech.iter().filter(|speech| **speech).count();
        let pauses = self.pauses.iter().map(|pause| &pause.left_out);
        let pauses = pauses.map(|pause| pause.start - self.first..pause.end - self.first);
        (heard >= self.lengths.speech.min(self.frames.len())).then(|| Segment {
            first: self.first,
            end: None,
            heard: Heard::new(
                near(speech, self.lengths.near),
                pauses.filter(|pause| pause.end <= inside).collect(),
            ),
            by_length: false,
        })
    }

    /// Looks for speech in the frames from the floor on, as if they came only now.
    fn begin_again(&mut self) {
        self.last_speech = None;
        self.pauses.clear();
        self.spoken = 0;
        for at in self.floor.max(self.first)..self.next() {
            if self.frames[at - self.first].speech {
                self.speak(at);
            }
        }
        if self.last_speech.is_none() {
            self.forget_before(self.margin_before(self.next(), self.lengths.margin));
        }
    }

    /// Returns the first frame of the margin before speech that begins at `onset`.
    fn margin_before(&self, onset: usize, margin: usize) -> usize {
        let from = onset.saturating_sub(margin).max(self.first);
        let mut margin = (from..onset.min(self.next())).rev();
        margin.find(|at| self.is_silent(*at)).map_or(from, |at| at + 1)
    }

    /// Returns the end of the margin after speech whose last frame is `last`. A frame that reaches
    /// across the end does not belong to the segment.
    fn margin_after(&self, last: usize, margin: usize) -> usize {
        let end = last + 1 + margin;
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
        let range = self.lengths.shortest..self.frames.len() - 1;
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
    use proptest::prelude::*;

    use super::*;

    fn segments(frames: impl IntoIterator<Item = (bool, f32)>) -> Vec<Segment> {
        segments_of(Segmenter::new(&MfccConfig::default(), -9.0), frames)
    }

    fn segments_of(
        mut segmenter: Segmenter,
        frames: impl IntoIterator<Item = (bool, f32)>,
    ) -> Vec<Segment> {
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
        assert_eq!(whole[0].heard, Heard::new(vec![true; 3998], vec![]));
    }

    #[test]
    fn long_pauses_are_left_out_and_short_ones_are_not() {
        let heard = segments(turns(&[0, 1000, 100, 150, 100, 5000, 200]));
        assert_eq!(ranges(&heard), [(970, None)]);
        // Near speech: 0.2 s on either side. The margin inside is 0.07 s; two frames reach
        // across it.
        let near = |at: usize| (10..150).contains(&at) || (260..5580).contains(&at);
        let near: Vec<bool> = (0..5580).map(near).collect();
        let pause = 385..5373;
        assert_eq!(heard[0].heard, Heard::new(near, vec![pause]));
    }

    #[test]
    fn the_longest_pauses_end_segments() {
        let heard = segments(turns(&[0, 1000, 100, 9900, 200]));
        assert_eq!(ranges(&heard), [(970, Some(1130)), (10970, None)]);
        assert_eq!(heard[0].heard.num_frames(), 158);
        assert_eq!(heard[1].heard.num_frames(), 230);
        assert!(!heard[0].by_length);
        // A recording that ends in a pause.
        assert_eq!(ranges(&segments(turns(&[100, 90]))), [(0, Some(130))]);
        // Pauses that are too long together: it ends in one of them.
        let heard = segments(turns(&[500, 4000, 500, 3000, 500, 3000, 500]));
        assert_eq!(ranges(&heard), [(0, Some(8530)), (11470, None)]);
        let heard = segments(turns(&[500, 4000, 500, 3000, 500, 1300, 500]));
        assert_eq!(ranges(&heard), [(0, Some(5030)), (7970, None)]);
        assert!(heard[0].by_length);
    }

    #[test]
    fn or_every_long_pause_does() {
        let mut segmenter = Segmenter::new(&MfccConfig::default(), -9.0);
        segmenter.end_at_pauses();
        let heard = segments_of(segmenter, turns(&[0, 1000, 100, 150, 100, 5000, 200]));
        assert_eq!(ranges(&heard), [(970, Some(1380)), (6320, None)]);
    }

    #[test]
    fn clicks_are_no_speech() {
        assert!(segments(turns(&[9, 300, 9, 300])).is_empty());
        let heard = segments(turns(&[9, 300, 100, 300, 9, 300, 100, 300, 9]));
        assert_eq!(ranges(&heard), [(279, Some(1148))]);
        let near = (0..867).map(|at| (10..859).contains(&at));
        let pause = 135..732;
        assert_eq!(heard[0].heard, Heard::new(near.collect(), vec![pause]));
    }

    proptest! {
        #[test]
        fn segments_are_apart_and_bounded_and_hold_all_speech(
            lengths in prop::collection::vec(prop_oneof![1usize..30, 100usize..5000], 1..20),
            silent in any::<bool>(),
        ) {
            let mut frames = turns(&lengths);
            if silent {
                frames.iter_mut().filter(|(speech, _)| !speech).for_each(|(_, level)| *level = -9.0);
            }
            let heard = segments(frames.iter().copied());
            let (mut at, mut kept) = (0, vec![false; frames.len()]);
            for segment in &heard {
                prop_assert!(segment.first >= at);
                let count = segment.heard.num_frames();
                let mut rows: Vec<f32> = (0..count).map(|row| (segment.first + row) as f32).collect();
                let rows = segment.heard.without_pauses(&mut rows, 1);
                prop_assert!(rows.len() <= 3998 && count <= 9998);
                rows.iter().for_each(|row| kept[*row as usize] = true);
                at = segment.end.unwrap_or(segment.first + count);
            }
            // A word's length of speech is heard, but for the two frames that a cut goes through.
            let lost = frames.chunk_by(|a, b| a.0 == b.0).scan(0, |at, run| {
                *at += run.len();
                Some((run[0].0, *at - run.len()..*at))
            });
            for (_, run) in lost.filter(|(speech, run)| *speech && run.len() >= 10) {
                let gone = run.clone().filter(|&frame| !kept[frame]).count();
                prop_assert!(gone <= 2 * (1 + run.len() / 1500), "{gone} of {run:?}");
            }
        }
    }

    #[test]
    fn digital_silence_is_no_margin() {
        let level = |at: usize| if (980..1105).contains(&at) { 1.0 } else { -9.0 };
        let speech = |at: usize| (1000..1100).contains(&at);
        let heard = segments((0..2000).map(|at| (speech(at), level(at))));
        // Its last frame is 1104, and two more reach across the end.
        assert_eq!(ranges(&heard), [(980, Some(1107))]);
        assert_eq!(heard[0].heard.num_frames(), 125);
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
        assert!(constant.iter().all(|segment| segment.heard.num_frames() <= 3998));
        assert_eq!(constant.len(), 6);
    }
}

//! What the speech gate heard in a segment: which of its frames count for the mean of the features,
//! and which long pauses are left out before the network scores the rest.

use std::ops::Range;

use crate::units::Seconds;

/// What the speech gate heard in an utterance.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// By frame, whether it is near speech.
    near: Vec<bool>,
    /// The frames that are left out, in the order of time.
    pauses: Vec<Range<usize>>,
}

impl Heard {
    /// `near` by frame; `pauses` in the order of time, apart, and within those frames.
    pub(super) fn new(mut near: Vec<bool>, pauses: Vec<Range<usize>>) -> Self {
        for pause in &pauses {
            near[pause.clone()].fill(false);
        }
        Heard { near, pauses }
    }

    /// How many frames there are, those left out included.
    pub(super) fn num_frames(&self) -> usize {
        self.near.len()
    }

    /// Whether a frame is near speech.
    pub(super) fn is_near(&self, frame: usize) -> bool {
        self.near.get(frame) == Some(&true)
    }

    /// Moves the rows that are not left out to the front; returns them.
    pub(super) fn without_pauses<'r>(&self, rows: &'r mut [f32], dims: usize) -> &'r mut [f32] {
        let num_frames = rows.len() / dims;
        let begin = |at: usize| self.pauses.get(at).map_or(num_frames, |p| p.start.min(num_frames));
        let mut kept = begin(0);
        for (at, pause) in self.pauses.iter().enumerate() {
            let next = begin(at + 1);
            let from = pause.end.min(next);
            rows.copy_within(from * dims..next * dims, kept * dims);
            kept += next - from;
        }
        &mut rows[..kept * dims]
    }

    /// Where the frames that are scored lie in the recording, whose frames are `shift` apart.
    pub(super) fn timeline(&self, start: Seconds, shift: Seconds) -> Timeline {
        let mut left_out = 0;
        let pause = |pause: &Range<usize>| {
            let at = Seconds((pause.start - left_out) as f64 * shift.0);
            left_out += pause.len();
            (at, Seconds(left_out as f64 * shift.0))
        };
        Timeline { start, pauses: self.pauses.iter().map(pause).collect() }
    }
}

/// Where the scored frames of a segment lie in its recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Timeline {
    /// Where the segment begins.
    pub start: Seconds,
    /// Where in the scored audio something was left out, and how much in all up to there.
    pauses: Vec<(Seconds, Seconds)>,
}

impl Timeline {
    /// Where a word lies in the recording that lies here in the scored audio. Nobody speaks a word
    /// on both sides of a long pause: it is where its middle is.
    pub(super) fn place(&self, (start, end): (Seconds, Seconds)) -> (Seconds, Seconds) {
        let middle = (start.0 + end.0) / 2.0;
        let before = self.pauses.partition_point(|(at, _)| at.0 <= middle);
        let (from, left_out) = match before.checked_sub(1) {
            Some(last) => (self.pauses[last].0.0, self.pauses[last].1.0),
            None => (0.0, 0.0),
        };
        let to = self.pauses.get(before).map_or(f64::INFINITY, |(at, _)| at.0);
        let place = |time: Seconds| Seconds(self.start.0 + left_out + time.0.clamp(from, to));
        (place(start), place(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard() -> Heard {
        Heard::new(vec![true; 10], vec![2..5, 7..8])
    }

    #[test]
    fn pauses_are_left_out_of_the_rows_and_of_the_mean() {
        let mut rows: Vec<f32> = (0..20).map(|value| value as f32).collect();
        let kept = heard().without_pauses(&mut rows, 2).to_vec();
        let frames = [0, 1, 5, 6, 8, 9];
        let expected = frames.iter().flat_map(|at| [(2 * at) as f32, (2 * at + 1) as f32]);
        assert_eq!(kept, expected.collect::<Vec<_>>());
        let near: Vec<usize> = (0..12).filter(|&frame| heard().is_near(frame)).collect();
        assert_eq!(near, frames);
        let mut rows = vec![1.0; 6];
        assert_eq!(Heard::new(vec![true; 3], vec![]).without_pauses(&mut rows, 2).len(), 6);
    }

    #[test]
    fn words_lie_where_they_were_spoken() {
        let timeline = heard().timeline(Seconds(10.0), Seconds(1.0));
        let place = |start, end| {
            let (start, end) = timeline.place((Seconds(start), Seconds(end)));
            (start.0, end.0)
        };
        assert_eq!(place(0.0, 2.0), (10.0, 12.0));
        assert_eq!(place(2.0, 3.0), (15.0, 16.0));
        assert_eq!(place(4.0, 6.0), (18.0, 20.0));
        // Across a pause: where the middle is.
        assert_eq!(place(0.5, 2.5), (10.5, 12.0));
        assert_eq!(place(1.5, 3.5), (15.0, 16.5));
    }
}

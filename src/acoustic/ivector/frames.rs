//! Frames on their way to the statistics: their mean taken off, spliced, transformed, and given to
//! Gaussians; the last ones are kept, since how much they count may still change.

use super::extractor::{Chosen, IVectorExtractor};
use crate::feature::OnlineMean;

/// The frames heard last.
#[derive(Clone)]
pub(super) struct Frames {
    mean: OnlineMean,
    /// The frames that one splice reads, oldest first: as they are, the sums and numbers that their
    /// means are made of, and less those means.
    plain: Vec<f32>,
    sums: Vec<f64>,
    counts: Vec<usize>,
    normalised: Vec<f32>,
    row: Vec<f32>,
    likelihoods: Vec<f32>,
    /// Frames heard, and frames transformed.
    heard: usize,
    ready: usize,
    /// The last frames transformed: frame `t` lies at `t % capacity`.
    capacity: usize,
    transformed: Vec<f32>,
    chosen: Vec<Chosen>,
    /// What a frame counts for and has not been counted yet, also of frames that are not ready:
    /// frame `t` lies at `t % due.len()`.
    due: Vec<f32>,
}

impl Frames {
    /// Before the first frame; `capacity` frames are kept, and so many more may be due already.
    pub fn new(extractor: &IVectorExtractor, capacity: usize, ahead: usize) -> Frames {
        let frames = extractor.splice.0 + extractor.splice.1 + 1;
        let window = frames * extractor.dims;
        Frames {
            mean: extractor.mean(),
            plain: vec![0.0; window],
            sums: vec![0.0; window],
            counts: vec![0; frames],
            normalised: vec![0.0; window],
            row: vec![0.0; extractor.width],
            likelihoods: Vec::with_capacity(extractor.gaussians),
            heard: 0,
            ready: 0,
            capacity,
            transformed: vec![0.0; capacity * extractor.width],
            chosen: vec![Chosen::default(); capacity],
            due: vec![0.0; capacity + ahead],
        }
    }

    /// Frames that statistics can be made of.
    pub fn ready(&self) -> usize {
        self.ready
    }

    /// Frames heard.
    pub fn heard(&self) -> usize {
        self.heard
    }

    /// Takes the next frame.
    pub fn push(&mut self, extractor: &IVectorExtractor, frame: &[f32]) {
        let dims = extractor.dims;
        self.mean.hear(frame);
        let (sum, count) = self.mean.heard();
        match self.heard {
            // What lies before the first frame repeats it.
            0 => {
                self.plain.chunks_exact_mut(dims).for_each(|to| to.copy_from_slice(frame));
                self.sums.chunks_exact_mut(dims).for_each(|to| to.copy_from_slice(sum));
                self.counts.fill(count);
            }
            _ => {
                slide(&mut self.plain, frame);
                slide(&mut self.sums, sum);
                slide(&mut self.counts, &[count]);
            }
        }
        self.heard += 1;
        if self.heard > extractor.splice.1 {
            self.transform(extractor);
        }
    }

    /// The recording has ended: its last frame is repeated until all are ready.
    pub fn finish(&mut self, extractor: &IVectorExtractor) {
        let mut pushed = self.heard;
        while self.ready < self.heard {
            // The last frame stays where it is, and so stands there twice.
            self.plain.copy_within(extractor.dims.., 0);
            self.sums.copy_within(extractor.dims.., 0);
            self.counts.copy_within(1.., 0);
            pushed += 1;
            if pushed > extractor.splice.1 {
                self.transform(extractor);
            }
        }
    }

    /// Lets a frame, ready or soon to be, count for more or less than before.
    pub fn add_due(&mut self, frame: usize, weight: f32) {
        let slot = frame % self.due.len();
        self.due[slot] += weight;
    }

    /// Calls `each` with all frames before `end` that count for something new, which is then
    /// counted: their Gaussians, their transformed values and by how much.
    pub fn take_due(&mut self, end: usize, mut each: impl FnMut(&Chosen, &[f32], f32)) {
        let width = self.transformed.len() / self.capacity;
        for frame in end.saturating_sub(self.capacity)..end {
            let (slot, due) = (frame % self.capacity, frame % self.due.len());
            let weight = std::mem::take(&mut self.due[due]);
            if weight != 0.0 {
                each(&self.chosen[slot], &self.transformed[slot * width..][..width], weight);
            }
        }
    }

    /// Transforms the frame in the middle of the windows. As in libvosk, each splice asks for the
    /// means of its frames anew, in order; a quiet frame's hangs on the one asked for before.
    fn transform(&mut self, extractor: &IVectorExtractor) {
        let dims = extractor.dims;
        self.normalised.copy_from_slice(&self.plain);
        let heard = self.sums.chunks_exact(dims).zip(&self.counts);
        for (row, (sum, count)) in self.normalised.chunks_exact_mut(dims).zip(heard) {
            self.mean.subtract((sum, *count), row);
        }
        let (slot, width) = (self.ready % self.capacity, extractor.width);
        extractor.transform(&self.normalised, &mut self.row[..width]);
        self.chosen[slot] = extractor.choose(&self.row[..width], &mut self.likelihoods);
        extractor.transform(&self.plain, &mut self.transformed[slot * width..][..width]);
        self.ready += 1;
    }
}

/// Drops the oldest frame of a window and adds one.
fn slide<T: Copy>(window: &mut [T], frame: &[T]) {
    window.copy_within(frame.len().., 0);
    let last = window.len() - frame.len();
    window[last..].copy_from_slice(frame);
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::super::extractor::{IVectorParts, Mixture};
    use super::*;
    use crate::feature::OnlineMeanConfig;

    #[test]
    fn what_is_due_before_its_frame_is_counted_with_it() {
        let parts = IVectorParts {
            splice: (0, 0),
            transform: array![[1.0]],
            mean: (vec![0.0], OnlineMeanConfig::default()),
            mixture: Mixture {
                weights: vec![1.0],
                scaled_means: array![[0.0]],
                inverse_variances: array![[1.0]],
            },
            factors: vec![array![[1.0]]],
            inverse_covariances: vec![array![[1.0]]],
            offset: 0.0,
        };
        let extractor = IVectorExtractor::new(parts).unwrap();
        let mut frames = Frames::new(&extractor, 10, 2);
        let mut counted = Vec::new();
        (0..2).for_each(|frame| frames.add_due(frame, 1.0));
        for frame in 0..40 {
            frames.push(&extractor, &[frame as f32]);
            frames.add_due(frame + 2, 1.0);
            frames.take_due(frames.ready(), |_, row, weight| counted.push((row[0], weight)));
        }
        let each = (0..40).map(|frame| (frame as f32, 1.0));
        assert_eq!(counted, each.collect::<Vec<_>>());
    }
}

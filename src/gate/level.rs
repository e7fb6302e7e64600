//! What stands out? Each frame less the mean of the frames around it.

use std::collections::VecDeque;

/// Subtracts from each frame the mean over so many frames before it, itself, and so many after it;
/// at the ends of a recording over those that there are.
pub(super) struct Level {
    dims: usize,
    before: usize,
    after: usize,
    /// The frames of the mean, oldest first, flat.
    rows: VecDeque<f32>,
    /// Their sum, in double precision so that adding and taking away does not drift.
    sum: Vec<f64>,
    /// The first frame held, and the next to be levelled, from the start of the recording.
    first: usize,
    next: usize,
}

impl Level {
    pub(super) fn new(dims: usize, before: usize, after: usize) -> Self {
        Level {
            dims,
            before,
            after,
            rows: VecDeque::new(),
            sum: vec![0.0; dims],
            first: 0,
            next: 0,
        }
    }

    /// Takes a frame, and appends the one whose surroundings it completes.
    pub(super) fn push(&mut self, frame: &[f32], out: &mut Vec<f32>) {
        self.rows.extend(frame);
        for (sum, value) in self.sum.iter_mut().zip(frame) {
            *sum += f64::from(*value);
        }
        if self.seen() > self.next + self.after {
            self.level(out);
        }
    }

    /// Ends the recording: appends the frames that are left.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) {
        while self.next < self.seen() {
            self.level(out);
        }
        self.rows.clear();
        self.sum.fill(0.0);
        (self.first, self.next) = (0, 0);
    }

    fn seen(&self) -> usize {
        self.first + self.rows.len() / self.dims
    }

    fn level(&mut self, out: &mut Vec<f32>) {
        while self.first + self.before < self.next {
            let oldest = self.rows.drain(..self.dims);
            for (sum, value) in self.sum.iter_mut().zip(oldest) {
                *sum -= f64::from(value);
            }
            self.first += 1;
        }
        let scale = 1.0 / (self.rows.len() / self.dims) as f64;
        let at = (self.next - self.first) * self.dims;
        let frame = self.rows.range(at..at + self.dims);
        out.extend({ frame.zip(&self.sum) }.map(|(value, sum)| value - (sum * scale) as f32));
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_levelled_by_their_surroundings() {
        let values: Vec<f32> = (0..23).map(|i| ((i * i) % 17) as f32).collect();
        let mut level = Level::new(1, 5, 2);
        // Twice, so that the first recording must leave no trace.
        for _ in 0..2 {
            let mut out = Vec::new();
            values.iter().for_each(|v| level.push(&[*v], &mut out));
            assert_eq!(out.len(), values.len() - 2);
            level.finish(&mut out);
            for (at, found) in out.iter().enumerate() {
                let around = &values[at.saturating_sub(5)..(at + 3).min(values.len())];
                let mean = around.iter().sum::<f32>() / around.len() as f32;
                assert!((found - (values[at] - mean)).abs() < 1e-5, "{at}");
            }
        }
    }
}

//! The input of a network, or what a layer of it gives: the rows that later outputs still read.

use super::layer::Window;

/// The rows of a node's output that are still needed.
#[derive(Clone, Default)]
pub(super) struct Node {
    /// As long as it ever had to be: what lies behind the rows held is left over.
    data: Vec<f32>,
    pub(super) width: usize,
    /// Absolute index of the first row held.
    pub(super) first: i64,
    /// Number of rows held.
    pub(super) rows: usize,
}

impl Node {
    pub(super) fn end(&self) -> i64 {
        self.first + self.rows as i64
    }

    pub(super) fn held(&self) -> &[f32] {
        &self.data[..self.rows * self.width]
    }

    pub(super) fn window(&self) -> Window<'_> {
        Window { data: self.held(), first: self.first }
    }

    /// Adds so many rows, which hold anything until they are written.
    pub(super) fn append(&mut self, rows: usize) -> &mut [f32] {
        let old = self.rows * self.width;
        self.rows += rows;
        let new = self.rows * self.width;
        if self.data.len() < new {
            self.data.resize(new, 0.0);
        }
        &mut self.data[old..new]
    }

    /// Appends `times` copies of the last row held.
    pub(super) fn repeat_last(&mut self, times: usize) {
        let old = self.rows * self.width;
        self.append(times);
        for to in (old..).step_by(self.width).take(times) {
            self.data.copy_within(old - self.width..old, to);
        }
    }

    /// Forgets the rows before `keep`.
    pub(super) fn drop_before(&mut self, keep: i64) {
        let rows = (keep.min(self.end()) - self.first).max(0);
        let held = self.rows * self.width;
        self.data.copy_within(rows as usize * self.width..held, 0);
        self.rows -= rows as usize;
        self.first += rows;
    }
}

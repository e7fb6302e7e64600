//! Rows of A that are made of cells: which pieces of a sequence each of them reads.

/// What rows of A are made of: cells, which are equally long pieces of a sequence.
///
/// Rows come in groups: the heights of a convolution, or a single row.
#[derive(Clone, Debug)]
pub struct Cells {
    /// Values of a cell.
    pub(super) width: usize,
    /// Cells of a row.
    pub(super) per_row: usize,
    /// The cells of a group's rows, one row after the other, counted from the group's first.
    pub(super) places: Vec<Option<u32>>,
}

impl Cells {
    /// Groups of rows of `per_row` cells of `width` values each. `places` has the cells of all rows
    /// of a group, counted from the group's first cell; none stands for zeros.
    ///
    /// # Panics
    /// The width is 0, or the places are not one or more whole rows.
    pub fn new(width: usize, per_row: usize, places: Vec<Option<u32>>) -> Cells {
        assert!(width > 0 && per_row > 0, "cells have values, and rows have cells");
        assert!(!places.is_empty(), "a group has rows");
        assert!(places.len().is_multiple_of(per_row), "whole rows");
        Cells { width, per_row, places }
    }

    /// Rows that are a cell each.
    pub fn rows(width: usize) -> Cells {
        Cells::new(width, 1, vec![Some(0)])
    }

    /// Values of a cell.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Values of a row.
    pub fn depth(&self) -> usize {
        self.width * self.per_row
    }

    /// Rows of a group.
    pub fn rows_of_group(&self) -> usize {
        self.places.len() / self.per_row
    }

    /// Copies the rows of `count` groups, one after the other, into `out`, which grows to the
    /// longest it ever had to be; each group begins `stride` cells after the one before.
    ///
    /// # Panics
    /// `data` ends within a row.
    pub fn gather<'a>(
        &self,
        data: &[f32],
        (count, stride): (usize, usize),
        out: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let group = self.places.len() * self.width;
        if out.len() < count * group {
            out.resize(count * group, 0.0);
        }
        let out = &mut out[..count * group];
        for (number, rows) in out.chunks_exact_mut(group).enumerate() {
            let data = &data[number * stride * self.width..];
            for (cell, place) in rows.chunks_exact_mut(self.width).zip(&self.places) {
                match place {
                    Some(place) => {
                        let from = *place as usize * self.width;
                        cell.copy_from_slice(&data[from..][..self.width]);
                    }
                    None => cell.fill(0.0),
                }
            }
        }
        out
    }
}

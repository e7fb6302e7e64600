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
    /// The cells of each of a group's rows.
    pub(super) rows: Vec<Vec<Run>>,
    /// The cells of all rows at each place of a row.
    pub(super) columns: Vec<Vec<Run>>,
}

/// Cells of a row or a column that lie next to each other in the sequence too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The cell in the row or column that it begins with.
    pub(super) at: usize,
    /// Its cells.
    pub(super) count: usize,
    /// Where they lie in the sequence, counted from the group's first cell; none stands for zeros.
    place: Option<usize>,
}

impl Run {
    /// The runs of a row or column whose cells lie at these places.
    fn all(places: impl Iterator<Item = Option<u32>>) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (at, place) in places.map(|place| place.map(|place| place as usize)).enumerate() {
            match runs.last_mut() {
                Some(run) if place == run.place.map(|first| first + run.count) => run.count += 1,
                _ => runs.push(Run { at, count: 1, place }),
            }
        }
        runs
    }

    /// Its values in the sequence from the group's first cell on; none are zeros.
    #[inline(always)]
    pub(super) fn values<'a>(&self, data: &'a [f32], width: usize) -> Option<&'a [f32]> {
        Some(&data[self.place? * width..][..self.count * width])
    }
}

impl Cells {
    /// Groups of rows of `per_row` cells of `width` values each. `places` has the cells of all rows
    /// of a group, counted from the group's first cell; none stands for zeros.
    ///
    /// # Panics
    /// The width is 0, or the places are not one or more whole rows.
    pub fn new(width: usize, per_row: usize, places: &[Option<u32>]) -> Cells {
        assert!(width > 0 && per_row > 0, "cells have values, and rows have cells");
        assert!(!places.is_empty(), "a group has rows");
        assert!(places.len().is_multiple_of(per_row), "whole rows");
        let column = |at: usize| Run::all(places[at..].iter().step_by(per_row).copied());
        Cells {
            width,
            per_row,
            rows: places.chunks(per_row).map(|row| Run::all(row.iter().copied())).collect(),
            columns: (0..per_row).map(column).collect(),
        }
    }

    /// Rows that are a cell each.
    pub fn rows(width: usize) -> Cells {
        Cells::new(width, 1, &[Some(0)])
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
        self.rows.len()
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
        let (width, depth) = (self.width, self.depth());
        let group = self.rows.len() * depth;
        if out.len() < count * group {
            out.resize(count * group, 0.0);
        }
        let out = &mut out[..count * group];
        for (number, rows) in out.chunks_exact_mut(group).enumerate() {
            let data = &data[number * stride * width..];
            for (row, runs) in rows.chunks_exact_mut(depth).zip(&self.rows) {
                for run in runs {
                    let to = &mut row[run.at * width..][..run.count * width];
                    match run.values(data, width) {
                        Some(values) => to.copy_from_slice(values),
                        None => to.fill(0.0),
                    }
                }
            }
        }
        out
    }
}

//! Rows of A in 8-bit integers, each over its own range.

use super::super::Cells;
use super::super::cells::Run;
use super::{DotKernel, GROUP};

/// Added to a number between −2²² and 2²², this leaves its nearest integer (ties to even) in the
/// low bits: 1.5 · 2²³. Every processor does so with many numbers at once.
pub(super) const ROUNDING: f32 = 12_582_912.0;

/// What the numbers of a row mean: `minimum + scale · q`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Level {
    pub(super) scale: f32,
    pub(super) minimum: f32,
}

/// Quantised rows; the memory is reused from one product to the next.
#[derive(Clone, Debug, Default)]
pub struct QuantisedRows {
    /// As long as it ever had to be.
    values: Vec<u8>,
    levels: Vec<Level>,
    depth: usize,
    columns: Columns,
}

impl QuantisedRows {
    /// As [`super::QuantisedMatrix::quantise`], for a kernel that this processor runs.
    pub(super) fn fill(
        &mut self,
        kernel: DotKernel,
        cells: &Cells,
        data: &[f32],
        groups: (usize, usize),
    ) {
        let count = groups.0 * cells.rows_of_group();
        self.depth = cells.depth();
        // What an earlier product left in the padding meets weights of zero.
        let length = count * self.stride();
        if self.values.len() < length {
            self.values.resize(length, 0);
        }
        self.levels.resize(count, Level::default());
        match kernel {
            #[cfg(target_arch = "x86_64")]
            DotKernel::Avx512Vnni => super::simd::avx512_vnni::quantise(self, cells, data, groups),
            #[cfg(target_arch = "x86_64")]
            DotKernel::AvxVnni => super::simd::avx_vnni::quantise(self, cells, data, groups),
            _ => self.quantise(cells, data, groups, portable_row, Columns::quantise),
        }
    }

    /// Numbers in a row.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.levels.len()
    }

    /// Distance between the starts of rows.
    pub(super) fn stride(&self) -> usize {
        self.depth.next_multiple_of(GROUP)
    }

    pub(super) fn values(&self) -> &[u8] {
        &self.values
    }

    pub(super) fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// By a kernel's `row` and `columns`: the former for rows of cells of several values, the
    /// latter for groups of rows whose cells are single ones.
    pub(super) fn quantise(
        &mut self,
        cells: &Cells,
        data: &[f32],
        (count, group_stride): (usize, usize),
        row: impl Fn(&[Run], (&[f32], usize), &mut [u8]) -> Level,
        columns: impl Fn(&mut Columns, &Cells, &[f32], (&mut [u8], usize), &mut [Level]),
    ) {
        let (stride, width) = (self.stride(), cells.width);
        let rows = cells.rows_of_group();
        if width == 1 {
            self.columns.resize(rows, cells.per_row);
        }
        let values = self.values.chunks_exact_mut(stride * rows);
        let levels = self.levels.chunks_exact_mut(rows);
        for ((group, values), levels) in (0..count).zip(values).zip(levels) {
            let data = &data[group * group_stride * width..];
            if width == 1 {
                columns(&mut self.columns, cells, data, (values, stride), levels);
                continue;
            }
            let rows = cells.rows.iter().zip(values.chunks_exact_mut(stride));
            for ((runs, values), level) in rows.zip(levels) {
                *level = row(runs, (data, width), values);
            }
        }
    }
}

impl Level {
    /// Lets the numbers span these values; returns how many numbers there are to one.
    #[inline(always)]
    fn span(&mut self, low: f32, high: f32) -> f32 {
        let range = high - low;
        *self = Level { scale: range / 255.0, minimum: low };
        if range > 0.0 { 255.0 / range } else { 0.0 }
    }
}

/// The rows of a group whose cells are single values, column by column: a row alone would not fill
/// a vector.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    values: Vec<f32>,
    low: Vec<f32>,
    high: Vec<f32>,
    inverse: Vec<f32>,
    /// Of each row the numbers of [`GROUP`] columns, the first in the lowest bits.
    words: Vec<u32>,
}

impl Columns {
    /// Makes room for a group.
    fn resize(&mut self, rows: usize, columns: usize) {
        self.values.resize(rows * columns, 0.0);
        for of_rows in [&mut self.low, &mut self.high, &mut self.inverse] {
            of_rows.resize(rows, 0.0);
        }
        self.words.resize(rows, 0);
    }

    /// Quantises a group. Plain Rust, compiled again with the features of each kernel. Loops stand
    /// here for closures, which would not be compiled with those features.
    #[inline(always)]
    pub(super) fn quantise(
        &mut self,
        cells: &Cells,
        data: &[f32],
        (to, stride): (&mut [u8], usize),
        levels: &mut [Level],
    ) {
        let rows = levels.len();
        for (values, runs) in self.values.chunks_exact_mut(rows).zip(&cells.columns) {
            for run in runs {
                let values = &mut values[run.at..][..run.count];
                match run.values(data, 1) {
                    Some(from) => values.copy_from_slice(from),
                    None => values.fill(0.0),
                }
            }
        }
        self.low.fill(f32::INFINITY);
        self.high.fill(f32::NEG_INFINITY);
        for values in self.values.chunks_exact(rows) {
            for ((low, high), &value) in self.low.iter_mut().zip(&mut self.high).zip(values) {
                (*low, *high) = (least(*low, value), greatest(*high, value));
            }
        }
        let ends = self.low.iter().zip(&self.high);
        for ((level, inverse), (low, high)) in levels.iter_mut().zip(&mut self.inverse).zip(ends) {
            *inverse = level.span(*low, *high);
        }
        for (group, columns) in self.values.chunks(rows * GROUP).enumerate() {
            self.words.fill(0);
            for (column, values) in columns.chunks_exact(rows).enumerate() {
                let scales = self.low.iter().zip(&self.inverse);
                for ((word, value), (low, inverse)) in self.words.iter_mut().zip(values).zip(scales)
                {
                    *word |= u32::from(step(*value, [*low, *inverse])) << (8 * column);
                }
            }
            for (word, row) in self.words.iter().zip(to.chunks_exact_mut(stride)) {
                row[group * GROUP..][..GROUP].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// A row, portably: the twin of the vector kernels' `row`.
fn portable_row(runs: &[Run], (data, width): (&[f32], usize), values: &mut [u8]) -> Level {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for run in runs {
        for &value in run.values(data, width).unwrap_or(&[0.0]) {
            (low, high) = (least(low, value), greatest(high, value));
        }
    }
    write_row(runs, (data, width), [low, high], values)
}

/// Writes the numbers of a row whose values lie between two; compiled as [`Columns::quantise`] is.
#[inline(always)]
pub(super) fn write_row(
    runs: &[Run],
    (data, width): (&[f32], usize),
    [low, high]: [f32; 2],
    values: &mut [u8],
) -> Level {
    let mut level = Level::default();
    let inverse = level.span(low, high);
    for run in runs {
        let values = &mut values[run.at * width..][..run.count * width];
        let Some(from) = run.values(data, width) else {
            values.fill(step(0.0, [low, inverse]));
            continue;
        };
        for (value, to) in from.iter().zip(values) {
            *to = step(*value, [low, inverse]);
        }
    }
    level
}

/// The minimum as vector instructions have it.
#[inline(always)]
fn least(so_far: f32, value: f32) -> f32 {
    if value < so_far { value } else { so_far }
}

/// The maximum as vector instructions have it.
#[inline(always)]
fn greatest(so_far: f32, value: f32) -> f32 {
    if value > so_far { value } else { so_far }
}

/// `q = round((x − low) · inverse)`, which lies in 0…255 for finite ranges.
#[inline(always)]
fn step(value: f32, [low, inverse]: [f32; 2]) -> u8 {
    ((value - low) * inverse + ROUNDING).to_bits() as u8
}

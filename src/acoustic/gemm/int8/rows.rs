//! Rows of A in 8-bit integers, each over its own range.

use super::super::Cells;
use super::{DotKernel, GROUP};

/// Values compared at once: two of the widest vectors, so that one need not wait for the other.
const LANES: usize = 32;

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
        self.values.resize(count * self.stride(), 0);
        self.levels.resize(count, Level::default());
        match kernel {
            #[cfg(target_arch = "x86_64")]
            DotKernel::Avx512Vnni => super::simd::avx512_vnni::quantise(self, cells, data, groups),
            #[cfg(target_arch = "x86_64")]
            DotKernel::AvxVnni => super::simd::avx_vnni::quantise(self, cells, data, groups),
            _ => self.quantise(cells, data, groups),
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

    /// Plain Rust, compiled again with the features of each kernel: the results are the same. Loops
    /// stand here for closures, which would not be compiled with those features.
    #[inline(always)]
    pub(super) fn quantise(
        &mut self,
        cells: &Cells,
        data: &[f32],
        (count, group_stride): (usize, usize),
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
                self.columns.quantise(cells, data, (values, stride), levels);
                continue;
            }
            let places = cells.places.chunks_exact(cells.per_row);
            for ((places, values), level) in places.zip(values.chunks_exact_mut(stride)).zip(levels)
            {
                quantise_row(places, (data, width), values, level);
            }
        }
    }
}

/// One row of cells of several values each.
#[inline(always)]
fn quantise_row(
    places: &[Option<u32>],
    (data, width): (&[f32], usize),
    values: &mut [u8],
    level: &mut Level,
) {
    let mut limits = Limits::EMPTY;
    for place in places {
        match place {
            Some(place) => limits.widen(&data[*place as usize * width..][..width]),
            None => limits.widen(&[0.0]),
        }
    }
    let [low, high] = limits.ends();
    let inverse = level.span(low, high);
    for (place, values) in places.iter().zip(values.chunks_exact_mut(width)) {
        match place {
            Some(place) => {
                write(&data[*place as usize * width..][..width], [low, inverse], values);
            }
            None => values.fill(step(0.0, [low, inverse])),
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
struct Columns {
    values: Vec<f32>,
    low: Vec<f32>,
    high: Vec<f32>,
    inverse: Vec<f32>,
    bytes: Vec<u8>,
}

impl Columns {
    /// Makes room for a group.
    fn resize(&mut self, rows: usize, columns: usize) {
        self.values.resize(rows * columns, 0.0);
        for of_rows in [&mut self.low, &mut self.high, &mut self.inverse] {
            of_rows.resize(rows, 0.0);
        }
        self.bytes.resize(rows, 0);
    }

    #[inline(always)]
    fn quantise(
        &mut self,
        cells: &Cells,
        data: &[f32],
        (to, stride): (&mut [u8], usize),
        levels: &mut [Level],
    ) {
        let rows = levels.len();
        for (column, values) in self.values.chunks_exact_mut(rows).enumerate() {
            let places = cells.places[column..].iter().step_by(cells.per_row);
            for (value, place) in values.iter_mut().zip(places) {
                *value = match place {
                    Some(place) => data[*place as usize],
                    None => 0.0,
                };
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
        for (column, values) in self.values.chunks_exact(rows).enumerate() {
            let scales = self.low.iter().zip(&self.inverse);
            for ((byte, value), (low, inverse)) in self.bytes.iter_mut().zip(values).zip(scales) {
                *byte = step(*value, [*low, *inverse]);
            }
            for (byte, row) in self.bytes.iter().zip(to.chunks_exact_mut(stride)) {
                row[column] = *byte;
            }
        }
    }
}

/// The least and greatest values seen in each lane.
struct Limits {
    low: [f32; LANES],
    high: [f32; LANES],
}

impl Limits {
    const EMPTY: Limits = Limits { low: [f32::INFINITY; LANES], high: [f32::NEG_INFINITY; LANES] };

    #[inline(always)]
    fn widen(&mut self, values: &[f32]) {
        let (whole, rest) = values.as_chunks::<LANES>();
        for values in whole {
            for (lane, &value) in values.iter().enumerate() {
                self.see(lane, value);
            }
        }
        for (lane, &value) in rest.iter().enumerate() {
            self.see(lane, value);
        }
    }

    #[inline(always)]
    fn see(&mut self, lane: usize, value: f32) {
        self.low[lane] = least(self.low[lane], value);
        self.high[lane] = greatest(self.high[lane], value);
    }

    /// The least and greatest of all lanes: halves are compared with halves, as lanes were.
    #[inline(always)]
    fn ends(mut self) -> [f32; 2] {
        let mut width = LANES;
        while width > 1 {
            width /= 2;
            for lane in 0..width {
                self.low[lane] = least(self.low[lane], self.low[lane + width]);
                self.high[lane] = greatest(self.high[lane], self.high[lane + width]);
            }
        }
        [self.low[0], self.high[0]]
    }
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

#[inline(always)]
fn write(values: &[f32], to: [f32; 2], out: &mut [u8]) {
    for (value, out) in values.iter().zip(out) {
        *out = step(*value, to);
    }
}

/// `q = round((x − low) · inverse)`, which lies in 0…255 for finite ranges.
#[inline(always)]
fn step(value: f32, [low, inverse]: [f32; 2]) -> u8 {
    ((value - low) * inverse + ROUNDING).to_bits() as u8
}

//! Rows of A in 8-bit integers, each over its own range.

use super::super::Rows;
use super::{DotKernel, GROUP};

/// Values compared or written at once: the lanes of the widest vector.
const LANES: usize = 16;

/// Added to a number between 0 and 2²², this leaves its nearest integer (ties to even) in the low
/// bits: 1.5 · 2²³.
const ROUNDING: f32 = 12_582_912.0;

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
}

impl QuantisedRows {
    /// As [`super::QuantisedMatrix::quantise`], for a kernel that this processor runs.
    pub(super) fn fill(&mut self, kernel: DotKernel, rows: Rows<'_>, runs: &[(usize, usize)]) {
        self.depth = runs.iter().map(|(_, length)| length).sum();
        // What an earlier product left in the padding meets weights of zero.
        self.values.resize(rows.count * self.stride(), 0);
        self.levels.resize(rows.count, Level::default());
        match kernel {
            #[cfg(target_arch = "x86_64")]
            DotKernel::Avx512Vnni => super::simd::avx512_vnni::quantise(self, rows, runs),
            #[cfg(target_arch = "x86_64")]
            DotKernel::AvxVnni => super::simd::avx_vnni::quantise(self, rows, runs),
            _ => self.quantise(rows, runs),
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

    /// Plain Rust, compiled again with the features of each kernel: the results are the same.
    #[inline(always)]
    pub(super) fn quantise(&mut self, rows: Rows<'_>, runs: &[(usize, usize)]) {
        let stride = self.stride();
        let levels = self.levels.iter_mut();
        for (r, (values, level)) in self.values.chunks_exact_mut(stride).zip(levels).enumerate() {
            let run =
                |&(start, length): &(usize, usize)| &rows.data[start + r * rows.stride..][..length];
            let [low, high] = runs
                .iter()
                .map(run)
                .fold(EMPTY, |range, run| widen(range, run));
            let range = high - low;
            let inverse = if range > 0.0 { 255.0 / range } else { 0.0 };
            *level = Level {
                scale: range / 255.0,
                minimum: low,
            };
            let mut rest = values;
            for run in runs.iter().map(run) {
                let (part, later) = rest.split_at_mut(run.len());
                write(run, low, inverse, part);
                rest = later;
            }
        }
    }
}

/// The range of no values.
const EMPTY: [f32; 2] = [f32::INFINITY, f32::NEG_INFINITY];

/// The least and greatest of a range and values. Comparisons are those of the vector instructions.
#[inline(always)]
fn widen([low, high]: [f32; 2], values: &[f32]) -> [f32; 2] {
    let (whole, rest) = values.as_chunks::<LANES>();
    let (mut lows, mut highs) = ([low; LANES], [high; LANES]);
    for values in whole {
        for ((value, low), high) in values.iter().zip(&mut lows).zip(&mut highs) {
            *low = if value < low { *value } else { *low };
            *high = if value > high { *value } else { *high };
        }
    }
    let low = lows
        .iter()
        .chain(rest)
        .fold(low, |a, &b| if b < a { b } else { a });
    let high = highs
        .iter()
        .chain(rest)
        .fold(high, |a, &b| if b > a { b } else { a });
    [low, high]
}

/// `q = round((x − low) · inverse)`, which lies in 0…255 for finite ranges.
#[inline(always)]
fn write(values: &[f32], low: f32, inverse: f32, out: &mut [u8]) {
    for (value, out) in values.iter().zip(out) {
        *out = ((value - low) * inverse + ROUNDING).to_bits() as u8;
    }
}

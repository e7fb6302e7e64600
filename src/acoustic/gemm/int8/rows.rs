//! Rows of A in 8-bit integers, each over its own range.

use super::super::Rows;
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

    /// Plain Rust, compiled again with the features of each kernel: the results are the same. Loops
    /// stand here for closures, which would not be compiled with those features.
    #[inline(always)]
    pub(super) fn quantise(&mut self, rows: Rows<'_>, runs: &[(usize, usize)]) {
        let stride = self.stride();
        let levels = self.levels.iter_mut();
        for (r, (values, level)) in self.values.chunks_exact_mut(stride).zip(levels).enumerate() {
            let row = &rows.data[r * rows.stride..];
            let mut limits = Limits::EMPTY;
            for &(start, length) in runs {
                limits.widen(&row[start..][..length]);
            }
            let [low, high] = limits.ends();
            let range = high - low;
            let inverse = if range > 0.0 { 255.0 / range } else { 0.0 };
            *level = Level { scale: range / 255.0, minimum: low };
            let mut at = 0;
            for &(start, length) in runs {
                write(&row[start..][..length], [low, inverse], &mut values[at..][..length]);
                at += length;
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

/// `q = round((x − low) · inverse)`, which lies in 0…255 for finite ranges.
#[inline(always)]
fn write(values: &[f32], [low, inverse]: [f32; 2], out: &mut [u8]) {
    for (value, out) in values.iter().zip(out) {
        *out = ((value - low) * inverse + ROUNDING).to_bits() as u8;
    }
}

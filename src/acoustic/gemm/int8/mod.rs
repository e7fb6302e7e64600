//! Products in 8-bit integers: four multiplications where 32-bit floats do one.
//!
//! Weights are quantised when they are packed, symmetrically and channel by channel: `w ≈ scale ·
//! q`, q in −127…127. Rows of A are quantised when they are used, each over its own range: `x ≈
//! minimum + scale · q`, q in 0…255 ([`QuantisedRows`]); nothing has to be calibrated, and a row
//! comes out the same wherever a sequence is cut. Then
//! `Σ x·w ≈ scale_x · scale_w · Σ q_x·q_w + minimum · scale_w · Σ q_w`,
//! whose first sum of products is exact in 32-bit integers and whose second does not depend on A
//! (Jacob et al. 2018, "Quantization and training of neural networks for efficient
//! integer-arithmetic-only inference").
//!
//! The sum is what `vpdpbusd` of AVX-512 VNNI and AVX-VNNI adds up, four products a lane. Every
//! kernel gives the same bits, since all steps outside the integers are rounded one by one in the
//! same order. On processors without such an instruction floats are faster: see
//! [`DotKernel::fastest`].

mod rows;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod simd;

use bytemuck::{Pod, Zeroable};

pub use rows::QuantisedRows;
use rows::{Level, ROUNDING};

use super::driver::{self, Output, Tile};
use super::{Cells, Finish, Target};

/// Products that one instruction adds up in a lane: depths are padded to a multiple.
const GROUP: usize = 4;

/// The deepest product whose sum cannot leave 32 bits: 255 · 127 · depth < 2³¹.
pub const MAX_DEPTH: usize = i32::MAX as usize / (255 * 127);

/// Which micro-kernel multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DotKernel {
    /// Plain Rust, any processor.
    Portable,
    /// 256-bit vectors (AVX-VNNI).
    AvxVnni,
    /// 512-bit vectors (AVX-512 VNNI).
    Avx512Vnni,
}

impl DotKernel {
    /// The fastest kernel with a dot product of this processor, if it has one.
    pub fn fastest() -> Option<DotKernel> {
        let fastest = Self::available().pop();
        fastest.filter(|kernel| *kernel != DotKernel::Portable)
    }

    /// All kernels this processor runs, slowest first.
    pub fn available() -> Vec<DotKernel> {
        let mut kernels = vec![DotKernel::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("avxvnni")
            {
                kernels.push(DotKernel::AvxVnni);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                kernels.push(DotKernel::Avx512Vnni);
            }
        }
        kernels
    }

    /// Columns of this kernel's tile: the width of a panel of packed weights.
    fn columns(self) -> usize {
        match self {
            DotKernel::Portable => scalar::COLUMNS,
            #[cfg(target_arch = "x86_64")]
            DotKernel::AvxVnni => simd::avx_vnni::COLUMNS,
            #[cfg(target_arch = "x86_64")]
            DotKernel::Avx512Vnni => simd::avx512_vnni::COLUMNS,
            #[cfg(not(target_arch = "x86_64"))]
            _ => scalar::COLUMNS,
        }
    }
}

/// A cache line of weights: gives panels the alignment of the widest vector.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([i8; 64]);

/// What a tile multiplies.
#[derive(Clone, Copy)]
struct Operands<'a> {
    /// A, from the tile's first row on.
    rows: &'a [u8],
    /// Distance between rows of A.
    stride: usize,
    /// What the rows' numbers mean.
    levels: &'a [Level],
    /// One panel of B: depth / [`GROUP`] × columns of the tile × [`GROUP`].
    panel: &'a [i8],
    /// The scale of each column's weights.
    scales: &'a [f32],
    /// The sum of each column's weights, scaled.
    sums: &'a [f32],
}

/// A weight matrix (depth × columns) of 8-bit integers in the layout of one kernel.
#[derive(Clone)]
pub struct QuantisedMatrix {
    kernel: DotKernel,
    depth: usize,
    columns: usize,
    panels: Vec<Line>,
    /// Padded to whole tiles.
    scales: Vec<f32>,
    sums: Vec<f32>,
}

impl QuantisedMatrix {
    /// Quantises and packs the transpose of row-major weights: element (k, column) of B is
    /// `weights[column · depth + k]`.
    ///
    /// # Panics
    /// This processor does not run `kernel`, the depth is 0 or above [`MAX_DEPTH`], or the weights
    /// are not columns of that depth.
    pub fn from_transposed(kernel: DotKernel, weights: &[f32], depth: usize) -> QuantisedMatrix {
        assert!(DotKernel::available().contains(&kernel), "the processor runs {kernel:?}");
        assert!((1..=MAX_DEPTH).contains(&depth), "a depth of {depth}");
        assert!(weights.len().is_multiple_of(depth), "whole columns");
        let (width, columns) = (kernel.columns(), weights.len() / depth);
        let (groups, padded) = (depth.div_ceil(GROUP), columns.next_multiple_of(width));
        let mut panels = vec![Line([0; 64]); (groups * padded * GROUP).div_ceil(64)];
        let packed: &mut [i8] = bytemuck::cast_slice_mut(&mut panels);
        let (mut scales, mut sums) = (vec![0.0; padded], vec![0.0; padded]);
        // The last group may be deeper than the column: what is beyond stays 0.
        let mut quantised = vec![0i8; groups * GROUP];
        for (column, weights) in weights.chunks_exact(depth).enumerate() {
            scales[column] = quantise_column(weights, &mut quantised[..depth]);
            let sum: i32 = quantised.iter().map(|&value| i32::from(value)).sum();
            sums[column] = scales[column] * sum as f32;
            let panel = column / width * groups * width * GROUP;
            let places = packed[panel..].chunks_exact_mut(GROUP).skip(column % width);
            for (place, group) in places.step_by(width).zip(quantised.chunks_exact(GROUP)) {
                place.copy_from_slice(group);
            }
        }
        QuantisedMatrix { kernel, depth, columns, panels, scales, sums }
    }

    /// Rows of B: the length of a row of A.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns of B and of C.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Quantises rows that are made of cells of a sequence, for products with this matrix: `count`
    /// groups of rows as `cells` has them, the first from the first cell of `data` on, each
    /// `stride` cells after the one before.
    ///
    /// # Panics
    /// `data` ends within a row.
    pub fn quantise(
        &self,
        cells: &Cells,
        data: &[f32],
        (count, stride): (usize, usize),
        to: &mut QuantisedRows,
    ) {
        to.fill(self.kernel, cells, data, (count, stride));
    }

    /// Multiplies and then finishes: `out` is row-major, the rows × [`QuantisedMatrix::columns`].
    ///
    /// # Panics
    /// The rows have another depth, or `out`, the activation or the bypass has another size.
    pub fn multiply(&self, rows: &QuantisedRows, out: &mut [f32], finish: Option<Finish<'_>>) {
        assert_eq!(rows.depth(), self.depth, "A is as deep as B");
        assert_eq!(out.len(), rows.count() * self.columns, "C has a row for each row of A");
        let to = Output { out, columns: self.columns, target: Target::Overwrite, finish };
        match self.kernel {
            DotKernel::Portable => self.with::<scalar::Portable>(rows, to),
            #[cfg(target_arch = "x86_64")]
            DotKernel::AvxVnni => self.with::<simd::avx_vnni::AvxVnni>(rows, to),
            #[cfg(target_arch = "x86_64")]
            DotKernel::Avx512Vnni => self.with::<simd::avx512_vnni::Avx512Vnni>(rows, to),
            #[cfg(not(target_arch = "x86_64"))]
            _ => self.with::<scalar::Portable>(rows, to),
        }
    }

    fn with<T>(&self, rows: &QuantisedRows, to: Output<'_>)
    where
        T: for<'a> Tile<Operands<'a> = Operands<'a>>,
    {
        let packed: &[i8] = bytemuck::cast_slice(&self.panels);
        let (stride, width) = (rows.stride(), T::COLUMNS);
        let operands = |row: usize, at: usize| Operands {
            rows: &rows.values()[row * stride..],
            stride,
            levels: &rows.levels()[row..],
            panel: &packed[at * stride * width..][..stride * width],
            scales: &self.scales[at * width..][..width],
            sums: &self.sums[at * width..][..width],
        };
        driver::multiply::<T>(operands, to);
    }
}

/// Quantises the weights of a column and returns their scale.
fn quantise_column(weights: &[f32], quantised: &mut [i8]) -> f32 {
    let largest = weights.iter().fold(0.0f32, |most, w| most.max(w.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    for (quantised, weight) in quantised.iter_mut().zip(weights) {
        let steps = (weight * inverse).clamp(-127.0, 127.0);
        *quantised = (steps + ROUNDING).to_bits() as i8;
    }
    scale
}

#[cfg(test)]
mod tests;

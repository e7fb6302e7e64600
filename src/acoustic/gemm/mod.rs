//! `C = A · B` for the layers: B is a weight matrix packed once, A is a window that slides over a
//! sequence.
//!
//! The rows of A may overlap (row stride smaller than the depth): a convolution over contiguous
//! offsets is then one product over the sequence as it lies in memory, with no copy of the windows
//! (im2col). A is never packed: the micro-kernels broadcast its elements from a few row streams,
//! while each element of B serves a whole row block.
//!
//! B is stored in panels of as many columns as the kernel's tile has, depth-major within a panel
//! (Goto and van de Geijn 2008). The micro-kernel is chosen once, when the weights are packed:
//! AVX-512, AVX2 with FMA, or the portable twin. Within one kernel the sum of a row is taken in the
//! same order wherever the row lies in A, so results do not depend on how a sequence is cut into
//! blocks.

mod cells;
mod driver;
mod finish;
pub mod int8;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod simd;

use bytemuck::{Pod, Zeroable};

pub use cells::Cells;
use driver::{Output, Tile};
pub use finish::{Activation, Bypass, Finish, Steps};

/// Which micro-kernel multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Plain Rust, any processor.
    Portable,
    /// 256-bit vectors with fused multiply–add (x86-64-v3).
    Avx2,
    /// 512-bit vectors (x86-64-v4).
    Avx512,
}

impl Kernel {
    /// The fastest kernel this processor runs.
    pub fn detect() -> Kernel {
        *Self::available().last().expect("the portable kernel is always available")
    }

    /// All kernels this processor runs, slowest first.
    pub fn available() -> Vec<Kernel> {
        let mut kernels = vec![Kernel::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kernels.push(Kernel::Avx2);
            }
            if is_x86_feature_detected!("avx512f") {
                kernels.push(Kernel::Avx512);
            }
        }
        kernels
    }

    /// Columns of this kernel's tile: the width of a panel of packed weights.
    fn columns(self) -> usize {
        match self {
            Kernel::Portable => scalar::COLUMNS,
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => simd::avx2::COLUMNS,
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => simd::avx512::COLUMNS,
            #[cfg(not(target_arch = "x86_64"))]
            _ => scalar::COLUMNS,
        }
    }
}

/// A cache line of weights: gives panels the alignment of the widest vector.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// Rows of A: row `r` is `data[r · stride..][..depth]`; rows may overlap.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The sequence.
    pub data: &'a [f32],
    /// Distance between the starts of consecutive rows.
    pub stride: usize,
    /// Number of rows.
    pub count: usize,
}

/// What a tile multiplies.
#[derive(Clone, Copy)]
struct Operands<'a> {
    /// A, from the tile's first row on.
    rows: &'a [f32],
    /// Distance between rows of A.
    stride: usize,
    /// One panel of B: depth × columns of the tile.
    panel: &'a [f32],
}

/// What happens to the previous contents of C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// C = A · B.
    Overwrite,
    /// C += A · B.
    Add,
}

/// A weight matrix (depth × columns) in the layout of one kernel.
#[derive(Clone)]
pub struct PackedMatrix {
    kernel: Kernel,
    depth: usize,
    columns: usize,
    panels: Vec<Line>,
}

impl PackedMatrix {
    /// Packs the transpose of row-major weights: element (k, column) of B is `weights[column ·
    /// stride + k]`.
    ///
    /// # Panics
    /// This processor does not run `kernel`, or the weights are shorter than `columns` rows of
    /// `depth` elements, `stride` apart.
    pub fn from_transposed(
        kernel: Kernel,
        weights: &[f32],
        stride: usize,
        (depth, columns): (usize, usize),
    ) -> PackedMatrix {
        assert!(Kernel::available().contains(&kernel), "the processor runs {kernel:?}");
        let width = kernel.columns();
        let panel = depth * width;
        let length = columns.div_ceil(width) * panel;
        let mut panels = vec![Line([0.0; 16]); length.div_ceil(16)];
        let packed: &mut [f32] = bytemuck::cast_slice_mut(&mut panels);
        for column in 0..columns {
            let start = column / width * panel + column % width;
            let row = &weights[column * stride..][..depth];
            for (k, &weight) in row.iter().enumerate() {
                packed[start + k * width] = weight;
            }
        }
        PackedMatrix { kernel, depth, columns, panels }
    }

    /// Rows of B: the length of a row of A.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns of B and of C.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Multiplies and then finishes, where there is something to: `out` is row-major,
    /// `rows.count` × [`PackedMatrix::columns`].
    ///
    /// # Panics
    /// `rows.data` ends within the last row, or `out`, the activation or the bypass has another
    /// size.
    pub fn multiply(
        &self,
        rows: Rows<'_>,
        out: &mut [f32],
        target: Target,
        finish: Option<Finish<'_>>,
    ) {
        assert_eq!(out.len(), rows.count * self.columns, "C has a row for each row of A");
        let to = Output { out, columns: self.columns, target, finish };
        match self.kernel {
            Kernel::Portable => self.with::<scalar::Portable>(rows, to),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => self.with::<simd::avx2::Avx2>(rows, to),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => self.with::<simd::avx512::Avx512>(rows, to),
            #[cfg(not(target_arch = "x86_64"))]
            _ => self.with::<scalar::Portable>(rows, to),
        }
    }

    #[inline]
    fn with<T>(&self, rows: Rows<'_>, to: Output<'_>)
    where
        T: for<'a> Tile<Operands<'a> = Operands<'a>>,
    {
        let panel = self.depth * T::COLUMNS;
        let operands = |row: usize, at: usize| Operands {
            rows: &rows.data[row * rows.stride..],
            stride: rows.stride,
            panel: &self.packed()[at * panel..][..panel],
        };
        driver::multiply::<T>(operands, to);
    }

    fn packed(&self) -> &[f32] {
        bytemuck::cast_slice(&self.panels)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn random(seed: u64, length: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..length).map(|_| rng.random_range(-1.0..1.0)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Every kernel equals the textbook triple loop, with overlapping rows and both targets.
        #[test]
        fn kernels_equal_the_triple_loop(
            count in 0usize..40, depth in 1usize..70, columns in 1usize..80,
            stride in 1usize..60, add in any::<bool>(), seed in any::<u64>(),
        ) {
            let data = random(seed, count.saturating_sub(1) * stride + depth);
            let weights = random(seed ^ 1, columns * depth);
            let before = random(seed ^ 2, count * columns);
            let target = if add { Target::Add } else { Target::Overwrite };
            for kernel in Kernel::available() {
                let packed = PackedMatrix::from_transposed(kernel, &weights, depth, (depth, columns));
                let mut out = before.clone();
                packed.multiply(Rows { data: &data, stride, count }, &mut out, target, None);
                for r in 0..count {
                    for c in 0..columns {
                        let dot: f64 = (0..depth)
                            .map(|k| f64::from(data[r * stride + k]) * f64::from(weights[c * depth + k]))
                            .sum();
                        let want = dot + if add { f64::from(before[r * columns + c]) } else { 0.0 };
                        let got = f64::from(out[r * columns + c]);
                        prop_assert!((got - want).abs() < 1e-4, "{kernel:?} {r} {c}: {got} {want}");
                    }
                }
            }
        }
    }
}

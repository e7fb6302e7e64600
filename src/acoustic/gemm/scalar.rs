//! The portable micro-kernel, the twin the vector kernels are tested against.
//!
//! Written over arrays of fixed size so that the compiler keeps the tile in whatever vector
//! registers the target has.

use super::Target;
use super::driver::{Operands, Tile};

/// Columns of the tile.
pub(super) const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// Plain Rust.
pub(super) struct Portable;

impl Tile for Portable {
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;

    fn multiply(
        count: usize,
        operands: Operands<'_>,
        out: &mut [f32],
        out_stride: usize,
        target: Target,
    ) {
        match count {
            1 => tile::<1>(operands, out, out_stride, target),
            2 => tile::<2>(operands, out, out_stride, target),
            3 => tile::<3>(operands, out, out_stride, target),
            4 => tile::<4>(operands, out, out_stride, target),
            _ => unreachable!("the driver asks for 1 to {ROWS} rows"),
        }
    }
}

fn tile<const R: usize>(
    Operands {
        rows,
        stride,
        panel,
    }: Operands<'_>,
    out: &mut [f32],
    out_stride: usize,
    target: Target,
) {
    let (panel, _) = panel.as_chunks::<COLUMNS>();
    let a: [&[f32]; R] = std::array::from_fn(|r| &rows[r * stride..][..panel.len()]);
    let mut sums = [[0.0f32; COLUMNS]; R];
    for (k, weights) in panel.iter().enumerate() {
        for (row, sum) in a.iter().zip(&mut sums) {
            for (weight, sum) in weights.iter().zip(sum) {
                *sum += row[k] * weight;
            }
        }
    }
    for (r, sum) in sums.iter().enumerate() {
        for (new, old) in sum.iter().zip(&mut out[r * out_stride..][..COLUMNS]) {
            *old = if target == Target::Add {
                *old + new
            } else {
                *new
            };
        }
    }
}

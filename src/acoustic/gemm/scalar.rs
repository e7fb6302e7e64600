//! The portable micro-kernel, the twin the vector kernels are tested against.
//!
//! Written over arrays of fixed size so that the compiler keeps the tile in whatever vector
//! registers the target has.

use super::Operands;
use super::driver::Tile;
use super::finish::Destination;

/// Columns of the tile.
pub(super) const COLUMNS: usize = 8;
const ROWS: usize = 4;

/// Plain Rust.
pub(super) struct Portable;

impl Tile for Portable {
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    type Operands<'a> = Operands<'a>;

    fn multiply(count: usize, operands: &Operands<'_>, to: &mut Destination<'_>) {
        match count {
            1 => tile::<1>(operands, to),
            2 => tile::<2>(operands, to),
            3 => tile::<3>(operands, to),
            4 => tile::<4>(operands, to),
            _ => unreachable!("the driver asks for 1 to {ROWS} rows"),
        }
    }
}

fn tile<const R: usize>(
    &Operands { rows, stride, panel }: &Operands<'_>,
    to: &mut Destination<'_>,
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
        to.store(r, sum);
    }
}

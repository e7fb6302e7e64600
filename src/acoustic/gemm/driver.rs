//! The loops around the micro-kernels: over panels of weights, then over blocks of rows.
//!
//! Panels are outermost, so each panel is fetched from main memory or the last-level cache once per
//! call and stays in the second level while all rows pass over it; a call with a hundred rows thus
//! reads the weights once for a hundred frames.

use super::{PackedMatrix, Rows, Target};

/// The most elements a tile has: 14 × 32 of AVX-512.
const MAX_TILE: usize = 14 * 32;

/// What a tile multiplies.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a> {
    /// A, from the tile's first row on.
    pub(super) rows: &'a [f32],
    /// Distance between rows of A.
    pub(super) stride: usize,
    /// One panel of B: depth × columns of the tile.
    pub(super) panel: &'a [f32],
}

/// A micro-kernel: a tile of C, held in registers over the whole depth.
pub(super) trait Tile {
    /// Rows of a full tile.
    const ROWS: usize;
    /// Columns of every tile.
    const COLUMNS: usize;

    /// Multiplies `count` (1 to `ROWS`) rows with a panel into `out`, whose rows are `out_stride`
    /// apart and have `COLUMNS` elements each.
    ///
    /// # Panics
    /// A row of A or C reaches beyond its slice.
    fn multiply(
        count: usize,
        operands: Operands<'_>,
        out: &mut [f32],
        out_stride: usize,
        target: Target,
    );
}

/// `out = rows · matrix` or `out += rows · matrix` with the micro-kernel `T`.
pub(super) fn multiply<T: Tile>(
    matrix: &PackedMatrix,
    rows: Rows<'_>,
    out: &mut [f32],
    target: Target,
) {
    let (depth, columns) = (matrix.depth, matrix.columns);
    assert_eq!(
        out.len(),
        rows.count * columns,
        "C has a row for each row of A"
    );
    let panels = matrix.packed().chunks_exact(depth * T::COLUMNS);
    for (first, panel) in (0..columns).step_by(T::COLUMNS).zip(panels) {
        let width = T::COLUMNS.min(columns - first);
        for row in (0..rows.count).step_by(T::ROWS) {
            let count = T::ROWS.min(rows.count - row);
            let a = &rows.data[row * rows.stride..];
            let operands = Operands {
                rows: a,
                stride: rows.stride,
                panel,
            };
            let tile = &mut out[row * columns + first..];
            if width == T::COLUMNS {
                T::multiply(count, operands, tile, columns, target);
            } else {
                narrow::<T>(count, operands, tile, (columns, width), target);
            }
        }
    }
}

/// The last panel of a matrix whose columns do not fill it: through a full tile on the stack.
#[inline(never)]
fn narrow<T: Tile>(
    count: usize,
    operands: Operands<'_>,
    out: &mut [f32],
    (columns, width): (usize, usize),
    target: Target,
) {
    let mut tile = [0.0; MAX_TILE];
    T::multiply(
        count,
        operands,
        &mut tile[..count * T::COLUMNS],
        T::COLUMNS,
        Target::Overwrite,
    );
    for (full, row) in tile
        .chunks_exact(T::COLUMNS)
        .zip(out.chunks_mut(columns))
        .take(count)
    {
        for (new, old) in full.iter().zip(&mut row[..width]) {
            *old = if target == Target::Add {
                *old + new
            } else {
                *new
            };
        }
    }
}

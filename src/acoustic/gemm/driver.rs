//! The loops around the micro-kernels: over panels of weights, then over blocks of rows.
//!
//! Panels are outermost, so each panel is fetched from main memory or the last-level cache once per
//! call and stays in the second level while all rows pass over it; a call with a hundred rows thus
//! reads the weights once for a hundred frames.

use super::Target;
use super::finish::{Destination, Finish, TileBypass, TileFinish};

/// The most elements a tile has: 14 × 32 of AVX-512.
const MAX_TILE: usize = 14 * 32;

/// A micro-kernel: a tile of C, held in registers over the whole depth.
pub(super) trait Tile {
    /// Rows of a full tile.
    const ROWS: usize;
    /// Columns of every tile.
    const COLUMNS: usize;
    /// What a tile multiplies: rows of A and a panel of B.
    type Operands<'a>;

    /// Multiplies `count` (1 to `ROWS`) rows with a panel into rows of `COLUMNS` elements each.
    ///
    /// Both structures are passed by reference: a copy, made with vector instructions right after
    /// its fields were stored one by one, would wait for all earlier stores.
    ///
    /// # Panics
    /// A row of A or C reaches beyond its slice.
    fn multiply(count: usize, operands: &Self::Operands<'_>, to: &mut Destination<'_>);
}

/// C, and what becomes of it.
pub(super) struct Output<'a> {
    /// Row-major.
    pub(super) out: &'a mut [f32],
    pub(super) columns: usize,
    pub(super) target: Target,
    pub(super) finish: Option<Finish<'a>>,
}

/// Fills C with tiles of the micro-kernel `T`. `operands` returns the operands of a tile, given its
/// first row and its panel.
///
/// ```text
/// for each panel of columns:                  (1)
///     for each block of rows:
///         C[block, panel] = A[block] · B[panel], finished while it is in registers   (2)
/// ```
///
/// 1. Panels are the outer loop, so each is read from memory once for all rows.
/// 2. Bias, ReLU, normalisation and bypass are applied by the micro-kernel before it stores. The
///    last panel may be narrower than a tile; it is computed in a full tile on the stack and
///    copied.
pub(super) fn multiply<'a, T: Tile>(
    operands: impl Fn(usize, usize) -> T::Operands<'a>,
    to: Output<'_>,
) {
    let Output { out, columns, target, finish } = to;
    let rows = out.len() / columns;
    for (panel, first) in (0..columns).step_by(T::COLUMNS).enumerate() {
        let width = T::COLUMNS.min(columns - first);
        for row in (0..rows).step_by(T::ROWS) {
            let count = T::ROWS.min(rows - row);
            let operands = operands(row, panel);
            let mut tile = Destination {
                out: &mut out[row * columns + first..],
                stride: columns,
                target,
                finish: finish.map(|finish| finish.tile((row, first), columns)),
            };
            if width == T::COLUMNS {
                T::multiply(count, &operands, &mut tile);
            } else {
                narrow::<T>((count, width), &operands, &mut tile);
            }
        }
    }
}

/// The last panel of a matrix whose columns do not fill it: through a full tile on the stack.
#[inline(never)]
fn narrow<T: Tile>(
    (count, width): (usize, usize),
    operands: &T::Operands<'_>,
    to: &mut Destination<'_>,
) {
    let mut tile = [0.0; MAX_TILE];
    let mut added = [0.0; MAX_TILE];
    if to.target == Target::Add {
        copy_rows(to.out, to.stride, (&mut tile, T::COLUMNS), (count, width));
    }
    let bypass = to.finish.and_then(|finish| finish.bypass);
    if let Some(TileBypass { rows, stride, .. }) = bypass {
        copy_rows(rows, stride, (&mut added, T::COLUMNS), (count, width));
    }
    let bypass = bypass.map(|bypass| TileBypass { rows: &added, stride: T::COLUMNS, ..bypass });
    let mut full = Destination {
        out: &mut tile,
        stride: T::COLUMNS,
        target: to.target,
        finish: to.finish.map(|finish| TileFinish { bypass, ..finish }),
    };
    T::multiply(count, operands, &mut full);
    copy_rows(&tile, T::COLUMNS, (to.out, to.stride), (count, width));
}

/// Copies `count` rows of `width` elements between matrices of different strides.
fn copy_rows(
    from: &[f32],
    from_stride: usize,
    (to, to_stride): (&mut [f32], usize),
    (count, width): (usize, usize),
) {
    let rows = from.chunks(from_stride).zip(to.chunks_mut(to_stride));
    for (from, to) in rows.take(count) {
        to[..width].copy_from_slice(&from[..width]);
    }
}

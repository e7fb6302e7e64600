//! The portable micro-kernel, the twin the vector kernels are tested against bit for bit.

use super::super::driver::Tile;
use super::super::finish::Destination;
use super::{GROUP, Operands};

/// Columns of the tile.
pub(super) const COLUMNS: usize = 8;

/// Plain Rust.
pub(super) struct Portable;

impl Tile for Portable {
    const ROWS: usize = 1;
    const COLUMNS: usize = COLUMNS;
    type Operands<'a> = Operands<'a>;

    fn multiply(_count: usize, operands: &Operands<'_>, to: &mut Destination<'_>) {
        let (panel, _) = operands.panel.as_chunks::<GROUP>();
        let (row, _) = operands.rows[..operands.stride].as_chunks::<GROUP>();
        let mut dots = [0i32; COLUMNS];
        for (a, weights) in row.iter().zip(panel.chunks_exact(COLUMNS)) {
            for (dot, weights) in dots.iter_mut().zip(weights) {
                let products = a.iter().zip(weights);
                *dot += products.map(|(&a, &w)| i32::from(a) * i32::from(w)).sum::<i32>();
            }
        }
        let level = operands.levels[0];
        let values: [f32; COLUMNS] = std::array::from_fn(|column| {
            let (scale, sum) = (operands.scales[column], operands.sums[column]);
            dots[column] as f32 * scale * level.scale + level.minimum * sum
        });
        to.store(0, &values);
    }
}

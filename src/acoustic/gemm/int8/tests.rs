//! The kernels of every instruction set against the scalar one, bit for bit.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Activation, Bypass, Finish, Steps};
use super::*;

fn random(seed: u64, length: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..length).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A product over cells of a sequence, then all steps.
struct Case {
    /// Groups of rows, and cells from one to the next.
    groups: (usize, usize),
    cells: Cells,
    places: Vec<Option<u32>>,
    columns: usize,
    seed: u64,
}

impl Case {
    /// Rows of any cells among the first of a group, or of zeros.
    fn of(shape: Shape, columns: usize, seed: u64) -> Case {
        let Shape { groups, width, per_row, rows, reach } = shape;
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 6);
        let mut place = || Some(rng.random_range(0..=reach)).filter(|place| *place < reach);
        let places: Vec<_> = (0..rows * per_row).map(|_| place()).collect();
        Case { groups, cells: Cells::new(width, per_row, &places), places, columns, seed }
    }

    fn depth(&self) -> usize {
        self.cells.depth()
    }

    /// Rows of A.
    fn count(&self) -> usize {
        self.groups.0 * self.cells.rows_of_group()
    }

    fn data(&self) -> Vec<f32> {
        let reach = self.places.iter().flatten().max().map_or(0, |last| *last as usize + 1);
        random(self.seed, (self.groups.0 * self.groups.1 + reach) * self.cells.width)
    }

    fn weights(&self) -> Vec<f32> {
        random(self.seed ^ 1, self.columns * self.depth())
    }

    /// What a kernel makes of it, with or without the steps after the product.
    fn product(&self, kernel: DotKernel, finished: bool) -> Vec<f32> {
        let (count, columns) = (self.count(), self.columns);
        let [bias, scale, shift] = [2, 3, 4].map(|salt| random(self.seed ^ salt, columns));
        let bypass = random(self.seed ^ 5, count * columns);
        let steps = Steps { bias: Some(&bias), relu: true, norm: Some([&scale, &shift]) };
        let activation = Activation::new(columns, steps);
        let finish = Finish {
            activation: &activation,
            bias: None,
            bypass: Some(Bypass { rows: &bypass, factor: 0.66 }),
        };
        let matrix = QuantisedMatrix::from_transposed(kernel, &self.weights(), self.depth());
        let mut rows = QuantisedRows::default();
        matrix.quantise(&self.cells, &self.data(), self.groups, &mut rows);
        let mut out = vec![f32::NAN; count * columns];
        matrix.multiply(&rows, &mut out, finished.then_some(finish));
        out
    }

    /// The rows of A.
    fn rows(&self, data: &[f32]) -> Vec<Vec<f32>> {
        let Cells { width, per_row, .. } = &self.cells;
        let value = |group: usize, place: &Option<u32>| match place {
            Some(place) => {
                data[(group * self.groups.1 + *place as usize) * width..][..*width].to_vec()
            }
            None => vec![0.0; *width],
        };
        let groups = 0..self.groups.0;
        let rows = groups.flat_map(|group| {
            self.places
                .chunks(*per_row)
                .map(move |places| places.iter().flat_map(|place| value(group, place)).collect())
        });
        rows.collect()
    }
}

/// What a case's rows are like.
#[derive(Clone, Copy, Debug)]
struct Shape {
    groups: (usize, usize),
    width: usize,
    per_row: usize,
    rows: usize,
    reach: u32,
}

/// Single values in a cell as often as several.
fn shapes() -> impl Strategy<Value = Shape> {
    let width = prop_oneof![Just(1usize), 1usize..70];
    ((0usize..20, 0usize..4), width, 1usize..4, 1usize..5, 1u32..6).prop_map(
        |(groups, width, per_row, rows, reach)| Shape { groups, width, per_row, rows, reach },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The vector kernels give the bits of the portable one.
    #[test]
    fn kernels_are_the_same_bit_for_bit(
        shape in shapes(), columns in 1usize..80, seed in any::<u64>(),
    ) {
        let case = Case::of(shape, columns, seed);
        for finished in [false, true] {
            let want = case.product(DotKernel::Portable, finished);
            for kernel in DotKernel::available() {
                let got = case.product(kernel, finished);
                prop_assert!(want.iter().zip(&got).all(|(a, b)| a.to_bits() == b.to_bits()), "{kernel:?}");
            }
        }
    }

    /// A product differs from the exact one by no more than rounding to 8 bits explains: half a
    /// step of the row for each weight, half a step of the column for each number.
    #[test]
    fn a_product_is_within_half_a_step(
        shape in shapes(), columns in 1usize..20, seed in any::<u64>(),
    ) {
        let case = Case::of(shape, columns, seed);
        let (data, weights) = (case.data(), case.weights());
        let got = case.product(DotKernel::Portable, false);
        for (row, got) in case.rows(&data).iter().zip(got.chunks_exact(columns)) {
            let range = row.iter().fold(f32::MIN, |a, b| a.max(*b)) - row.iter().fold(f32::MAX, |a, b| a.min(*b));
            for (got, weights) in got.iter().zip(weights.chunks_exact(case.depth())) {
                let want: f32 = row.iter().zip(weights).map(|(x, w)| x * w).sum();
                let largest = weights.iter().fold(0.0f32, |most, w| most.max(w.abs()));
                let of_row: f32 = weights.iter().map(|w| w.abs() * range / 510.0).sum();
                let of_column: f32 = row.iter().map(|x| (x.abs() + range / 510.0) * largest / 254.0).sum();
                prop_assert!((got - want).abs() <= 1.01 * (of_row + of_column) + 1e-5);
            }
        }
    }
}

#[test]
fn constant_rows_and_zero_weights_are_exact() {
    for kernel in DotKernel::available() {
        let matrix = QuantisedMatrix::from_transposed(kernel, &[0.5, 0.5, 0.5, 0.0, 0.0, 0.0], 3);
        let mut rows = QuantisedRows::default();
        matrix.quantise(&Cells::rows(3), &[-7.0; 3], (1, 1), &mut rows);
        let mut out = [f32::NAN; 2];
        matrix.multiply(&rows, &mut out, None);
        assert!((out[0] + 10.5).abs() < 1e-5, "{kernel:?}: {out:?}");
        assert_eq!(out[1], 0.0);
    }
}

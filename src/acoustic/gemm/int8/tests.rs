//! The kernels of every instruction set against the scalar one, bit for bit.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::{Activation, Bypass, Finish, Rows, Steps};
use super::*;

fn random(seed: u64, length: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..length).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A product over two runs of a sequence, then all steps.
struct Case {
    rows: (usize, usize),
    runs: Vec<(usize, usize)>,
    columns: usize,
    seed: u64,
}

impl Case {
    fn depth(&self) -> usize {
        self.runs.iter().map(|(_, length)| length).sum()
    }

    fn data(&self) -> Vec<f32> {
        let reach = self.runs.iter().map(|(start, length)| start + length);
        let (count, stride) = self.rows;
        random(self.seed, count * stride + reach.max().unwrap_or(0))
    }

    fn weights(&self) -> Vec<f32> {
        random(self.seed ^ 1, self.columns * self.depth())
    }

    /// What a kernel makes of it, with or without the steps after the product.
    fn product(&self, kernel: DotKernel, finished: bool) -> Vec<f32> {
        let ((count, stride), columns) = (self.rows, self.columns);
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
        let (data, mut rows) = (self.data(), QuantisedRows::default());
        let unquantised = Rows { data: &data, stride, count };
        matrix.quantise(unquantised, &self.runs, &mut rows);
        let mut out = vec![f32::NAN; count * columns];
        matrix.multiply(&rows, &mut out, finished.then_some(finish));
        out
    }

    /// Row `r` of A.
    fn row(&self, data: &[f32], r: usize) -> Vec<f32> {
        let runs = self.runs.iter();
        let run = |&(start, length): &(usize, usize)| &data[start + r * self.rows.1..][..length];
        runs.flat_map(run).copied().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The vector kernels give the bits of the portable one.
    #[test]
    fn kernels_are_the_same_bit_for_bit(
        rows in (0usize..40, 1usize..60), first in 1usize..40, second in 0usize..40,
        gap in 0usize..10, columns in 1usize..80, seed in any::<u64>(),
    ) {
        let runs = vec![(0, first), (first + gap, second)];
        let case = Case { rows, runs, columns, seed };
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
        rows in (1usize..5, 1usize..60), depth in 1usize..90, columns in 1usize..20, seed in any::<u64>(),
    ) {
        let case = Case { rows, runs: vec![(0, depth)], columns, seed };
        let (data, weights) = (case.data(), case.weights());
        let got = case.product(DotKernel::Portable, false);
        for (r, got) in got.chunks_exact(columns).enumerate() {
            let row = case.row(&data, r);
            let range = row.iter().fold(f32::MIN, |a, b| a.max(*b)) - row.iter().fold(f32::MAX, |a, b| a.min(*b));
            for (got, weights) in got.iter().zip(weights.chunks_exact(depth)) {
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
        let data = Rows { data: &[-7.0; 3], stride: 3, count: 1 };
        matrix.quantise(data, &[(0, 3)], &mut rows);
        let mut out = [f32::NAN; 2];
        matrix.multiply(&rows, &mut out, None);
        assert!((out[0] + 10.5).abs() < 1e-5, "{kernel:?}: {out:?}");
        assert_eq!(out[1], 0.0);
    }
}

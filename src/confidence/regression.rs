//! Linear predictors with a ridge, fitted by Newton's method: `η = b + w·z`, where `z` are the
//! inputs less their mean, over their deviation. [`Logistic`](super::logistic::Logistic) and
//! [`Poisson`](super::poisson::Poisson) say what is predicted by `η`.
//!
//! McCullagh and Nelder, "Generalized Linear Models", 2nd edition, 2.5.

use serde::{Deserialize, Serialize};

/// Steps of Newton's method; it converges in about ten.
const STEPS: usize = 100;

/// How a target is distributed, given `η`.
pub(super) struct Moments {
    /// What `η` times the target is less the logarithm of its likelihood, up to a constant; its
    /// derivative by `η` is the mean, and that of the mean the variance.
    pub cumulant: f64,
    pub mean: f64,
    pub variance: f64,
}

/// A fitted predictor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Mean of each input.
    pub mean: Vec<f64>,
    /// Deviation of each input; 1 where it never varies.
    pub deviation: Vec<f64>,
    /// Weight of each input.
    pub weights: Vec<f64>,
    /// The constant term.
    pub bias: f64,
}

impl Linear {
    /// A predictor without weights that knows the inputs' means and deviations.
    pub(super) fn standardised(rows: &[Vec<f64>], bias: f64) -> Linear {
        let inputs = rows.first().map_or(0, Vec::len);
        let count = rows.len().max(1) as f64;
        let mean = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>() / count;
        let means: Vec<f64> = (0..inputs).map(mean).collect();
        let deviation = |at: usize| {
            let squares = rows.iter().map(|row| (row[at] - means[at]).powi(2));
            let deviation = (squares.sum::<f64>() / count).sqrt();
            if deviation > 1e-12 { deviation } else { 1.0 }
        };
        Linear {
            deviation: (0..inputs).map(deviation).collect(),
            weights: vec![0.0; inputs],
            bias,
            mean: means,
        }
    }

    /// Moves weights and bias to where the penalised likelihood of `targets` is highest; `ridge` /
    /// 2 times the sum of squared weights is subtracted from its logarithm. `moments` says how the
    /// target of a row is distributed, by its number and `η`; the link is the canonical one.
    pub(super) fn fit(
        &mut self,
        rows: &[Vec<f64>],
        targets: &[f64],
        moments: impl Fn(usize, f64) -> Moments,
        ridge: f64,
    ) {
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| self.standard(row)).collect();
        let mut likelihood = self.likelihood(&rows, targets, &moments, ridge);
        for _ in 0..STEPS {
            let step = self.newton_step(&rows, targets, &moments, ridge);
            let change = step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
            // Far from the optimum a full step may overshoot.
            let mut share = (2.0 / change.max(2.0)).min(1.0);
            let from = self.clone();
            loop {
                self.go(&from, &step, share);
                let now = self.likelihood(&rows, targets, &moments, ridge);
                // At the optimum nothing is left to gain but rounding errors.
                if now >= likelihood - 1e-9 * likelihood.abs() || share < 1e-6 {
                    likelihood = now;
                    break;
                }
                share /= 2.0;
            }
            if change < 1e-10 {
                break;
            }
        }
    }

    /// Takes a share of a step from another predictor.
    fn go(&mut self, from: &Linear, step: &[f64], share: f64) {
        for ((weight, old), step) in self.weights.iter_mut().zip(&from.weights).zip(step) {
            *weight = old + share * step;
        }
        self.bias = from.bias + share * step[step.len() - 1];
    }

    /// The logarithm of the penalised likelihood, up to a constant.
    fn likelihood(
        &self,
        rows: &[Vec<f64>],
        targets: &[f64],
        moments: impl Fn(usize, f64) -> Moments,
        ridge: f64,
    ) -> f64 {
        let fit = rows.iter().zip(targets).enumerate().map(|(number, (row, target))| {
            let eta = self.of_standard(row);
            target * eta - moments(number, eta).cumulant
        });
        fit.sum::<f64>() - ridge / 2.0 * self.weights.iter().map(|w| w * w).sum::<f64>()
    }

    pub(super) fn standard(&self, row: &[f64]) -> Vec<f64> {
        let moments = self.mean.iter().zip(&self.deviation);
        let inputs = row.iter().zip(moments);
        inputs.map(|(x, (mean, deviation))| (x - mean) / deviation).collect()
    }

    /// `η` of a row of inputs.
    pub(super) fn predict(&self, row: &[f64]) -> f64 {
        self.of_standard(&self.standard(row))
    }

    /// Whether it takes so many inputs and is made of numbers that a fit can give.
    pub(super) fn is_sound(&self, inputs: usize) -> bool {
        let vectors = [&self.mean, &self.deviation, &self.weights];
        let numbers = vectors.iter().flat_map(|vector| vector.iter());
        vectors.iter().all(|vector| vector.len() == inputs)
            && numbers.chain([&self.bias]).all(|number| number.is_finite())
            && self.deviation.iter().all(|&deviation| deviation > 0.0)
    }

    fn of_standard(&self, row: &[f64]) -> f64 {
        let sum: f64 = row.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
        self.bias + sum
    }

    /// The step that solves `H·step = gradient`; the bias is the last.
    fn newton_step(
        &self,
        rows: &[Vec<f64>],
        targets: &[f64],
        moments: impl Fn(usize, f64) -> Moments,
        ridge: f64,
    ) -> Vec<f64> {
        let size = self.weights.len() + 1;
        let mut gradient: Vec<f64> = self.weights.iter().map(|w| -ridge * w).collect();
        gradient.push(0.0);
        let mut hessian = vec![vec![0.0; size]; size];
        (0..size - 1).for_each(|at| hessian[at][at] = ridge);
        hessian[size - 1][size - 1] = 1e-9;
        for (number, (row, &target)) in rows.iter().zip(targets).enumerate() {
            let Moments { mean, variance, .. } = moments(number, self.of_standard(row));
            let with_bias = |at: usize| row.get(at).copied().unwrap_or(1.0);
            let (error, weight) = (target - mean, variance.max(1e-12));
            for i in 0..size {
                gradient[i] += error * with_bias(i);
                let row = hessian[i][..=i].iter_mut().enumerate();
                row.for_each(|(j, h)| *h += weight * with_bias(i) * with_bias(j));
            }
        }
        solve(hessian, gradient)
    }
}

/// Solves `A·x = b` for a positive definite `A`, given by its lower triangle (Cholesky's method).
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let size = b.len();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            a[i][j] = if i == j {
                (a[i][i] - known).max(1e-300).sqrt()
            } else {
                (a[i][j] - known) / a[j][j]
            };
        }
        let known: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    b
}

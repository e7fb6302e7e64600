//! Logistic regression with a ridge, by Newton's method: `p = 1 / (1 + e^−(b + w·z))`, where `z`
//! are the inputs less their mean, over their deviation.
//!
//! Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition, 4.4.1.

use serde::{Deserialize, Serialize};

/// Steps of Newton's method; it converges in fewer than ten.
const STEPS: usize = 40;

/// A fitted model.
///
/// ```
/// use paretone::confidence::logistic::Logistic;
///
/// let rows: Vec<Vec<f64>> = (0..20).map(|at| vec![f64::from(at)]).collect();
/// let labels: Vec<bool> = (0..20).map(|at| at >= 10).collect();
/// let model = Logistic::fit(&rows, &labels, 0.1);
/// assert!(model.probability(&[19.0]) > 0.9 && model.probability(&[0.0]) < 0.1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logistic {
    /// Mean of each input.
    pub mean: Vec<f64>,
    /// Deviation of each input; 1 where it never varies.
    pub deviation: Vec<f64>,
    /// Weight of each input.
    pub weights: Vec<f64>,
    /// The constant term.
    pub bias: f64,
}

impl Logistic {
    /// Fits the model: maximises the log likelihood of `labels` given `rows`, all of one length,
    /// minus `ridge` / 2 times the sum of squared weights. If all labels are equal, the model
    /// returns their share after adding one example of each kind.
    pub fn fit(rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> Logistic {
        let inputs = rows.first().map_or(0, Vec::len);
        let mut model = Logistic::standardised(rows, inputs);
        let hits = labels.iter().filter(|&&label| label).count() as f64;
        let odds = (hits + 1.0) / (labels.len() as f64 - hits + 1.0);
        model.bias = odds.ln();
        if hits == 0.0 || hits == labels.len() as f64 {
            return model;
        }
        let rows: Vec<Vec<f64>> = rows.iter().map(|row| model.standard(row)).collect();
        for _ in 0..STEPS {
            let step = model.newton_step(&rows, labels, ridge);
            let change = step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
            // Far from the optimum a full step may overshoot.
            let damping = (2.0 / change.max(2.0)).min(1.0);
            for (weight, step) in model.weights.iter_mut().zip(&step) {
                *weight += damping * step;
            }
            model.bias += damping * step[inputs];
            if change < 1e-10 {
                break;
            }
        }
        model
    }

    /// A model without weights that knows the inputs' means and deviations.
    fn standardised(rows: &[Vec<f64>], inputs: usize) -> Logistic {
        let count = rows.len().max(1) as f64;
        let mean = |at: usize| rows.iter().map(|row| row[at]).sum::<f64>() / count;
        let means: Vec<f64> = (0..inputs).map(mean).collect();
        let deviation = |at: usize| {
            let squares = rows.iter().map(|row| (row[at] - means[at]).powi(2));
            let deviation = (squares.sum::<f64>() / count).sqrt();
            if deviation > 1e-12 { deviation } else { 1.0 }
        };
        Logistic {
            deviation: (0..inputs).map(deviation).collect(),
            weights: vec![0.0; inputs],
            bias: 0.0,
            mean: means,
        }
    }

    fn standard(&self, row: &[f64]) -> Vec<f64> {
        let moments = self.mean.iter().zip(&self.deviation);
        let inputs = row.iter().zip(moments);
        inputs
            .map(|(x, (mean, deviation))| (x - mean) / deviation)
            .collect()
    }

    /// The step that solves `H·step = gradient`; the bias is the last.
    fn newton_step(&self, rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> Vec<f64> {
        let size = self.weights.len() + 1;
        let mut gradient: Vec<f64> = self.weights.iter().map(|w| -ridge * w).collect();
        gradient.push(0.0);
        let mut hessian = vec![vec![0.0; size]; size];
        (0..size - 1).for_each(|at| hessian[at][at] = ridge);
        hessian[size - 1][size - 1] = 1e-9;
        for (row, &label) in rows.iter().zip(labels) {
            let p = self.of_standard(row);
            let with_bias = |at: usize| row.get(at).copied().unwrap_or(1.0);
            let (error, weight) = (f64::from(u8::from(label)) - p, (p * (1.0 - p)).max(1e-12));
            for i in 0..size {
                gradient[i] += error * with_bias(i);
                let row = hessian[i][..=i].iter_mut().enumerate();
                row.for_each(|(j, h)| *h += weight * with_bias(i) * with_bias(j));
            }
        }
        solve(hessian, gradient)
    }

    fn of_standard(&self, row: &[f64]) -> f64 {
        let sum: f64 = row.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
        1.0 / (1.0 + (-(self.bias + sum)).exp())
    }

    /// The probability for a row of inputs; in [0, 1], never NaN for finite inputs.
    pub fn probability(&self, row: &[f64]) -> f64 {
        self.of_standard(&self.standard(row))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What defines the optimum.
    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        let rows: Vec<Vec<f64>> = (0..60)
            .map(|i| vec![f64::from(i % 7), f64::from(i * i % 11), 3.0])
            .collect();
        let labels: Vec<bool> = (0..60)
            .map(|i| (i % 7) * 2 + i * i % 11 + i % 3 > 11)
            .collect();
        let ridge = 0.7;
        let model = Logistic::fit(&rows, &labels, ridge);
        let mut gradient = vec![0.0; 4];
        for (row, &label) in rows.iter().zip(&labels) {
            let error = f64::from(u8::from(label)) - model.probability(row);
            let standard = model.standard(row);
            standard
                .iter()
                .zip(&mut gradient)
                .for_each(|(x, g)| *g += error * x);
            gradient[3] += error;
        }
        for (g, w) in gradient.iter().zip(&model.weights) {
            assert!((g - ridge * w).abs() < 1e-7, "{gradient:?}");
        }
        assert!(gradient[3].abs() < 1e-7);
        assert_eq!(
            model.weights[2], 0.0,
            "an input that never varies says nothing"
        );
    }

    #[test]
    fn separable_and_constant_labels_stay_finite() {
        let rows: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i)]).collect();
        let apart: Vec<bool> = (0..20).map(|i| i >= 10).collect();
        let model = Logistic::fit(&rows, &apart, 0.1);
        assert!(model.probability(&[0.0]) < 0.1 && model.probability(&[19.0]) > 0.9);
        let never = Logistic::fit(&rows, &[false; 20], 0.1);
        assert!((never.probability(&[5.0]) - 1.0 / 22.0).abs() < 1e-12);
        assert_eq!(Logistic::fit(&[], &[], 1.0).probability(&[]), 0.5);
    }
}

//! Logistic regression with a ridge: `p = 1 / (1 + e^−η)`.
//!
//! Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition, 4.4.1.

use serde::{Deserialize, Serialize};

use super::regression::{Linear, Moments};

/// A fitted model of a probability.
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
#[serde(transparent)]
pub struct Logistic(pub(super) Linear);

impl Logistic {
    /// Fits the model: maximises the log likelihood of `labels` given `rows`, all of one length,
    /// minus `ridge` / 2 times the sum of squared weights. If all labels are equal, the model
    /// returns their share after adding one example of each kind.
    pub fn fit(rows: &[Vec<f64>], labels: &[bool], ridge: f64) -> Logistic {
        let hits = labels.iter().filter(|&&label| label).count() as f64;
        let odds = (hits + 1.0) / (labels.len() as f64 - hits + 1.0);
        let mut linear = Linear::standardised(rows, odds.ln());
        if hits > 0.0 && hits < labels.len() as f64 {
            let targets: Vec<f64> =
                labels.iter().map(|&label| f64::from(u8::from(label))).collect();
            let moments = |_, eta| {
                let mean = probability(eta);
                let cumulant = eta.max(0.0) + (-eta.abs()).exp().ln_1p();
                Moments { cumulant, mean, variance: mean * (1.0 - mean) }
            };
            linear.fit(rows, &targets, moments, ridge);
        }
        Logistic(linear)
    }

    /// The probability for a row of inputs; in [0, 1], never NaN for finite inputs.
    pub fn probability(&self, row: &[f64]) -> f64 {
        probability(self.0.predict(row))
    }
}

fn probability(eta: f64) -> f64 {
    1.0 / (1.0 + (-eta).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gradient of the likelihood by each weight and the bias, without the ridge's part. At the
    /// optimum it is the ridge times the weight, and nothing for the bias.
    fn gradient(model: &Logistic, rows: &[Vec<f64>], labels: &[bool]) -> Vec<f64> {
        let mut gradient = vec![0.0; model.0.weights.len() + 1];
        for (row, &label) in rows.iter().zip(labels) {
            let error = f64::from(u8::from(label)) - model.probability(row);
            let inputs = model.0.standard(row).into_iter().chain([1.0]);
            inputs.zip(&mut gradient).for_each(|(x, g)| *g += error * x);
        }
        gradient
    }

    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        let rows: Vec<Vec<f64>> =
            (0..60).map(|i| vec![f64::from(i % 7), f64::from(i * i % 11), 3.0]).collect();
        let labels: Vec<bool> = (0..60).map(|i| (i % 7) * 2 + i * i % 11 + i % 3 > 11).collect();
        let ridge = 0.7;
        let model = Logistic::fit(&rows, &labels, ridge);
        let gradient = gradient(&model, &rows, &labels);
        for (g, w) in gradient.iter().zip(&model.0.weights) {
            assert!((g - ridge * w).abs() < 1e-7, "{gradient:?}");
        }
        assert!(gradient[3].abs() < 1e-7);
        assert_eq!(model.0.weights[2], 0.0, "an input that never varies says nothing");
    }

    /// Full steps of Newton's method run away here: 40 of them leave a gradient of 7.
    #[test]
    fn heavy_tails_do_not_keep_it_from_the_optimum() {
        let input = |i: i32| {
            let odds = if i % 9 == 0 { f64::from(i * 11 % 23) / 2.3 - 5.0 } else { 13.8 };
            let rare = if i % 11 == 5 { 100.0 } else { f64::from(i % 4) / 4.0 };
            vec![odds, rare, rare * odds]
        };
        let label = |i: i32| match i % 11 == 5 {
            true => i % 2 == 1,
            false => i * i % 11 > 2 || i % 9 != 0,
        };
        let rows: Vec<Vec<f64>> = (0..40).map(input).collect();
        let labels: Vec<bool> = (0..40).map(label).collect();
        let model = Logistic::fit(&rows, &labels, 1.0);
        let gradient = gradient(&model, &rows, &labels);
        for (g, w) in gradient.iter().zip(&model.0.weights) {
            assert!((g - w).abs() < 1e-5, "{gradient:?} {:?}", model.0.weights);
        }
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

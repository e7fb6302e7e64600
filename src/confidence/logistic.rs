//! Logistic regression with a ridge: `p = 1 / (1 + e^−η)`.
//!
//! Hastie, Tibshirani and Friedman, "The Elements of Statistical Learning", 2nd edition, 4.4.1.

use serde::{Deserialize, Serialize};

use super::regression::{Linear, Moments, Rows};

/// A fitted model of a probability.
///
/// ```
/// use paretone::confidence::logistic::Logistic;
/// use paretone::confidence::regression::Rows;
///
/// let inputs: Vec<Vec<f64>> = (0..20).map(|at| vec![f64::from(at)]).collect();
/// let rows = Rows::even(&inputs);
/// let labels: Vec<bool> = (0..20).map(|at| at >= 10).collect();
/// let model = Logistic::fit(rows, &labels, 0, 0.1);
/// assert!(model.probability(&[19.0]) > 0.9 && model.probability(&[0.0]) < 0.1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Logistic(pub(super) Linear);

impl Logistic {
    /// Fits the model: maximises the log likelihood of `labels` given `rows`, minus `ridge` / 2
    /// times the sum of squared weights. Each input has so many `knots`. If all labels are equal,
    /// the model returns their share after adding one example of each kind.
    pub fn fit(rows: Rows<'_>, labels: &[bool], knots: usize, ridge: f64) -> Logistic {
        Logistic(Linear::standardised(rows, knots)).refit(rows, labels, ridge)
    }

    /// As [`Logistic::fit`], with this model's knots, and weights that are drawn to this model's in
    /// place of 0.
    pub fn refit(&self, rows: Rows<'_>, labels: &[bool], ridge: f64) -> Logistic {
        let mut linear = self.0.clone();
        let targets: Vec<f64> = labels.iter().map(|&label| f64::from(u8::from(label))).collect();
        let (hits, all) = (rows.sum(targets.iter().copied()), rows.total());
        linear.bias = ((hits + 1.0) / (all - hits + 1.0)).ln();
        if labels.iter().all(|&label| label == labels[0]) {
            linear.weights.fill(0.0);
            return Logistic(linear);
        }
        let moments = |_, eta| {
            let mean = probability(eta);
            let cumulant = eta.max(0.0) + (-eta.abs()).exp().ln_1p();
            Moments { cumulant, mean, variance: mean * (1.0 - mean) }
        };
        linear.fit(rows, &targets, moments, ridge);
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
    fn gradient(model: &Logistic, rows: Rows<'_>, labels: &[bool]) -> Vec<f64> {
        let mut gradient = vec![0.0; model.0.weights.len() + 1];
        for (row, &label) in rows.inputs.iter().zip(labels) {
            let error = f64::from(u8::from(label)) - model.probability(row);
            let inputs = model.0.terms(row).into_iter().chain([1.0]);
            inputs.zip(&mut gradient).for_each(|(x, g)| *g += error * x);
        }
        gradient
    }

    #[test]
    fn the_gradient_vanishes_at_the_fit() {
        let row = |i: i32| vec![f64::from(i % 7), f64::from(i * i % 11), 3.0];
        let inputs: Vec<Vec<f64>> = (0..60).map(row).collect();
        let rows = Rows::even(&inputs);
        let labels: Vec<bool> = (0..60).map(|i| (i % 7) * 2 + i * i % 11 + i % 3 > 11).collect();
        let ridge = 0.7;
        let model = Logistic::fit(rows, &labels, 2, ridge);
        let gradient = gradient(&model, rows, &labels);
        for (g, w) in gradient.iter().zip(&model.0.weights) {
            assert!((g - ridge * w).abs() < 1e-7, "{gradient:?}");
        }
        assert!(gradient.last().unwrap().abs() < 1e-7);
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
        let inputs: Vec<Vec<f64>> = (0..40).map(input).collect();
        let rows = Rows::even(&inputs);
        let labels: Vec<bool> = (0..40).map(label).collect();
        let model = Logistic::fit(rows, &labels, 0, 1.0);
        let gradient = gradient(&model, rows, &labels);
        for (g, w) in gradient.iter().zip(&model.0.weights) {
            assert!((g - w).abs() < 1e-5, "{gradient:?} {:?}", model.0.weights);
        }
    }

    #[test]
    fn separable_and_constant_labels_stay_finite() {
        let inputs: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i)]).collect();
        let rows = Rows::even(&inputs);
        let apart: Vec<bool> = (0..20).map(|i| i >= 10).collect();
        let model = Logistic::fit(rows, &apart, 1, 0.1);
        assert!(model.probability(&[0.0]) < 0.1 && model.probability(&[19.0]) > 0.9);
        let never = Logistic::fit(rows, &[false; 20], 0, 0.1);
        assert!((never.probability(&[5.0]) - 1.0 / 22.0).abs() < 1e-12);
        assert_eq!(Logistic::fit(Rows::even(&[]), &[], 2, 1.0).probability(&[]), 0.5);
    }

    /// A probability that rises and falls again is no straight line's.
    #[test]
    fn knots_let_the_line_bend() {
        let inputs: Vec<Vec<f64>> = (0..90).map(|i| vec![f64::from(i)]).collect();
        let rows = Rows::even(&inputs);
        let labels: Vec<bool> = (0..90).map(|i| (30..60).contains(&i) || i % 10 == 0).collect();
        let at = |knots, x| Logistic::fit(rows, &labels, knots, 0.1).probability(&[x]);
        assert!(at(2, 45.0) > 0.7 && at(2, 5.0) < 0.3 && at(2, 85.0) < 0.3);
        assert!((at(0, 45.0) - at(0, 5.0)).abs() < 0.1);
    }

    #[test]
    fn a_row_that_counts_twice_is_two_rows() {
        let labels = [true, false, true, false, false];
        let inputs: Vec<Vec<f64>> = [0.0, 1.0, 3.0, 2.0, 5.0].map(|x| vec![x]).to_vec();
        let rows = Rows::weighted(&inputs, &[1.0, 1.0, 2.0, 1.0, 1.0]);
        let inputs_twice = [inputs.as_slice(), &[vec![3.0]]].concat();
        let labels_twice = [labels.as_slice(), &[true]].concat();
        let a = Logistic::fit(rows, &labels, 0, 1.0);
        let b = Logistic::fit(Rows::even(&inputs_twice), &labels_twice, 0, 1.0);
        assert!((a.probability(&[4.0]) - b.probability(&[4.0])).abs() < 1e-9);
    }

    /// With a strong ridge a second fit keeps the weights and moves the constant alone.
    #[test]
    fn a_second_fit_stays_near_the_first() {
        let inputs: Vec<Vec<f64>> = (0..60).map(|i| vec![f64::from(i % 20)]).collect();
        let rows = Rows::even(&inputs);
        let labels: Vec<bool> = (0..60).map(|i| i % 20 > 9 || i % 7 == 0).collect();
        let first = Logistic::fit(rows, &labels, 1, 1.0);
        let fewer: Vec<bool> = (0..60).map(|i| i % 20 > 14 || i % 11 == 0).collect();
        let near = first.refit(rows, &fewer, 1e6);
        let moved = near.0.weights.iter().zip(&first.0.weights).map(|(a, b)| (a - b).abs());
        assert!(moved.fold(0.0, f64::max) < 1e-3 && near.0.bias < first.0.bias - 0.3);
        let same = first.refit(rows, &[false; 60], 1.0);
        assert!((same.probability(&[19.0]) - 1.0 / 62.0).abs() < 1e-12);
    }
}

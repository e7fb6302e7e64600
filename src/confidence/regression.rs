//! Linear predictors with a ridge, fitted by Newton's method: `η = b + w·t`, where the terms `t`
//! are the inputs less their mean, over their deviation, `z`, and `max(z − k, 0)` for each of their
//! knots `k`, which lets the line bend there. [`Logistic`](super::logistic::Logistic) and
//! [`Poisson`](super::poisson::Poisson) say what is predicted by `η`.
//!
//! McCullagh and Nelder, "Generalized Linear Models", 2nd edition, 2.5; Hastie, Tibshirani and
//! Friedman, "The Elements of Statistical Learning", 2nd edition, 5.2 (linear splines).

use serde::{Deserialize, Serialize};

/// Steps of Newton's method; it converges in about ten.
const STEPS: usize = 100;
/// Least deviation of an input that varies.
const LEAST_DEVIATION: f64 = 1e-12;
/// Largest number, whatever its sign, in a predictor; no fit gives more, and what is made of it and
/// of inputs as large stays finite.
const LARGEST: f64 = 1e12;

/// How a target is distributed, given `η`.
pub(super) struct Moments {
    /// What `η` times the target is less the logarithm of its likelihood, up to a constant; its
    /// derivative by `η` is the mean, and that of the mean the variance.
    pub cumulant: f64,
    pub mean: f64,
    pub variance: f64,
}

/// What a predictor is fitted to: rows of inputs, all of one length, and how much each counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows<'a> {
    pub(super) inputs: &'a [Vec<f64>],
    /// As many as there are rows; `None` where all count 1.
    weights: Option<&'a [f64]>,
}

impl<'a> Rows<'a> {
    /// Rows that all count the same.
    pub fn even(inputs: &'a [Vec<f64>]) -> Rows<'a> {
        Rows { inputs, weights: None }
    }

    /// Rows with as many weights.
    pub(super) fn weighted(inputs: &'a [Vec<f64>], weights: &'a [f64]) -> Rows<'a> {
        Rows { inputs, weights: Some(weights) }
    }

    fn weight(&self, number: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[number])
    }

    /// The sum of a quantity over the rows, by how much they count.
    pub(super) fn sum(&self, of: impl IntoIterator<Item = f64>) -> f64 {
        of.into_iter().enumerate().map(|(number, value)| self.weight(number) * value).sum()
    }

    /// The sum of how much they count.
    pub(super) fn total(&self) -> f64 {
        self.sum(self.inputs.iter().map(|_| 1.0))
    }

    /// The mean of each input and its deviation, 1 where it never varies.
    fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let all = self.total().max(f64::MIN_POSITIVE);
        let moments = |at: usize| {
            let mean = self.sum(self.inputs.iter().map(|row| row[at])) / all;
            let squares = self.inputs.iter().map(|row| (row[at] - mean).powi(2));
            let deviation = (self.sum(squares) / all).sqrt();
            (mean, if deviation > LEAST_DEVIATION { deviation } else { 1.0 })
        };
        (0..self.inputs.first().map_or(0, Vec::len)).map(moments).unzip()
    }
}

/// A fitted predictor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// Mean of each input.
    pub mean: Vec<f64>,
    /// Deviation of each input; 1 where it never varies.
    pub deviation: Vec<f64>,
    /// Knots of each input, in deviations from its mean; none at all for straight lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knots: Vec<Vec<f64>>,
    /// Weight of each term: the inputs, then the first one's knots, the second one's, and so on.
    pub weights: Vec<f64>,
    /// The constant term.
    pub bias: f64,
}

impl Linear {
    /// A predictor without weights that knows the inputs' means and deviations, and has so many
    /// knots for each input, with as many rows between them.
    pub(super) fn standardised(rows: Rows<'_>, knots: usize) -> Linear {
        let (mean, deviation) = rows.moments();
        let mut linear = Linear { mean, deviation, ..Linear::default() };
        if knots > 0 {
            let standard: Vec<Vec<f64>> =
                rows.inputs.iter().map(|row| linear.standard(row).collect()).collect();
            let of_input = |at: usize| {
                let mut values: Vec<f64> = standard.iter().map(|row| row[at]).collect();
                values.sort_unstable_by(f64::total_cmp);
                (1..=knots).map(|knot| values[values.len() * knot / (knots + 1)]).collect()
            };
            linear.knots = (0..linear.mean.len()).map(of_input).collect();
        }
        linear.weights = vec![0.0; linear.mean.len() * (1 + knots)];
        linear
    }

    /// Moves weights and bias to where the penalised likelihood of `targets` is highest; `ridge` /
    /// 2 times the sum of squares by which the weights differ from those at the outset is
    /// subtracted from its logarithm. `moments` says how the target of a row is distributed, by its
    /// number and `η`; the link is the canonical one.
    pub(super) fn fit(
        &mut self,
        rows: Rows<'_>,
        targets: &[f64],
        moments: impl Fn(usize, f64) -> Moments,
        ridge: f64,
    ) {
        let terms: Vec<Vec<f64>> = rows.inputs.iter().map(|row| self.terms(row)).collect();
        let rows = Rows { inputs: &terms, ..rows };
        let ridge = Ridge { weight: ridge, centre: self.weights.clone() };
        let mut likelihood = self.likelihood(rows, targets, &moments, &ridge);
        for _ in 0..STEPS {
            let step = self.newton_step(rows, targets, &moments, &ridge);
            let change = step.iter().fold(0.0f64, |most, s| most.max(s.abs()));
            // Far from the optimum a full step may overshoot.
            let mut share = (2.0 / change.max(2.0)).min(1.0);
            let from = self.clone();
            loop {
                self.go(&from, &step, share);
                let now = self.likelihood(rows, targets, &moments, &ridge);
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
        rows: Rows<'_>,
        targets: &[f64],
        moments: impl Fn(usize, f64) -> Moments,
        ridge: &Ridge,
    ) -> f64 {
        let fit = rows.inputs.iter().zip(targets).enumerate().map(|(number, (terms, target))| {
            let eta = self.of_terms(terms);
            target * eta - moments(number, eta).cumulant
        });
        let squares = ridge.away(&self.weights).map(|away| away * away);
        rows.sum(fit) - ridge.weight / 2.0 * squares.sum::<f64>()
    }

    fn standard(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        let moments = self.mean.iter().zip(&self.deviation);
        row.iter().zip(moments).map(|(x, (mean, deviation))| (x - mean) / deviation)
    }

    /// The terms that a row of inputs makes.
    pub(super) fn terms(&self, row: &[f64]) -> Vec<f64> {
        let mut terms: Vec<f64> = self.standard(row).collect();
        for (input, knots) in self.knots.iter().enumerate() {
            let z = terms[input];
            terms.extend(knots.iter().map(|knot| (z - knot).max(0.0)));
        }
        terms
    }

    /// `η` of a row of inputs.
    pub(super) fn predict(&self, row: &[f64]) -> f64 {
        self.of_terms(&self.terms(row))
    }

    /// Whether it takes so many inputs and is made of numbers that a fit can give.
    pub(super) fn is_sound(&self, inputs: usize) -> bool {
        let knots = self.knots.iter().flatten();
        let terms = inputs + knots.clone().count();
        let numbers = [&self.mean, &self.deviation, &self.weights].into_iter().flatten();
        [self.mean.len(), self.deviation.len()] == [inputs; 2]
            && [0, inputs].contains(&self.knots.len())
            && self.weights.len() == terms
            && numbers.chain(knots).chain([&self.bias]).all(|number| number.abs() <= LARGEST)
            && self.deviation.iter().all(|&deviation| deviation > LEAST_DEVIATION)
    }

    fn of_terms(&self, terms: &[f64]) -> f64 {
        let sum: f64 = terms.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
        self.bias + sum
    }

    /// The step that solves `H·step = gradient`; the bias is the last.
    fn newton_step(
        &self,
        rows: Rows<'_>,
        targets: &[f64],
        moments: impl Fn(usize, f64) -> Moments,
        ridge: &Ridge,
    ) -> Vec<f64> {
        let size = self.weights.len() + 1;
        let away = ridge.away(&self.weights);
        let mut gradient: Vec<f64> = away.map(|away| -ridge.weight * away).collect();
        gradient.push(0.0);
        let mut hessian = vec![vec![0.0; size]; size];
        (0..size - 1).for_each(|at| hessian[at][at] = ridge.weight);
        hessian[size - 1][size - 1] = 1e-9;
        for (number, (terms, &target)) in rows.inputs.iter().zip(targets).enumerate() {
            let Moments { mean, variance, .. } = moments(number, self.of_terms(terms));
            let with_bias = |at: usize| terms.get(at).copied().unwrap_or(1.0);
            let counts = rows.weight(number);
            let (error, weight) = (counts * (target - mean), counts * variance.max(1e-12));
            for i in 0..size {
                gradient[i] += error * with_bias(i);
                let row = hessian[i][..=i].iter_mut().enumerate();
                row.for_each(|(j, h)| *h += weight * with_bias(i) * with_bias(j));
            }
        }
        solve(hessian, gradient)
    }
}

/// What draws weights to where they began.
struct Ridge {
    weight: f64,
    centre: Vec<f64>,
}

impl Ridge {
    /// How far each weight is from where it began.
    fn away<'a>(&'a self, weights: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        weights.iter().zip(&self.centre).map(|(weight, centre)| weight - centre)
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

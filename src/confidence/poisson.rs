//! Poisson regression with a ridge: counts whose mean is `exposure · e^η`.
//!
//! McCullagh and Nelder, "Generalized Linear Models", 2nd edition, 6.2. Over the examples that it
//! was fitted to, each by how much it counts, what it expects adds up to what there was.

use serde::{Deserialize, Serialize};

use super::regression::{Linear, Moments, Rows};

/// Largest `η`; more would be a rate that no speech has, from inputs that none had before.
const MOST: f64 = 4.0;

/// A fitted model of a rate.
///
/// ```
/// use paretone::confidence::poisson::Poisson;
/// use paretone::confidence::regression::Rows;
///
/// let inputs: Vec<Vec<f64>> = (0..40).map(|at| vec![f64::from(at % 2)]).collect();
/// let rows = Rows::even(&inputs);
/// let counts: Vec<f64> = (0..40).map(|at| if at % 2 == 0 { 1.0 } else { 4.0 }).collect();
/// let model = Poisson::fit(rows, &counts, &[10.0; 40], 0, 0.01);
/// assert!((model.rate(&[0.0]) - 0.1).abs() < 0.01 && (model.rate(&[1.0]) - 0.4).abs() < 0.01);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Poisson(pub(super) Linear);

impl Poisson {
    /// Fits the model: maximises the log likelihood of `counts` given `rows` and the exposure of
    /// each (how much there was to count in, above 0), minus `ridge` / 2 times the sum of squared
    /// weights. Each input has so many `knots`. Without any count, the model returns the rate after
    /// adding one.
    pub fn fit(
        rows: Rows<'_>,
        counts: &[f64],
        exposure: &[f64],
        knots: usize,
        ridge: f64,
    ) -> Poisson {
        Poisson(Linear::standardised(rows, knots)).refit(rows, counts, exposure, ridge)
    }

    /// As [`Poisson::fit`], with this model's knots, and weights that are drawn to this model's in
    /// place of 0.
    pub fn refit(&self, rows: Rows<'_>, counts: &[f64], exposure: &[f64], ridge: f64) -> Poisson {
        let mut linear = self.0.clone();
        let all = rows.sum(counts.iter().copied());
        let much = rows.sum(exposure.iter().copied()).max(f64::MIN_POSITIVE);
        if all == 0.0 {
            linear.bias = (1.0 / much).ln();
            linear.weights.fill(0.0);
            return Poisson(linear);
        }
        linear.bias = (all / much).ln();
        let moments = |at: usize, eta: f64| {
            let mean = exposure[at] * eta.min(MOST).exp();
            Moments { cumulant: mean * (1.0 + (eta - MOST).max(0.0)), mean, variance: mean }
        };
        linear.fit(rows, counts, moments, ridge);
        Poisson(linear)
    }

    /// The expected count per unit of exposure; at least 0, never NaN for finite inputs.
    pub fn rate(&self, row: &[f64]) -> f64 {
        self.0.predict(row).min(MOST).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_adds_up_to_what_there_was() {
        let row = |i: i32| vec![f64::from(i % 7), f64::from(i * i % 11)];
        let inputs: Vec<Vec<f64>> = (0..200).map(row).collect();
        let rows = Rows::even(&inputs);
        let exposure: Vec<f64> = (0..200).map(|i| f64::from(50 + i % 90)).collect();
        let counts: Vec<f64> = (0..200).map(|i| f64::from((i % 7) * (i % 3) / 4)).collect();
        let model = Poisson::fit(rows, &counts, &exposure, 1, 1.0);
        let each = rows.inputs.iter().zip(&exposure);
        let expected: f64 = each.map(|(row, exposure)| exposure * model.rate(row)).sum();
        assert!((expected - counts.iter().sum::<f64>()).abs() < 1e-6, "{expected}");
        assert!(model.rate(&[6.0, 3.0]) > 2.0 * model.rate(&[1.0, 3.0]));
    }

    #[test]
    fn nothing_to_count_and_wild_inputs_stay_finite() {
        let inputs: Vec<Vec<f64>> = (0..20).map(|i| vec![f64::from(i)]).collect();
        let rows = Rows::even(&inputs);
        let never = Poisson::fit(rows, &[0.0; 20], &[5.0; 20], 0, 1.0);
        assert!((never.rate(&[3.0]) - 0.01).abs() < 1e-12);
        let counts: Vec<f64> = (0..20).map(f64::from).collect();
        let model = Poisson::fit(rows, &counts, &[5.0; 20], 1, 1.0);
        assert!(model.rate(&[1e9]).is_finite() && model.rate(&[-1e9]) >= 0.0);
        assert!(Poisson::fit(Rows::even(&[]), &[], &[], 2, 1.0).rate(&[]).is_finite());
    }
}

//! What older networks do between the ReLU's place and batch normalisation: sigmoids, hyperbolic
//! tangents, and rows brought to a root mean square. They run over the finished product; what
//! follows them then does too.

use serde::{Deserialize, Serialize};

/// Below this mean square a row counts as silent, as in Kaldi (2⁻⁶⁶).
const LEAST_SQUARE: f32 = 1.355_252_7e-20;

/// A step over an output row, after the bias and the ReLU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowStep {
    /// 1 / (1 + e⁻ˣ), value by value.
    Sigmoid,
    /// The hyperbolic tangent, value by value.
    Tanh,
    /// Each block of so many values is multiplied so that its root mean square is `rms`.
    Normalise {
        /// Values of a block; divides the row.
        block: usize,
        /// The root mean square, above zero.
        rms: f32,
    },
}

impl RowStep {
    /// Applies the step to rows, one after the other.
    pub(super) fn apply(&self, rows: &mut [f32]) {
        match self {
            RowStep::Sigmoid => rows.iter_mut().for_each(|x| *x = 1.0 / (1.0 + (-*x).exp())),
            RowStep::Tanh => rows.iter_mut().for_each(|x| *x = x.tanh()),
            RowStep::Normalise { block, rms } => {
                for part in rows.chunks_exact_mut(*block) {
                    let square = part.iter().map(|x| x * x).sum::<f32>() / *block as f32;
                    let factor = rms / square.max(LEAST_SQUARE * rms * rms).sqrt();
                    part.iter_mut().for_each(|x| *x *= factor);
                }
            }
        }
    }
}

/// The steps of a layer, and what follows them there: batch normalisation and bypass.
pub(super) struct RowSteps {
    pub steps: Vec<RowStep>,
    /// Scale and shift by channel.
    pub norm: Option<[Vec<f32>; 2]>,
}

impl RowSteps {
    /// Finishes rows; to them `factor` times the rows of a bypass is added.
    pub fn apply(&self, rows: &mut [f32], bypass: Option<(&[f32], f32)>) {
        self.steps.iter().for_each(|step| step.apply(rows));
        if let Some([scale, shift]) = &self.norm {
            for part in rows.chunks_exact_mut(scale.len()) {
                let norm = scale.iter().zip(shift);
                part.iter_mut().zip(norm).for_each(|(x, (scale, shift))| *x = *x * scale + shift);
            }
        }
        if let Some((others, factor)) = bypass {
            rows.iter_mut().zip(others).for_each(|(x, other)| *x += factor * other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_root_mean_square_that_is_wanted() {
        let mut rows = [3.0, 4.0, 0.0, 0.0, -1.0, 1.0];
        RowStep::Normalise { block: 2, rms: 0.5 }.apply(&mut rows);
        let wanted = [0.424_264, 0.565_685, 0.0, 0.0, -0.5, 0.5];
        assert!(rows.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{rows:?}");
    }

    #[test]
    fn what_is_no_number_stays_so() {
        for step in [RowStep::Sigmoid, RowStep::Tanh, RowStep::Normalise { block: 2, rms: 1.0 }] {
            let mut rows = [f32::NAN, 1.0];
            step.apply(&mut rows);
            assert!(rows[0].is_nan(), "{step:?}");
        }
    }
}

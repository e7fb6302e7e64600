//! The element-wise part of an LSTM [Hochreiter and Schmidhuber 1997; Gers et al. 2000].

/// Input gate, forget gate, candidate and output gate of one step, before their activations.
#[derive(Clone, Copy)]
pub(super) struct Gates<'a> {
    /// What the word asks for: four runs of the cell's width.
    pub input: &'a [f32],
    /// What the state asks for, likewise.
    pub state: &'a [f32],
    /// Added to both.
    pub bias: &'a [f32],
}

/// Continues the cell in place, and writes what it puts out.
pub(super) fn advance(gates: Gates<'_>, cell: &mut [f32], out: &mut [f32]) {
    let width = cell.len();
    let sum = |gate: usize, j: usize| {
        let at = gate * width + j;
        gates.input[at] + gates.state[at] + gates.bias[at]
    };
    for (j, (cell, out)) in cell.iter_mut().zip(out).enumerate() {
        let (entered, kept) = (sigmoid(sum(0, j)), sigmoid(sum(1, j)));
        *cell = kept * *cell + entered * tanh(sum(2, j));
        *out = sigmoid(sum(3, j)) * tanh(*cell);
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

/// `e^x` to six digits, clamped to where it is finite: `2^n · e^f` with |f| ≤ ln 2 / 2, the latter
/// by its series. Plain multiplications and additions, so that it is the same on every processor
/// and the compiler makes vectors of it.
#[inline]
fn exp(x: f32) -> f32 {
    /// Adding it rounds a small number to the nearest integer: 1.5 · 2²³.
    const ROUNDING: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let f = x - n * std::f32::consts::LN_2;
    let series = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f / 120.0))));
    // The low bits of `shifted` hold n; with the bias of the exponent they are 2^n.
    let exponent = shifted.to_bits().wrapping_add(127) << 23;
    series * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_are_close_to_the_library_functions() {
        for step in -4000..=4000 {
            let x = step as f32 / 100.0;
            let close = |ours: f32, theirs: f64| (f64::from(ours) - theirs).abs() < 3e-6;
            assert!(close(tanh(x), f64::from(x).tanh()), "tanh {x}");
            let logistic = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!(close(sigmoid(x), logistic), "sigmoid {x}");
        }
    }

    #[test]
    fn extreme_gates_stay_finite() {
        for x in [f32::MIN, -1e30, 1e30, f32::MAX] {
            assert!(sigmoid(x).is_finite() && tanh(x).is_finite(), "{x}");
        }
    }
}

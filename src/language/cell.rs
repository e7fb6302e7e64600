//! The element-wise part of an LSTM [Hochreiter and Schmidhuber 1997; Gers et al. 2000].
//!
//! It is compiled once for each width of vectors; the results are the same to the bit, since every
//! step is rounded by itself.
#![allow(unsafe_code)]

use crate::acoustic::gemm::Kernel;

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

/// Continues the cell in place, and writes what it puts out, with a kernel that this processor
/// runs.
pub(super) fn advance(kernel: Kernel, gates: Gates<'_>, cell: &mut [f32], out: &mut [f32]) {
    match kernel {
        // SAFETY: models are packed for kernels that `Kernel::available` has detected.
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => unsafe { avx2(gates, cell, out) },
        // SAFETY: likewise.
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx512 => unsafe { avx512(gates, cell, out) },
        _ => steps(gates, cell, out),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(gates: Gates<'_>, cell: &mut [f32], out: &mut [f32]) {
    steps(gates, cell, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(gates: Gates<'_>, cell: &mut [f32], out: &mut [f32]) {
    steps(gates, cell, out);
}

#[inline(always)]
fn steps<'a>(gates: Gates<'a>, cell: &mut [f32], out: &mut [f32]) {
    let width = cell.len();
    let run = |gate: usize, of: &'a [f32]| &of[gate * width..][..width];
    let runs =
        [0, 1, 2, 3].map(|gate| [gates.input, gates.state, gates.bias].map(|of| run(gate, of)));
    let sum = |gate: usize, j: usize| runs[gate][0][j] + runs[gate][1][j] + runs[gate][2][j];
    for (j, (cell, out)) in cell.iter_mut().zip(&mut out[..width]).enumerate() {
        let (entered, kept) = (sigmoid(sum(0, j)), sigmoid(sum(1, j)));
        *cell = kept * *cell + entered * tanh(sum(2, j));
        *out = sigmoid(sum(3, j)) * tanh(*cell);
    }
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

/// `e^x` to six digits, clamped to where it is finite: `2^n · e^f` with |f| ≤ ln 2 / 2, the latter
/// by its series. Plain multiplications and additions, so that it is the same on every processor
/// and the compiler makes vectors of it.
#[inline(always)]
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
    fn every_kernel_gives_the_same_bits() {
        let values = |salt: u32, length: u32| -> Vec<f32> {
            let hash = |i: u32| (i ^ salt).wrapping_mul(2_654_435_761) >> 8;
            (0..length).map(|i| hash(i) as f32 / 8_388_608.0 * 4.0 - 4.0).collect()
        };
        let width = 37;
        let [input, state, bias] = [1, 2, 3].map(|salt| values(salt, 4 * width));
        let gates = Gates { input: &input, state: &state, bias: &bias };
        let all = Kernel::available().into_iter().map(|kernel| {
            let (mut cell, mut out) = (values(4, width), vec![0.0; width as usize]);
            advance(kernel, gates, &mut cell, &mut out);
            [cell, out].concat().iter().map(|value| value.to_bits()).collect::<Vec<u32>>()
        });
        let all: Vec<_> = all.collect();
        assert!(all.iter().all(|bits| *bits == all[0]));
    }

    #[test]
    fn extreme_gates_stay_finite() {
        for x in [f32::MIN, -1e30, 1e30, f32::MAX] {
            assert!(sigmoid(x).is_finite() && tanh(x).is_finite(), "{x}");
        }
    }
}

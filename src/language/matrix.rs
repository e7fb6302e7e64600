//! A weight matrix in the numbers that this processor multiplies fastest.

use crate::acoustic::Kernels;
use crate::acoustic::gemm::int8::{MAX_DEPTH, QuantisedMatrix, QuantisedRows};
use crate::acoustic::gemm::{PackedMatrix, Rows, Target};

use super::file::ByteRows;

/// Rows of weights, packed.
pub(super) enum Matrix {
    Float(PackedMatrix),
    Int8(QuantisedMatrix),
}

impl Matrix {
    /// Packs weights for these kernels. The integers come out as they are in the file: each row's
    /// largest is ±127.
    pub fn pack(rows: &ByteRows, kernels: Kernels) -> Matrix {
        let (weights, depth) = (rows.to_floats(), rows.width);
        match kernels.int8.filter(|_| depth <= MAX_DEPTH) {
            Some(kernel) => Matrix::Int8(QuantisedMatrix::from_transposed(kernel, &weights, depth)),
            None => {
                let shape = (depth, rows.scales.len());
                let float = kernels.float;
                Matrix::Float(PackedMatrix::from_transposed(float, &weights, depth, shape))
            }
        }
    }

    /// `out = rows · weightsᵀ`, for as many rows as `inputs` has.
    pub fn multiply(&self, inputs: &[f32], out: &mut [f32], quantised: &mut QuantisedRows) {
        let rows = |depth: usize| Rows { data: inputs, stride: depth, count: inputs.len() / depth };
        match self {
            Matrix::Float(matrix) => {
                matrix.multiply(rows(matrix.depth()), out, Target::Overwrite, None);
            }
            Matrix::Int8(matrix) => {
                let depth = matrix.depth();
                matrix.quantise(rows(depth), &[(0, depth)], quantised);
                matrix.multiply(quantised, out, None);
            }
        }
    }
}

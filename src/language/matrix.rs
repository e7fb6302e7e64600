//! A weight matrix in the numbers that this processor multiplies fastest.

use crate::acoustic::Kernels;
use crate::acoustic::gemm::int8::{MAX_DEPTH, QuantisedMatrix, QuantisedRows};
use crate::acoustic::gemm::{Cells, PackedMatrix, Rows, Target};

use super::file::ByteRows;

/// Rows of weights, packed.
pub(super) enum Matrix {
    Float(PackedMatrix),
    /// The weights, and that an input is a row.
    Int8(QuantisedMatrix, Cells),
}

impl Matrix {
    /// Packs weights for these kernels. The integers come out as they are in the file: each row's
    /// largest is ±127.
    pub fn pack(rows: &ByteRows, kernels: Kernels) -> Matrix {
        let (weights, depth) = (rows.to_floats(), rows.width);
        match kernels.int8.filter(|_| depth <= MAX_DEPTH) {
            Some(kernel) => {
                let matrix = QuantisedMatrix::from_transposed(kernel, &weights, depth);
                Matrix::Int8(matrix, Cells::rows(depth))
            }
            None => {
                let shape = (depth, rows.scales.len());
                let float = kernels.float;
                Matrix::Float(PackedMatrix::from_transposed(float, &weights, depth, shape))
            }
        }
    }

    /// `out = rows · weightsᵀ`, for as many rows as `inputs` has.
    pub fn multiply(&self, inputs: &[f32], out: &mut [f32], quantised: &mut QuantisedRows) {
        match self {
            Matrix::Float(matrix) => {
                let stride = matrix.depth();
                let rows = Rows { data: inputs, stride, count: inputs.len() / stride };
                matrix.multiply(rows, out, Target::Overwrite, None);
            }
            Matrix::Int8(matrix, cells) => {
                let count = inputs.len() / matrix.depth();
                matrix.quantise(cells, inputs, (count, 1), quantised);
                matrix.multiply(quantised, out, None);
            }
        }
    }
}

//! One layer of the network: its packed weights and what happens to each output row.

use super::AcousticError;
use super::description::LayerDescription;
use super::gemm::{Kernel, PackedMatrix, Rows, Target};
use super::tensors::TensorTable;

/// A layer with its weights packed for one kernel.
pub(super) struct Layer {
    /// The weights of each run of contiguous offsets, with the run's first offset.
    runs: Vec<(i64, PackedMatrix)>,
    /// Smallest and largest offset.
    pub(super) reach: (i64, i64),
    /// Input frames per output frame.
    pub(super) stride: i64,
    input_dim: usize,
    /// Channels of the output.
    pub(super) output_dim: usize,
    bias: Option<Vec<f32>>,
    relu: bool,
    norm: Option<Norm>,
    /// The node whose output is added, and the factor.
    pub(super) bypass: Option<(usize, f32)>,
}

struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// A part of a node's output: rows from absolute index `first` on.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) data: &'a [f32],
    pub(super) first: i64,
}

impl Window<'_> {
    /// The rows from absolute index `t` on.
    fn from(&self, t: i64, width: usize) -> &[f32] {
        let row = usize::try_from(t - self.first).expect("the row has not been dropped yet");
        &self.data[row * width..]
    }
}

impl Layer {
    /// Reads and packs the tensors of a validated layer; `bypass` is the node its bypass names.
    pub(super) fn read(
        description: &LayerDescription,
        bypass: Option<usize>,
        tensors: &TensorTable<'_>,
        kernel: Kernel,
    ) -> Result<Layer, AcousticError> {
        let (input_dim, output_dim) = (description.input_dim, description.output_dim);
        let named = |part: &str| format!("{}.{part}", description.name);
        let vector = |part: &str| tensors.floats(&named(part), &[output_dim]);
        let stride = description.offsets.len() * input_dim;
        let weights = tensors.floats(&named("weight"), &[output_dim, stride])?;
        let mut runs = Vec::new();
        let mut column = 0;
        for run in description.offsets.chunk_by(|a, b| a + 1 == *b) {
            let depth = run.len() * input_dim;
            let part = &weights[column * input_dim..];
            let matrix = PackedMatrix::from_transposed(kernel, part, stride, (depth, output_dim));
            runs.push((i64::from(run[0]), matrix));
            column += run.len();
        }
        let norm = match description.norm {
            true => Some(Norm {
                scale: vector("scale")?,
                shift: vector("shift")?,
            }),
            false => None,
        };
        Ok(Layer {
            runs,
            reach: super::plan::reach(description),
            stride: description.stride as i64,
            input_dim,
            output_dim,
            bias: description.bias.then(|| vector("bias")).transpose()?,
            relu: description.relu,
            norm,
            bypass: bypass.zip(description.bypass.as_ref().map(|bypass| bypass.scale)),
        })
    }

    /// Computes outputs `first..first + rows` into `out` (rows × output channels).
    ///
    /// `input` holds every row these outputs read, `bypass` the rows `first..` of the bypass node.
    pub(super) fn apply(
        &self,
        input: Window<'_>,
        bypass: Option<Window<'_>>,
        first: i64,
        out: &mut [f32],
    ) {
        let count = out.len() / self.output_dim;
        let mut target = Target::Overwrite;
        for (offset, matrix) in &self.runs {
            let data = input.from(first * self.stride + offset, self.input_dim);
            let rows = Rows {
                data,
                stride: self.stride as usize * self.input_dim,
                count,
            };
            matrix.multiply(rows, out, target);
            target = Target::Add;
        }
        for row in out.chunks_exact_mut(self.output_dim) {
            self.activate(row);
        }
        if let (Some((_, factor)), Some(bypass)) = (self.bypass, bypass) {
            for (y, x) in out.iter_mut().zip(bypass.from(first, self.output_dim)) {
                *y += factor * x;
            }
        }
    }

    /// Bias, ReLU and batch normalisation of one row.
    fn activate(&self, row: &mut [f32]) {
        if let Some(bias) = &self.bias {
            for (y, b) in row.iter_mut().zip(bias) {
                *y += b;
            }
        }
        if self.relu {
            for y in row.iter_mut() {
                *y = y.max(0.0);
            }
        }
        if let Some(Norm { scale, shift }) = &self.norm {
            for ((y, s), b) in row.iter_mut().zip(scale).zip(shift) {
                *y = *y * s + b;
            }
        }
    }
}

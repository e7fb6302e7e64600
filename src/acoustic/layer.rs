//! One layer of the network: its packed weights and what happens to each output row.

use super::AcousticError;
use super::description::LayerDescription;
use super::gemm::int8::{MAX_DEPTH, QuantisedMatrix, QuantisedRows};
use super::gemm::{Activation, Bypass, Finish, PackedMatrix, Rows, Steps, Target};
use super::precision::Kernels;
use super::tensors::TensorTable;

/// A layer with its weights packed for one kernel.
pub(super) struct Layer {
    weights: Weights,
    /// Smallest and largest offset.
    pub(super) reach: (i64, i64),
    /// Input frames per output frame.
    pub(super) stride: i64,
    input_dim: usize,
    /// Channels of the output.
    pub(super) output_dim: usize,
    activation: Activation,
    /// The node whose output is added, and the factor.
    pub(super) bypass: Option<(usize, f32)>,
}

enum Weights {
    /// The weights of each run of contiguous offsets, with the run's first offset.
    Float(Vec<(i64, PackedMatrix)>),
    /// All weights, and where each run of contiguous offsets begins and how many values it has,
    /// relative to the smallest offset.
    Int8(QuantisedMatrix, Vec<(usize, usize)>),
}

/// A part of a node's output: rows from absolute index `first` on.
#[derive(Clone, Copy)]
pub(super) struct Window<'a> {
    pub(super) data: &'a [f32],
    pub(super) first: i64,
}

impl<'a> Window<'a> {
    /// The rows from absolute index `t` on.
    fn from(&self, t: i64, width: usize) -> &'a [f32] {
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
        kernels: Kernels,
    ) -> Result<Layer, AcousticError> {
        Ok(Layer {
            weights: Weights::read(description, tensors, kernels)?,
            reach: super::plan::reach(description),
            stride: description.stride as i64,
            input_dim: description.input_dim,
            output_dim: description.output_dim,
            activation: activation(description, tensors)?,
            bypass: bypass.zip(description.bypass.as_ref().map(|bypass| bypass.scale)),
        })
    }

    /// Whether this layer multiplies in 8-bit integers.
    pub(super) fn is_int8(&self) -> bool {
        matches!(self.weights, Weights::Int8(..))
    }

    /// Computes outputs `first..first + rows` into `out` (rows × output channels).
    ///
    /// `input` holds every row these outputs read, `bypass` the rows `first..` of the bypass node.
    pub(super) fn apply(
        &self,
        input: Window<'_>,
        bypass: Option<Window<'_>>,
        first: i64,
        (out, quantised): (&mut [f32], &mut QuantisedRows),
    ) {
        let bypass = self.bypass.zip(bypass).map(|((_, factor), bypass)| Bypass {
            rows: bypass.from(first, self.output_dim),
            factor,
        });
        let finish = Finish {
            activation: &self.activation,
            bypass,
        };
        let count = out.len() / self.output_dim;
        let rows = |offset: i64| Rows {
            data: input.from(first * self.stride + offset, self.input_dim),
            stride: self.stride as usize * self.input_dim,
            count,
        };
        match &self.weights {
            Weights::Float(runs) => {
                let mut target = Target::Overwrite;
                for (at, (offset, matrix)) in runs.iter().enumerate() {
                    let last = at + 1 == runs.len();
                    let rows = rows(*offset);
                    matrix.multiply(rows, out, target, last.then_some(finish));
                    target = Target::Add;
                }
            }
            Weights::Int8(matrix, runs) => {
                matrix.quantise(rows(self.reach.0), runs, quantised);
                matrix.multiply(quantised, out, Some(finish));
            }
        }
    }
}

impl Weights {
    fn read(
        description: &LayerDescription,
        tensors: &TensorTable<'_>,
        kernels: Kernels,
    ) -> Result<Weights, AcousticError> {
        let (input_dim, output_dim) = (description.input_dim, description.output_dim);
        let depth = description.offsets.len() * input_dim;
        let name = format!("{}.weight", description.name);
        let weights = tensors.floats(&name, &[output_dim, depth])?;
        let (first, _) = super::plan::reach(description);
        let runs = description.offsets.chunk_by(|a, b| a + 1 == *b);
        let runs = runs.map(|run| (i64::from(run[0]), run.len() * input_dim));
        if let Some(kernel) = kernels.int8.filter(|_| depth <= MAX_DEPTH) {
            let matrix = QuantisedMatrix::from_transposed(kernel, &weights, depth);
            let start = |offset: i64| (offset - first) as usize * input_dim;
            let runs = runs.map(|(offset, length)| (start(offset), length));
            return Ok(Weights::Int8(matrix, runs.collect()));
        }
        let mut column = 0;
        let packed = runs.map(|(offset, length)| {
            let part = &weights[column..];
            column += length;
            let shape = (length, output_dim);
            let matrix = PackedMatrix::from_transposed(kernels.float, part, depth, shape);
            (offset, matrix)
        });
        Ok(Weights::Float(packed.collect()))
    }
}

/// Bias, ReLU and batch normalisation of a layer.
fn activation(
    description: &LayerDescription,
    tensors: &TensorTable<'_>,
) -> Result<Activation, AcousticError> {
    let vector = |wanted: bool, part: &str| {
        let name = format!("{}.{part}", description.name);
        wanted
            .then(|| tensors.floats(&name, &[description.output_dim]))
            .transpose()
    };
    let bias = vector(description.bias, "bias")?;
    let scale = vector(description.norm, "scale")?;
    let shift = vector(description.norm, "shift")?;
    let steps = Steps {
        bias: bias.as_deref(),
        relu: description.relu,
        norm: scale
            .as_deref()
            .zip(shift.as_deref())
            .map(<[&[f32]; 2]>::from),
    };
    Ok(Activation::new(description.output_dim, steps))
}

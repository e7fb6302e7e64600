//! One layer of the network: its packed weights and what happens to each output row.

use super::AcousticError;
use super::convolution;
use super::description::LayerDescription;
use super::gemm::int8::{MAX_DEPTH, QuantisedMatrix, QuantisedRows};
use super::gemm::{Activation, Bypass, Cells, Finish, PackedMatrix, Rows, Steps, Target};
use super::ivector::IVectorWeights;
use super::precision::Kernels;
use super::row_step::RowSteps;
use super::tensors::TensorTable;

/// A layer with its weights packed for one kernel.
pub(super) struct Layer {
    weights: Weights,
    /// Smallest and largest offset.
    pub(super) reach: (i64, i64),
    /// Input frames per output frame.
    pub(super) stride: i64,
    input_dim: usize,
    /// What an output reads: frames, or of each height of a convolution its neighbourhood.
    cells: Cells,
    is_convolution: bool,
    /// Values of an output row.
    pub(super) output_dim: usize,
    activation: Activation,
    /// Steps that the product cannot take in registers, and what follows them.
    after: Option<RowSteps>,
    pub(super) bypass: Option<BypassOf>,
    /// Where the layer reads the i-vector.
    pub(super) ivector: Option<IVectorWeights>,
}

/// What is added to a layer's output.
#[derive(Clone, Copy)]
pub(super) struct BypassOf {
    /// The node whose output it is.
    pub(super) node: usize,
    factor: f32,
    /// Frames of that node in one of the layer's.
    pub(super) ratio: i64,
}

enum Weights {
    /// The weights of each run of values that lie next to each other, and where it begins, relative
    /// to the first value read.
    Float(Vec<(usize, PackedMatrix)>),
    /// All weights.
    Int8(QuantisedMatrix),
}

/// What a product needs memory for; reused from one to the next.
#[derive(Clone, Default)]
pub(super) struct ProductScratch {
    quantised: QuantisedRows,
    /// What the outputs of a convolution read.
    neighbourhoods: Vec<f32>,
    /// The rows of a bypass, where those of its node are closer together.
    bypass: Vec<f32>,
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

    /// Every `ratio`-th of the rows from absolute index `t · ratio` on: `count` rows, which are
    /// copied where they do not lie next to each other.
    fn every(
        &self,
        (t, ratio): (i64, i64),
        (width, count): (usize, usize),
        copy: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let rows = self.from(t * ratio, width);
        if ratio == 1 {
            return rows;
        }
        copy.clear();
        let wanted = rows.chunks(width).step_by(ratio as usize).take(count);
        wanted.for_each(|row| copy.extend_from_slice(row));
        copy
    }
}

impl Layer {
    /// Reads and packs the tensors of a validated layer; `bypass` is the node that its bypass
    /// names, and how many frames of that node span one frame of the layer. `ivector` are the
    /// values of an i-vector, and the input frames that pass in a frame of the layer.
    pub(super) fn read(
        description: &LayerDescription,
        bypass: Option<(usize, i64)>,
        ivector: (usize, i64),
        (tensors, kernels): (&TensorTable<'_>, Kernels),
    ) -> Result<Layer, AcousticError> {
        let (activation, after) = activation(description, tensors)?;
        Ok(Layer {
            ivector: ivector_weights(description, ivector, &activation, tensors)?,
            weights: Weights::read(description, tensors, kernels)?,
            reach: super::plan::reach(description),
            stride: description.stride as i64,
            input_dim: description.input_dim,
            cells: cells(description),
            is_convolution: description.convolution.is_some(),
            output_dim: description.output_dim,
            activation,
            after,
            bypass: bypass
                .zip(description.bypass.as_ref())
                .map(|((node, ratio), bypass)| BypassOf { node, factor: bypass.scale, ratio }),
        })
    }

    /// Whether this layer multiplies in 8-bit integers.
    pub(super) fn is_int8(&self) -> bool {
        matches!(self.weights, Weights::Int8(..))
    }

    /// Computes outputs `first..first + rows` into `out` (rows × output channels).
    ///
    /// `input` holds every row these outputs read, `bypass` those of the bypass node; `bias`, if
    /// any, takes the place of the layer's.
    pub(super) fn apply(
        &self,
        (input, bypass): (Window<'_>, Option<Window<'_>>),
        bias: Option<&[f32]>,
        first: i64,
        (out, scratch): (&mut [f32], &mut ProductScratch),
    ) {
        let ProductScratch { quantised, neighbourhoods, bypass: copy } = scratch;
        let shape = (self.output_dim, out.len() / self.output_dim);
        let bypass = self.bypass.zip(bypass).map(|(of, window)| Bypass {
            rows: window.every((first, of.ratio), shape, copy),
            factor: of.factor,
        });
        let bypass_in_registers = bypass.filter(|_| self.after.is_none());
        let finish = Finish { activation: &self.activation, bias, bypass: bypass_in_registers };
        let (count, stride) = (out.len() / self.output_dim, self.stride as usize);
        let input = input.from(first * self.stride + self.reach.0, self.input_dim);
        let groups = (count, stride * (self.input_dim / self.cells.width()));
        match &self.weights {
            Weights::Float(runs) => {
                let rows = match self.is_convolution {
                    false => Rows { data: input, stride: stride * self.input_dim, count },
                    true => Rows {
                        data: self.cells.gather(input, groups, neighbourhoods),
                        stride: self.cells.depth(),
                        count: count * self.cells.rows_of_group(),
                    },
                };
                let mut target = Target::Overwrite;
                for (at, (start, matrix)) in runs.iter().enumerate() {
                    let last = at + 1 == runs.len();
                    let rows = Rows { data: &rows.data[*start..], ..rows };
                    matrix.multiply(rows, out, target, last.then_some(finish));
                    target = Target::Add;
                }
            }
            Weights::Int8(matrix) => {
                matrix.quantise(&self.cells, input, groups, quantised);
                matrix.multiply(quantised, out, Some(finish));
            }
        }
        if let Some(after) = &self.after {
            after.apply(out, bypass.map(|bypass| (bypass.rows, bypass.factor)));
        }
    }
}

impl Weights {
    fn read(
        description: &LayerDescription,
        tensors: &TensorTable<'_>,
        kernels: Kernels,
    ) -> Result<Weights, AcousticError> {
        let (depth, channels) = (description.depth(), description.channels());
        let name = format!("{}.weight", description.name);
        let weights = tensors.floats(&name, &[channels, depth])?;
        if let Some(kernel) = kernels.int8.filter(|_| depth <= MAX_DEPTH) {
            let matrix = QuantisedMatrix::from_transposed(kernel, &weights, depth);
            return Ok(Weights::Int8(matrix));
        }
        let mut column = 0;
        let packed = runs(description).into_iter().map(|(start, length)| {
            let part = &weights[column..];
            column += length;
            let shape = (length, channels);
            let matrix = PackedMatrix::from_transposed(kernels.float, part, depth, shape);
            (start, matrix)
        });
        Ok(Weights::Float(packed.collect()))
    }
}

/// The cells that an output reads.
fn cells(description: &LayerDescription) -> Cells {
    if let Some(neighbourhoods) = convolution::neighbourhoods(description) {
        return neighbourhoods;
    }
    let first = description.offsets.first().copied().unwrap_or_default();
    let places = description.offsets.iter().map(|offset| Some((offset - first) as u32));
    let places: Vec<_> = places.collect();
    Cells::new(description.input_dim, places.len(), &places)
}

/// Where each run of contiguous offsets begins, relative to the smallest offset, and how many
/// values it has. A convolution's neighbourhoods are gathered into one run.
fn runs(description: &LayerDescription) -> Vec<(usize, usize)> {
    if description.convolution.is_some() {
        return vec![(0, description.depth())];
    }
    let input_dim = description.input_dim;
    let first = description.offsets.first().copied().unwrap_or_default();
    let runs = description.offsets.chunk_by(|a, b| a + 1 == *b);
    runs.map(|run| ((run[0] - first) as usize * input_dim, run.len() * input_dim)).collect()
}

/// Bias, ReLU and batch normalisation of a layer; where it has other steps before the
/// normalisation, they and it are apart.
fn activation(
    description: &LayerDescription,
    tensors: &TensorTable<'_>,
) -> Result<(Activation, Option<RowSteps>), AcousticError> {
    let vector = |wanted: bool, part: &str| {
        let name = format!("{}.{part}", description.name);
        wanted.then(|| tensors.floats(&name, &[description.channels()])).transpose()
    };
    let bias = vector(description.bias, "bias")?;
    let scale = vector(description.norm, "scale")?;
    let shift = vector(description.norm, "shift")?;
    let norm = scale.zip(shift).map(<[Vec<f32>; 2]>::from);
    let plain = description.steps.is_empty();
    let in_registers = norm.as_ref().filter(|_| plain);
    let steps = Steps {
        bias: bias.as_deref(),
        relu: description.relu,
        norm: in_registers.map(|[scale, shift]| [&scale[..], &shift[..]]),
    };
    let activation = Activation::new(description.channels(), steps);
    let after = (!plain).then(|| RowSteps { steps: description.steps.clone(), norm });
    Ok((activation, after))
}

/// What a layer makes of the i-vector, where it reads one.
fn ivector_weights(
    description: &LayerDescription,
    (dim, spacing): (usize, i64),
    activation: &Activation,
    tensors: &TensorTable<'_>,
) -> Result<Option<IVectorWeights>, AcousticError> {
    if !description.ivector {
        return Ok(None);
    }
    let name = format!("{}.ivector", description.name);
    let weights = tensors.floats(&name, &[description.channels(), dim])?;
    Ok(Some(IVectorWeights::new(activation.bias(), &weights, dim, spacing)))
}

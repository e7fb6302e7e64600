//! Components of nnet3 as inference sees them.
//!
//! In the file a component is its name in brackets, then tokens each with its values, then the
//! closing name. Which tokens there are depends on the type and on how old the program was that
//! wrote it; their values tell by their first bytes what they are. So all are read alike, and what
//! a type needs is looked up by name.

use std::collections::HashMap;

use super::super::KaldiError;
use super::super::input::{Input, Kind};
use super::super::matrix::Matrix;
use crate::acoustic::RowStep;

/// The most values behind one token: no component has more than a few.
const MOST_NUMBERS: usize = 64;

/// What a component computes.
#[derive(Clone, Debug)]
pub(in super::super) enum Component {
    /// `W x + b`.
    Affine { weights: Matrix, bias: Vec<f32> },
    /// `W [x at each offset] + b`.
    Tdnn { offsets: Vec<i32>, weights: Matrix, bias: Vec<f32> },
    /// Over time and height.
    Convolution(Convolution),
    /// `x · scale + shift`, repeated over the width.
    ScaleAndShift { scale: Vec<f32>, shift: Vec<f32> },
    /// Negative values become zero.
    Relu,
    /// Another nonlinearity.
    Step(RowStep),
    /// What training alone cares for.
    Identity,
    /// Of each frame the same is subtracted from all values, which changes no choice between them.
    LogSoftmax,
    /// Value `i` of the output is value `order[i]` of the input.
    Permute { order: Vec<i32> },
    /// Another type, which is refused where it is needed.
    Other { kind: String },
}

/// A convolution, its weights as our layers have them: time outermost, filters innermost.
#[derive(Clone, Debug)]
pub(in super::super) struct Convolution {
    pub filters: (usize, usize),
    pub heights: (usize, usize),
    pub height_stride: usize,
    pub times: Vec<i32>,
    pub height_offsets: Vec<i32>,
    pub weights: Matrix,
    pub bias: Vec<f32>,
}

/// A value behind a token.
enum Value {
    /// The four bytes of each number.
    Numbers(Vec<[u8; 4]>),
    Boolean(bool),
    Ints(Vec<i32>),
    Vector(Vec<f32>),
    Matrix(Matrix),
}

/// The values of a component by token.
struct Fields<'i, 'b> {
    kind: String,
    name: String,
    values: HashMap<String, Value>,
    input: &'i Input<'b>,
}

impl Component {
    /// Reads the component of this name.
    pub fn read(input: &mut Input<'_>, name: &str) -> Result<Component, KaldiError> {
        let opening = input.token()?;
        let kind = opening.strip_prefix('<').and_then(|kind| kind.strip_suffix("Component>"));
        let kind =
            kind.ok_or_else(|| input.error(format!("no component of node {name} follows")))?;
        let kind = kind.to_owned();
        let values = values(input, &opening)?;
        let fields = Fields { kind, name: name.to_owned(), values, input };
        fields.component()
    }
}

/// Reads all tokens up to the closing one.
fn values(input: &mut Input<'_>, opening: &str) -> Result<HashMap<String, Value>, KaldiError> {
    let closing = format!("</{}", &opening[1..]);
    let mut values = HashMap::new();
    loop {
        let token = input.token()?;
        // Old files close with the opening name.
        if token == closing || token == opening {
            return Ok(values);
        }
        let value = match input.kind()? {
            Kind::Token => continue,
            Kind::Boolean => Value::Boolean(input.boolean()?),
            Kind::Vector => Value::Vector(input.vector()?),
            Kind::Matrix => Value::Matrix(input.matrix()?),
            Kind::Number => match token.as_str() {
                "<TimeOffsets>" | "<RequiredTimeOffsets>" | "<ColumnMap>" => {
                    Value::Ints(input.ints(1)?)
                }
                "<Offsets>" => Value::Ints(input.ints(2)?),
                _ => Value::Numbers(numbers(input)?),
            },
        };
        values.insert(token, value);
    }
}

fn numbers(input: &mut Input<'_>) -> Result<Vec<[u8; 4]>, KaldiError> {
    let mut numbers = Vec::new();
    while matches!(input.kind()?, Kind::Number) {
        if numbers.len() == MOST_NUMBERS {
            return Err(input.error("too many numbers follow"));
        }
        numbers.push(input.number()?);
    }
    Ok(numbers)
}

impl Fields<'_, '_> {
    fn component(mut self) -> Result<Component, KaldiError> {
        Ok(match self.kind.as_str() {
            "NaturalGradientAffine" | "Affine" | "FixedAffine" | "AffinePreconditioned" => {
                let weights = self.matrix("<LinearParams>")?;
                let bias = self.vector("<BiasParams>", weights.nrows())?;
                Component::Affine { weights, bias }
            }
            "Linear" => {
                let weights = self.matrix("<Params>")?;
                let bias = vec![0.0; weights.nrows()];
                Component::Affine { weights, bias }
            }
            "Tdnn" => self.tdnn()?,
            "TimeHeightConvolution" => Component::Convolution(self.convolution()?),
            "BatchNorm" => self.batch_norm()?,
            "ScaleAndOffset" => {
                let scale = self.any_vector("<Scales>")?;
                let shift = self.vector("<Offsets>", scale.len())?;
                Component::ScaleAndShift { scale, shift }
            }
            "FixedScale" => {
                let scale = self.any_vector("<Scales>")?;
                let shift = vec![0.0; scale.len()];
                Component::ScaleAndShift { scale, shift }
            }
            "FixedBias" => {
                let shift = self.any_vector("<Bias>")?;
                let scale = vec![1.0; shift.len()];
                Component::ScaleAndShift { scale, shift }
            }
            "PerElementScale" | "NaturalGradientPerElementScale" => {
                let scale = self.any_vector("<Params>")?;
                let shift = vec![0.0; scale.len()];
                Component::ScaleAndShift { scale, shift }
            }
            "PerElementOffset" => {
                let shift = self.any_vector("<Offsets>")?;
                let scale = vec![1.0; shift.len()];
                Component::ScaleAndShift { scale, shift }
            }
            "Permute" => Component::Permute { order: self.ints("<ColumnMap>")? },
            "RectifiedLinear" => Component::Relu,
            "Sigmoid" => Component::Step(RowStep::Sigmoid),
            "Tanh" => Component::Step(RowStep::Tanh),
            "Normalize" => self.normalise()?,
            "LogSoftmax" => Component::LogSoftmax,
            "GeneralDropout"
            | "Dropout"
            | "DropoutMask"
            | "NoOp"
            | "SpecAugmentTimeMask"
            | "ClipGradient" => Component::Identity,
            _ => Component::Other { kind: self.kind },
        })
    }

    fn tdnn(&mut self) -> Result<Component, KaldiError> {
        let offsets = self.ints("<TimeOffsets>")?;
        let weights = self.matrix("<LinearParams>")?;
        let bias = self.any_vector("<BiasParams>")?;
        let sorted = offsets.windows(2).all(|pair| pair[0] < pair[1]);
        if offsets.is_empty() || !sorted || weights.ncols() % offsets.len() != 0 {
            let what = format!("{} columns for the offsets {offsets:?}", weights.ncols());
            return Err(self.error("<TimeOffsets>", &what));
        }
        let bias = match bias.len() {
            0 => vec![0.0; weights.nrows()],
            found if found == weights.nrows() => bias,
            found => return Err(self.error("<BiasParams>", &format!("{found} values"))),
        };
        Ok(Component::Tdnn { offsets, weights, bias })
    }

    fn batch_norm(&mut self) -> Result<Component, KaldiError> {
        let block = self.size("<BlockDim>")?;
        let mean = self.vector("<StatsMean>", block)?;
        let variance = self.vector("<StatsVar>", block)?;
        let epsilon = f64::from(self.float("<Epsilon>")?);
        let rms = f64::from(self.float("<TargetRms>")?);
        let scale: Vec<f64> = variance
            .iter()
            .map(|&variance| rms / (f64::from(variance).max(0.0) + epsilon).sqrt())
            .collect();
        if !scale.iter().all(|scale| scale.is_finite()) {
            return Err(self.error("<StatsVar>", "a variance of zero"));
        }
        let shift = mean.iter().zip(&scale);
        let shift = shift.map(|(&mean, scale)| (-f64::from(mean) * scale) as f32);
        Ok(Component::ScaleAndShift {
            shift: shift.collect(),
            scale: scale.iter().map(|&scale| scale as f32).collect(),
        })
    }

    /// Rows brought to a root mean square; their own is not appended.
    fn normalise(&mut self) -> Result<Component, KaldiError> {
        if let Some(Value::Boolean(true)) = self.values.get("<AddLogStddev>") {
            return Err(self.error("<AddLogStddev>", "a deviation behind the row is not supported"));
        }
        let whole = if self.values.contains_key("<InputDim>") { "<InputDim>" } else { "<Dim>" };
        let block = match self.values.contains_key("<BlockDim>") {
            true => self.size("<BlockDim>")?,
            false => self.size(whole)?,
        };
        let rms = self.float("<TargetRms>")?;
        match rms > 0.0 && rms.is_finite() {
            true => Ok(Component::Step(RowStep::Normalise { block, rms })),
            false => Err(self.error("<TargetRms>", &format!("{rms} is no root mean square"))),
        }
    }

    fn convolution(&mut self) -> Result<Convolution, KaldiError> {
        let filters = (self.size("<NumFiltersIn>")?, self.size("<NumFiltersOut>")?);
        let heights = (self.size("<HeightIn>")?, self.size("<HeightOut>")?);
        let height_stride = self.size("<HeightSubsampleOut>")?;
        let pairs = self.ints("<Offsets>")?;
        let weights = self.matrix("<LinearParams>")?;
        let bias = self.vector("<BiasParams>", filters.1)?;
        let mut times: Vec<i32> = pairs.chunks_exact(2).map(|pair| pair[0]).collect();
        let mut height_offsets: Vec<i32> = pairs.chunks_exact(2).map(|pair| pair[1]).collect();
        for offsets in [&mut times, &mut height_offsets] {
            offsets.sort_unstable();
            offsets.dedup();
        }
        let grid =
            times.iter().flat_map(|time| height_offsets.iter().map(|height| [*time, *height]));
        if !grid.eq(pairs.chunks_exact(2).map(|pair| [pair[0], pair[1]])) {
            let what = "the offsets are no grid of times and heights";
            return Err(self.error("<Offsets>", what));
        }
        let depth = times.len() * height_offsets.len() * filters.0;
        if weights.dim() != (filters.1, depth) {
            let what = format!("{:?} weights, not {:?}", weights.dim(), (filters.1, depth));
            return Err(self.error("<LinearParams>", &what));
        }
        if height_stride == 0 || heights.1 != heights.0.div_ceil(height_stride) {
            let what = format!("{} output heights of {}", heights.1, heights.0);
            return Err(self.error("<HeightOut>", &what));
        }
        Ok(Convolution { filters, heights, height_stride, times, height_offsets, weights, bias })
    }

    fn take(&mut self, token: &str) -> Result<Value, KaldiError> {
        let value = self.values.remove(token);
        value.ok_or_else(|| self.error(token, "it is missing, or is another kind of value"))
    }

    fn matrix(&mut self, token: &str) -> Result<Matrix, KaldiError> {
        match self.take(token)? {
            Value::Matrix(matrix) if !matrix.is_empty() => Ok(matrix),
            _ => Err(self.error(token, "no matrix")),
        }
    }

    fn any_vector(&mut self, token: &str) -> Result<Vec<f32>, KaldiError> {
        match self.take(token)? {
            Value::Vector(vector) => Ok(vector),
            _ => Err(self.error(token, "no vector")),
        }
    }

    fn vector(&mut self, token: &str, length: usize) -> Result<Vec<f32>, KaldiError> {
        let vector = self.any_vector(token)?;
        match vector.len() == length {
            true => Ok(vector),
            false => Err(self.error(token, &format!("{} values, not {length}", vector.len()))),
        }
    }

    fn ints(&mut self, token: &str) -> Result<Vec<i32>, KaldiError> {
        match self.take(token)? {
            Value::Ints(ints) => Ok(ints),
            _ => Err(self.error(token, "no integers")),
        }
    }

    fn bytes(&mut self, token: &str) -> Result<[u8; 4], KaldiError> {
        match self.take(token)? {
            Value::Numbers(numbers) if !numbers.is_empty() => Ok(numbers[0]),
            _ => Err(self.error(token, "no number")),
        }
    }

    fn float(&mut self, token: &str) -> Result<f32, KaldiError> {
        Ok(f32::from_le_bytes(self.bytes(token)?))
    }

    fn size(&mut self, token: &str) -> Result<usize, KaldiError> {
        let value = i32::from_le_bytes(self.bytes(token)?);
        let size = usize::try_from(value).ok().filter(|size| (1..1 << 20).contains(size));
        size.ok_or_else(|| self.error(token, &format!("{value} is no size")))
    }

    fn error(&self, token: &str, what: &str) -> KaldiError {
        let (name, kind) = (&self.name, &self.kind);
        self.input.error(format!("component {name} ({kind}), {token}: {what}"))
    }
}

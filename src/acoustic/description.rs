//! `model.json`: what the weights mean, and the settings the model was made for.
//!
//! Each layer computes, on a sequence `x[t, channel]`,
//! `y[t] = W · concat(x[t·stride + o] for o in offsets) + b`, then optionally ReLU, then what
//! [`RowStep`] names, then optionally a per-channel `y·scale + shift` (batch normalisation at
//! inference), then optionally adds `bypass.scale` times the output of an earlier layer at the same
//! time. Indices are absolute: a layer that reads `offsets` −1…1 produces values at negative times
//! too when a later layer asks for them, and the input repeats its first and last frame outside the
//! utterance.
//!
//! The file is untrusted: [`ModelDescription::from_json`] checks every quantity before anything is
//! allocated.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::tensors::read_bounded;
use super::{AcousticError, HmmDescription, RowStep};
use crate::feature::MfccConfig;

/// The only `format` this version reads.
const FORMAT: u32 = 1;
/// Descriptions are a few kilobytes; ten megabytes can only be a mistake.
const MAX_DESCRIPTION_BYTES: u64 = 10 << 20;
/// Bounds that no sensible model reaches; they keep every size computation far from overflow.
const MAX_LAYERS: usize = 512;
const MAX_DIM: usize = 1 << 16;
const MAX_OFFSETS: usize = 64;
const MAX_REACH: i64 = 4096;
const MAX_SUBSAMPLING: usize = 64;
const MAX_IVECTOR: usize = 1 << 10;
const MAX_PARAMETERS: usize = 1 << 28;
const MAX_PHONES: usize = 1024;

/// The contents of `model.json`, validated.
///
/// ```
/// use std::path::Path;
/// use paretone::acoustic::ModelDescription;
///
/// let model = ModelDescription::open(Path::new("models/en"))?;
/// println!("{}: {} pdfs, {} parameters", model.name, model.hmm.pdfs, model.network.parameters());
/// # Ok::<(), paretone::acoustic::AcousticError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// Version of this format: 1.
    pub format: u32,
    /// Name of the model, for messages and records.
    pub name: String,
    /// Licence of the weights, as an SPDX expression or a sentence.
    pub licence: String,
    /// How features are computed from samples.
    pub feature: MfccConfig,
    /// How the mean of the features is removed.
    pub normalisation: Normalisation,
    /// The layers of the network.
    pub network: NetworkDescription,
    /// The phones and their HMM.
    pub hmm: HmmDescription,
    /// Search settings tuned for this model.
    pub decode: DecodeDefaults,
}

/// How the mean of the features is removed before the network sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalisation {
    /// Features as computed.
    None,
    /// Each dimension's mean over the utterance is subtracted.
    UtteranceMean,
    /// Each dimension's mean over the frames near speech is subtracted, as the speech gate hears
    /// it: a pause does not change the words. Without a gate, all frames are near speech.
    SpeechMean,
}

/// The chain of layers (`network` of `model.json`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkDescription {
    /// File name of the weights, beside `model.json`.
    pub weights: String,
    /// Feature dimensions per input frame.
    pub input_dim: usize,
    /// Dimensions of the i-vector that layers may read; 0 without.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ivector_dim: usize,
    /// Input frames per output frame: the product of all strides.
    pub subsampling: usize,
    /// The layers in order; each reads the one before, the first reads the features.
    pub layers: Vec<LayerDescription>,
}

/// One layer; its tensors are `<name>.weight`, `.bias`, `.scale` and `.shift`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerDescription {
    /// Unique name, the prefix of the layer's tensors.
    pub name: String,
    /// Input times read for output `t`, relative to `t·stride`; strictly increasing.
    pub offsets: Vec<i32>,
    /// Input frames per output frame of this layer.
    pub stride: usize,
    /// Channels of the input.
    pub input_dim: usize,
    /// Channels of the output.
    pub output_dim: usize,
    /// Whether a bias `[output_dim]` is added.
    pub bias: bool,
    /// Whether `ivector`, `[output_dim, ivector_dim]`, times the i-vector is added: a bias that
    /// changes with the speaker.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ivector: bool,
    /// Whether negative values are set to zero.
    pub relu: bool,
    /// What else happens to an output row after the ReLU, in order.
    #[serde(default, skip_serializing_if = "is_default")]
    pub steps: Vec<RowStep>,
    /// Whether `scale` and `shift`, both `[output_dim]`, are applied after that.
    pub norm: bool,
    /// An earlier output that is added last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bypass: Option<BypassDescription>,
    /// Convolution over height as well as over time. The weights are then `[channels, offsets ·
    /// height offsets · input channels]` and the vectors `[channels]`, the same for every height.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convolution: Option<ConvolutionDescription>,
}

/// How a layer's rows are planes of heights × channels: value (height, channel) lies at `height ·
/// channels + channel`. The output has ⌈height / height_stride⌉ heights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvolutionDescription {
    /// Heights of an input row; divides `input_dim`.
    pub height: usize,
    /// Input heights per output height.
    pub height_stride: usize,
    /// Heights read for output height `h`, relative to `h · height_stride`; strictly increasing.
    /// What lies beyond the edges is zero.
    pub height_offsets: Vec<i32>,
}

/// A skip connection: `y[t] += scale · output_of(layer)[t]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BypassDescription {
    /// Name of an earlier layer of the same width. If its frames are closer together than this
    /// layer's, only those at the times of this layer's frames are added.
    pub layer: String,
    /// Factor applied to its output.
    pub scale: f32,
}

/// Search settings tuned on development speech for this model (`decode` of `model.json`).
///
/// Costs are −ln probabilities. Larger beams are slower and more accurate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecodeDefaults {
    /// Factor applied to the scores before the search; 1 for LF-MMI models.
    pub acoustic_scale: f32,
    /// Cost added per word; larger values give fewer words.
    pub word_penalty: f32,
    /// Probability of silence between words, between 0 and 1 exclusive.
    pub silence_probability: f32,
    /// Cost range of the tokens kept in a frame.
    pub beam: f32,
    /// Cost range of the arcs kept in the lattice.
    pub lattice_beam: f32,
    /// Most tokens kept in a frame.
    pub max_active: usize,
    /// Fewest tokens kept in a frame, also beyond the beam.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min_active: usize,
}

impl ModelDescription {
    /// Reads and validates `model.json` in a model directory.
    ///
    /// # Errors
    /// The file cannot be read, is absurdly large, or fails [`ModelDescription::from_json`].
    pub fn open(dir: &Path) -> Result<Self, AcousticError> {
        Self::from_json(&read_bounded(&dir.join("model.json"), MAX_DESCRIPTION_BYTES)?)
    }

    /// Parses and validates the bytes of a `model.json`.
    ///
    /// # Errors
    /// Not JSON, unknown or missing fields, another format version, quantities out of range, layers
    /// whose dimensions do not chain, bypasses that name no earlier layer of the same shape,
    /// strides that do not multiply to the subsampling factor.
    pub fn from_json(bytes: &[u8]) -> Result<Self, AcousticError> {
        let description: ModelDescription = serde_json::from_slice(bytes)?;
        description.validate()?;
        Ok(description)
    }

    fn validate(&self) -> Result<(), AcousticError> {
        if self.format != FORMAT {
            return Err(AcousticError::Format { found: self.format, supported: FORMAT });
        }
        check(
            || "feature.frame_shift_ms".into(),
            self.feature.frame_shift_ms,
            (0.1..=1000.0).contains(&self.feature.frame_shift_ms),
            "0.1 to 1000",
        )?;
        let (dims, input) = (self.feature.dims(), self.network.input_dim);
        check(
            || "network.input_dim".into(),
            input,
            input == dims,
            format!("{dims}, as feature says"),
        )?;
        self.network.validate()?;
        self.hmm.validate()?;
        self.decode.validate()?;
        let outputs = self.network.output_dim();
        check(|| "hmm.pdfs".into(), self.hmm.pdfs, self.hmm.pdfs == outputs, outputs)
    }
}

impl NetworkDescription {
    /// Columns of the scores: the output dimension of the last layer.
    pub fn output_dim(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output_dim)
    }

    /// Number of weights, biases, scales and shifts.
    pub fn parameters(&self) -> usize {
        let ivector = |layer: &LayerDescription| match layer.ivector {
            true => layer.channels() * self.ivector_dim,
            false => 0,
        };
        self.layers.iter().map(|layer| layer.parameters() + ivector(layer)).sum()
    }

    /// Checks that the layers chain, and every quantity.
    ///
    /// # Errors
    /// As [`ModelDescription::from_json`], as far as the network is concerned.
    pub fn validate(&self) -> Result<(), AcousticError> {
        let mut components = Path::new(&self.weights).components();
        let plain =
            matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
        let expected = "a file name without directories";
        check(|| "network.weights".into(), &self.weights, plain, expected)?;
        dim(|| "network.input_dim".into(), self.input_dim)?;
        let count = self.layers.len();
        let expected = "1 to 512 layers";
        check(|| "network.layers".into(), count, (1..=MAX_LAYERS).contains(&count), expected)?;
        // Width and input frames per frame of each layer's output.
        let mut shapes: Vec<(usize, usize)> = Vec::with_capacity(count);
        for i in 0..count {
            let (width, rate) = shapes.last().copied().unwrap_or((self.input_dim, 1));
            shapes.push(self.validate_layer(i, (width, rate), &shapes)?);
        }
        let rate = shapes.last().map_or(1, |(_, rate)| *rate);
        let found = self.subsampling;
        check(|| "network.subsampling".into(), found, found == rate, rate)?;
        let found = self.ivector_dim;
        check(|| "network.ivector_dim".into(), found, found <= MAX_IVECTOR, "up to 1024")?;
        let found = self.parameters();
        check(|| "network parameters".into(), found, found <= MAX_PARAMETERS, "up to 2^28")
    }

    /// Checks layer `i`, whose input has the given width and rate; returns those of its output.
    fn validate_layer(
        &self,
        i: usize,
        (width, rate): (usize, usize),
        shapes: &[(usize, usize)],
    ) -> Result<(usize, usize), AcousticError> {
        let (earlier, layer) = (&self.layers[..i], &self.layers[i]);
        let field = |name: &str| format!("network.layers[{i}] ({}).{name}", layer.name);
        layer.validate(&field, width)?;
        let rate = rate * layer.stride;
        let expected = "strides of product up to 64";
        check(|| field("stride"), layer.stride, rate <= MAX_SUBSAMPLING, expected)?;
        let unique = earlier.iter().all(|other| other.name != layer.name);
        check(|| field("name"), &layer.name, unique, "a unique name")?;
        let known = !layer.ivector || (self.ivector_dim > 0 && layer.bias);
        let expected = "false where network.ivector_dim is 0 or there is no bias";
        check(|| field("ivector"), layer.ivector, known, expected)?;
        let shape = (layer.output_dim, rate);
        let Some(bypass) = &layer.bypass else {
            return Ok(shape);
        };
        let source = earlier.iter().position(|other| other.name == bypass.layer);
        let source = source.ok_or_else(|| AcousticError::UnknownName {
            field: field("bypass.layer"),
            name: bypass.layer.clone(),
            expected: "an earlier layer",
        })?;
        let expected = "a layer of the same width and frame rate, or one with more frames";
        let (source_width, source_rate) = shapes[source];
        check(
            || field("bypass.layer"),
            &bypass.layer,
            source_width == shape.0 && shape.1 % source_rate == 0,
            expected,
        )?;
        check(|| field("bypass.scale"), bypass.scale, bypass.scale.is_finite(), "finite")?;
        Ok(shape)
    }
}

impl LayerDescription {
    fn parameters(&self) -> usize {
        let vectors = usize::from(self.bias) + 2 * usize::from(self.norm);
        self.channels() * (self.depth() + vectors)
    }

    /// Rows of the weights, and length of the vectors: the output channels, of one height where the
    /// layer is a convolution.
    pub(crate) fn channels(&self) -> usize {
        match &self.convolution {
            Some(plane) => self.output_dim / plane.height.div_ceil(plane.height_stride),
            None => self.output_dim,
        }
    }

    /// Columns of the weights: what one output value reads.
    pub(crate) fn depth(&self) -> usize {
        let read = match &self.convolution {
            Some(plane) => plane.height_offsets.len() * (self.input_dim / plane.height),
            None => self.input_dim,
        };
        self.offsets.len() * read
    }

    fn validate(&self, field: &dyn Fn(&str) -> String, width: usize) -> Result<(), AcousticError> {
        check(|| field("input_dim"), self.input_dim, self.input_dim == width, width)?;
        dim(|| field("output_dim"), self.output_dim)?;
        check(
            || field("stride"),
            self.stride,
            (1..=MAX_SUBSAMPLING).contains(&self.stride),
            "1 to 64",
        )?;
        let count = self.offsets.len();
        check(|| field("offsets"), count, (1..=MAX_OFFSETS).contains(&count), "1 to 64 offsets")?;
        let sorted = self.offsets.windows(2).all(|pair| pair[0] < pair[1]);
        let near = self.offsets.iter().all(|&offset| i64::from(offset).abs() <= MAX_REACH);
        let found = format!("{:?}", self.offsets);
        check(|| field("offsets"), found, sorted && near, "strictly increasing, within ±4096")?;
        for step in &self.steps {
            if let RowStep::Normalise { block, rms } = step {
                let fits = *block > 0 && self.output_dim.is_multiple_of(*block);
                let holds = fits && *rms > 0.0 && rms.is_finite();
                let found = format!("{rms} in blocks of {block}");
                let expected = "a number above 0, and a divisor of output_dim";
                check(|| field("steps"), found, holds, expected)?;
            }
        }
        match &self.convolution {
            Some(convolution) => self.validate_convolution(convolution, field),
            None => Ok(()),
        }
    }

    fn validate_convolution(
        &self,
        convolution: &ConvolutionDescription,
        field: &dyn Fn(&str) -> String,
    ) -> Result<(), AcousticError> {
        let ConvolutionDescription { height, height_stride, height_offsets } = convolution;
        let divides = *height > 0 && self.input_dim.is_multiple_of(*height);
        let expected = "a divisor of input_dim";
        check(|| field("convolution.height"), height, divides, expected)?;
        let within = (1..=*height).contains(height_stride);
        let expected = "1 to the height";
        check(|| field("convolution.height_stride"), height_stride, within, expected)?;
        let heights = height.div_ceil(*height_stride);
        let whole = self.output_dim.is_multiple_of(heights);
        let expected = format!("a multiple of the {heights} output heights");
        check(|| field("output_dim"), self.output_dim, whole, expected)?;
        let sorted = height_offsets.windows(2).all(|pair| pair[0] < pair[1]);
        let near = height_offsets.iter().all(|offset| (offset.unsigned_abs() as usize) < *height);
        let sensible = (1..=MAX_OFFSETS).contains(&height_offsets.len()) && sorted && near;
        let found = format!("{height_offsets:?}");
        let expected = "1 to 64 strictly increasing offsets within the height";
        check(|| field("convolution.height_offsets"), found, sensible, expected)?;
        let expected = "no bypass beside a convolution";
        check(|| field("bypass"), "a bypass", self.bypass.is_none(), expected)
    }
}

impl HmmDescription {
    fn validate(&self) -> Result<(), AcousticError> {
        let count = self.phones.len();
        check(
            || "hmm.phones".into(),
            count,
            (1..=MAX_PHONES).contains(&count),
            "1 to 1024 phones",
        )?;
        check(
            || "hmm.context".into(),
            &self.context,
            self.context == "left-biphone",
            "left-biphone",
        )
    }
}

impl DecodeDefaults {
    fn validate(&self) -> Result<(), AcousticError> {
        let probability = self.silence_probability;
        check(
            || "decode.silence_probability".into(),
            probability,
            probability > 0.0 && probability < 1.0,
            "between 0 and 1",
        )?;
        check(
            || "decode.word_penalty".into(),
            self.word_penalty,
            self.word_penalty.is_finite(),
            "finite",
        )?;
        for (name, value) in [
            ("acoustic_scale", self.acoustic_scale),
            ("beam", self.beam),
            ("lattice_beam", self.lattice_beam),
        ] {
            check(|| format!("decode.{name}"), value, value > 0.0, "greater than 0")?;
        }
        check(|| "decode.max_active".into(), self.max_active, self.max_active > 0, "at least 1")?;
        let fits = self.min_active <= self.max_active;
        check(|| "decode.min_active".into(), self.min_active, fits, "at most max_active")
    }
}

/// For fields that are written only where they say something.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn dim(field: impl FnOnce() -> String, found: usize) -> Result<(), AcousticError> {
    check(field, found, (1..=MAX_DIM).contains(&found), "1 to 65536")
}

fn check(
    field: impl FnOnce() -> String,
    found: impl ToString,
    holds: bool,
    expected: impl ToString,
) -> Result<(), AcousticError> {
    if holds {
        return Ok(());
    }
    Err(AcousticError::Range {
        field: field(),
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Changes to a valid description and the part of the message each must cause.
    #[test]
    fn wrong_descriptions_are_named() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/acoustic/model.json");
        let valid: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let cases = [
            ("/format", json!(2), "format 2"),
            ("/network/layers", json!([]), "network.layers is 0"),
            ("/network/layers/0/input_dim", json!(7), "splice).input_dim is 7, expected 6"),
            ("/network/layers/1/input_dim", json!(9), "stack).input_dim is 9, expected 8"),
            ("/network/layers/1/output_dim", json!(1u64 << 40), "stack).output_dim"),
            ("/network/layers/1/output_dim", json!(0), "stack).output_dim"),
            ("/network/layers/1/stride", json!(0), "stack).stride"),
            ("/network/layers/1/stride", json!(2), "network.subsampling is 3, expected 2"),
            ("/network/layers/1/offsets", json!([]), "stack).offsets is 0"),
            ("/network/layers/1/offsets", json!([1, 1]), "strictly increasing"),
            ("/network/layers/1/offsets", json!([-2147483648, 1]), "within"),
            ("/network/layers/1/name", json!("splice"), "unique"),
            ("/network/layers/1/sigmoid", json!(true), "unknown field"),
            ("/network/layers/3/bypass/layer", json!("output"), "not an earlier layer"),
            ("/network/layers/3/bypass/layer", json!("splice"), "same width and frame rate"),
            ("/network/weights", json!("../acoustic.safetensors"), "without directories"),
            ("/hmm/pdfs", json!(19), "hmm.pdfs is 19, expected 18"),
            ("/hmm/context", json!("triphone"), "left-biphone"),
            ("/decode/silence_probability", json!(1.0), "silence_probability"),
            ("/feature/frame_shift_ms", json!(0.0), "frame_shift_ms"),
        ];
        for (pointer, value, message) in cases {
            let mut broken = valid.clone();
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            match broken.pointer_mut(parent).unwrap() {
                Value::Object(fields) => drop(fields.insert(key.into(), value)),
                Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
                _ => unreachable!(),
            }
            let error = ModelDescription::from_json(broken.to_string().as_bytes()).unwrap_err();
            let error = crate::WithCauses(&error).to_string();
            assert!(error.contains(message), "{pointer}: {error}");
        }
        for length in 0..valid.to_string().len() {
            assert!(ModelDescription::from_json(&valid.to_string().as_bytes()[..length]).is_err());
        }
    }
}

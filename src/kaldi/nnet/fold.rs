//! A network of nnet3 as our chain of layers.
//!
//! Nodes are followed back from `output`; what it does not need (the cross-entropy branch) is left
//! out. Between nonlinearities all is linear and folds into one matrix, unless the product would
//! have more weights than its factors: then it becomes a layer, as the bottlenecks of factorised
//! layers do. Batch normalisation behind a ReLU becomes the layer's own, and a sum with an earlier
//! layer's output its bypass.

use std::collections::HashMap;

use super::form::{Form, Source};
use super::layer::{Layer, LayerTensors};
use super::order::{OUTPUT, order, uses};
use super::stride::assign_strides;
use super::{Component, Convolution, Descriptor, Nnet};
use crate::acoustic::{ConvolutionDescription, LayerDescription, RowStep};
use crate::kaldi::matrix::Matrix;

/// The inputs.
const INPUTS: [&str; 2] = ["input", "ivector"];
/// More than any sensible network has; descriptors of damaged files could say any number.
const MOST_TERMS: usize = 512;
const WIDEST: usize = 1 << 16;
const MOST_WEIGHTS: usize = 1 << 27;

/// The layers of a network.
#[derive(Debug)]
pub(in super::super) struct Folded {
    pub layers: Vec<LayerDescription>,
    /// By layer: weights, bias, and scale and shift where it has them.
    pub tensors: Vec<LayerTensors>,
    /// Values of a feature frame, and of an i-vector; 0 where none is read.
    pub inputs: (usize, usize),
}

/// Folds a network whose output is wanted every `subsampling` input frames. Errors say which node
/// is at fault.
pub(in super::super) fn fold(nnet: &Nnet, subsampling: usize) -> Result<Folded, String> {
    let order = order(nnet)?;
    let [features, ivector] = INPUTS.map(|name| nnet.inputs.get(name).copied());
    let mut fold = Fold {
        nnet,
        uses: uses(nnet, &order),
        forms: HashMap::new(),
        layers: Vec::new(),
        inputs: (features.ok_or("the network has no input-node \"input\"")?, ivector.unwrap_or(0)),
    };
    for name in order {
        let form = fold.node(name).map_err(|what| format!("node {name}: {what}"))?;
        fold.keep(name, form);
    }
    fold.finish(subsampling)
}

struct Fold<'n> {
    nnet: &'n Nnet,
    uses: HashMap<&'n str, usize>,
    forms: HashMap<&'n str, Form>,
    layers: Vec<Layer>,
    inputs: (usize, usize),
}

impl<'n> Fold<'n> {
    /// Remembers what a node puts out.
    fn keep(&mut self, name: &'n str, form: Form) {
        let uses = self.uses.get(name).copied().unwrap_or(0);
        if let Some(layer) = self.layer_of(&form).filter(|_| uses > 1) {
            self.layers[layer].frozen = true;
        }
        self.forms.insert(name, form);
    }

    fn width(&self, source: Source) -> usize {
        match source {
            Source::Input => self.inputs.0,
            Source::IVector => self.inputs.1,
            Source::Layer(layer) => self.layers[layer].output_dim,
        }
    }

    fn layer_of(&self, form: &Form) -> Option<usize> {
        form.as_layer(|layer| self.layers[layer].output_dim)
    }

    /// The layer that a form is, if it is the last and nothing has read it yet.
    fn open_layer(&self, form: &Form) -> Option<usize> {
        let layer = self.layer_of(form)?;
        let open = layer + 1 == self.layers.len() && !self.layers[layer].frozen;
        (open && self.layers[layer].bypass.is_none()).then_some(layer)
    }

    /// What a node puts out.
    fn node(&mut self, name: &str) -> Result<Form, String> {
        let nnet = self.nnet;
        let node = &nnet.nodes[name];
        let input = self.read(&node.input)?;
        let Some(component) = &node.component else {
            return Ok(input);
        };
        let found = nnet.components.get(component);
        let found = found.ok_or_else(|| format!("there is no component {component}"))?;
        let run = self.run(name, found, input);
        run.map_err(|what| format!("component {component}: {what}"))
    }

    fn read(&mut self, descriptor: &Descriptor) -> Result<Form, String> {
        let form = match descriptor {
            Descriptor::Node(name) => self.named(name)?,
            Descriptor::Append(parts) => Form::append(self.read_all(parts)?),
            Descriptor::Sum(parts) => self.sum(parts)?,
            Descriptor::Offset(part, offset) => self.read(part)?.shifted(*offset),
            Descriptor::Scale(scale, part) => self.read(part)?.scaled(&[*scale], &[0.0]),
            Descriptor::Constant(part) => match &**part {
                Descriptor::Node(name) if name == INPUTS[1] => self.named(name)?,
                _ => return Err("only the i-vector can be read at a time of its own".into()),
            },
            Descriptor::Other(name) => {
                return Err(format!(
                    "it reads by {name}, which recurrent networks need; they are not supported"
                ));
            }
        };
        let (terms, width) = (form.terms.len(), form.width);
        match terms <= MOST_TERMS && width <= WIDEST {
            true => Ok(form),
            false => Err(format!("it reads {terms} parts and {width} values, which are too many")),
        }
    }

    fn read_all(&mut self, parts: &[Descriptor]) -> Result<Vec<Form>, String> {
        parts.iter().map(|part| self.read(part)).collect()
    }

    fn named(&self, name: &str) -> Result<Form, String> {
        let (features, ivector) = self.inputs;
        if name == INPUTS[0] {
            return Ok(Form::identity(Source::Input, 0, features));
        }
        if name == INPUTS[1] && ivector > 0 {
            return Ok(Form::identity(Source::IVector, 0, ivector));
        }
        let form = self.forms.get(name).cloned();
        form.ok_or_else(|| format!("input {name} is neither \"input\" nor \"ivector\""))
    }

    /// A sum: a bypass of the last layer, if it is one, else a linear form.
    fn sum(&mut self, parts: &[Descriptor]) -> Result<Form, String> {
        let forms = self.read_all(parts)?;
        if let [first, second] = &forms[..] {
            for (own, other) in [(second, first), (first, second)] {
                let width = |layer: usize| self.layers[layer].output_dim;
                let layer = self.open_layer(own);
                let bypass = other.as_scaled_layer(width);
                let (Some(layer), Some((source, scale))) = (layer, bypass) else {
                    continue;
                };
                let plain = self.layers[layer].convolution.is_none() && width(source) == own.width;
                if source < layer && plain {
                    self.layers[layer].bypass = Some((source, scale));
                    return Ok(own.clone());
                }
            }
        }
        Form::sum(forms).ok_or_else(|| "it sums values of different widths".into())
    }

    /// What a component makes of its input.
    fn run(&mut self, name: &str, component: &Component, input: Form) -> Result<Form, String> {
        match component {
            Component::Identity | Component::LogSoftmax => Ok(input),
            Component::Affine { weights, bias } => self.affine(name, (weights, bias), input),
            Component::Tdnn { offsets, weights, bias } => {
                let block = weights.ncols() / offsets.len();
                check_width(block, input.width)?;
                let input = self.in_place(name, input, (weights, offsets.len()))?;
                let parts = offsets.iter().map(|offset| input.clone().shifted(*offset));
                let read = Form::append(parts.collect());
                match read.terms.len() <= MOST_TERMS {
                    true => self.affine(name, (weights, bias), read),
                    false => Err("it reads too many parts".into()),
                }
            }
            Component::ScaleAndShift { scale, shift } => self.scale(input, (scale, shift)),
            Component::Permute { order } => {
                check_width(order.len(), input.width)?;
                let permuted = input.permuted(order);
                permuted.ok_or_else(|| "its <ColumnMap> names a column that is not there".into())
            }
            Component::Relu => self.step(name, None, input),
            Component::Step(step) => self.step(name, Some(step), input),
            Component::Convolution(convolution) => self.convolution(name, convolution, input),
            Component::Other { kind } => Err(format!(
                "{kind}Component is not supported; supported are affine, linear, TDNN, convolution, batch \
                 normalisation, scale and offset, ReLU, sigmoid, tanh, renormalisation, log-softmax and what \
                 acts in training alone"
            )),
        }
    }

    /// A nonlinearity, by default the ReLU: of the layer before, where it can be one of it.
    fn step(&mut self, name: &str, step: Option<&RowStep>, input: Form) -> Result<Form, String> {
        if let Some(RowStep::Normalise { block, .. }) = step
            && !input.width.is_multiple_of(*block)
        {
            return Err(format!("it normalises blocks of {block} of {} values", input.width));
        }
        let form = self.as_layer(name, input)?;
        let layer = self.open_layer(&form).filter(|&layer| {
            let layer = &self.layers[layer];
            let is_bare = !layer.relu && layer.steps.is_empty();
            layer.tensors.norm.is_none() && (is_bare || step.is_some())
        });
        let layer = match layer {
            Some(layer) => layer,
            None => self.add(name, &form)?,
        };
        match step {
            None => self.layers[layer].relu = true,
            Some(step) => self.layers[layer].steps.push(step.clone()),
        }
        Ok(self.output_of(layer))
    }

    fn output_of(&self, layer: usize) -> Form {
        Form::identity(Source::Layer(layer), 0, self.layers[layer].output_dim)
    }

    /// Multiplies, in one matrix with what is pending where that has fewer weights.
    fn affine(
        &mut self,
        name: &str,
        (weights, bias): (&Matrix, &Vec<f32>),
        input: Form,
    ) -> Result<Form, String> {
        check_width(weights.ncols(), input.width)?;
        let input = self.in_place(name, input, (weights, 1))?;
        Ok(input.under(weights, bias))
    }

    /// Prepares a form as the input of weights that read it `times` times. Returns the form itself
    /// if its product with the weights is no larger than the two factors, else the output of a
    /// layer of its own.
    fn in_place(
        &mut self,
        name: &str,
        input: Form,
        (weights, times): (&Matrix, usize),
    ) -> Result<Form, String> {
        if input.is_elementary() {
            return Ok(input);
        }
        let width = |source| self.width(source);
        let own = input.weight_count(width);
        let composed = (own / input.width.max(1)).saturating_mul(weights.nrows() * times);
        if composed <= own + weights.len() {
            return Ok(input);
        }
        let layer = self.add(&format!("{name}.input"), &input)?;
        Ok(self.output_of(layer))
    }

    fn scale(&mut self, input: Form, (scale, shift): (&[f32], &[f32])) -> Result<Form, String> {
        let block = scale.len();
        if block == 0 || !input.width.is_multiple_of(block) {
            return Err(format!("it scales blocks of {block} of {} values", input.width));
        }
        let open = self.open_layer(&input).filter(|&layer| {
            let layer = &self.layers[layer];
            let channels = layer.tensors.bias.len();
            (layer.relu || !layer.steps.is_empty()) && channels.is_multiple_of(block)
        });
        let Some(layer) = open else {
            return Ok(input.scaled(scale, shift));
        };
        let tensors = &mut self.layers[layer].tensors;
        let channels = tensors.bias.len();
        // One normalisation behind another is one.
        let (scales, shifts) =
            tensors.norm.get_or_insert_with(|| (vec![1.0; channels], vec![0.0; channels]));
        for (at, (to_scale, to_shift)) in scales.iter_mut().zip(shifts).enumerate() {
            let (scale, shift) = (scale[at % block], shift[at % block]);
            *to_scale *= scale;
            *to_shift = *to_shift * scale + shift;
        }
        Ok(input)
    }

    fn convolution(
        &mut self,
        name: &str,
        convolution: &Convolution,
        input: Form,
    ) -> Result<Form, String> {
        let width = convolution.heights.0.checked_mul(convolution.filters.0);
        check_width(width.unwrap_or(usize::MAX), input.width)?;
        let input = self.as_layer(&format!("{name}.input"), input)?;
        let read = self.layer_of(&input).filter(|layer| layer + 1 == self.layers.len());
        let read = read.ok_or("a convolution reads the layer before it, unchanged")?;
        self.layers[read].frozen = true;
        let output = convolution.heights.1.checked_mul(convolution.filters.1);
        let output = output.filter(|&output| output <= WIDEST).ok_or("it is too wide")?;
        self.layers.push(Layer {
            name: name.to_owned(),
            offsets: convolution.times.clone(),
            input_dim: input.width,
            output_dim: output,
            relu: false,
            steps: Vec::new(),
            bypass: None,
            convolution: Some(ConvolutionDescription {
                height: convolution.heights.0,
                height_stride: convolution.height_stride,
                height_offsets: convolution.height_offsets.clone(),
            }),
            tensors: LayerTensors {
                weights: convolution.weights.clone(),
                bias: convolution.bias.clone(),
                norm: None,
                ivector: None,
            },
            frozen: false,
        });
        Ok(self.output_of(self.layers.len() - 1))
    }

    /// A form as the output of a layer: itself if it is one, else of a new layer.
    fn as_layer(&mut self, name: &str, form: Form) -> Result<Form, String> {
        if self.layer_of(&form).is_some() {
            return Ok(form);
        }
        let layer = self.add(name, &form)?;
        Ok(self.output_of(layer))
    }

    /// Adds a layer that computes a form.
    fn add(&mut self, name: &str, form: &Form) -> Result<usize, String> {
        let expected = match self.layers.len() {
            0 => Source::Input,
            layers => Source::Layer(layers - 1),
        };
        let mut places = form.places();
        places.retain(|(source, _)| *source != Source::IVector);
        if places.iter().any(|(source, _)| *source != expected) {
            let say = |source: &Source| match source {
                Source::Input => "the input".to_owned(),
                Source::IVector => "the i-vector".to_owned(),
                Source::Layer(layer) => self.layers[*layer].name.clone(),
            };
            let mut read: Vec<Source> = places.iter().map(|(source, _)| *source).collect();
            read.dedup();
            let read: Vec<String> = read.iter().map(say).collect();
            return Err(format!(
                "it reads {}, and a layer can read the one before it alone ({})",
                read.join(" and "),
                say(&expected)
            ));
        }
        let width = |source| self.width(source);
        if form.weight_count(width) > MOST_WEIGHTS || places.is_empty() {
            return Err("it has too many weights, or reads no frame".into());
        }
        if let Source::Layer(layer) = expected {
            self.layers[layer].frozen = true;
        }
        let input_dim = self.width(expected);
        let (offsets, weights) = form.weights(expected, input_dim);
        let (reads, ivector) = form.weights(Source::IVector, self.inputs.1);
        let ivector = (!reads.is_empty()).then_some(ivector);
        self.layers.push(Layer {
            name: name.to_owned(),
            offsets,
            input_dim,
            output_dim: form.width,
            relu: false,
            steps: Vec::new(),
            bypass: None,
            convolution: None,
            tensors: LayerTensors { weights, bias: form.bias.clone(), norm: None, ivector },
            frozen: false,
        });
        Ok(self.layers.len() - 1)
    }

    /// The layers, the last of which is the output.
    fn finish(mut self, subsampling: usize) -> Result<Folded, String> {
        let form = self.forms.remove(OUTPUT).ok_or("there is no node output")?;
        let form = self.less_priors(form)?;
        let last = self.layer_of(&form).filter(|layer| layer + 1 == self.layers.len());
        if last.is_none() {
            self.add(OUTPUT, &form)?;
        }
        let strides = assign_strides(&mut self.layers, subsampling)?;
        let names: Vec<String> = self.layers.iter().map(|layer| layer.name.clone()).collect();
        let (mut layers, mut tensors) = (Vec::new(), Vec::new());
        for (layer, stride) in self.layers.into_iter().zip(strides) {
            layers.push(layer.description(stride, &names));
            tensors.push(layer.tensors);
        }
        let reads_ivector = tensors.iter().any(|tensors| tensors.ivector.is_some());
        let ivector = if reads_ivector { self.inputs.1 } else { 0 };
        Ok(Folded { layers, tensors, inputs: (self.inputs.0, ivector) })
    }

    /// Divides by the priors, where the model has any.
    fn less_priors(&self, form: Form) -> Result<Form, String> {
        let priors = &self.nnet.priors;
        if priors.is_empty() {
            return Ok(form);
        }
        if priors.len() != form.width || priors.iter().any(|prior| *prior <= 0.0) {
            return Err(format!("{} priors for {} pdfs", priors.len(), form.width));
        }
        let shifts: Vec<f32> = priors.iter().map(|prior| -prior.ln()).collect();
        Ok(form.scaled(&[1.0], &shifts))
    }
}

fn check_width(expected: usize, found: usize) -> Result<(), String> {
    match expected == found {
        true => Ok(()),
        false => Err(format!("it takes {expected} values and reads {found}")),
    }
}

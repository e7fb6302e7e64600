//! Our chain of layers as an nnet3 network: config lines that say which node reads what, and the
//! components that they name.
//!
//! nnet3 counts time in input frames everywhere and computes what is asked for, so a stride is no
//! more than larger offsets from there on.

use super::super::KaldiError;
use super::super::output::Output;
use super::components;
use crate::acoustic::{BypassDescription, LayerDescription, NetworkDescription, Tensors};

/// Writes the network behind the transition model, as `am/final.mdl` has it; returns the number of
/// components.
pub(super) fn write(
    network: &NetworkDescription,
    tensors: &Tensors,
    out: &mut Output,
) -> Result<usize, KaldiError> {
    let mut net = Net {
        lines: vec![format!("input-node name=input dim={}", network.input_dim)],
        ..Net::default()
    };
    let (mut node, mut rate) = ("input".to_owned(), 1);
    for layer in &network.layers {
        node = net.layer(layer, &node, rate, tensors)?;
        net.outputs.push((layer.name.clone(), node.clone()));
        rate *= layer.stride as i32;
    }
    let last = format!("output-node name=output input={node} objective=linear");
    net.lines.push(last);
    out.token("<Nnet3>").raw(b"\n");
    out.raw(net.lines.join("\n").as_bytes()).raw(b"\n\n");
    out.token("<NumComponents>").size(net.count);
    let written = net.components.map_or_else(Vec::new, Output::into_bytes);
    // Without the mark of binary mode, which stands once in a file.
    out.raw(&written[BINARY_MARK.min(written.len())..]);
    out.token("</Nnet3>");
    // Kaldi computes the contexts anew.
    out.token("<LeftContext>").int(0);
    out.token("<RightContext>").int(0);
    out.token("<Priors>").vector(&[]);
    Ok(net.count)
}

/// Bytes of the mark.
const BINARY_MARK: usize = 2;

/// What was written so far.
#[derive(Default)]
struct Net {
    lines: Vec<String>,
    components: Option<Output>,
    count: usize,
    /// By layer: the node of its output.
    outputs: Vec<(String, String)>,
}

impl Net {
    /// Adds a layer that reads `input`, whose frames are `rate` input frames apart; returns the
    /// node of its output.
    fn layer(
        &mut self,
        layer: &LayerDescription,
        input: &str,
        rate: i32,
        tensors: &Tensors,
    ) -> Result<String, KaldiError> {
        let (name, channels, width) = (&layer.name, layer.channels(), layer.output_dim);
        if layer.ivector || !layer.steps.is_empty() {
            let what = format!("layer {name} reads an i-vector or is neither linear nor a ReLU");
            return Err(KaldiError::NotExportable(what));
        }
        let vector = |part: &str| tensors.floats(&format!("{name}.{part}"), &[channels]);
        let weights = tensors.floats(&format!("{name}.weight"), &[channels, layer.depth()])?;
        let bias = match layer.bias {
            true => vector("bias")?,
            false => vec![0.0; channels],
        };
        let offsets: Vec<i32> = layer.offsets.iter().map(|offset| offset * rate).collect();
        let mut read = input.to_owned();
        if layer.convolution.is_none() && input == "input" && offsets != [0] {
            let parts: Vec<String> = offsets.iter().map(|&at| offset(input, at)).collect();
            read = format!("Append({})", parts.join(", "));
        }
        let appended = read != input || offsets == [0];
        let mut node = self.node(name, "a", &read, |out| {
            if layer.convolution.is_some() {
                components::convolution(out, layer, &offsets, (&weights, &bias));
            } else if appended {
                components::affine(out, &weights, &bias);
            } else {
                let bias = if layer.bias { &bias[..] } else { &[] };
                components::tdnn(out, &offsets, (&weights, channels), bias);
            }
        });
        if layer.relu {
            node = self.node(name, "r", &node, |out| components::relu(out, width));
        }
        if layer.norm {
            let steps = (vector("scale")?, vector("shift")?);
            node = self.norm(name, &node, width, (&steps.0, &steps.1));
        }
        match &layer.bypass {
            None => Ok(node),
            Some(bypass) => {
                let sum = self.sum(bypass, &node)?;
                Ok(self.node(name, "s", &sum, |out| components::no_op(out, width)))
            }
        }
    }

    /// The input of a node that adds what a bypass brings to the output of `node`.
    fn sum(&self, bypass: &BypassDescription, node: &str) -> Result<String, KaldiError> {
        let source = self.outputs.iter().find(|(layer, _)| *layer == bypass.layer);
        let missing = || KaldiError::NotExportable(format!("no layer {}", bypass.layer));
        let (_, source) = source.ok_or_else(missing)?;
        Ok(format!("Sum(Scale({}, {source}), {node})", bypass.scale))
    }

    fn norm(&mut self, name: &str, input: &str, width: usize, steps: (&[f32], &[f32])) -> String {
        if components::is_batch_norm(steps.0) {
            return self.node(name, "b", input, |out| components::batch_norm(out, width, steps));
        }
        // Scales that no variance gives. They repeat over the heights of a convolution.
        let repeated = |values: &[f32]| values.iter().copied().cycle().take(width).collect();
        let (scales, shifts): (Vec<f32>, Vec<f32>) = (repeated(steps.0), repeated(steps.1));
        let scaled = self.node(name, "m", input, |out| components::fixed_scale(out, &scales));
        self.node(name, "b", &scaled, |out| components::fixed_bias(out, &shifts))
    }

    /// Adds a component and the node that runs it; returns the node.
    fn node(
        &mut self,
        layer: &str,
        part: &str,
        input: &str,
        write: impl FnOnce(&mut Output),
    ) -> String {
        let name = format!("{layer}.{part}");
        self.lines.push(format!("component-node name={name} component={name} input={input}"));
        let out = self.components.get_or_insert_with(Output::new);
        out.token("<ComponentName>").token(&name);
        write(out);
        self.count += 1;
        name
    }
}

fn offset(node: &str, at: i32) -> String {
    match at {
        0 => node.to_owned(),
        at => format!("Offset({node}, {at})"),
    }
}

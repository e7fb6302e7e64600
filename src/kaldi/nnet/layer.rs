//! A layer of ours while a network is folded.

use crate::acoustic::{BypassDescription, ConvolutionDescription, LayerDescription, RowStep};
use crate::kaldi::matrix::Matrix;

/// The numbers of a layer.
#[derive(Debug)]
pub(in super::super) struct LayerTensors {
    pub weights: Matrix,
    pub bias: Vec<f32>,
    pub norm: Option<(Vec<f32>, Vec<f32>)>,
    /// Of the i-vector.
    pub ivector: Option<Matrix>,
}

/// A layer on its way: times in input frames.
pub(super) struct Layer {
    pub name: String,
    pub offsets: Vec<i32>,
    pub input_dim: usize,
    pub output_dim: usize,
    pub relu: bool,
    pub steps: Vec<RowStep>,
    pub bypass: Option<(usize, f32)>,
    pub convolution: Option<ConvolutionDescription>,
    pub tensors: LayerTensors,
    /// Others have read it as it is now.
    pub frozen: bool,
}

impl Layer {
    /// What the layer is in our terms, given its stride and the names of all layers.
    pub fn description(&self, stride: usize, names: &[String]) -> LayerDescription {
        LayerDescription {
            name: self.name.clone(),
            offsets: self.offsets.clone(),
            stride,
            input_dim: self.input_dim,
            output_dim: self.output_dim,
            bias: true,
            ivector: self.tensors.ivector.is_some(),
            relu: self.relu,
            steps: self.steps.clone(),
            norm: self.tensors.norm.is_some(),
            bypass: self
                .bypass
                .map(|(layer, scale)| BypassDescription { layer: names[layer].clone(), scale }),
            convolution: self.convolution.clone(),
        }
    }
}

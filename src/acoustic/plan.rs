//! Which times of each layer's output are needed: the exact context of the whole network.
//!
//! Node 0 is the input, node `i + 1` the output of layer `i`. All indices are absolute: output `t`
//! of a layer reads its input at `t · stride + offset`. Walking from the last layer to the first
//! gives, for output frames `0..=U`, the range `first ..= rate · U + right` of every node. The
//! input is repeated at its ends to fill the range.

use super::description::LayerDescription;

/// The needed range of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The first index needed; negative where the network looks before the utterance.
    pub(super) first: i64,
    /// How far beyond `rate · U` the last index needed lies.
    pub(super) right: i64,
}

/// The ranges of all nodes and the strides between them.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// One span per node.
    pub(super) spans: Vec<Span>,
    /// Input frames per output frame.
    pub(super) subsampling: i64,
}

impl Plan {
    /// Walks the validated layers backwards. `bypasses[i]` is the node added to layer `i`'s output,
    /// and how many frames of that node span one frame of the layer.
    pub(super) fn new(layers: &[LayerDescription], bypasses: &[Option<(usize, i64)>]) -> Plan {
        let mut spans = vec![Span { first: 0, right: 0 }; layers.len() + 1];
        for (i, layer) in layers.iter().enumerate().rev() {
            let (stride, out) = (layer.stride as i64, spans[i + 1]);
            let (low, high) = reach(layer);
            widen(&mut spans[i], out.first * stride + low, out.right * stride + high);
            if let Some((node, ratio)) = bypasses[i] {
                widen(&mut spans[node], out.first * ratio, out.right * ratio);
            }
        }
        Plan { spans, subsampling: layers.iter().map(|layer| layer.stride as i64).product() }
    }

    /// Output frames of an utterance of `frames` input frames: `⌈frames / subsampling⌉`.
    pub(super) fn outputs(&self, frames: i64) -> i64 {
        (frames + self.subsampling - 1) / self.subsampling
    }

    /// Copies of the last of `frames` input frames that complete the context of the last output.
    pub(super) fn padding(&self, frames: i64) -> i64 {
        let last = self.subsampling * (self.outputs(frames) - 1) + self.spans[0].right;
        (last + 1 - frames).max(0)
    }
}

/// Smallest and largest offset of a layer.
pub(super) fn reach(layer: &LayerDescription) -> (i64, i64) {
    let first = layer.offsets.first().expect("a validated layer has an offset");
    let last = layer.offsets.last().expect("a validated layer has an offset");
    (i64::from(*first), i64::from(*last))
}

/// Spans start at 0..=0 and only grow, so every node covers the utterance's own time.
fn widen(span: &mut Span, first: i64, right: i64) {
    span.first = span.first.min(first);
    span.right = span.right.max(right);
}

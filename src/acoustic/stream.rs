//! The forward pass: features in, scores out, as soon as their context is there.
//!
//! Every node (the input and each layer's output) keeps the rows that later outputs still read. A
//! piece of input moves through the layers one after the other, each computing all rows its input
//! now allows. Whole utterances go the same way, cut into blocks that keep the activations in the
//! second-level cache; nothing is computed twice at the seams, and the result does not depend on
//! where they are.

use std::borrow::BorrowMut;

use ndarray::{ArrayView2, Axis, s};

use super::ivector::{Adaptation, Adapter, SilenceFinder};
use super::layer::ProductScratch;
use super::network::Network;
use super::node::Node;
use super::{AcousticError, Scores};
use crate::feature::Features;

/// Output rows per block: four tiles of 14 rows, so that the weights, which stream past, are read
/// seldom and the activations of all layers (56 × 9,700 × 4 bytes) are not far off. Measured from
/// 14 to 112 rows: 42 to 84 are as fast as each other, 28 costs a twentieth more.
const BLOCK: usize = 56;

/// The working memory of a forward pass; reused from one utterance to the next, for any network.
#[derive(Clone, Default)]
pub struct NetworkScratch {
    nodes: Vec<Node>,
    products: ProductScratch,
    /// Of a network with i-vectors.
    adapter: Option<Box<Adapter>>,
}

/// An utterance on its way through a network, in memory that is lent to it or its own.
pub struct NetworkStream<'a, S = &'a mut NetworkScratch> {
    network: &'a Network,
    scratch: S,
    /// Input frames taken so far.
    frames: i64,
    /// Output frames given so far.
    outputs: i64,
    /// Who says which frames are silence, for i-vectors.
    finder: Option<Box<dyn SilenceFinder + 'a>>,
}

impl Network {
    /// Scores a whole utterance: ⌈frames / subsampling⌉ rows. The features are mean-normalised as
    /// the model's description says.
    ///
    /// # Errors
    /// The features have another width than the network's input, or a value is not finite.
    pub fn scores(
        &self,
        features: &Features,
        scratch: &mut NetworkScratch,
    ) -> Result<Scores, AcousticError> {
        let mut scores = Scores::default();
        self.scores_into(features.frames.view(), scratch, &mut scores)?;
        Ok(scores)
    }

    /// As [`Network::scores`], from frames × dimensions into scores whose memory is reused: no
    /// allocation once both are warm.
    ///
    /// # Errors
    /// As [`Network::scores`].
    pub fn scores_into(
        &self,
        features: ArrayView2<'_, f32>,
        scratch: &mut NetworkScratch,
        scores: &mut Scores,
    ) -> Result<(), AcousticError> {
        self.stream(scratch).whole(features, scores)
    }

    /// Starts an utterance whose features arrive in pieces, in a scratch that is lent or given.
    pub fn stream<S: BorrowMut<NetworkScratch>>(&self, scratch: S) -> NetworkStream<'_, S> {
        NetworkStream::new(self, scratch)
    }
}

impl<'a, S: BorrowMut<NetworkScratch>> NetworkStream<'a, S> {
    pub(super) fn new(network: &'a Network, scratch: S) -> Self {
        let mut stream = NetworkStream { network, scratch, frames: 0, outputs: 0, finder: None };
        stream.restart();
        stream
    }

    /// Lets a finder say from the first frame on which frames are silence, to a network with
    /// i-vectors; with `None`, and without this call, the scores of each frame say it.
    pub fn hearing_silence(mut self, finder: Option<Box<dyn SilenceFinder + 'a>>) -> Self {
        self.finder = finder;
        if let Some(finder) = &mut self.finder {
            finder.restart();
        }
        self
    }

    /// Scores a whole utterance at once, into scores that may be reused.
    ///
    /// # Errors
    /// As [`Network::scores`].
    pub fn whole(
        mut self,
        features: ArrayView2<'_, f32>,
        scores: &mut Scores,
    ) -> Result<(), AcousticError> {
        scores.clear();
        // Blocks of about one size, the fewer the better: the weights are read once for each. The
        // last is taken together with what is repeated behind it, where no i-vector is waited for.
        let rows = features.nrows();
        let blocks = rows.div_ceil(self.block()).max(1);
        let step = rows.div_ceil(blocks).max(1);
        let last = if self.network.adaptation.is_none() { step.min(rows) } else { 0 };
        let (first, last) = features.split_at(Axis(0), rows - last);
        self.push_blocks(first, step, scores)?;
        self.take(last)?;
        self.finish(scores)
    }

    /// Forgets everything and begins an utterance.
    pub fn restart(&mut self) {
        let (network, scratch) = (self.network, self.scratch.borrow_mut());
        let widths = network.layers.iter().map(|layer| layer.output_dim);
        let widths = std::iter::once(network.input_dim).chain(widths);
        scratch.nodes.resize_with(network.layers.len() + 1, Node::default);
        for ((node, width), span) in scratch.nodes.iter_mut().zip(widths).zip(&network.plan.spans) {
            node.rows = 0;
            node.width = width;
            node.first = span.first;
        }
        scratch.adapter = network.adaptation.as_ref().map(|adaptation| {
            let (_, right) = network.context();
            let shape = (network.subsampling(), right);
            Box::new(Adapter::new(adaptation, shape, network.ivector_weights()))
        });
        if let Some(finder) = &mut self.finder {
            finder.restart();
        }
        (self.frames, self.outputs) = (0, 0);
    }

    /// Takes further feature frames (frames × dimensions) and appends every row of scores whose
    /// context is complete.
    ///
    /// # Errors
    /// The features have another width than the network's input, or a value is not finite. The
    /// stream cannot be continued after an error.
    pub fn push(
        &mut self,
        features: ArrayView2<'_, f32>,
        scores: &mut Scores,
    ) -> Result<(), AcousticError> {
        self.push_blocks(features, self.block(), scores)
    }

    /// Input frames of a block.
    fn block(&self) -> usize {
        BLOCK * self.network.subsampling()
    }

    /// As [`NetworkStream::push`], in blocks of `step` frames.
    fn push_blocks(
        &mut self,
        features: ArrayView2<'_, f32>,
        step: usize,
        scores: &mut Scores,
    ) -> Result<(), AcousticError> {
        let (found, expected) = (features.ncols(), self.network.input_dim);
        if found != expected {
            return Err(AcousticError::FeatureWidth { found, expected });
        }
        for start in (0..features.nrows()).step_by(step) {
            let block = features.slice(s![start..(start + step).min(features.nrows()), ..]);
            match &self.network.adaptation {
                None => {
                    self.take(block)?;
                    self.advance(scores)?;
                }
                Some(adaptation) => self.take_adapted(adaptation, block, scores)?,
            }
        }
        Ok(())
    }

    /// Ends the utterance: repeats the last frame as often as the last outputs look beyond it.
    ///
    /// Afterwards ⌈frames / subsampling⌉ rows have been appended in all.
    ///
    /// # Errors
    /// The scores are not finite.
    pub fn finish(mut self, scores: &mut Scores) -> Result<(), AcousticError> {
        scores.pdfs = self.network.num_pdfs();
        scores.shift = self.network.shift;
        if self.frames == 0 {
            return Ok(());
        }
        if let Some(adaptation) = &self.network.adaptation {
            // What came since the last whole step is a step, and then no more comes.
            self.step(adaptation, scores)?;
            let weights = self.network.ivector_weights();
            let NetworkStream { scratch, finder, .. } = &mut self;
            adapter_of(scratch.borrow_mut()).finish(adaptation, weights, finder.as_deref_mut());
            let waiting = self.adapter().waiting();
            self.hand_on(waiting);
        }
        let input = &mut self.scratch.borrow_mut().nodes[0];
        input.repeat_last(self.network.plan.padding(self.frames) as usize);
        self.advance(scores)
    }

    /// Appends the scores that [`NetworkStream::finish`] would, and goes on as if it had not: what
    /// the last frames seem to be before their context has come. `spare` is written over.
    ///
    /// # Errors
    /// The scores are not finite.
    pub fn peek(
        &self,
        spare: &mut NetworkScratch,
        scores: &mut Scores,
    ) -> Result<(), AcousticError> {
        spare.clone_from(self.scratch.borrow());
        let ended = NetworkStream {
            network: self.network,
            scratch: spare,
            frames: self.frames,
            outputs: self.outputs,
            finder: self.finder.as_ref().map(|finder| finder.copy()),
        };
        ended.finish(scores)
    }

    /// Appends a block to the input; in front of the first frame go as many copies of it as the
    /// network looks back.
    fn take(&mut self, block: ArrayView2<'_, f32>) -> Result<(), AcousticError> {
        let input = &mut self.scratch.borrow_mut().nodes[0];
        for row in block.rows() {
            if row.iter().fold(false, |wrong, value| wrong | !value.is_finite()) {
                return Err(AcousticError::NonFiniteFeatures { frame: self.frames as usize });
            }
            input.append(1).iter_mut().zip(row).for_each(|(to, from)| *to = *from);
            if self.frames == 0 {
                input.repeat_last(self.network.plan.spans[0].first.unsigned_abs() as usize);
            }
            self.frames += 1;
        }
        Ok(())
    }

    /// Takes a block whose frames wait for the i-vector of their chunk, and computes all chunks
    /// that have one.
    fn take_adapted(
        &mut self,
        adaptation: &Adaptation,
        block: ArrayView2<'_, f32>,
        scores: &mut Scores,
    ) -> Result<(), AcousticError> {
        for row in block.rows() {
            if row.iter().any(|value| !value.is_finite()) {
                return Err(AcousticError::NonFiniteFeatures { frame: self.frames as usize });
            }
            let ends = self.adapter().push(adaptation, row.iter().copied());
            self.frames += 1;
            if ends {
                self.step(adaptation, scores)?;
            }
        }
        self.deliver(scores)
    }

    /// A step has ended: estimates i-vectors and scores the chunks that are complete.
    fn step(&mut self, adaptation: &Adaptation, scores: &mut Scores) -> Result<(), AcousticError> {
        let network = self.network;
        let NetworkStream { scratch, finder, .. } = self;
        adapter_of(scratch.borrow_mut()).weigh(finder.as_deref_mut());
        while let Some(frames) = self.adapter().next_chunk(adaptation, network.ivector_weights()) {
            self.hand_on(frames);
            self.advance(scores)?;
        }
        Ok(())
    }

    fn adapter(&mut self) -> &mut Adapter {
        adapter_of(self.scratch.borrow_mut())
    }

    /// Lets so many frames that waited go into the network.
    fn hand_on(&mut self, frames: usize) {
        let before = self.network.plan.spans[0].first.unsigned_abs() as usize;
        let NetworkScratch { nodes, adapter, .. } = self.scratch.borrow_mut();
        let (input, adapter) = (&mut nodes[0], adapter.as_deref_mut());
        let adapter = adapter.expect("an adapted network's stream has an adapter");
        let mut is_first = adapter.is_first();
        adapter.hand_on(frames, |row| {
            input.append(1).copy_from_slice(row);
            if std::mem::take(&mut is_first) {
                input.repeat_last(before);
            }
        });
    }

    /// Computes every row of every layer that its input allows, and hands over the last layer's.
    fn advance(&mut self, scores: &mut Scores) -> Result<(), AcousticError> {
        let NetworkScratch { nodes, products, adapter } = self.scratch.borrow_mut();
        let mut reading = 0;
        for (i, layer) in self.network.layers.iter().enumerate() {
            let (earlier, later) = nodes.split_at_mut(i + 1);
            let (input, out) = (&earlier[i], &mut later[0]);
            let bypass = layer.bypass.map(|bypass| (&earlier[bypass.node], bypass.ratio));
            let first = out.end();
            let mut end = (input.end() - layer.reach.1 - 1).div_euclid(layer.stride) + 1;
            end =
                bypass.map_or(end, |(node, ratio)| end.min((node.end() - 1).div_euclid(ratio) + 1));
            if end <= first {
                continue;
            }
            let bypass = bypass.map(|(node, _)| node.window());
            let (input, out) = (input.window(), out.append((end - first) as usize));
            let biases = adapter.as_deref().zip(layer.ivector.as_ref());
            let Some((adapter, weights)) = biases else {
                layer.apply((input, bypass), None, first, (out, &mut *products));
                continue;
            };
            let (mut from, mut rest) = (first, out);
            while from < end {
                let (bias, next) = adapter.biases.at(reading, from * weights.spacing);
                // The first frame of the layer at or behind the next chunk's first input frame.
                let to =
                    next.saturating_add(weights.spacing - 1).div_euclid(weights.spacing).min(end);
                let (part, others) = rest.split_at_mut((to - from) as usize * layer.output_dim);
                layer.apply((input, bypass), Some(bias), from, (part, &mut *products));
                (from, rest) = (to, others);
            }
            reading += 1;
        }
        self.forget();
        self.deliver(scores)
    }

    /// Drops the rows that no later output reads.
    fn forget(&mut self) {
        let nodes = &mut self.scratch.borrow_mut().nodes;
        for node in 0..self.network.layers.len() {
            let mut keep = i64::MAX;
            for (i, layer) in self.network.layers.iter().enumerate().skip(node) {
                let next = nodes[i + 1].end();
                if i == node {
                    keep = keep.min(next * layer.stride + layer.reach.0);
                }
                if let Some(bypass) = layer.bypass.filter(|bypass| bypass.node == node) {
                    keep = keep.min(next * bypass.ratio);
                }
            }
            if node == 0 {
                // The last frame is repeated at the end.
                keep = keep.min(nodes[node].end() - 1);
            }
            nodes[node].drop_before(keep);
        }
    }

    /// Moves the last layer's rows to the scores, up to the length of the utterance.
    fn deliver(&mut self, scores: &mut Scores) -> Result<(), AcousticError> {
        scores.pdfs = self.network.num_pdfs();
        scores.shift = self.network.shift;
        let NetworkScratch { nodes, adapter, .. } = self.scratch.borrow_mut();
        let last = nodes.last_mut().expect("a network has an input and a layer");
        let wanted = self.network.plan.outputs(self.frames).min(last.end()) - self.outputs;
        let from = (self.outputs - last.first) as usize * last.width;
        let rows = &last.held()[from..][..wanted.max(0) as usize * last.width];
        // A first look at all values at once, without a branch for each, is several times faster.
        let wrong = rows.iter().fold(false, |wrong, value| wrong | !value.is_finite());
        if wrong && let Some(at) = rows.iter().position(|value| !value.is_finite()) {
            let frame = self.outputs as usize + at / last.width;
            return Err(AcousticError::NonFiniteScores { frame });
        }
        scores.data.extend_from_slice(rows);
        if let Some((adaptation, adapter)) = self.network.adaptation.as_ref().zip(adapter.as_mut())
        {
            rows.chunks_exact(last.width).for_each(|row| adapter.scored(adaptation, row));
            if let Some(finder) = &mut self.finder {
                finder.take(rows, last.width);
            }
        }
        self.outputs += wanted.max(0);
        last.drop_before(self.outputs);
        Ok(())
    }
}

fn adapter_of(scratch: &mut NetworkScratch) -> &mut Adapter {
    scratch.adapter.as_deref_mut().expect("an adapted network's stream has an adapter")
}

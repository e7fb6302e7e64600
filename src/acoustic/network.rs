//! The network: immutable once opened, shared by all threads; each thread brings a
//! [`NetworkScratch`](super::NetworkScratch).

use std::path::Path;

use super::AcousticError;
use super::description::{ModelDescription, NetworkDescription};
use super::ivector::{Adaptation, IVectorWeights};
use super::layer::Layer;
use super::plan::Plan;
use super::precision::{Kernels, Precision};
use super::tensors::Tensors;
use crate::units::Seconds;

/// An acoustic model ready to score features.
///
/// ```
/// use std::path::Path;
/// use ndarray::Array2;
/// use paretone::acoustic::{Network, NetworkScratch};
/// use paretone::feature::Features;
/// use paretone::units::Seconds;
///
/// let network = Network::open(Path::new("models/en"))?;
/// let frames = Array2::zeros((90, network.input_dim()));
/// let features = Features { frames, shift: Seconds(0.01) };
/// let scores = network.scores(&features, &mut NetworkScratch::default())?;
/// assert_eq!(scores.num_frames(), 90 / network.subsampling());
/// # Ok::<(), paretone::acoustic::AcousticError>(())
/// ```
pub struct Network {
    pub(super) layers: Vec<Layer>,
    pub(super) plan: Plan,
    pub(super) input_dim: usize,
    pub(super) shift: Seconds,
    parameters: usize,
    ivector_dim: usize,
    pub(super) adaptation: Option<Adaptation>,
}

impl Network {
    /// Opens the network of a model directory with the fastest kernels of this processor.
    ///
    /// # Errors
    /// As [`ModelDescription::open`] and [`Network::from_tensors`], or the weights file cannot be
    /// read.
    pub fn open(dir: &Path) -> Result<Network, AcousticError> {
        let description = ModelDescription::open(dir)?;
        let tensors = Tensors::open(&dir.join(&description.network.weights))?;
        Self::from_tensors(&description, &tensors, Precision::Auto.kernels())
    }

    /// Builds the network from an opened weights file and packs the weights for `kernels`.
    ///
    /// # Errors
    /// A tensor is missing, has another shape or element type, or holds a non-finite value.
    ///
    /// # Panics
    /// This processor does not run `kernels`.
    pub fn from_tensors(
        description: &ModelDescription,
        tensors: &Tensors,
        kernels: Kernels,
    ) -> Result<Network, AcousticError> {
        let shift = description.feature.shift();
        Self::of_layers(&description.network, shift, tensors, kernels)
    }

    /// Builds a network that is part of no acoustic model, from a validated description; its input
    /// frames are `shift` apart.
    ///
    /// # Errors
    /// As [`Network::from_tensors`].
    ///
    /// # Panics
    /// As [`Network::from_tensors`].
    pub fn of_layers(
        network: &NetworkDescription,
        shift: Seconds,
        tensors: &Tensors,
        kernels: Kernels,
    ) -> Result<Network, AcousticError> {
        let table = tensors.view()?;
        let bypasses = bypass_nodes(network);
        let mut spacing = 1;
        let layers = network.layers.iter().zip(&bypasses).map(|(layer, &bypass)| {
            spacing *= layer.stride as i64;
            Layer::read(layer, bypass, (network.ivector_dim, spacing), (&table, kernels))
        });
        let shift = shift.0 * network.subsampling as f64;
        Ok(Network {
            layers: layers.collect::<Result<_, _>>()?,
            plan: Plan::new(&network.layers, &bypasses),
            input_dim: network.input_dim,
            shift: Seconds(shift),
            parameters: network.parameters(),
            ivector_dim: network.ivector_dim,
            adaptation: None,
        })
    }

    /// The network with i-vectors; without, those it reads are zero.
    ///
    /// # Errors
    /// The extractor's features, its i-vectors or the pdfs of silence are not as many as the
    /// network has.
    pub fn adapted(self, adaptation: Adaptation) -> Result<Network, AcousticError> {
        let extractor = &adaptation.extractor;
        let pdfs = adaptation.silence.as_ref().map_or(self.num_pdfs(), Vec::len);
        let found = (extractor.dims(), extractor.ivector_dim(), pdfs);
        let expected = (self.input_dim, self.ivector_dim, self.num_pdfs());
        if found != expected {
            return Err(AcousticError::Adaptation { found, expected });
        }
        Ok(Network { adaptation: Some(adaptation), ..self })
    }

    /// By pdf, whether it is one of silence, where the network's i-vectors ask which frames are.
    pub fn silent_pdfs(&self) -> Option<&[bool]> {
        self.adaptation.as_ref()?.silence.as_deref()
    }

    /// What the layers that read the i-vector make of it.
    pub(super) fn ivector_weights(&self) -> impl Iterator<Item = &IVectorWeights> {
        self.layers.iter().filter_map(|layer| layer.ivector.as_ref())
    }

    /// Dimensions of a feature frame.
    pub fn input_dim(&self) -> usize {
        self.input_dim
    }

    /// Number of pdfs: columns of the scores.
    pub fn num_pdfs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output_dim)
    }

    /// Input frames per output frame.
    pub fn subsampling(&self) -> usize {
        self.plan.subsampling as usize
    }

    /// Input frames that output `u` reads before and after input frame `subsampling · u`.
    pub fn context(&self) -> (usize, usize) {
        let span = self.plan.spans[0];
        (span.first.unsigned_abs() as usize, span.right as usize)
    }

    /// Number of weights, biases, scales and shifts.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Layers that multiply in 8-bit integers, and all layers.
    pub fn int8_layers(&self) -> (usize, usize) {
        let int8 = self.layers.iter().filter(|layer| layer.is_int8());
        (int8.count(), self.layers.len())
    }
}

/// The node of each layer's bypass, and how many of its frames pass in one of the layer's: node
/// `i + 1` is the output of layer `i`.
fn bypass_nodes(network: &NetworkDescription) -> Vec<Option<(usize, i64)>> {
    let layers = &network.layers;
    layers
        .iter()
        .enumerate()
        .map(|(at, layer)| {
            let name = &layer.bypass.as_ref()?.layer;
            let source = layers.iter().position(|layer| layer.name == *name)?;
            let strides = layers[source + 1..=at].iter().map(|layer| layer.stride as i64);
            Some((source + 1, strides.product()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use ndarray::Array2;
    use proptest::prelude::*;

    use super::super::gemm::Kernel;
    use super::super::gemm::int8::DotKernel;
    use super::*;
    use crate::acoustic::NetworkScratch;
    use crate::acoustic::Scores;
    use crate::feature::Features;

    /// The golden models: TDNN-F layers alone, and with convolutions in front.
    const GOLDEN: [&str; 2] = ["acoustic", "convolution"];

    fn golden(model: &str, file: &str) -> PathBuf {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        root.join("tests/golden").join(model).join(file)
    }

    /// Every kernel in floats, then every kernel in 8-bit integers.
    fn all_kernels() -> Vec<Kernels> {
        let floats = Kernel::available().into_iter().map(Kernels::from);
        floats.chain(int8_kernels()).collect()
    }

    fn int8_kernels() -> impl Iterator<Item = Kernels> {
        DotKernel::available()
            .into_iter()
            .map(|kernel| Kernels { float: Kernel::detect(), int8: Some(kernel) })
    }

    fn network(model: &str, kernels: impl Into<Kernels>) -> Network {
        let description = ModelDescription::open(&golden(model, "")).unwrap();
        let tensors = Tensors::open(&golden(model, "acoustic.safetensors")).unwrap();
        Network::from_tensors(&description, &tensors, kernels.into()).unwrap()
    }

    fn tiny(kernels: impl Into<Kernels>) -> Network {
        network("acoustic", kernels)
    }

    /// Features and PyTorch's scores of an utterance of `frames` frames.
    fn case_of(model: &str, frames: usize) -> (Features, Vec<f32>) {
        let dims = network(model, Kernel::detect()).input_dim();
        let tensors = Tensors::open(&golden(model, "cases.safetensors")).unwrap();
        let table = tensors.view().unwrap();
        let features = format!("features.{frames}");
        let features = table.floats(&features, &[frames, dims]).unwrap();
        let scores = format!("scores.{frames}");
        let scores = table.floats(&scores, &[frames.div_ceil(3), 18]).unwrap();
        let features = Array2::from_shape_vec((frames, dims), features).unwrap();
        (features_of(features), scores)
    }

    fn case(frames: usize) -> (Features, Vec<f32>) {
        case_of("acoustic", frames)
    }

    fn features_of(frames: Array2<f32>) -> Features {
        Features { frames, shift: Seconds(0.01) }
    }

    #[test]
    fn scores_equal_pytorch() {
        let kernels = Kernel::available();
        let pairs =
            GOLDEN.iter().flat_map(|model| kernels.iter().map(move |kernel| (model, *kernel)));
        for (model, kernel) in pairs {
            let (network, mut scratch) = (network(model, kernel), NetworkScratch::default());
            for frames in [1, 2, 3, 7, 100, 1000] {
                let (features, want) = case_of(model, frames);
                let got = network.scores(&features, &mut scratch).unwrap();
                assert_eq!(got.num_frames(), frames.div_ceil(3));
                let error = got.as_slice().iter().zip(&want).map(|(a, b)| (a - b).abs());
                let error = error.fold(0.0, f32::max);
                assert!(error < 1e-4, "{model}, {kernel:?}, {frames} frames: off by {error}");
            }
        }
    }

    /// Scores in 8-bit integers are near those in floats, and the same bits on every processor.
    #[test]
    fn int8_is_near_pytorch_and_the_same_for_all_kernels() {
        let mut scratch = NetworkScratch::default();
        for (model, frames) in GOLDEN.iter().flat_map(|model| [1, 7, 1000].map(|n| (model, n))) {
            let (features, want) = case_of(model, frames);
            let all = int8_kernels().map(|kernels| {
                let network = network(model, kernels);
                assert_eq!(network.int8_layers().0, network.layers.len());
                network.scores(&features, &mut scratch).unwrap()
            });
            let all: Vec<Scores> = all.collect();
            let square = |values: &mut dyn Iterator<Item = f32>| -> f32 {
                values.map(|value| value * value).sum()
            };
            let mut errors = all[0].as_slice().iter().zip(&want).map(|(a, b)| a - b);
            let noise = square(&mut errors) / square(&mut want.iter().copied());
            assert!(noise < 1e-3, "{model}, {frames} frames: noise {noise} of the scores");
            assert!(all.iter().all(|scores| *scores == all[0]), "{model}, {frames} frames");
        }
    }

    #[test]
    fn an_empty_utterance_has_no_scores() {
        let scores = tiny(Kernel::detect())
            .scores(&features_of(Array2::zeros((0, 6))), &mut NetworkScratch::default())
            .unwrap();
        assert_eq!((scores.num_frames(), scores.num_pdfs()), (0, 18));
    }

    #[test]
    fn bad_features_are_errors_and_leave_the_scratch_usable() {
        for kernels in all_kernels() {
            bad_features_are_errors(&tiny(kernels), &mut NetworkScratch::default());
        }
    }

    fn bad_features_are_errors(network: &Network, scratch: &mut NetworkScratch) {
        let (features, _) = case(7);
        let want = network.scores(&features, scratch).unwrap();
        let mut broken = features.clone();
        broken.frames[[4, 2]] = f32::NAN;
        let error = network.scores(&broken, scratch).unwrap_err();
        assert!(matches!(error, AcousticError::NonFiniteFeatures { frame: 4 }));
        broken.frames = features.frames.mapv(|value| value.signum() * f32::MAX);
        let error = network.scores(&broken, scratch).unwrap_err();
        assert!(matches!(error, AcousticError::NonFiniteScores { .. }));
        let error = network.scores(&features_of(Array2::zeros((3, 5))), scratch).unwrap_err();
        assert!(matches!(error, AcousticError::FeatureWidth { found: 5, expected: 6 }));
        let again = network.scores(&features, scratch).unwrap();
        assert_eq!(again, want);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Pieces of any sizes give the scores of the whole, bit for bit, and no later than their
        /// context allows.
        #[test]
        fn a_stream_equals_the_whole(cuts in prop::collection::vec(0usize..=1000, 0..20)) {
            let models = GOLDEN.into_iter().flat_map(|model| all_kernels().into_iter().map(move |k| (model, k)));
            for (model, kernels) in models {
                let (features, _) = case_of(model, 1000);
                let (network, mut scratch) = (network(model, kernels), NetworkScratch::default());
                let whole = network.scores(&features, &mut scratch).unwrap();
                let mut cuts = cuts.clone();
                cuts.push(1000);
                cuts.sort_unstable();
                let (mut scores, mut from) = (Scores::default(), 0);
                let mut stream = network.stream(&mut scratch);
                for to in cuts {
                    stream.push(features.frames.slice(ndarray::s![from..to, ..]), &mut scores).unwrap();
                    let (_, right) = network.context();
                    prop_assert_eq!(scores.num_frames(), to.saturating_sub(right).div_ceil(3));
                    let (mut spare, mut peeked) = (NetworkScratch::default(), scores.clone());
                    stream.peek(&mut spare, &mut peeked).unwrap();
                    prop_assert_eq!(peeked.num_frames(), to.div_ceil(3));
                    from = to;
                }
                stream.finish(&mut scores).unwrap();
                prop_assert_eq!(scores, whole);
            }
        }
    }
}

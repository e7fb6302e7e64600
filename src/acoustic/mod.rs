//! How likely is each pdf? The network and its scores.
//!
//! A model directory holds `model.json` ([`ModelDescription`]) and a safetensors file with the
//! weights of the
//! [`Network`] and the pdf table of the [`Hmm`]. The network maps mean-normalised features (frames
//! × dims, one frame every 10 ms) to [`Scores`] (frames × pdfs, one row for every `subsampling`
//! input frames).
//!
//! The layers are the time-delay networks of Peddinti et al. (2015) and Povey et al. (2018,
//! "Semi-orthogonal low-rank matrix factorization for deep neural networks"); the output rows are
//! the pseudo-log-likelihoods of lattice-free MMI (Povey et al. 2016), used as they are.

#[cfg(feature = "speech")]
mod convolution;
#[cfg(feature = "speech")]
mod description;
mod error;
#[cfg(feature = "speech")]
pub mod gemm;
mod hmm;
mod hmm_description;
#[cfg(feature = "speech")]
mod ivector;
#[cfg(feature = "speech")]
mod layer;
#[cfg(feature = "speech")]
mod network;
#[cfg(feature = "speech")]
mod node;
#[cfg(feature = "speech")]
mod plan;
#[cfg(feature = "speech")]
mod precision;
#[cfg(feature = "speech")]
mod row_step;
#[cfg(feature = "speech")]
mod score_file;
mod scores;
#[cfg(feature = "speech")]
mod stream;
#[cfg(feature = "speech")]
mod tensors;

#[cfg(feature = "speech")]
pub use description::{
    BypassDescription, ConvolutionDescription, DecodeDefaults, LayerDescription, ModelDescription,
    NetworkDescription, Normalisation,
};
pub use error::AcousticError;
pub use hmm::{Hmm, HmmArc};
pub use hmm_description::HmmDescription;
#[cfg(feature = "speech")]
pub use ivector::{
    Adaptation, IVectorError, IVectorExtractor, IVectorPart, IVectorParts, Mixture, Rhythm,
    SilenceFinder,
};
#[cfg(feature = "speech")]
pub use network::Network;
#[cfg(feature = "speech")]
pub use precision::{Kernels, Precision, UnknownPrecision};
#[cfg(feature = "speech")]
pub use row_step::RowStep;
pub use scores::Scores;
#[cfg(feature = "speech")]
pub use stream::{NetworkScratch, NetworkStream};
#[cfg(feature = "speech")]
pub use tensors::Tensors;

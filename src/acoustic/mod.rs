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

mod convolution;
mod description;
mod error;
pub mod gemm;
mod hmm;
mod layer;
mod network;
mod plan;
mod precision;
mod scores;
mod stream;
mod tensors;

pub use description::{
    BypassDescription, DecodeDefaults, HmmDescription, LayerDescription, ModelDescription,
    NetworkDescription, Normalisation,
};
pub use error::AcousticError;
pub use hmm::{Hmm, HmmArc};
pub use network::Network;
pub use precision::{Kernels, Precision, UnknownPrecision};
pub use scores::Scores;
pub use stream::{NetworkScratch, NetworkStream};
pub use tensors::Tensors;

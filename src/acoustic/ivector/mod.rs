//! Online i-vectors: a vector that stands for the speaker and the channel, estimated again as
//! speech goes on, and what the network makes of it.
//!
//! Networks trained by Kaldi's recipes read an i-vector beside the features. A mixture of Gaussians
//! says how often each sound was heard and how it differed from its mean; the i-vector is the point
//! of a low-dimensional space that explains those differences best (Dehak et al. 2011, "Front-end
//! factor analysis for speaker verification"; online: Peddinti et al. 2015, "JHU ASpIRE system").
//! Frames that seem to be silence count little.
//!
//! [`IVectorExtractor`] holds the matrices, [`Adaptation`] adds when i-vectors are estimated, and
//! belongs to a [`Network`](super::Network). Since an i-vector is the same for a chunk of frames,
//! its product with the weights is a bias that changes from chunk to chunk.

mod adaptation;
mod adapter;
mod chunk_bias;
mod extractor;
mod frames;
mod silence;
mod statistics;

pub use adaptation::{Adaptation, Rhythm};
pub(super) use adapter::Adapter;
pub(super) use chunk_bias::IVectorWeights;
pub use extractor::{IVectorError, IVectorExtractor, IVectorPart, IVectorParts, Mixture};
pub use silence::SilenceFinder;

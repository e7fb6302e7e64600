#![doc = include_str!("GUIDE.md")]
#![doc = include_str!("ARCHITECTURE.md")]

mod causes;
mod prefetch;
pub mod provenance;
pub mod units;

#[cfg(feature = "speech")]
pub mod audio;
#[cfg(feature = "speech")]
pub mod feature;

pub mod acoustic;
#[cfg(feature = "speech")]
pub mod gate;
pub mod graph;

#[cfg(feature = "speech")]
pub mod kaldi;
#[cfg(feature = "speech")]
pub mod language;

pub mod decode;

pub mod confidence;

#[cfg(feature = "tiers")]
pub mod tiers;

#[cfg(feature = "tiers")]
pub mod eval;
#[cfg(feature = "speech")]
pub mod recognizer;

#[cfg(all(feature = "speech", feature = "tiers"))]
pub mod scheduler;
#[cfg(all(feature = "speech", feature = "tiers"))]
pub mod sweep;

#[cfg(feature = "service")]
pub mod service;

#[cfg(feature = "speech")]
pub use audio::Waveform;
pub use causes::WithCauses;
pub use provenance::{MadeFor, ProvenanceError};
#[cfg(feature = "speech")]
pub use recognizer::{Recognizer, RecognizerError, RecognizerScratch, Transcript, TranscriptWord};
#[cfg(all(feature = "speech", feature = "tiers"))]
pub use scheduler::{Answer, TierAccount, Tiers, TiersError};
#[cfg(feature = "tiers")]
pub use tiers::{Objective, Policy, Rules, Tolerance};

/// Compiles the README's example.
#[cfg(all(doctest, feature = "speech", feature = "tiers"))]
#[doc = include_str!("../README.md")]
struct Readme;

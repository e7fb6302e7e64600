#![doc = include_str!("GUIDE.md")]
#![doc = include_str!("ARCHITECTURE.md")]

mod prefetch;
pub mod units;

pub mod audio;
pub mod feature;

pub mod acoustic;
pub mod graph;

pub mod decode;

pub mod confidence;

pub mod tiers;

pub mod eval;
pub mod recognizer;

pub mod scheduler;
pub mod sweep;

#[cfg(feature = "service")]
pub mod service;

pub use audio::Waveform;
pub use recognizer::{Recognizer, RecognizerError, RecognizerScratch, Transcript, TranscriptWord};
pub use scheduler::{Answer, TierAccount, Tiers, TiersError};
pub use tiers::{Objective, Policy, Rules, Tolerance};

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! The quantities that cross module edges, so that no bare number does.
//!
//! Ids are `u32` newtypes that index arenas; a [`Cost`] is a negative natural logarithm of a
//! probability, so smaller is better and costs add along a path.

use serde::{Deserialize, Serialize};

/// A duration or a point on an utterance's time axis, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub f64);

/// A sample rate in samples per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hertz(pub u32);

/// `−ln p`: smaller is better, [`Cost::IMPOSSIBLE`] is probability zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Cost(pub f32);

impl Cost {
    /// Probability one.
    pub const FREE: Cost = Cost(0.0);
    /// Probability zero.
    pub const IMPOSSIBLE: Cost = Cost(f32::INFINITY);
}

impl std::ops::Add for Cost {
    type Output = Cost;

    fn add(self, other: Cost) -> Cost {
        Cost(self.0 + other.0)
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into the arena it numbers.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A state of a decoding graph.
    StateId
);
id!(
    /// A column of the acoustic scores: one tied context-dependent HMM distribution.
    PdfId
);
id!(
    /// A row of the word table; [`WordId::EPSILON`] is "no word".
    WordId
);
id!(
    /// A row of the phone table.
    PhoneId
);

impl WordId {
    /// No word: the label of arcs that put nothing out.
    pub const EPSILON: WordId = WordId(0);
}

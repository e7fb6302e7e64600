//! The quantities that cross module edges, so that no bare number does.
//!
//! Ids are `u32` newtypes that index arenas; a [`Cost`] is a negative natural logarithm of a
//! probability, so smaller is better and costs add along a path.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A duration or a point on an utterance's time axis, in seconds.
///
/// ```
/// use paretone::units::Seconds;
///
/// assert_eq!("2.5".parse(), Ok(Seconds(2.5)));
/// assert!("-1".parse::<Seconds>().is_err() && Seconds::positive("0").is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub f64);

impl Seconds {
    /// The longest time that is read from text, 11 days: every clock can add it.
    pub const LONGEST: Seconds = Seconds(1e6);

    /// Reads a time that is longer than none.
    ///
    /// # Errors
    /// [`InvalidSeconds`] for 0 and for what is no time.
    pub fn positive(text: &str) -> Result<Seconds, InvalidSeconds> {
        match text.parse()? {
            Seconds(0.0) => Err(InvalidSeconds { least: "above 0" }),
            time => Ok(time),
        }
    }
}

impl FromStr for Seconds {
    type Err = InvalidSeconds;

    /// Reads a number of seconds that can pass: `0`, `2.5`, `1e-3`.
    fn from_str(text: &str) -> Result<Seconds, InvalidSeconds> {
        match text.trim().parse() {
            Ok(time) if (0.0..=Seconds::LONGEST.0).contains(&time) => Ok(Seconds(time)),
            _ => Err(InvalidSeconds { least: "0 or more" }),
        }
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// A text that is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a time is a number of seconds, {least} and at most 1000000, such as 2.5")]
pub struct InvalidSeconds {
    least: &'static str,
}

/// A sample rate in samples per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hertz(pub u32);

/// `−ln p`: smaller is better, [`Cost::IMPOSSIBLE`] is probability zero.
///
/// ```
/// use paretone::units::Cost;
///
/// // Costs add along a path as probabilities multiply.
/// let half = Cost(-(0.5f32.ln()));
/// assert!(((half + half).0 - Cost(-(0.25f32.ln())).0).abs() < 1e-6);
/// assert!(Cost::FREE < half && half < Cost::IMPOSSIBLE);
/// ```
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_that_can_pass() {
        for (text, time) in [("0", 0.0), ("2.5", 2.5), (" 1e-3 ", 0.001), ("1000000", 1e6)] {
            assert_eq!(text.parse(), Ok(Seconds(time)), "{text}");
        }
        for text in ["", "x", "-1", "nan", "inf", "1e7", "1 s"] {
            assert!(text.parse::<Seconds>().is_err(), "{text}");
        }
        let error = Seconds::positive("0").unwrap_err();
        assert!(error.to_string().contains("above 0"), "{error}");
    }
}

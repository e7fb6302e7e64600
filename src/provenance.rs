//! What a promise was made for: short hashes of the parts that measurements depend on, so that what
//! was measured with one model is never believed of another.
//!
//! Versions, calibrations, routing rules and outcomes carry a [`MadeFor`]. Whoever uses them
//! compares it with the parts at hand. A part that is not recorded is not compared: files of older
//! programs, and outcomes of other services, record none. The hashes tell parts apart that changed;
//! they are no protection against somebody who forges them.

use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// Stands for a part that is not recorded.
const UNKNOWN: &str = "-";
/// Between the parts in the text form.
const BETWEEN: char = '/';

/// Hashes of the parts that something was made for; none where a part is not recorded.
///
/// ```
/// use paretone::MadeFor;
///
/// let measured: MadeFor = "00000000000000aa/-/00000000000000bb/-".parse()?;
/// let now = MadeFor { versions: Some("00000000000000cc".into()), ..measured.clone() };
/// assert_eq!(measured.changed(&now), ["versions"]);
/// # Ok::<(), paretone::ProvenanceError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeFor {
    /// Network, HMMs, vocabulary, pronunciations and n-grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Features, their normalisation, and the speech gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub front_end: Option<String>,
    /// Names and settings of the versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
    /// The calibration of confidences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<String>,
}

/// A text that names no parts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not four hashes with `/` between them, `-` for one that is not known")]
pub struct ProvenanceError(String);

impl MadeFor {
    /// Whether no part is recorded.
    pub fn is_unknown(&self) -> bool {
        *self == MadeFor::default()
    }

    /// The parts that are recorded on both sides and differ, in plain words.
    pub fn changed(&self, now: &MadeFor) -> Vec<&'static str> {
        let differs = |(then, now): (&Option<String>, &Option<String>)| match (then, now) {
            (Some(then), Some(now)) => then != now,
            _ => false,
        };
        let names = ["model", "front end", "versions", "calibration"];
        let pairs = self.parts().into_iter().zip(now.parts()).zip(names);
        pairs.filter(|(pair, _)| differs(*pair)).map(|(_, name)| name).collect()
    }

    fn parts(&self) -> [&Option<String>; 4] {
        [&self.model, &self.front_end, &self.versions, &self.calibration]
    }
}

impl fmt::Display for MadeFor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.parts();
        let texts = parts.map(|part| part.as_deref().unwrap_or(UNKNOWN));
        out.write_str(&texts.join(&BETWEEN.to_string()))
    }
}

impl std::str::FromStr for MadeFor {
    type Err = ProvenanceError;

    fn from_str(text: &str) -> Result<MadeFor, ProvenanceError> {
        let wrong = || ProvenanceError(text.chars().take(80).collect());
        let is_hash = |part: &str| part == UNKNOWN || part.bytes().all(|b| b.is_ascii_hexdigit());
        let parts: Vec<&str> = text.split(BETWEEN).collect();
        let &[model, front_end, versions, calibration] = parts.as_slice() else {
            return Err(wrong());
        };
        let all = [model, front_end, versions, calibration];
        if !all.into_iter().all(|part| !part.is_empty() && is_hash(part)) {
            return Err(wrong());
        }
        let [model, front_end, versions, calibration] =
            all.map(|part| (part != UNKNOWN).then(|| part.to_owned()));
        Ok(MadeFor { model, front_end, versions, calibration })
    }
}

/// The hash of a part that consists of these pieces, kept apart by their lengths.
pub fn hash<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut hash = Xxh3::new();
    for piece in pieces {
        hash.update(&(piece.len() as u64).to_le_bytes());
        hash.update(piece);
    }
    format!("{:016x}", hash.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_record_is_compared() {
        let all: MadeFor = "1/2/3/4".parse().unwrap();
        let some: MadeFor = "1/-/5/-".parse().unwrap();
        assert_eq!(all.changed(&some), ["versions"]);
        assert_eq!(some.changed(&all), ["versions"]);
        assert!(MadeFor::default().changed(&all).is_empty());
        assert_eq!(all.changed(&"9/9/9/9".parse().unwrap()).len(), 4);
        assert_eq!(some.to_string(), "1/-/5/-");
        assert!(!some.is_unknown() && MadeFor::default().is_unknown());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "1/2/3", "1/2/3/4/5", "1//3/4", "x/2/3/4"] {
            assert!(text.parse::<MadeFor>().is_err(), "{text}");
        }
    }

    #[test]
    fn pieces_are_kept_apart() {
        let parts = |pieces: &[&'static [u8]]| hash(pieces.iter().copied());
        assert_ne!(parts(&[b"ab", b"c"]), parts(&[b"a", b"bc"]));
        assert_eq!(parts(&[b"ab"]).len(), 16);
    }
}

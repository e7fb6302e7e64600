//! Routing policies: which versions answer a request, in which order, and when one answer will do.
//!
//! Paper, Section IV-C. *Early termination* (ET): the first version's answer is sure enough and is
//! given. *Full operation* (FO): both versions have run, and [`Choice`] picks the answer.

use serde::{Deserialize, Serialize};

/// A threshold above every confidence: the first version's answer is never enough.
pub const NEVER_EARLY: f64 = 2.0;

/// A routing policy. `V` identifies a version: its index in a table, or its name in a rules file.
///
/// ```
/// use paretone::tiers::{Choice, Pair, Policy};
///
/// let pair = Pair { first: "v1", second: "v7", threshold: 0.93, choice: Choice::Confident };
/// assert_eq!(Policy::Seq(pair).to_string(), "seq(v1, v7, 0.9300)");
/// assert_eq!(Policy::Single { version: "v7" }.to_string(), "osfa(v7)");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Policy<V = usize> {
    /// A single version answers every request; the paper calls this *one size fits all*.
    #[serde(rename = "osfa")]
    Single {
        /// The version.
        version: V,
    },
    /// Sequential: the second version starts only if the confidence of the first is below the
    /// threshold.
    Seq(Pair<V>),
    /// Concurrent: both versions start, and a confident answer of the first cancels the second.
    Conc(Pair<V>),
}

/// Two versions, and the confidence at which the first one's answer is enough.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair<V = usize> {
    /// The version whose answer may be enough.
    pub first: V,
    /// The version that answers otherwise.
    pub second: V,
    /// The answer of the first version is given if its confidence is at least this, from 0 to 1, or
    /// [`NEVER_EARLY`]. Larger: slower, usually more accurate.
    pub threshold: f64,
    /// Which answer is given once both versions have run.
    pub choice: Choice,
}

/// Which answer full operation gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// The more confident one; the second one if both are equally confident.
    Confident,
    /// The second one: "always the slow version" where the first is the faster.
    Second,
}

impl Choice {
    /// Whether full operation gives the first version's answer, given both confidences.
    pub fn takes_first(self, first: f64, second: f64) -> bool {
        self == Choice::Confident && first > second
    }
}

impl<V> Policy<V> {
    /// The two versions, if there are two.
    pub fn pair(&self) -> Option<&Pair<V>> {
        match self {
            Policy::Single { .. } => None,
            Policy::Seq(pair) | Policy::Conc(pair) => Some(pair),
        }
    }

    /// Returns the same policy with other identifiers for its versions.
    pub fn rename<W>(&self, mut name: impl FnMut(&V) -> W) -> Policy<W> {
        let mut rename = |pair: &Pair<V>| Pair {
            first: name(&pair.first),
            second: name(&pair.second),
            threshold: pair.threshold,
            choice: pair.choice,
        };
        match self {
            Policy::Seq(pair) => Policy::Seq(rename(pair)),
            Policy::Conc(pair) => Policy::Conc(rename(pair)),
            Policy::Single { version } => Policy::Single { version: name(version) },
        }
    }
}

/// `osfa(v7)`, `seq(v1, v7, 0.93)`, `conc(v1, v7, 0.93, second)`.
impl<V: std::fmt::Display> std::fmt::Display for Policy<V> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (kind, pair) = match self {
            Policy::Single { version } => return write!(out, "osfa({version})"),
            Policy::Seq(pair) => ("seq", pair),
            Policy::Conc(pair) => ("conc", pair),
        };
        let Pair { first, second, threshold, choice } = pair;
        write!(out, "{kind}({first}, {second}, ")?;
        match *threshold > 1.0 {
            true => write!(out, "never early")?,
            false => write!(out, "{threshold:.4}")?,
        }
        let choice = if *choice == Choice::Second { ", second)" } else { ")" };
        out.write_str(choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_written_as_people_write_them() {
        let pair = Pair { first: 0, second: 6, threshold: 0.93, choice: Choice::Second };
        let policy = Policy::Seq(pair).rename(|version| format!("v{}", version + 1));
        assert_eq!(policy.to_string(), "seq(v1, v7, 0.9300, second)");
        let text = toml::to_string(&policy).unwrap();
        assert!(text.contains("kind = \"seq\"") && text.contains("choice = \"second\""), "{text}");
        assert_eq!(toml::from_str::<Policy<String>>(&text).unwrap(), policy);
    }

    #[test]
    fn full_operation_takes_the_first_only_when_it_is_surer() {
        assert!(Choice::Confident.takes_first(0.6, 0.5));
        assert!(!Choice::Confident.takes_first(0.5, 0.5));
        assert!(!Choice::Second.takes_first(0.6, 0.5));
    }
}

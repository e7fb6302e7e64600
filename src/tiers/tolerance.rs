//! How many more errors a caller tolerates for an answer that is sooner or cheaper.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Longest text of a tolerance, in bytes.
const LONGEST: usize = 32;

/// How many more errors than the most accurate version's are tolerated, relative to those: with a
/// tolerance of 5 % a tier may make 105 errors where the most accurate version makes 100.
///
/// It is read in one place, [`Tolerance::from_str`], and written alike everywhere: in flags,
/// headers, form fields and rules. `5%` and `0.05` are the same. Larger: faster or cheaper, less
/// accurate.
///
/// # Examples
/// ```
/// use paretone::Tolerance;
///
/// let tolerance = Tolerance::percent(5.0)?;
/// assert_eq!(tolerance, "5%".parse()?);
/// assert_eq!(tolerance, "0.05".parse()?);
/// assert_eq!(tolerance.to_string(), "5%");
///
/// let error = "5".parse::<Tolerance>().unwrap_err();
/// assert!(error.to_string().contains("was 5% meant?"));
/// # Ok::<(), paretone::tiers::ToleranceError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Tolerance(f64);

/// Why something is no tolerance.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ToleranceError {
    /// It is no number that a tolerance can have.
    #[error("a tolerance is a share or a percentage, 0 or more, such as 0.05 or 5%; got {0:?}")]
    NoTolerance(String),
    /// It is a number above 1 without a per-cent sign, which is more probably a percentage.
    #[error("a tolerance without a per-cent sign is a share, at most 1; was {0}% meant?")]
    Ambiguous(f64),
}

impl Tolerance {
    /// No more errors than the most accurate version makes: the strictest tolerance.
    pub const NONE: Tolerance = Tolerance(0.0);

    /// A tolerance of whole per cent.
    pub const fn of_percent(percent: u8) -> Tolerance {
        Tolerance(percent as f64 / 100.0)
    }

    /// A tolerance in per cent.
    ///
    /// # Errors
    /// The number is negative or not finite.
    pub fn percent(percent: f64) -> Result<Tolerance, ToleranceError> {
        let no = || ToleranceError::NoTolerance(format!("{percent}%"));
        if !percent.is_finite() {
            return Err(no());
        }
        // The decimal point is moved in the text: 0.7 / 100 is less than 0.007, the tier's edge.
        let share = format!("{percent}e-2").parse().map_err(|_| no())?;
        Tolerance::checked(share).ok_or_else(no)
    }

    /// A tolerance as a share: 0.05 is 5 %. Unlike [`Tolerance::from_str`] it takes shares above 1.
    ///
    /// # Errors
    /// The number is negative or not finite.
    pub fn share(share: f64) -> Result<Tolerance, ToleranceError> {
        let no = || ToleranceError::NoTolerance(share.to_string());
        Tolerance::checked(share).ok_or_else(no)
    }

    fn checked(share: f64) -> Option<Tolerance> {
        // Adding 0 makes one zero of the two.
        (share >= 0.0 && share.is_finite()).then_some(Tolerance(share + 0.0))
    }

    /// The tolerance that a number without a per-cent sign stands for.
    fn bare(number: f64) -> Result<Tolerance, ToleranceError> {
        match Tolerance::share(number)? {
            Tolerance(share) if share > 1.0 => Err(ToleranceError::Ambiguous(share)),
            tolerance => Ok(tolerance),
        }
    }

    /// The tolerance as a share: 5 % is 0.05.
    pub fn as_share(self) -> f64 {
        self.0
    }

    /// The tolerance in per cent: 0.05 is 5.
    pub fn as_percent(self) -> f64 {
        // Through the text: 0.007 · 100 is 0.7000000000000001.
        let moved = format!("{}e2", self.0).parse();
        moved.expect("a number was written")
    }
}

/// Reads a share from 0 to 1, or a percentage.
impl FromStr for Tolerance {
    type Err = ToleranceError;

    fn from_str(text: &str) -> Result<Self, ToleranceError> {
        let shown = || text.chars().take(LONGEST).collect();
        let no = || ToleranceError::NoTolerance(shown());
        let trimmed = text.trim();
        let is_number = |part: &str, more: &str| {
            let known = |c: char| c.is_ascii_digit() || more.contains(c);
            part.len() <= LONGEST
                && part.starts_with(|c: char| c.is_ascii_digit() || c == '.')
                && part.chars().all(known)
        };
        if let Some(percent) = trimmed.strip_suffix('%').map(str::trim_end) {
            let share = is_number(percent, ".").then(|| format!("{percent}e-2").parse());
            return share.and_then(Result::ok).and_then(Tolerance::checked).ok_or_else(no);
        }
        let share = is_number(trimmed, ".eE+-").then(|| trimmed.parse::<f64>());
        Tolerance::bare(share.and_then(Result::ok).ok_or_else(no)?)
    }
}

/// `5%`, as [`Tolerance::from_str`] reads it back.
impl fmt::Display for Tolerance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}%", self.as_percent())
    }
}

/// A share as a number, where that can be read back; else a percentage as text.
impl Serialize for Tolerance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 > 1.0 {
            true => serializer.collect_str(self),
            false => serializer.serialize_f64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Tolerance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = Tolerance;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a tolerance such as 0.05 or \"5%\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Tolerance, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Tolerance, E> {
                Tolerance::bare(share).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Tolerance, E> {
                self.visit_f64(share as f64)
            }

            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Tolerance, E> {
                self.visit_f64(share as f64)
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tolerance_is_a_share_or_a_percentage() {
        for (text, share) in [
            ("0.05", 0.05),
            ("5%", 0.05),
            (" 5 % ", 0.05),
            ("0", 0.0),
            ("0%", 0.0),
            ("0.7%", 0.007),
            (".5", 0.5),
            ("1e-2", 0.01),
            ("1", 1.0),
            ("2.9%", 0.029),
            ("250%", 2.5),
        ] {
            assert_eq!(text.parse(), Ok(Tolerance(share)), "{text}");
        }
        let long = "0".repeat(100);
        for text in [
            "", "-1", "-0", "-5%", "NaN", "inf", "infinity", "1e999", "5%%", "%", "five", "0,05",
            "0x1", "+1", "1 2", "1e-2%", ".", &long,
        ] {
            let error = text.parse::<Tolerance>().unwrap_err();
            assert!(matches!(error, ToleranceError::NoTolerance(_)), "{text}");
        }
        for text in ["5", "1.01", "10", "99999"] {
            let error = text.parse::<Tolerance>().unwrap_err().to_string();
            assert!(error.contains(&format!("was {text}% meant?")), "{error}");
        }
    }

    #[test]
    fn every_tenth_of_a_percent_is_the_share_that_rules_write() {
        for tenth in 0..=1000 {
            let text = format!("{}.{:03}", tenth / 1000, tenth % 1000);
            let share: f64 = text.parse().unwrap();
            let percent = format!("{}.{}", tenth / 10, tenth % 10);
            let tolerance = Tolerance::percent(percent.parse().unwrap()).unwrap();
            assert_eq!(tolerance.as_share(), share);
            assert_eq!(format!("{percent}%").parse(), Ok(tolerance));
            assert_eq!(tolerance.to_string().parse(), Ok(tolerance));
        }
    }

    #[test]
    fn files_may_write_it_either_way() {
        #[derive(serde::Deserialize, serde::Serialize, Debug, PartialEq)]
        struct Rule {
            tolerance: Tolerance,
        }
        let read = |text: &str| toml::from_str::<Rule>(text).map_err(|error| error.to_string());
        let five = Rule { tolerance: Tolerance(0.05) };
        for text in ["tolerance = 0.05", "tolerance = \"5%\"", "tolerance = \"0.05\""] {
            assert_eq!(read(text).as_ref(), Ok(&five), "{text}");
        }
        assert!(read("tolerance = 5").unwrap_err().contains("5% meant"));
        assert!(read("tolerance = nan").is_err());
        assert!(read("tolerance = [1]").is_err());
        for share in [0.0, 0.007, 1.0, 1.5] {
            let rule = Rule { tolerance: Tolerance(share) };
            assert_eq!(read(&toml::to_string(&rule).unwrap()), Ok(rule));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_tolerance_or_an_error(text in "\\PC*", number in any::<f64>()) {
            for text in [text, number.to_string(), format!("{number}%")] {
                if let Ok(tolerance) = text.parse::<Tolerance>() {
                    let share = tolerance.as_share();
                    prop_assert!(share >= 0.0 && share.is_finite());
                }
            }
        }
    }
}

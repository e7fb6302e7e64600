//! What a caller asks for: a tolerance and an objective, as headers, form fields or a model's name,
//! and a deadline.
//!
//! A tolerance is a share (`0.05`) or a percentage (`5%`), 0 or more. One that lies between two
//! tiers is served by the lower, one above the loosest by the loosest; none is taken for 0, the
//! strictest. All that is [`Rules::rule`](crate::tiers::Rules::rule)'s to apply.
//!
//! Names of models: `paretone` and `whisper-1` ask for nothing; `paretone-5pct`,
//! `paretone-0.5pct-cost`, `paretone-cost` ask as headers would.

use std::time::Duration;

use axum::http::HeaderMap;

use super::error::Rejection;
use crate::tiers::Objective;

/// Longest text of a tolerance, in bytes.
const LONGEST_NUMBER: usize = 32;
/// The model's name, and the prefix of those that name a tier.
pub const MODEL: &str = "paretone";
/// The name that clients of OpenAI's interface send by default.
pub const OPENAI_MODEL: &str = "whisper-1";

/// What a caller asks for; what is missing, another source may add.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ask {
    /// Errors tolerated beyond the reference version's, relative to those; 0 or more and finite.
    pub tolerance: Option<f64>,
    /// What to minimise.
    pub objective: Option<Objective>,
}

/// A text that is no tolerance, objective or model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// It is no tolerance.
    #[error("a tolerance is a share or a percentage, 0 or more, such as 0.05 or 5%; got {0:?}")]
    Tolerance(String),
    /// It is no objective.
    #[error("an objective is response-time or cost; got {0:?}")]
    Objective(String),
    /// It is no deadline.
    #[error("a deadline is a number of seconds above 0, such as 2.5; got {0:?}")]
    Deadline(String),
    /// It is no model.
    #[error(
        "there is no model {0:?}: GET /v1/models lists them, such as paretone and paretone-5pct-cost"
    )]
    Model(String),
    /// A header is there more than once, or is no text.
    #[error("the header {0} must be given once, as text")]
    Header(&'static str),
}

impl From<AskError> for Rejection {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Model(_) => Rejection::NotFound(error.to_string()),
            _ => Rejection::BadRequest(error.to_string()),
        }
    }
}

impl Ask {
    /// What the headers `Tolerance` and `Objective` ask for.
    ///
    /// # Errors
    /// A header is repeated, or is not what it should be.
    pub fn of_headers(headers: &HeaderMap) -> Result<Ask, AskError> {
        Ok(Ask {
            tolerance: header(headers, "Tolerance")?.map(tolerance).transpose()?,
            objective: header(headers, "Objective")?.map(objective).transpose()?,
        })
    }

    /// What a model's name asks for.
    ///
    /// # Errors
    /// There is no such model.
    pub fn of_model(name: &str) -> Result<Ask, AskError> {
        let unknown = || AskError::Model(shortened(name));
        if name == OPENAI_MODEL || name == MODEL {
            return Ok(Ask::default());
        }
        let rest = name
            .strip_prefix(MODEL)
            .and_then(|rest| rest.strip_prefix('-'));
        let rest = rest.ok_or_else(unknown)?;
        let (percent, rest) = match rest.split_once("pct") {
            Some((percent, "")) => (Some(percent), None),
            Some((percent, rest)) => (
                Some(percent),
                Some(rest.strip_prefix('-').ok_or_else(unknown)?),
            ),
            None => (None, Some(rest)),
        };
        let share = percent.map(|percent| tolerance(&format!("{percent}%")));
        let goal = rest.map(objective);
        Ok(Ask {
            tolerance: share.transpose().map_err(|_| unknown())?,
            objective: goal.transpose().map_err(|_| unknown())?,
        })
    }

    /// This, and where it asks for nothing the other.
    pub fn or(self, other: Ask) -> Ask {
        Ask {
            tolerance: self.tolerance.or(other.tolerance),
            objective: self.objective.or(other.objective),
        }
    }
}

/// The time that the header `Deadline` allows.
///
/// # Errors
/// It is repeated, or is not what it should be.
pub fn deadline_of_headers(headers: &HeaderMap) -> Result<Option<Duration>, AskError> {
    header(headers, "Deadline")?.map(deadline).transpose()
}

/// The time that a text in seconds names; no more than 30 years.
///
/// # Errors
/// It names none.
pub fn deadline(text: &str) -> Result<Duration, AskError> {
    let seconds = text.trim().parse::<f64>().ok();
    let positive = seconds.filter(|seconds| *seconds > 0.0);
    let time = positive.map(|seconds| Duration::from_secs_f64(seconds.min(1e9)));
    time.ok_or_else(|| AskError::Deadline(shortened(text)))
}

/// The tolerance that a text names.
///
/// # Errors
/// It names none.
pub fn tolerance(text: &str) -> Result<f64, AskError> {
    let wrong = || AskError::Tolerance(shortened(text));
    let trimmed = text.trim();
    let is_number = |part: &str, more: &str| {
        let known = |c: char| c.is_ascii_digit() || more.contains(c);
        part.len() <= LONGEST_NUMBER
            && part.starts_with(|c: char| c.is_ascii_digit() || c == '.')
            && part.chars().all(known)
    };
    let number = match trimmed.strip_suffix('%') {
        // The decimal point is moved in the text: 0.7 / 100 is less than 0.007, the tier's edge.
        Some(percent) if is_number(percent.trim_end(), ".") => format!("{}e-2", percent.trim_end()),
        None if is_number(trimmed, ".eE+-") => trimmed.to_owned(),
        _ => return Err(wrong()),
    };
    let share: f64 = number.parse().map_err(|_| wrong())?;
    (share.is_finite() && share >= 0.0)
        .then_some(share)
        .ok_or_else(wrong)
}

/// The objective of this name.
///
/// # Errors
/// There is none.
pub fn objective(text: &str) -> Result<Objective, AskError> {
    let name = text.trim().to_ascii_lowercase();
    let mut all = Objective::ALL.into_iter();
    let found = all.find(|objective| objective.name() == name);
    found.ok_or_else(|| AskError::Objective(shortened(text)))
}

fn header<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<Option<&'h str>, AskError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(|value| value.to_str());
    match (first, values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => Ok(Some(text)),
        _ => Err(AskError::Header(name)),
    }
}

/// Enough of a text to recognise it by.
fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_NUMBER).collect()
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
            ("10", 10.0),
            ("2.9%", 0.029),
            ("99999", 99999.0),
        ] {
            assert_eq!(tolerance(text), Ok(share), "{text}");
        }
        let long = "0".repeat(100);
        for text in [
            "", "-1", "-0", "NaN", "inf", "infinity", "1e999", "5%%", "%", "five", "0,05", "0x1",
            "+1", "1 2", "1e-2%", ".", &long,
        ] {
            assert!(tolerance(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_tenth_of_a_percent_is_the_share_that_rules_write() {
        for tenth in 0..=1000 {
            let share: f64 = format!("0.{tenth:03}").parse().unwrap();
            let share = if tenth == 1000 { 1.0 } else { share };
            assert_eq!(
                tolerance(&format!("{}.{}%", tenth / 10, tenth % 10)),
                Ok(share)
            );
        }
    }

    #[test]
    fn models_name_tiers() {
        let ask = |tolerance, objective| {
            Ok(Ask {
                tolerance,
                objective,
            })
        };
        let (cost, response) = (Some(Objective::Cost), Some(Objective::ResponseTime));
        assert_eq!(Ask::of_model("paretone"), ask(None, None));
        assert_eq!(Ask::of_model("whisper-1"), ask(None, None));
        assert_eq!(Ask::of_model("paretone-5pct-cost"), ask(Some(0.05), cost));
        assert_eq!(
            Ask::of_model("paretone-0.5pct-response-time"),
            ask(Some(0.005), response)
        );
        assert_eq!(Ask::of_model("paretone-5pct"), ask(Some(0.05), None));
        assert_eq!(Ask::of_model("paretone-cost"), ask(None, cost));
        for name in [
            "",
            "paretone-",
            "gpt-4",
            "paretone-5",
            "paretone-pct",
            "paretone--5pct",
            "paretone-5pctcost",
            "paretone-5pct-",
            "paretone-5pct-speed",
        ] {
            assert_eq!(
                Ask::of_model(name),
                Err(AskError::Model(name.into())),
                "{name}"
            );
        }
    }

    #[test]
    fn headers_are_given_once() {
        let mut headers = HeaderMap::new();
        assert_eq!(Ask::of_headers(&headers), Ok(Ask::default()));
        headers.insert("objective", "Cost".parse().unwrap());
        headers.insert("tolerance", "5%".parse().unwrap());
        assert_eq!(
            Ask::of_headers(&headers),
            Ok(Ask {
                tolerance: Some(0.05),
                objective: Some(Objective::Cost)
            })
        );
        headers.append("tolerance", "5%".parse().unwrap());
        assert_eq!(
            Ask::of_headers(&headers),
            Err(AskError::Header("Tolerance"))
        );
        headers.insert(
            "tolerance",
            axum::http::HeaderValue::from_bytes(b"\xff").unwrap(),
        );
        assert_eq!(
            Ask::of_headers(&headers),
            Err(AskError::Header("Tolerance"))
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_share_or_an_error(text in "\\PC*", number in any::<f64>()) {
            for text in [text, number.to_string(), format!("{number}%")] {
                if let Ok(share) = tolerance(&text) {
                    prop_assert!(share >= 0.0 && share.is_finite());
                }
                let _ = (objective(&text), Ask::of_model(&text), Ask::of_model(&format!("paretone-{text}")));
            }
        }

        #[test]
        fn a_model_asks_as_its_parts_do(tenth in 0u32..2000, cost in any::<bool>()) {
            let goal = if cost { "cost" } else { "response-time" };
            let percent = format!("{}.{}", tenth / 10, tenth % 10);
            let ask = Ask::of_model(&format!("paretone-{percent}pct-{goal}")).unwrap();
            prop_assert_eq!(ask.tolerance, tolerance(&format!("{percent}%")).ok());
            prop_assert_eq!(ask.objective.map(Objective::name), Some(goal));
        }
    }
}

//! What a caller asks for: a tolerance and an objective, as headers, form fields or a model's name,
//! and a deadline.
//!
//! A tolerance is a share (`0.05`) or a percentage (`5%`), see [`Tolerance`]. One that lies between
//! two tiers is served by the lower, one above the loosest by the loosest; none is taken for 0, the
//! strictest. All that is [`Routing::tier`](crate::scheduler::Routing::tier)'s to apply.
//!
//! Names of models: `paretone`, `whisper-1` and OpenAI's others ask for nothing; `paretone-5pct`,
//! `paretone-0.5pct-cost`, `paretone-cost` ask as headers would.

use std::time::Duration;

use axum::http::HeaderMap;

use super::error::Rejection;
use crate::tiers::{Objective, Tolerance, ToleranceError};

/// Longest text of a tolerance, in bytes.
const LONGEST_NUMBER: usize = 32;
/// The model's name, and the prefix of those that name a tier.
pub const MODEL: &str = "paretone";
/// Names that clients of OpenAI's interface send, the default first.
pub const OPENAI_MODELS: [&str; 4] =
    ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-4o-transcribe-diarize"];

/// What a caller asks for; what is missing, another source may add.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ask {
    /// Errors tolerated beyond the reference version's, relative to those.
    pub tolerance: Option<Tolerance>,
    /// What to minimise.
    pub objective: Option<Objective>,
}

/// A text that is no tolerance, objective or model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// It is no tolerance.
    #[error(transparent)]
    Tolerance(#[from] ToleranceError),
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
        if name == MODEL || OPENAI_MODELS.contains(&name) {
            return Ok(Ask::default());
        }
        let rest = name.strip_prefix(MODEL).and_then(|rest| rest.strip_prefix('-'));
        let rest = rest.ok_or_else(unknown)?;
        let (percent, rest) = match rest.split_once("pct") {
            Some((percent, "")) => (Some(percent), None),
            Some((percent, rest)) => {
                (Some(percent), Some(rest.strip_prefix('-').ok_or_else(unknown)?))
            }
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
pub fn tolerance(text: &str) -> Result<Tolerance, AskError> {
    Ok(text.parse()?)
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

/// A header's text, where there is one.
///
/// # Errors
/// It is there more than once, or is no text.
pub(super) fn header<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, AskError> {
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
    fn models_name_tiers() {
        let ask = |percent: Option<f64>, objective| {
            let tolerance = percent.map(|percent| Tolerance::percent(percent).unwrap());
            Ok(Ask { tolerance, objective })
        };
        let (cost, response) = (Some(Objective::Cost), Some(Objective::ResponseTime));
        assert_eq!(Ask::of_model("paretone"), ask(None, None));
        for name in OPENAI_MODELS {
            assert_eq!(Ask::of_model(name), ask(None, None));
        }
        assert_eq!(Ask::of_model("paretone-5pct-cost"), ask(Some(5.0), cost));
        assert_eq!(Ask::of_model("paretone-0.5pct-response-time"), ask(Some(0.5), response));
        assert_eq!(Ask::of_model("paretone-5pct"), ask(Some(5.0), None));
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
            assert_eq!(Ask::of_model(name), Err(AskError::Model(name.into())), "{name}");
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
            Ok(Ask { tolerance: Tolerance::percent(5.0).ok(), objective: Some(Objective::Cost) })
        );
        headers.append("tolerance", "5%".parse().unwrap());
        assert_eq!(Ask::of_headers(&headers), Err(AskError::Header("Tolerance")));
        headers.insert("tolerance", axum::http::HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(Ask::of_headers(&headers), Err(AskError::Header("Tolerance")));
    }

    proptest! {
        #[test]
        fn any_text_is_an_ask_or_an_error(text in "\\PC*", number in any::<f64>()) {
            for text in [text, number.to_string(), format!("{number}pct")] {
                let _ = (objective(&text), Ask::of_model(&text), Ask::of_model(&format!("paretone-{text}")));
            }
        }

        #[test]
        fn a_model_asks_as_its_parts_do(tenth in 0u32..2000, cost in any::<bool>()) {
            let goal = if cost { "cost" } else { "response-time" };
            let percent = format!("{}.{}", tenth / 10, tenth % 10);
            let ask = Ask::of_model(&format!("paretone-{percent}pct-{goal}")).unwrap();
            prop_assert_eq!(ask.tolerance, format!("{percent}%").parse().ok());
            prop_assert_eq!(ask.objective.map(Objective::name), Some(goal));
        }
    }
}

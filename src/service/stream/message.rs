//! vosk-server's messages: what a client may say, and what it is answered.
//!
//! Reference: alphacep/vosk-server, `websocket/asr_server.py` and its example client `test.py`. A
//! client configures the stream with a text message, sends 16-bit little-endian mono PCM in binary
//! ones, each of which is answered by exactly one text message, and ends it with `{"eof" : 1}`,
//! which is answered by the last result. Beyond that protocol a configuration may name a tolerance
//! and an objective, as the headers of a request do, or one version. The phrases of a
//! `phrase_list` become likelier; other words may still be heard, but for Vosk folders, which hear
//! the words of the list alone, as in vosk-server.

use serde::Deserialize;
use serde_json::Value;

use crate::service::own_words::MOST_WORDS;
use crate::units::Hertz;

/// Sample rates that a stream may have, in hertz: from the telephone's to the studio's. What is
/// outside is more likely a mistake than speech, and a low rate would multiply the work of a
/// message.
pub const STREAM_RATES: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// Most alternatives that a result lists, whatever is asked for.
pub const MOST_ALTERNATIVES: usize = 20;

/// What a client says in text.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// How to listen; before the first audio.
    Config(Config),
    /// What was said so far ends here; what follows is heard for itself.
    Reset,
    /// The audio ends here.
    Eof,
}

/// How to listen.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Samples per second of the PCM. Default: 16000.
    pub rate: Hertz,
    /// Whether results list their words. Default: yes, as vosk-server's.
    pub words: bool,
    /// Whether a pause ends an utterance. Default: yes.
    pub endpointing: bool,
    /// The tolerance, as the header has it.
    pub tolerance: Option<String>,
    /// The objective, as the header has it.
    pub objective: Option<String>,
    /// One version of the model instead of a tier.
    pub version: Option<String>,
    /// Phrases that become likelier. Default: none.
    pub phrases: Vec<String>,
    /// How many answers a result lists at most; 0 for one answer, not as a list. Default: 0.
    pub alternatives: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rate: Hertz(16_000),
            words: true,
            endpointing: true,
            tolerance: None,
            objective: None,
            version: None,
            phrases: Vec::new(),
            alternatives: 0,
        }
    }
}

/// A text message that says nothing a stream understands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    /// None of the commands.
    #[error(
        "a text message is {{\"config\": {{…}}}}, {{\"reset\": 1}} or {{\"eof\": 1}}; this one is none ({what})"
    )]
    NoCommand {
        /// What is wrong with it.
        what: String,
    },
    /// A value of the configuration that cannot be.
    #[error("\"{field}\" of the configuration must be {expected}")]
    BadField {
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: String,
    },
    /// Configured once the audio had begun.
    #[error("the configuration must come before the audio")]
    TooLate,
}

/// The commands as they come.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Raw {
    Config(Box<RawConfig>),
    #[expect(dead_code, reason = "any value ends what was said")]
    Reset(Value),
    #[expect(dead_code, reason = "any value ends the audio")]
    Eof(Value),
}

/// The configuration as it comes. Fields that are not listed are ignored, as vosk-server does.
#[derive(Deserialize)]
struct RawConfig {
    sample_rate: Option<Value>,
    words: Option<Value>,
    endpointing: Option<Value>,
    tolerance: Option<Value>,
    objective: Option<String>,
    version: Option<String>,
    phrase_list: Option<Value>,
    max_alternatives: Option<Value>,
}

impl Command {
    /// Reads a text message.
    ///
    /// # Errors
    /// It is no command, or asks for what cannot be done.
    pub fn parse(text: &str) -> Result<Command, BadMessage> {
        let raw: Raw = serde_json::from_str(text)
            .map_err(|error| BadMessage::NoCommand { what: error.to_string() })?;
        match raw {
            Raw::Reset(_) => Ok(Command::Reset),
            Raw::Eof(_) => Ok(Command::Eof),
            Raw::Config(raw) => Ok(Command::Config(raw.check()?)),
        }
    }
}

impl RawConfig {
    fn check(self) -> Result<Config, BadMessage> {
        let default = Config::default();
        Ok(Config {
            rate: self.sample_rate.map_or(Ok(default.rate), rate)?,
            words: truth("words", self.words, default.words)?,
            endpointing: truth("endpointing", self.endpointing, default.endpointing)?,
            tolerance: self.tolerance.map(tolerance).transpose()?,
            objective: self.objective,
            version: self.version,
            phrases: self.phrase_list.map_or(Ok(Vec::new()), phrases)?,
            alternatives: self.max_alternatives.map_or(Ok(0), alternatives)?,
        })
    }
}

/// A number, which clients write as such or as text.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number of alternatives, of which no more than [`MOST_ALTERNATIVES`] are told.
fn alternatives(most: Value) -> Result<usize, BadMessage> {
    let number = number(&most).filter(|most| most.fract() == 0.0 && *most >= 0.0);
    let number = number.or_else(|| most.is_null().then_some(0.0));
    let number = number.map(|most| most.min(MOST_ALTERNATIVES as f64) as usize);
    number.ok_or(BadMessage::BadField {
        field: "max_alternatives",
        expected: "a whole number from 0".into(),
    })
}

/// A list of phrases, or such a list as text.
fn phrases(value: Value) -> Result<Vec<String>, BadMessage> {
    let wrong = || BadMessage::BadField {
        field: "phrase_list",
        expected: format!("a list of at most {MOST_WORDS} phrases"),
    };
    let list = match value {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) => serde_json::from_str(&text).map_err(|_| wrong())?,
        value => value,
    };
    let phrases: Vec<String> = serde_json::from_value(list).map_err(|_| wrong())?;
    match phrases.len() <= MOST_WORDS {
        true => Ok(phrases),
        false => Err(wrong()),
    }
}

/// A whole number of hertz; clients write it with and without a fraction.
fn rate(value: Value) -> Result<Hertz, BadMessage> {
    let (low, high) = (*STREAM_RATES.start(), *STREAM_RATES.end());
    let hertz = number(&value).unwrap_or(f64::NAN);
    match hertz.fract() == 0.0 && (f64::from(low)..=f64::from(high)).contains(&hertz) {
        true => Ok(Hertz(hertz as u32)),
        false => Err(BadMessage::BadField {
            field: "sample_rate",
            expected: format!("a whole number from {low} to {high}"),
        }),
    }
}

/// Python's clients write a truth as `true` or as `1`.
fn truth(field: &'static str, value: Option<Value>, default: bool) -> Result<bool, BadMessage> {
    match value {
        None => Ok(default),
        Some(Value::Bool(truth)) => Ok(truth),
        Some(Value::Number(number)) => Ok(number.as_f64() != Some(0.0)),
        Some(_) => Err(BadMessage::BadField { field, expected: "true or false".into() }),
    }
}

/// A tolerance may be a number or the header's text.
fn tolerance(value: Value) -> Result<String, BadMessage> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(BadMessage::BadField {
            field: "tolerance",
            expected: "a share such as 0.05 or \"5%\"".into(),
        }),
    }
}

/// 16-bit little-endian PCM that arrives in messages, which may end within a sample.
#[derive(Clone, Debug, Default)]
pub struct Pcm {
    half: Option<u8>,
}

impl Pcm {
    /// The samples that a message completes, in [-1, 1).
    pub fn samples(&mut self, bytes: &[u8]) -> Vec<f32> {
        let mut all = self.half.take().into_iter().chain(bytes.iter().copied());
        let mut samples = Vec::with_capacity(bytes.len().div_ceil(2));
        while let Some(low) = all.next() {
            let Some(high) = all.next() else {
                self.half = Some(low);
                break;
            };
            samples.push(f32::from(i16::from_le_bytes([low, high])) / 32_768.0);
        }
        samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vosk_servers_own_messages_are_understood() {
        let text = r#"{ "config" : { "sample_rate" : 8000 } }"#;
        let expected = Config { rate: Hertz(8_000), ..Config::default() };
        assert_eq!(Command::parse(text), Ok(Command::Config(expected)));
        assert_eq!(Command::parse(r#"{"eof" : 1}"#), Ok(Command::Eof));
        assert_eq!(Command::parse(r#"{"reset" : 1}"#), Ok(Command::Reset));
        let text = r#"{"config": {"sample_rate": "8000.0", "max_alternatives": 3, "phrase_list": ["zero one", "[unk]"]}}"#;
        let expected = Config {
            rate: Hertz(8_000),
            phrases: vec!["zero one".into(), "[unk]".into()],
            alternatives: 3,
            ..Config::default()
        };
        assert_eq!(Command::parse(text), Ok(Command::Config(expected)));
        let text = r#"{"config": {"sample_rate": 16000.0, "words": 0, "max_alternatives": 0,
            "model": "en", "tolerance": "5%", "objective": "cost"}}"#;
        let expected = Config {
            words: false,
            tolerance: Some("5%".into()),
            objective: Some("cost".into()),
            ..Config::default()
        };
        assert_eq!(Command::parse(text), Ok(Command::Config(expected)));
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        for text in [
            "",
            "speech",
            "[]",
            "{}",
            r#"{"config": 5}"#,
            r#"{"config": {"sample_rate": "high"}}"#,
            r#"{"config": {"sample_rate": 7999}}"#,
            r#"{"config": {"sample_rate": 16000.5}}"#,
            r#"{"config": {"sample_rate": 1e300}}"#,
            r#"{"config": {"words": "yes"}}"#,
            r#"{"config": {"tolerance": [1]}}"#,
            r#"{"config": {"phrase_list": 5}}"#,
            r#"{"config": {"phrase_list": [5]}}"#,
            r#"{"config": {"max_alternatives": -3}}"#,
            r#"{"config": {"max_alternatives": "some"}}"#,
        ] {
            assert!(Command::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn samples_may_be_cut_anywhere() {
        let bytes = [0, 0x80, 1, 0, 0xff, 0x7f];
        let whole = [-1.0, 1.0 / 32_768.0, 32_767.0 / 32_768.0];
        for cut in 0..=bytes.len() {
            let mut pcm = Pcm::default();
            let mut samples = pcm.samples(&bytes[..cut]);
            samples.extend(pcm.samples(&bytes[cut..]));
            assert_eq!(samples, whole);
        }
    }
}

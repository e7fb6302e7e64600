//! An answer and its account: the tier, what ran for it, how sure it is, what it took.

use axum::http::{HeaderMap, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use crate::recognizer::Transcript;
use crate::scheduler::{self, SegmentShare};

/// What was heard, and how the answer came about.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was heard.
    pub transcript: Transcript,
    /// How the answer came about.
    pub account: Account,
}

/// How an answer came about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Account {
    /// The tier that served: its objective and the tolerance from which it serves, such as
    /// `response-time/0.05`.
    pub tier: String,
    /// The certified bound on its degradation, relative to the reference version's errors.
    pub bound: f64,
    /// The policy, such as `seq(v1, v7, 0.9300)`.
    pub policy: String,
    /// The versions that ran, or began to.
    pub versions: Vec<String>,
    /// The version whose answer it is; of a long recording, that which answered most segments.
    pub answered_by: String,
    /// Which version ran on how many segments of the recording, and answered how many.
    pub segments: Vec<Segments>,
    /// Whether the first version's answer was not enough, in any segment.
    pub escalated: bool,
    /// The calibrated probability that every word is right; of several segments, the share of words
    /// that is expected to be right. 0 where nothing is known.
    pub confidence: f64,
    /// Milliseconds from admission to answer.
    pub server_ms: f64,
    /// Milliseconds of all workers, cancelled work included.
    pub machine_ms: f64,
    /// The name of the certificate that the tier rests on; `GET /tiers` shows it.
    pub certificate: String,
    /// Why only a part of the recording was heard, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partly_read: Option<String>,
    /// What may be wrong with the recording though all of it was heard, such as channels that
    /// cancel each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// How many segments of a recording a version worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Segments {
    /// The version.
    pub version: String,
    /// Segments that it ran on, or began to.
    pub ran: usize,
    /// Segments whose words are its own.
    pub answered: usize,
}

/// A word that was heard.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HeardWord {
    /// The word.
    pub word: String,
    /// Where it starts, in seconds.
    pub start: f64,
    /// Where it ends, in seconds.
    pub end: f64,
    /// The calibrated probability that it is right; null where the version is not calibrated.
    pub confidence: Option<f64>,
}

/// The answer of `POST /compute` as JSON.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Computed {
    /// What was heard, in words with one space between them.
    pub text: String,
    /// The words.
    pub words: Vec<HeardWord>,
    /// How long the recording is, in seconds.
    pub audio_seconds: f64,
    /// How the answer came about.
    pub account: Account,
}

/// The library's answer as the service tells of it.
impl From<scheduler::Answer> for Answer {
    fn from(answer: scheduler::Answer) -> Self {
        let account = answer.account;
        Answer {
            transcript: answer.transcript,
            account: Account {
                tier: account.tier,
                bound: account.bound,
                policy: account.policy.to_string(),
                versions: account.versions,
                answered_by: account.answered_by,
                segments: account.segments.into_iter().map(Segments::from).collect(),
                escalated: account.escalated,
                confidence: account.confidence,
                server_ms: milliseconds(account.response.0),
                machine_ms: milliseconds(account.cost.0),
                certificate: account.certificate,
                partly_read: None,
                warnings: Vec::new(),
            },
        }
    }
}

impl From<SegmentShare> for Segments {
    fn from(share: SegmentShare) -> Self {
        Segments { version: share.version, ran: share.ran, answered: share.answered }
    }
}

impl Answer {
    /// The answer as JSON has it.
    pub fn computed(self) -> Computed {
        Computed {
            text: self.transcript.text(),
            words: words(&self.transcript),
            audio_seconds: self.transcript.audio.0,
            account: self.account,
        }
    }
}

impl Account {
    /// The account as response headers, `Paretone-Tier` and so on.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: String| {
            // A version's name in the rules need not be ASCII; a header must.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        };
        put("paretone-tier", self.tier.clone());
        put("paretone-policy", self.policy.clone());
        put("paretone-versions", self.versions.join(", "));
        let segments = self.segments.iter().map(|segments| {
            let Segments { version, ran, answered } = segments;
            format!("{version} {answered} of {ran}")
        });
        put("paretone-segments", segments.collect::<Vec<_>>().join(", "));
        put("paretone-escalated", self.escalated.to_string());
        put("paretone-confidence", format!("{:.4}", self.confidence));
        put("paretone-server-ms", self.server_ms.to_string());
        put("paretone-machine-ms", self.machine_ms.to_string());
        put("paretone-certificate", self.certificate.clone());
        if let Some(why) = &self.partly_read {
            put("paretone-partly-read", why.clone());
        }
        if !self.warnings.is_empty() {
            put("paretone-warnings", self.warnings.join("; "));
        }
        headers
    }
}

/// The words of a transcript.
pub fn words(transcript: &Transcript) -> Vec<HeardWord> {
    let words = transcript.words.iter().map(|word| HeardWord {
        word: word.word.clone(),
        start: word.start.0,
        end: word.end.0,
        confidence: word.confidence,
    });
    words.collect()
}

/// Milliseconds to the microsecond.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

//! What is known of a job, and how its caller is told.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::service::answer::Computed;
use crate::service::client::Client;
use crate::service::error::Problem;
use crate::service::request::Ask;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is being recognised.
    Running,
    /// It is answered.
    Done,
    /// There is no answer.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [State; 4] = [State::Queued, State::Running, State::Done, State::Failed];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
        }
    }

    /// The state of this name.
    pub fn of(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A job to be kept.
pub struct NewJob {
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// Of all that is asked; the same for the same.
    pub digest: [u8; 32],
    /// Whose it is.
    pub client: Client,
    /// Which tier.
    pub ask: Ask,
    /// Where to tell the answer.
    pub callback: Option<String>,
    /// The recording.
    pub recording: Vec<u8>,
}

/// A job that was kept, or had been.
#[derive(Debug)]
pub struct Added {
    /// Its id.
    pub id: String,
    /// Whether it had not been there.
    pub is_new: bool,
}

/// A job that is to run.
#[derive(Debug)]
pub struct Taken {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub client: Client,
    /// Which tier.
    pub ask: Ask,
    /// Bytes of its recording.
    pub size: usize,
}

/// How a job ended, as JSON.
#[derive(Clone)]
pub enum Ended {
    /// With an answer: [`Computed`].
    Done(String),
    /// Without: a [`Problem`].
    Failed(String),
}

/// A callback that is due.
pub struct Call {
    /// The job.
    pub id: String,
    /// Whom to tell.
    pub address: String,
    /// Times it was tried before.
    pub before: u32,
}

/// How a callback went.
pub enum Called {
    /// It was taken.
    Delivered,
    /// It was not, and will not be tried again.
    GivenUp,
    /// It was not, and will be tried after so long.
    Again(Duration),
}

/// All that is kept of a job, beside its recording.
pub struct Record {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// Seconds since 1970.
    pub created: f64,
    /// Seconds since 1970.
    pub started: Option<f64>,
    /// Seconds since 1970.
    pub finished: Option<f64>,
    /// The answer, or the problem.
    pub result: Option<serde_json::Value>,
    /// Where to tell the answer.
    pub callback: Option<String>,
    /// How that went at last.
    pub called: Option<String>,
    /// Times it was tried.
    pub calls: u32,
    /// How many jobs come before it, where it waits.
    pub ahead: u64,
}

/// A job as its caller is told of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Job {
    /// Its id, which nobody can guess.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// When it was taken in, in seconds since 1970.
    pub created: f64,
    /// When its run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<f64>,
    /// How many jobs come before it, where it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ahead: Option<u64>,
    /// The share of the recording that has been searched, by the version that is ahead; 1 once it
    /// is answered.
    pub progress: f64,
    /// The answer, as `POST /compute` gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Computed>)]
    pub result: Option<serde_json::Value>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Problem>)]
    pub error: Option<serde_json::Value>,
    /// How the callback went, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
}

/// How a callback went.
#[derive(Debug, Serialize, ToSchema)]
pub struct Callback {
    /// Whom to tell.
    pub address: String,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// Times it was tried.
    pub calls: u32,
}

impl Job {
    /// A job as its caller is told of it; `searched` is the share that has been searched.
    pub fn new(record: Record, searched: f64) -> Job {
        let (done, failed) = match record.state {
            State::Failed => (None, record.result),
            _ => (record.result, None),
        };
        Job {
            id: record.id,
            state: record.state,
            created: record.created,
            started: record.started,
            finished: record.finished,
            ahead: (record.state == State::Queued).then_some(record.ahead),
            progress: match record.state {
                State::Queued | State::Failed => 0.0,
                State::Running => searched,
                State::Done => 1.0,
            },
            result: done,
            error: failed,
            callback: record.callback.map(|address| Callback {
                address,
                state: record.called.unwrap_or_else(|| "pending".into()),
                calls: record.calls,
            }),
        }
    }
}

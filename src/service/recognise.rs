//! From uploaded bytes to an answer with its account; what all paths that take audio share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::error::Rejection;
use super::memory::Held;
use super::request::{self, Ask};
use super::state::App;
use super::upload::Upload;
use crate::audio::{Bounds, ChannelChoice, Reader, Signal, Waveform};

/// How long after a request's deadline its worker may take to say so.
const GRACE: Duration = Duration::from_millis(250);
/// Samples of a second of the longest recording, at most: what studios record at.
const STUDIO_RATE: f64 = 48_000.0;

/// What is to be recognised, for whom.
#[derive(Debug)]
pub struct Job {
    /// The recording.
    pub upload: Upload,
    /// Its file name, where it has one.
    pub name: Option<String>,
    /// Which tier.
    pub ask: Ask,
    /// When the answer is due, counted from now.
    pub deadline: Duration,
    /// The request's id, which decides whether it is shadowed.
    pub id: String,
}

/// Recognises a recording. Dropping the future, as happens when the caller goes away, stops the
/// search within a frame.
///
/// # Errors
/// Why there is no answer.
pub async fn recognise(app: &Arc<App>, job: Job) -> Result<Answer, Rejection> {
    let due = Instant::now() + job.deadline;
    let serving = app.serving();
    let tier = serving.tier(job.ask)?;
    let (waveform, held, shortfall) = decode(app, job.upload, job.name).await?;
    let shadowed = app
        .shadow
        .takes(&serving, tier, &job.id)
        .then(|| waveform.clone());
    let (sender, reply) = oneshot::channel();
    let (metrics, rules) = (app.metrics.clone(), Arc::clone(&serving));
    let left = due.saturating_duration_since(Instant::now());
    let admitted = serving.submit(waveform, tier, left, move |made| {
        metrics.answered(&rules, tier, &made);
        // Whoever waited may have gone.
        let _ = sender.send(made);
        drop(held);
    });
    let admitted = admitted.inspect_err(|_| app.metrics.refused(&serving, tier))?;
    let made = tokio::time::timeout(left + GRACE, reply).await;
    // Dropped only now: it stops a search that nobody waits for.
    drop(admitted);
    let made = made.map_err(|_| Rejection::Late)?;
    let served = made.map_err(|_| Rejection::Internal("a worker went away".into()))??;
    if let Some(waveform) = shadowed {
        app.shadow.compare(app, &serving, waveform, &served.answer);
    }
    let mut answer = Answer::from(serving.routing.answer(tier, served));
    answer.account.partly_read = shortfall;
    Ok(answer)
}

/// The deadline that a caller asks for by the header `Deadline`, in seconds, within the service's.
///
/// # Errors
/// The header is repeated, or no number of seconds.
pub fn deadline(app: &App, headers: &HeaderMap) -> Result<Duration, Rejection> {
    let asked = request::deadline_of_headers(headers)?;
    let longest = app.options.deadline;
    Ok(asked.map_or(longest, |asked| asked.min(longest)))
}

/// The waveform of a recording, the memory it takes, and why it is only a part, where it is.
async fn decode(
    app: &Arc<App>,
    upload: Upload,
    name: Option<String>,
) -> Result<(Waveform, Held, Option<String>), Rejection> {
    let app = Arc::clone(app);
    // Off the threads that serve connections: a compressed recording takes a while.
    let decoded = tokio::task::spawn_blocking(move || {
        let longest = app.options.limits.audio;
        let bounds = Bounds {
            longest,
            samples: (longest.0 * STUDIO_RATE) as usize,
        };
        let reader = Reader::of_bytes(upload.bytes, name.as_deref(), None)?;
        let mut signal = Signal::at_its_rate(reader, ChannelChoice::Mix)?;
        let waveform = Waveform::collect(&mut signal, bounds)?;
        let shortfall = signal.shortfall();
        let mut held = upload.held;
        app.memory
            .grow(&mut held, size_of_val(waveform.samples.as_slice()))?;
        Ok((waveform, held, shortfall))
    });
    decoded
        .await
        .map_err(|error| Rejection::Internal(error.to_string()))?
}

//! From uploaded bytes to an answer with its account; what all paths that take audio share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use tokio::sync::oneshot;

use super::answer::Answer;
use super::client::Client;
use super::error::Rejection;
use super::memory::Held;
use super::own_words::OwnWords;
use super::request::{self, Ask};
use super::serving::{Serving, Way};
use super::state::App;
use super::upload::Upload;
use crate::audio::{AudioError, ChannelChoice, LONGEST, Reader, Signal, Waveform};
use crate::recognizer::{Recognizer, Transcript, Utterance};
use crate::scheduler::{Searched, Served, Spoken, TierId};
use crate::units::Seconds;

/// How long after a request's deadline its worker may take to say so.
const GRACE: Duration = Duration::from_millis(250);
/// Bytes of the scores of a second, which are kept until the answer.
const SCORES_PER_SECOND: f64 = 0.2e6;
/// Samples that there is always room for, ahead of the next block.
const ROOM: usize = 16 << 10;

/// What is to be recognised, for whom.
#[derive(Debug)]
pub struct Job {
    /// The recording.
    pub upload: Upload,
    /// Its file name, where it has one.
    pub name: Option<String>,
    /// Which tier.
    pub ask: Ask,
    /// Words to expect.
    pub words: OwnWords,
    /// When the answer is due, counted from now.
    pub deadline: Duration,
    /// Whose it is.
    pub client: Client,
    /// The request's id, which decides whether it is shadowed.
    pub id: String,
}

/// Who asks for what, by the rules then in force.
#[derive(Clone)]
pub struct Asked {
    /// The rules.
    pub serving: Arc<Serving>,
    /// The tier that serves, unless there are words.
    pub tier: TierId,
    /// The model with words of the caller's.
    pub by: Option<Arc<Recognizer>>,
    /// Whose request it is.
    pub client: Client,
}

impl Asked {
    /// A request under the rules now in force.
    ///
    /// # Errors
    /// They have no tiers for what is asked.
    pub fn new(app: &App, ask: Ask, client: Client) -> Result<Asked, Rejection> {
        let serving = app.serving();
        let tier = serving.tier(ask)?;
        Ok(Asked { serving, tier, by: None, client })
    }

    /// The same with words of the caller's, made into a graph by `due`.
    ///
    /// # Errors
    /// They cannot be used.
    pub async fn with_words(
        self,
        app: &App,
        words: OwnWords,
        due: Instant,
    ) -> Result<Asked, Rejection> {
        let by = app.word_graphs.recognizer(&app.recognizer, words, due).await?;
        Ok(Asked { by, ..self })
    }

    /// How it is served.
    pub fn way(&self) -> Way {
        match &self.by {
            None => Way::Tier(self.tier),
            Some(_) => Way::OwnWords,
        }
    }

    /// Has an utterance, such as a whole recording, recognised by `due`; what is held is given back
    /// with the answer. Dropping the future, as happens when the caller goes away, stops the search
    /// within a frame.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn serve(
        &self,
        app: &App,
        spoken: impl Into<Spoken>,
        held: Held,
        due: Instant,
    ) -> Result<Served<Transcript>, Rejection> {
        self.serve_told(app, spoken, held, due, drop).await
    }

    /// The same, where `watch` is told how to look how far it is.
    async fn serve_told(
        &self,
        app: &App,
        spoken: impl Into<Spoken>,
        held: Held,
        due: Instant,
        watch: impl FnOnce(Searched),
    ) -> Result<Served<Transcript>, Rejection> {
        let Asked { serving, by, client, .. } = self;
        let (sender, reply) = oneshot::channel();
        let (metrics, rules, way) = (app.metrics.clone(), Arc::clone(serving), self.way());
        let mut spoken = spoken.into();
        if let Some(by) = by {
            spoken = spoken.by(Arc::clone(by));
        }
        let left = due.saturating_duration_since(Instant::now());
        let client = client.for_scheduler();
        let admitted = serving.submit(spoken, way, client, left, move |made| {
            metrics.answered(&rules, way, &made);
            // Whoever waited may have gone.
            let _ = sender.send(made);
            drop(held);
        });
        let admitted = admitted.inspect_err(|_| app.metrics.refused(serving, way))?;
        watch(admitted.searched());
        let made = tokio::time::timeout(left + GRACE, reply).await;
        // Dropped only now: it stops a search that nobody waits for.
        drop(admitted);
        let made = made.map_err(|_| Rejection::Late)?;
        Ok(made.map_err(|_| Rejection::Internal("a worker went away".into()))??)
    }

    /// The same for live speech, which cannot be sent again: if the queue is full, the utterance
    /// waits in front of it, up to the deadline.
    ///
    /// # Errors
    /// As [`Asked::serve`].
    pub async fn serve_patiently(
        &self,
        app: &App,
        utterance: &Utterance,
    ) -> Result<Answer, Rejection> {
        let due = Instant::now() + app.options.deadline;
        loop {
            let served = self.serve(app, utterance.clone(), Held::default(), due);
            match served.await {
                Err(Rejection::Busy { retry_after, .. }) if Instant::now() + retry_after < due => {
                    tokio::time::sleep(retry_after).await;
                }
                served => {
                    let answer = self.serving.answer(self.way(), served?);
                    return Ok(Answer::from(answer));
                }
            }
        }
    }
}

/// Recognises a recording. Dropping the future, as happens when the caller goes away, stops the
/// search within a frame.
///
/// # Errors
/// Why there is no answer.
pub async fn recognise(app: &Arc<App>, job: Job) -> Result<Answer, Rejection> {
    recognise_told(app, job, |_, _| ()).await
}

/// The same. Once the recording is admitted, `watch` is given the way to ask for its progress, and
/// its duration.
///
/// # Errors
/// Why there is no answer.
pub async fn recognise_told(
    app: &Arc<App>,
    job: Job,
    watch: impl FnOnce(Searched, Seconds),
) -> Result<Answer, Rejection> {
    let due = Instant::now() + job.deadline;
    let asked = Asked::new(app, job.ask, job.client)?;
    let asked = asked.with_words(app, job.words, due).await?;
    let decoded = decode(app, job.upload, job.name, job.client, due).await?;
    let Decoded { waveform, held, shortfall, remarks } = decoded;
    let Asked { serving, tier, .. } = &asked;
    let takes = asked.by.is_none() && app.shadow.takes(serving, *tier, &job.id);
    let shadowed = takes.then(|| copy(app, &waveform)).flatten();
    let audio = waveform.duration();
    let watch = |searched| watch(searched, audio);
    let served = asked.serve_told(app, waveform, held, due, watch).await?;
    if let Some((waveform, held)) = shadowed {
        app.shadow.compare(serving, waveform, held, &served.answer);
    }
    let mut answer = Answer::from(serving.answer(asked.way(), served));
    answer.account.partly_read = shortfall;
    answer.account.warnings = remarks;
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

/// A recording that has been decoded.
pub struct Decoded {
    /// Its samples, at the model's rate.
    pub waveform: Waveform,
    /// The memory they take, and their scores will.
    pub held: Held,
    /// Why it is only a part, where it is.
    pub shortfall: Option<String>,
    /// What may be wrong with it though all of it was heard.
    pub remarks: Vec<String>,
}

/// Bytes of a recording's scores.
fn scores_of(waveform: &Waveform) -> usize {
    (waveform.duration().0 * SCORES_PER_SECOND) as usize
}

/// A copy of a recording, where there is room for it.
fn copy(app: &App, waveform: &Waveform) -> Option<(Waveform, Held)> {
    let (mut held, samples) = (Held::default(), size_of_val(waveform.samples.as_slice()));
    app.memory.grow(&mut held, samples + scores_of(waveform)).ok()?;
    Some((waveform.clone(), held))
}

/// Decodes a recording when it is its client's turn; memory is reserved as it grows.
///
/// # Errors
/// It is no audio, too long, or there is no room for it, nor a turn before it is due.
pub async fn decode(
    app: &Arc<App>,
    upload: Upload,
    name: Option<String>,
    client: Client,
    due: Instant,
) -> Result<Decoded, Rejection> {
    let app = Arc::clone(app);
    let turn = tokio::time::timeout_at(due.into(), app.decoders.turn(client)).await;
    let turn = turn.map_err(|_| Rejection::Late)?;
    // Off the threads that serve connections: a compressed recording takes a while.
    let decoded = tokio::task::spawn_blocking(move || {
        let decoded = decode_here(&app, upload, name.as_deref());
        drop(turn);
        decoded
    });
    decoded.await.map_err(|error| Rejection::Internal(error.to_string()))?
}

fn decode_here(app: &App, upload: Upload, name: Option<&str>) -> Result<Decoded, Rejection> {
    let Upload { bytes, mut held } = upload;
    let encoded = bytes.capacity();
    let reader = Reader::of_bytes(bytes, name, None)?;
    let rate = reader.rate();
    let longest = app.options.limits.audio.0.min(LONGEST.0);
    let most = (longest * f64::from(rate.0)) as usize;
    let mut signal = Signal::new(reader, rate, ChannelChoice::Mix)?;
    let (mut samples, mut size) = (Vec::new(), 0);
    loop {
        // Room is made before it is taken.
        let free = samples.capacity() - samples.len();
        if free < ROOM.max(size) {
            let more = ROOM.max(size).max(samples.len() / 2);
            let room = (samples.len() + more) * size_of::<f32>();
            app.memory.grow(&mut held, encoded + room)?;
            samples.reserve_exact(more);
        }
        let before = samples.len();
        if !signal.next_block(&mut samples)? {
            break;
        }
        size = size.max(samples.len() - before);
        if samples.len() > most {
            let rate = rate.0;
            return Err(AudioError::TooLong { rate, most }.into());
        }
    }
    let (shortfall, remarks) = (signal.shortfall(), signal.remarks());
    drop(signal);
    let waveform = Waveform { samples, rate }.at_rate(app.recognizer.sample_rate())?;
    let samples = waveform.samples.capacity() * size_of::<f32>();
    app.memory.resize(&mut held, samples + scores_of(&waveform))?;
    Ok(Decoded { waveform, held, shortfall, remarks })
}

//! The thread of one stream.
//!
//! A [`Stream`] borrows its recogniser and computes for milliseconds at a time, so that it lives on
//! a thread of its own. It takes one message at a time and answers it before the next, which is the
//! protocol's own pace, and works only while a worker of the scheduler stands aside for it: a
//! stream takes its turns with all other work. It ends when its `StreamThread` is dropped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::recognizer::{
    Alternative, Guess, Recognizer, RecognizerError, Setting, Stream, StreamOptions, Transcript,
    Utterance,
};
use crate::scheduler::StreamId;
use crate::service::state::App;
use crate::units::Seconds;

/// The audio that is worked at in one turn.
const TURN: Seconds = Seconds(0.25);

/// What a message came to.
#[derive(Debug)]
pub(in crate::service) struct Heard {
    /// The utterances that ended in it.
    pub ended: Vec<Utterance>,
    /// What the one under way seems to say.
    pub guess: Guess,
    /// How long that one is.
    pub under_way: Seconds,
}

/// Why a stream cannot go on.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum StreamFailure {
    /// The recogniser failed.
    #[error(transparent)]
    Recognizer(#[from] RecognizerError),
    /// The thread is gone: a defect of this program.
    #[error("the stream's thread failed")]
    Gone,
}

type Reply<T> = oneshot::Sender<Result<T, RecognizerError>>;

enum Work {
    Samples(Vec<f32>, Reply<Heard>),
    Finish(Reply<Heard>),
    /// What one version hears in an utterance.
    Recognise(Setting, Utterance, Reply<Transcript>),
    /// What else one version may have heard in an utterance, at most so many answers.
    Alternatives(Setting, Utterance, usize, Reply<Vec<Alternative>>),
}

/// A stream on its thread.
pub(in crate::service) struct StreamThread {
    work: Sender<Work>,
}

impl StreamThread {
    /// Starts the thread; the service's model listens unless another is named.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(in crate::service) fn open(
        app: &Arc<App>,
        by: Option<&Arc<Recognizer>>,
        id: StreamId,
        options: StreamOptions,
    ) -> std::io::Result<Self> {
        let (work, queue) = channel();
        let recognizer = Arc::clone(by.unwrap_or(&app.recognizer));
        let app = Arc::clone(app);
        let thread = std::thread::Builder::new().name("stream".into());
        thread.spawn(move || run((&app, &recognizer), id, &options, &queue))?;
        Ok(StreamThread { work })
    }

    /// Takes the next samples.
    ///
    /// # Errors
    /// They cannot be heard.
    pub(in crate::service) async fn push(&self, samples: Vec<f32>) -> Result<Heard, StreamFailure> {
        self.ask(|reply| Work::Samples(samples, reply)).await
    }

    /// Ends what was said so far; what follows is another stream's.
    ///
    /// # Errors
    /// What is left cannot be heard.
    pub(in crate::service) async fn finish(&self) -> Result<Heard, StreamFailure> {
        self.ask(Work::Finish).await
    }

    /// What one version hears in an utterance.
    ///
    /// # Errors
    /// It cannot be recognised.
    pub(in crate::service) async fn recognise(
        &self,
        setting: Setting,
        utterance: Utterance,
    ) -> Result<Transcript, StreamFailure> {
        self.ask(|reply| Work::Recognise(setting, utterance, reply)).await
    }

    /// The best answers of one version to an utterance, at most so many.
    ///
    /// # Errors
    /// It cannot be recognised.
    pub(in crate::service) async fn alternatives(
        &self,
        setting: Setting,
        utterance: Utterance,
        most: usize,
    ) -> Result<Vec<Alternative>, StreamFailure> {
        self.ask(|reply| Work::Alternatives(setting, utterance, most, reply)).await
    }

    async fn ask<T>(&self, work: impl FnOnce(Reply<T>) -> Work) -> Result<T, StreamFailure> {
        let (reply, answer) = oneshot::channel();
        let sent = self.work.send(work(reply));
        sent.map_err(|_| StreamFailure::Gone)?;
        Ok(answer.await.map_err(|_| StreamFailure::Gone)??)
    }
}

fn run(
    (app, recognizer): (&App, &Recognizer),
    id: StreamId,
    options: &StreamOptions,
    queue: &Receiver<Work>,
) {
    let mut stream = None;
    let step = (TURN.0 * f64::from(options.rate.0)) as usize;
    while let Ok(work) = queue.recv() {
        // Nobody waits any more for a reply where the client went away.
        match work {
            Work::Samples(samples, reply) => {
                let heard = opened(&mut stream, recognizer, options).and_then(|stream| {
                    let steps = samples.chunks(step.max(1));
                    push(app, id, stream, steps, || reply.is_closed())
                });
                let _ = reply.send(heard);
            }
            Work::Finish(reply) => {
                let heard = opened(&mut stream, recognizer, options).and_then(|stream| {
                    let _turn = app.serving().turn(id);
                    let ended = stream.finish()?;
                    told(stream, ended)
                });
                let _ = reply.send(heard);
            }
            Work::Recognise(setting, utterance, reply) => {
                let _turn = app.serving().turn(id);
                let mut scratch = recognizer.scratch();
                let heard = recognizer.transcribe_utterance(&setting, &utterance, &mut scratch);
                let _ = reply.send(heard);
            }
            Work::Alternatives(setting, utterance, most, reply) => {
                let _turn = app.serving().turn(id);
                let mut scratch = recognizer.scratch();
                let scored = recognizer.score_utterance(&utterance, &mut scratch);
                let all = scored
                    .and_then(|scored| recognizer.n_best(&setting, &scored, most, &mut scratch));
                let _ = reply.send(all);
            }
        }
    }
}

fn opened<'s, 'r>(
    stream: &'s mut Option<Stream<'r>>,
    recognizer: &'r Recognizer,
    options: &StreamOptions,
) -> Result<&'s mut Stream<'r>, RecognizerError> {
    if stream.is_none() {
        *stream = Some(recognizer.stream(options)?);
    }
    Ok(stream.as_mut().expect("made above"))
}

/// Pushes samples, a turn for each step; stops where nobody waits for what comes of it.
fn push<'a>(
    app: &App,
    id: StreamId,
    stream: &mut Stream<'_>,
    steps: impl Iterator<Item = &'a [f32]>,
    is_given_up: impl Fn() -> bool,
) -> Result<Heard, RecognizerError> {
    let (mut ended, mut turn) = (Vec::new(), None);
    for step in steps.take_while(|_| !is_given_up()) {
        // The turn before ends first; the last one lasts until all is told.
        drop(turn.take());
        turn = Some(app.serving().turn(id));
        ended.append(&mut stream.push(step)?);
    }
    told(stream, ended)
}

fn told(stream: &mut Stream<'_>, ended: Vec<Utterance>) -> Result<Heard, RecognizerError> {
    Ok(Heard { ended, guess: stream.guess()?, under_way: stream.under_way() })
}

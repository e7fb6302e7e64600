//! The thread that listens for one stream.
//!
//! A [`Stream`] borrows its recogniser and computes for milliseconds at a
//! time, so that it lives on a thread of its own. It takes one message at a time and answers it
//! before the next, which is the protocol's own pace; it ends when its [`Ear`] is dropped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::oneshot;

use crate::recognizer::{Guess, Recognizer, RecognizerError, Stream, StreamOptions, Utterance};

/// What a message came to.
#[derive(Debug)]
pub(super) struct Heard {
    /// The utterances that ended in it.
    pub ended: Vec<Utterance>,
    /// What the one under way seems to say.
    pub guess: Guess,
}

/// Why nothing was heard.
#[derive(Debug, thiserror::Error)]
pub(super) enum Deaf {
    /// The recogniser failed.
    #[error(transparent)]
    Recognizer(#[from] RecognizerError),
    /// The thread is gone: a defect of this program.
    #[error("the stream's thread failed")]
    Gone,
}

enum Work {
    Samples(Vec<f32>),
    Finish,
}

type Reply = oneshot::Sender<Result<Heard, RecognizerError>>;

/// A stream on its thread.
pub(super) struct Ear {
    work: Sender<(Work, Reply)>,
}

impl Ear {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub(super) fn open(
        recognizer: Arc<Recognizer>,
        options: StreamOptions,
    ) -> std::io::Result<Self> {
        let (work, queue) = channel();
        let thread = std::thread::Builder::new().name("stream".into());
        thread.spawn(move || listen(&recognizer, &options, &queue))?;
        Ok(Ear { work })
    }

    /// Takes the next samples.
    ///
    /// # Errors
    /// They cannot be heard.
    pub(super) async fn push(&self, samples: Vec<f32>) -> Result<Heard, Deaf> {
        self.ask(Work::Samples(samples)).await
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// What is left cannot be heard.
    pub(super) async fn finish(&self) -> Result<Heard, Deaf> {
        self.ask(Work::Finish).await
    }

    async fn ask(&self, work: Work) -> Result<Heard, Deaf> {
        let (reply, answer) = oneshot::channel();
        self.work.send((work, reply)).map_err(|_| Deaf::Gone)?;
        Ok(answer.await.map_err(|_| Deaf::Gone)??)
    }
}

fn listen(recognizer: &Recognizer, options: &StreamOptions, queue: &Receiver<(Work, Reply)>) {
    let mut stream = None;
    while let Ok((work, reply)) = queue.recv() {
        let heard = match &mut stream {
            Some(stream) => hear(stream, work),
            None => recognizer
                .stream(options)
                .and_then(|new| hear(stream.insert(new), work)),
        };
        // Nobody waits any more where the client went away.
        let _ = reply.send(heard);
    }
}

fn hear(stream: &mut Stream<'_>, work: Work) -> Result<Heard, RecognizerError> {
    let ended = match work {
        Work::Samples(samples) => stream.push(&samples)?,
        Work::Finish => stream.finish()?,
    };
    let guess = stream.guess()?;
    Ok(Heard { ended, guess })
}

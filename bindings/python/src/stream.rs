//! Streams: chunks of samples in, events out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use paretone::decode::Cancel;
use paretone::recognizer::{Guess, Stream as Listening, StreamOptions, Utterance};
use paretone::{RecognizerError, RecognizerScratch, TiersError};
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use self_cell::self_cell;

use crate::answer::result;
use crate::arrays;
use crate::errors::{of_recognizer, of_tiers, value};
use crate::hearing::{Heard, How};
use crate::interrupt::interruptible;

self_cell!(
    /// A stream and the recogniser that it borrows.
    struct Owned {
        owner: Arc<paretone::Recognizer>,
        #[not_covariant]
        dependent: Listening,
    }
);

/// Speech as it is spoken; `Recognizer.stream` makes one.
///
/// Either it was given chunks, and is an iterator of events; or `push` takes samples, and `finish` ends it.
///
/// Examples
/// --------
/// >>> import numpy, paretone
/// >>> stream = paretone.Recognizer().stream(rate=16000)
/// >>> stream.push(numpy.zeros(1600, dtype=numpy.float32))
/// []
/// >>> stream.finish()
/// []
#[pyclass(module = "paretone")]
pub struct Stream {
    state: Arc<Mutex<State>>,
    chunks: Option<Py<PyIterator>>,
    events: VecDeque<Py<PyAny>>,
}

struct State {
    stream: Owned,
    how: How,
    scratch: RecognizerScratch,
    /// What the last guess said.
    told: String,
}

/// What a push led to.
#[derive(Default)]
struct News {
    finals: Vec<(f64, Heard)>,
    guess: Option<Guess>,
}

impl Stream {
    /// A stream that has heard nothing.
    ///
    /// # Errors
    /// The chunks are nothing to iterate over, or the options are out of range.
    pub fn new(
        recognizer: Arc<paretone::Recognizer>,
        options: &StreamOptions,
        how: How,
        chunks: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let stream = Owned::try_new(recognizer, |recognizer| recognizer.stream(options));
        let state = State {
            stream: stream.map_err(of_recognizer)?,
            how,
            scratch: RecognizerScratch::default(),
            told: String::new(),
        };
        let chunks = chunks.map(|chunks| Ok::<_, PyErr>(chunks.try_iter()?.unbind()));
        Ok(Stream {
            state: Arc::new(Mutex::new(state)),
            chunks: chunks.transpose()?,
            events: VecDeque::new(),
        })
    }

    fn state(state: &Mutex<State>) -> MutexGuard<'_, State> {
        state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Stream {
    /// Takes the next samples, of any number.
    ///
    /// Parameters
    /// ----------
    /// samples : array of float
    ///     One channel at the stream's rate, nominally from -1 to 1.
    ///
    /// Returns
    /// -------
    /// list of paretone.Event
    ///     A ``final`` event for each utterance that ended, then a ``partial`` where the guess has changed.
    fn push(&self, py: Python<'_>, samples: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
        let samples = arrays::samples(samples)?;
        let samples = samples.as_slice()?;
        let stop = [Cancel::new(), Cancel::new()];
        let news = interruptible(py, &stop, || Self::state(&self.state).push(samples, &stop))?;
        events(py, &news.map_err(of_tiers)?)
    }

    /// Ends the stream: what was under way is an utterance. The next samples begin another stream.
    ///
    /// Returns
    /// -------
    /// list of paretone.Event
    ///     The ``final`` events that are left.
    fn finish(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        let stop = [Cancel::new(), Cancel::new()];
        let news = interruptible(py, &stop, || Self::state(&self.state).finish(&stop))?;
        events(py, &news.map_err(of_tiers)?)
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyResult<PyRef<'_, Self>> {
        match slf.chunks {
            Some(_) => Ok(slf),
            None if !slf.events.is_empty() => Ok(slf),
            None => Err(value(
                "this stream was given no chunks to iterate over: push samples to it, or make it with stream(chunks)",
            )),
        }
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        while self.events.is_empty() {
            let Some(chunks) = &self.chunks else {
                return Ok(None);
            };
            let mut chunks = chunks.bind(py).clone();
            match chunks.next() {
                Some(chunk) => self.events.extend(self.push(py, &chunk?)?),
                None => {
                    self.events.extend(self.finish(py)?);
                    self.chunks = None;
                }
            }
        }
        Ok(self.events.pop_front())
    }
}

impl State {
    fn push(&mut self, samples: &[f32], stop: &[Cancel; 2]) -> Result<News, TiersError> {
        let mut news = News::default();
        let ended = self.stream.with_dependent_mut(|_, stream| stream.push(samples))?;
        self.hear(&ended, &mut news, stop)?;
        let guess = self.stream.with_dependent_mut(|_, stream| stream.guess())?;
        let text = guess.text();
        if text != self.told {
            self.told = text;
            news.guess = Some(guess).filter(|guess| !guess.words.is_empty());
        }
        Ok(news)
    }

    fn finish(&mut self, stop: &[Cancel; 2]) -> Result<News, TiersError> {
        let mut news = News::default();
        let ended = self.stream.with_dependent_mut(|_, stream| stream.finish());
        let ended = ended.map_err(|error: RecognizerError| TiersError::from(error))?;
        self.told.clear();
        self.hear(&ended, &mut news, stop)?;
        Ok(news)
    }

    fn hear(
        &mut self,
        ended: &[Utterance],
        news: &mut News,
        stop: &[Cancel; 2],
    ) -> Result<(), TiersError> {
        let recognizer = Arc::clone(self.stream.borrow_owner());
        for utterance in ended {
            // A tier's tokens serve one request only.
            let tokens = match self.how {
                How::Setting { .. } => stop.clone(),
                How::Tier(..) => [Cancel::new(), Cancel::new()],
            };
            let scratch = &mut self.scratch;
            let mut heard = self.how.hear_utterance(&recognizer, utterance, scratch, tokens)?;
            heard.transcript = heard.transcript.later(utterance.start);
            news.finals.push((utterance.start.0, heard));
        }
        Ok(())
    }
}

/// The events of some news.
fn events(py: Python<'_>, news: &News) -> PyResult<Vec<Py<PyAny>>> {
    let class = py.import("paretone._result")?.getattr("Event")?;
    let mut events = Vec::new();
    for (start, heard) in &news.finals {
        let text = heard.transcript.text();
        let event = class.call1(("final", text, start, result(py, heard)?))?;
        events.push(event.unbind());
    }
    if let Some(guess) = &news.guess {
        let none = py.None();
        let event =
            class.call1(("partial", guess.text(), none.clone_ref(py), none, guess.agreed))?;
        events.push(event.unbind());
    }
    Ok(events)
}

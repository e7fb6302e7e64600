//! What all requests share.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use super::memory::Memory;
use super::metrics::Metrics;
use super::options::Options;
use super::serving::{Lives, Serving, ServingError};
use super::shadow::Shadow;
use super::stream::Streams;
use crate::WithCauses;
use crate::recognizer::Recognizer;

/// What all requests share; handlers take it as `State<Arc<App>>`.
pub struct App {
    /// The model.
    pub recognizer: Arc<Recognizer>,
    /// How the service is set up.
    pub options: Options,
    /// The memory for audio.
    pub memory: Memory,
    /// What has been counted.
    pub metrics: Metrics,
    /// The watch for drift.
    pub shadow: Shadow,
    /// Streams under way.
    pub streams: Streams,
    /// Sets of workers: of the rules in force, and of those before.
    pub lives: Lives,
    serving: RwLock<Arc<Serving>>,
    draining: watch::Sender<bool>,
}

impl App {
    /// A service of a model, with the rules its options name.
    ///
    /// # Errors
    /// The rules cannot be put in force.
    pub fn new(recognizer: Arc<Recognizer>, options: Options) -> Result<App, ServingError> {
        let lives = Lives::default();
        let life = lives.try_begin().expect("there is none yet");
        let serving = Serving::open(&options.rules, &recognizer, &options, life)?;
        Ok(App {
            memory: Memory::new(options.limits.memory),
            metrics: Metrics::default(),
            shadow: Shadow::new(options.shadow, serving.routing.rules()),
            streams: Streams::default(),
            lives,
            serving: RwLock::new(Arc::new(serving)),
            draining: watch::Sender::new(false),
            recognizer,
            options,
        })
    }

    /// The rules in force.
    pub fn serving(&self) -> Arc<Serving> {
        // The lock guards one pointer, which no panic leaves half written.
        Arc::clone(&self.serving.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the rules again and puts them in force; requests admitted before keep those they came
    /// under. Waits where those of an earlier reload still have requests, at most the deadline.
    /// Where the rules cannot be used, the old ones stay.
    ///
    /// # Errors
    /// The rules cannot be put in force.
    pub async fn reload(self: &Arc<Self>) -> Result<Arc<Serving>, ServingError> {
        let (app, life) = (Arc::clone(self), self.lives.begin().await);
        let open = move || Serving::open(&app.options.rules, &app.recognizer, &app.options, life);
        // The file may be on a slow disk.
        let made = tokio::task::spawn_blocking(open).await;
        let made = made.map_err(ServingError::from).flatten();
        self.metrics.reloaded(made.is_ok());
        let made =
            Arc::new(made.inspect_err(|error| {
                tracing::error!("the old rules stay: {}", WithCauses(error))
            })?);
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&made);
        tracing::info!(certificate = made.routing.certificate(), "rules read");
        Ok(made)
    }

    /// Begins to stop: what is in progress is answered, nothing new is begun.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Whether the stop has begun.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits for the beginning of the stop.
    pub async fn until_draining(&self) {
        let mut draining = self.draining.subscribe();
        // The sender lives as long as this does.
        let _ = draining.wait_for(|draining| *draining).await;
    }
}

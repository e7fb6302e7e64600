//! What all requests share.

use std::sync::{Arc, PoisonError, RwLock};

use super::decoders::Decoders;
use super::job_store::Jobs;
use super::memory::Memory;
use super::metrics::Metrics;
use super::open_streams::{OpenStreams, StreamLimits};
use super::options::Options;
use super::own_words::WordGraphs;
use super::rules_file::{Digest, digest};
use super::serving::{Serving, ServingError, WorkerSets};
use super::shadow::Shadow;
use super::stopping::Stopping;
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
    /// The memory for streams.
    pub stream_memory: Memory,
    /// The streams there may be.
    pub stream_limits: StreamLimits,
    /// The recognisers with words of callers'.
    pub word_graphs: WordGraphs,
    /// Who decodes.
    pub decoders: Decoders,
    /// What has been counted.
    pub metrics: Metrics,
    /// The watch for drift.
    pub shadow: Shadow,
    /// The end of the service.
    pub stopping: Stopping,
    /// What is answered later, where the service keeps jobs.
    pub jobs: Option<Jobs>,
    /// Sets of workers: of the rules in force, and of those before.
    pub worker_sets: WorkerSets,
    /// The rules' file as it was before it was first read.
    pub(super) rules_at_first: Option<Digest>,
    serving: RwLock<Arc<Serving>>,
}

/// What the service shares with its connections.
#[derive(Clone, Default)]
pub struct Edge {
    /// The end of the service.
    pub stopping: Stopping,
    /// The streams that are open.
    pub streams: OpenStreams,
    /// What has been counted.
    pub metrics: Metrics,
}

impl App {
    /// A service of a model, with the rules its options name.
    ///
    /// # Errors
    /// The rules cannot be put in force, or jobs not be kept.
    pub fn new(
        recognizer: Arc<Recognizer>,
        options: Options,
        edge: &Edge,
    ) -> Result<App, ServingError> {
        let worker_sets = WorkerSets::default();
        let workers = worker_sets.try_begin().expect("there is none yet");
        let rules_at_first = digest(&options.rules);
        let serving = Serving::open(&options.rules, &recognizer, &options, workers);
        let serving = serving.or_else(|why| {
            let workers = worker_sets.try_begin().expect("no set has outlived its rules");
            Serving::uncertified(why, &recognizer, &options, workers)
        })?;
        let limits = options.limits;
        let metrics = edge.metrics.clone();
        Ok(App {
            memory: Memory::new(limits.memory),
            stream_memory: Memory::new(limits.stream_memory),
            word_graphs: WordGraphs::new(limits.word_lists),
            decoders: Decoders::new(options.workers),
            stream_limits: StreamLimits::new(
                edge.streams.clone(),
                limits.streams,
                limits.streams_per_client,
            ),
            shadow: Shadow::new(&options, serving.routing.rules(), metrics.shadow.clone()),
            jobs: options.jobs.clone().map(Jobs::open).transpose()?,
            metrics,
            stopping: edge.stopping.clone(),
            worker_sets,
            rules_at_first,
            serving: RwLock::new(Arc::new(serving)),
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
        let (app, workers) = (Arc::clone(self), self.worker_sets.begin().await);
        let open =
            move || Serving::open(&app.options.rules, &app.recognizer, &app.options, workers);
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
}

//! The jobs that a service keeps: on the disk ([`Store`]), and how far those are that run.
//!
//! It knows nothing of how a job is run, nor of HTTP; see [`jobs`](super::jobs).

mod error;
mod record;
mod store;
mod tables;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::options::JobOptions;
use crate::scheduler::Searched;
pub use error::StoreError;
pub use record::{Call, Called, Ended, Job, NewJob, State, Taken};
pub use store::Store;

/// How far a run is.
pub struct Progress {
    /// The search.
    pub searched: Searched,
    /// The frames of the recording.
    pub frames: f64,
}

impl Progress {
    /// The share of the recording that has been searched.
    pub fn share(&self) -> f64 {
        (self.searched.frames() as f64 / self.frames.max(1.0)).min(1.0)
    }
}

/// The jobs of a service.
pub struct Jobs {
    /// How they are kept.
    pub options: JobOptions,
    /// Where they are kept.
    pub store: Store,
    /// Told when a job waits.
    pub queued: Notify,
    /// Told when a callback is due.
    pub ended: Notify,
    running: Mutex<HashMap<String, Progress>>,
}

impl Jobs {
    /// The jobs in a file, those included that a service before took in and did not answer.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(options: JobOptions) -> Result<Jobs, StoreError> {
        Ok(Jobs {
            store: Store::open(&options.file)?,
            options,
            queued: Notify::new(),
            ended: Notify::new(),
            running: Mutex::default(),
        })
    }

    /// How many jobs there are in each state, and their bytes.
    ///
    /// # Errors
    /// The file's.
    pub async fn counts(&self) -> Result<Vec<(State, u64, u64)>, StoreError> {
        self.store.counts().await
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, Progress>> {
        // An entry is put or taken in one step, which no panic leaves half done.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job runs, and this is how to look how far it is.
    pub fn begun(&self, id: &str, progress: Progress) {
        self.running().insert(id.to_owned(), progress);
    }

    /// A job does not run any more.
    pub fn stopped(&self, id: &str) {
        self.running().remove(id);
    }

    /// A job as its caller is told of it.
    ///
    /// # Errors
    /// The file's.
    pub async fn job(&self, id: &str) -> Result<Option<Job>, StoreError> {
        let record = self.store.get(id).await?;
        let searched = self.running().get(id).map_or(0.0, Progress::share);
        Ok(record.map(|record| Job::new(record, searched)))
    }
}

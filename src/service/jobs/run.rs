//! Jobs are run in turn, beside what others ask for, until the service stops.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{interval, sleep};

use super::callback;
use crate::WithCauses;
use crate::service::answer::Answer;
use crate::service::error::Rejection;
use crate::service::job_store::{Ended, Jobs, Progress, StoreError, Taken};
use crate::service::memory::Held;
use crate::service::own_words::OwnWords;
use crate::service::recognise::{self, recognise_told};
use crate::service::state::App;
use crate::service::upload::Upload;
use crate::units::Seconds;

/// Longest run: an hour of speech takes minutes.
const LONGEST_RUN: Duration = Duration::from_secs(3600);
/// How long to wait where there is no room, or the disk does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How often jobs whose time is over are looked for.
const SWEEP: Duration = Duration::from_secs(60);

impl App {
    /// Runs jobs until the service stops; at once where it keeps none.
    pub async fn run_jobs(self: Arc<Self>) {
        let Some(jobs) = &self.jobs else {
            return;
        };
        let stopped = self.stopping.until_draining();
        let work = async { tokio::join!(take(&self, jobs), callback::tell(jobs), sweep(jobs)) };
        tokio::select! {
            _ = work => {}
            () = stopped => {}
        }
    }

    /// Has jobs whose run was cut off by the end of the service run again by the next one.
    pub async fn put_jobs_back(&self) {
        let Some(jobs) = &self.jobs else {
            return;
        };
        if let Err(error) = jobs.store.put_all_back().await {
            // They are put back at the next start, too.
            tracing::warn!("{}", WithCauses(&error));
        }
    }
}

/// Takes jobs as they get their turns. One worker fewer than there are runs them, so that a long
/// one does not keep everybody waiting.
async fn take(app: &Arc<App>, jobs: &Jobs) {
    let slots = Arc::new(Semaphore::new(app.options.workers.max(2) - 1));
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await;
        let taken = next(jobs).await;
        let app = Arc::clone(app);
        tokio::spawn(async move {
            if let Some(jobs) = &app.jobs {
                tokio::select! {
                    () = app.stopping.until_draining() => {}
                    () = run(&app, jobs, &taken) => {}
                }
                jobs.stopped(&taken.id);
            }
            drop(slot);
        });
    }
}

async fn next(jobs: &Jobs) -> Taken {
    loop {
        match jobs.store.take().await {
            Ok(Some(taken)) => return taken,
            Ok(None) => jobs.queued.notified().await,
            Err(error) => pause(&error).await,
        }
    }
}

async fn run(app: &Arc<App>, jobs: &Jobs, taken: &Taken) {
    let ended = match attempt(app, jobs, taken).await {
        Ok(Some(answer)) => Ended::Done(json(&answer.computed())),
        // It was deleted.
        Ok(None) => return,
        Err(rejection) if is_passing(&rejection) => {
            tracing::debug!(id = taken.id, "a job waits again: {rejection}");
            sleep(PAUSE).await;
            while let Err(error) = jobs.store.put_back(&taken.id).await {
                pause(&error).await;
            }
            return jobs.queued.notify_one();
        }
        Err(rejection) => Ended::Failed(json(&rejection.problem())),
    };
    // What was heard is not given up because the disk is full.
    while let Err(error) = jobs.store.end(&taken.id, ended.clone()).await {
        pause(&error).await;
    }
    jobs.ended.notify_one();
}

/// The answer to a job; none where it was deleted.
async fn attempt(app: &Arc<App>, jobs: &Jobs, taken: &Taken) -> Result<Option<Answer>, Rejection> {
    let mut held = Held::default();
    app.memory.grow(&mut held, taken.size)?;
    let Some(bytes) = jobs.store.recording(&taken.id).await? else {
        return Ok(None);
    };
    let job = recognise::Job {
        upload: Upload { bytes, held },
        name: None,
        ask: taken.ask,
        words: OwnWords::default(),
        deadline: LONGEST_RUN,
        client: taken.client,
        id: taken.id.clone(),
    };
    let watch = |searched, audio: Seconds| {
        let frames = audio.0 / app.recognizer.frame_shift().0;
        let progress = Progress { searched, frames };
        jobs.begun(&taken.id, progress);
    };
    recognise_told(app, job, watch).await.map(Some)
}

/// Whether it is the service, and not the job, that keeps it from being answered now.
fn is_passing(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::Busy { .. } | Rejection::Unavailable(_))
}

async fn pause(error: &StoreError) {
    tracing::error!("{}", WithCauses(error));
    sleep(PAUSE).await;
}

async fn sweep(jobs: &Jobs) {
    let mut sweep = interval(SWEEP);
    loop {
        sweep.tick().await;
        if let Err(error) = jobs.store.forget(jobs.options.keep).await {
            tracing::warn!("{}", WithCauses(&error));
        }
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("its keys are names")
}

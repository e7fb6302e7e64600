//! Jobs on disk: one SQLite file, which one thread reads and writes.
//!
//! What is committed is on the disk (`synchronous = FULL`), so that a job whose caller was told of
//! it outlives the process, however that ends. The file is locked for as long as the service runs:
//! of two services on one file the second does not start. Clients take turns: a job gets the turn
//! after its client's last one, or after the last that was begun, whichever is later (start-time
//! fair queueing, Goyal, Vin and Cheng, 1996), and jobs run in the order of their turns.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use tokio::sync::oneshot;

use super::error::StoreError;
use super::record::{Added, Call, Called, Ended, NewJob, Record, State, Taken};
use super::tables::{now, prepare, record, state, taken};
use crate::service::error::Rejection;
use crate::service::options::JobOptions;

/// When it is worth trying again to add a job.
const BREAK: Duration = Duration::from_secs(10);
/// Why a job is not taken in.
#[derive(Debug)]
enum Refusal {
    OtherKey,
    Full,
}

type Work = Box<dyn FnOnce(&mut Connection) + Send>;

/// Jobs on disk.
pub struct Store(Sender<Work>);

impl Store {
    /// Opens the file, or makes it. What was running when its last service ended is to run again.
    ///
    /// # Errors
    /// It cannot be read or written, is none of ours, or another service uses it.
    pub fn open(path: &Path) -> Result<Store, StoreError> {
        let mut connection = Connection::open(path)?;
        prepare(&mut connection)?;
        let (sender, work) = channel();
        let spawned =
            std::thread::Builder::new().name("jobs".into()).spawn(move || run(connection, &work));
        spawned.map_err(|_| StoreError::Gone)?;
        Ok(Store(sender))
    }

    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let work: Work = Box::new(move |connection| drop(reply.send(work(connection))));
        self.0.send(work).map_err(|_| StoreError::Gone)?;
        Ok(answer.await.map_err(|_| StoreError::Gone)??)
    }

    /// Keeps a job, unless one of its key is there.
    ///
    /// # Errors
    /// There is no room, or the key was used for another.
    pub async fn add(&self, job: NewJob, limits: &JobOptions) -> Result<Added, Rejection> {
        let limits = limits.clone();
        let added = self.ask(move |connection| {
            let transaction = connection.transaction()?;
            let added = add(&transaction, job, &limits)?;
            transaction.commit()?;
            Ok(added)
        });
        added.await?.map_err(|refusal| match refusal {
            Refusal::OtherKey => Rejection::Unprocessable(
                "this Idempotency-Key was used for another job: take a new one, such as a UUID".into(),
            ),
            Refusal::Full => Rejection::Busy {
                reason: "as many jobs are kept as may be, of all or of this caller: fetch and delete those that are done".into(),
                retry_after: BREAK,
            },
        })
    }

    /// The job whose turn it is, which is running from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn take(&self) -> Result<Option<Taken>, StoreError> {
        self.ask(|connection| {
            let sql = "UPDATE jobs SET state = 'running', started = ?1, starts = starts + 1
                WHERE id = (SELECT id FROM jobs WHERE state = 'queued' ORDER BY turn, created LIMIT 1)
                RETURNING id, client, tolerance, objective, size";
            connection.query_row(sql, [now()], taken).optional()
        })
        .await
    }

    /// A job's recording; none where the job was deleted.
    ///
    /// # Errors
    /// The database's.
    pub async fn recording(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let id = id.to_owned();
        self.ask(move |connection| {
            let sql = "SELECT content FROM recordings WHERE job = ?1";
            connection.query_row(sql, [id], |row| row.get(0)).optional()
        })
        .await
    }

    /// Keeps how a running job ended, and lets its recording go.
    ///
    /// # Errors
    /// The database's.
    pub async fn end(&self, id: &str, ended: Ended) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.ask(move |connection| {
            let (state, result) = match &ended {
                Ended::Done(result) => (State::Done, result),
                Ended::Failed(problem) => (State::Failed, problem),
            };
            let transaction = connection.transaction()?;
            let sql = "UPDATE jobs SET state = ?2, result = ?3, finished = ?4, size = length(?3),
                call_at = CASE WHEN callback IS NULL THEN NULL ELSE ?4 END
                WHERE id = ?1 AND state = 'running'";
            let changed = transaction.execute(sql, params![id, state.name(), result, now()])?;
            if changed > 0 {
                transaction.execute("DELETE FROM recordings WHERE job = ?1", [&id])?;
            }
            transaction.commit()
        })
        .await
    }

    /// A running job waits again: its run was stopped, which is not its fault.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_back(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        let sql = "UPDATE jobs SET state = 'queued', starts = starts - 1, started = NULL
            WHERE id = ?1 AND state = 'running'";
        self.ask(move |connection| connection.execute(sql, [id]).map(drop)).await
    }

    /// The same for all that run.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_all_back(&self) -> Result<(), StoreError> {
        let sql = "UPDATE jobs SET state = 'queued', starts = starts - 1, started = NULL
            WHERE state = 'running'";
        self.ask(move |connection| connection.execute(sql, []).map(drop)).await
    }

    /// All that is known of a job.
    ///
    /// # Errors
    /// The database's.
    pub async fn get(&self, id: &str) -> Result<Option<Record>, StoreError> {
        let id = id.to_owned();
        self.ask(move |connection| {
            let sql = "SELECT id, state, created, started, finished, result, callback, called, calls,
                (SELECT count(*) FROM jobs AS before WHERE before.state = 'queued' AND before.turn < jobs.turn)
                FROM jobs WHERE id = ?1";
            connection.query_row(sql, [id], record).optional()
        })
        .await
    }

    /// Forgets a job; whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn remove(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        let sql = "DELETE FROM jobs WHERE id = ?1";
        self.ask(move |connection| connection.execute(sql, [id]).map(|count| count > 0)).await
    }

    /// Forgets jobs that ended so long ago.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget(&self, age: Duration) -> Result<(), StoreError> {
        let before = now() - age.as_secs_f64();
        let sql = "DELETE FROM jobs WHERE finished < ?1 AND call_at IS NULL";
        self.ask(move |connection| connection.execute(sql, [before]).map(drop)).await
    }

    /// How many jobs there are in each state, and their bytes.
    ///
    /// # Errors
    /// The database's.
    pub async fn counts(&self) -> Result<Vec<(State, u64, u64)>, StoreError> {
        self.ask(|connection| {
            let sql = "SELECT state, count(*), sum(size) FROM jobs GROUP BY state";
            let mut rows = connection.prepare(sql)?;
            let counts = rows.query_map([], |row| {
                let (jobs, bytes): (i64, i64) = (row.get(1)?, row.get(2)?);
                Ok((state(row, 0)?, jobs.unsigned_abs(), bytes.unsigned_abs()))
            })?;
            counts.collect()
        })
        .await
    }

    /// Callbacks that are due, at most so many, and when the next will be.
    ///
    /// # Errors
    /// The database's.
    pub async fn due(&self, most: u32) -> Result<(Vec<Call>, Option<Duration>), StoreError> {
        self.ask(move |connection| {
            let now = now();
            let sql = "SELECT id, callback, calls FROM jobs WHERE call_at <= ?1 ORDER BY call_at LIMIT ?2";
            let mut rows = connection.prepare(sql)?;
            let call = |row: &Row<'_>| {
                Ok(Call {
                    id: row.get(0)?,
                    address: row.get(1)?,
                    before: row.get(2)?,
                })
            };
            let due = rows.query_map(params![now, most], call)?.collect::<Result<_, _>>()?;
            let sql = "SELECT min(call_at) FROM jobs WHERE call_at > ?1";
            let next: Option<f64> = connection.query_row(sql, [now], |row| row.get(0))?;
            let wait = next.map(|next| Duration::try_from_secs_f64(next - now).unwrap_or_default());
            Ok((due, wait))
        })
        .await
    }

    /// Keeps how a callback went.
    ///
    /// # Errors
    /// The database's.
    pub async fn called(&self, id: &str, called: Called) -> Result<(), StoreError> {
        let id = id.to_owned();
        let (name, again) = match called {
            Called::Delivered => (Some("delivered"), None),
            Called::GivenUp => (Some("failed"), None),
            Called::Again(pause) => (None, Some(now() + pause.as_secs_f64())),
        };
        let sql = "UPDATE jobs SET called = ?2, call_at = ?3, calls = calls + 1 WHERE id = ?1";
        self.ask(move |connection| connection.execute(sql, params![id, name, again]).map(drop))
            .await
    }
}

fn run(mut connection: Connection, work: &Receiver<Work>) {
    // Ends with the last sender.
    while let Ok(work) = work.recv() {
        work(&mut connection);
    }
}

fn add(
    transaction: &Transaction<'_>,
    job: NewJob,
    limits: &JobOptions,
) -> rusqlite::Result<Result<Added, Refusal>> {
    if let Some(key) = &job.key {
        let sql = "SELECT id, digest FROM jobs WHERE key = ?1";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?));
        if let Some((id, digest)) = transaction.query_row(sql, [key], read).optional()? {
            let is_same = digest == job.digest;
            return Ok(match is_same {
                true => Ok(Added { id, is_new: false }),
                false => Err(Refusal::OtherKey),
            });
        }
    }
    let client = job.client.address().to_string();
    if !has_room(transaction, &client, job.recording.len() as u64, limits)? {
        return Ok(Err(Refusal::Full));
    }
    let id = format!("{:032x}", rand::random::<u128>());
    let sql = "INSERT INTO jobs (id, key, digest, client, tolerance, objective, callback, size, created, state, turn)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'queued', 1 + max(
            coalesce((SELECT max(turn) FROM jobs WHERE client = ?4 AND state = 'queued'), 0),
            coalesce((SELECT max(turn) FROM jobs WHERE state <> 'queued'), 0)))";
    let values = params![
        id,
        job.key,
        job.digest.as_slice(),
        client,
        job.ask.tolerance.map(|tolerance| tolerance.as_share().to_string()),
        job.ask.objective.map(|objective| objective.name()),
        job.callback,
        Value::from(i64::try_from(job.recording.len()).unwrap_or(i64::MAX)),
        now(),
    ];
    transaction.execute(sql, values)?;
    let sql = "INSERT INTO recordings (job, content) VALUES (?1, ?2)";
    transaction.execute(sql, params![id, job.recording])?;
    Ok(Ok(Added { id, is_new: true }))
}

/// Whether a job of a client and so many bytes may be kept: so many wait in all, half as many of
/// one client, and all recordings together have a bound.
fn has_room(
    transaction: &Transaction<'_>,
    client: &str,
    more: u64,
    limits: &JobOptions,
) -> rusqlite::Result<bool> {
    let count = |sql: &str, of: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<u64> {
        let count: i64 = transaction.query_row(sql, of, |row| row.get(0))?;
        Ok(count.unsigned_abs())
    };
    let waiting = count("SELECT count(*) FROM jobs WHERE state = 'queued'", &[])?;
    let sql = "SELECT count(*) FROM jobs WHERE client = ?1 AND state = 'queued'";
    let of_client = count(sql, &[&client])?;
    let bytes = count("SELECT coalesce(sum(size), 0) FROM jobs", &[])?;
    let most = limits.most as u64;
    Ok(waiting < most && of_client < most.div_ceil(2) && bytes.saturating_add(more) <= limits.bytes)
}

//! The tables of jobs, and how their rows are read.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::record::{Record, State, Taken};
use crate::service::client::Client;
use crate::service::error::Rejection;
use crate::service::request::{Ask, objective, tolerance};

/// The layout of the file, raised with every change.
const LAYOUT: i64 = 1;
/// Times that a job may be begun: one with which the process ends again and again is given up.
const MOST_STARTS: u32 = 3;
/// The tables. A recording is apart from its job, which is read without it, and goes once it is
/// answered.
const TABLES: &str = "
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY, key TEXT UNIQUE, digest BLOB NOT NULL, client TEXT NOT NULL,
        turn INTEGER NOT NULL, state TEXT NOT NULL, starts INTEGER NOT NULL DEFAULT 0,
        tolerance TEXT, objective TEXT, callback TEXT, called TEXT, calls INTEGER NOT NULL DEFAULT 0,
        call_at REAL, size INTEGER NOT NULL, created REAL NOT NULL, started REAL, finished REAL,
        result TEXT
    ) STRICT;
    CREATE INDEX jobs_by_turn ON jobs (state, turn);
    CREATE INDEX jobs_by_client ON jobs (client, state, turn);
    CREATE INDEX jobs_by_size ON jobs (size);
    CREATE INDEX jobs_by_call ON jobs (call_at) WHERE call_at IS NOT NULL;
    CREATE TABLE recordings (
        job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, content BLOB NOT NULL
    ) STRICT;";

/// Makes the tables where there are none. What was running when the last service ended is to run
/// again.
///
/// # Errors
/// The file cannot be read or written, or is none of ours.
pub fn prepare(connection: &mut Connection) -> Result<(), StoreError> {
    for (name, value) in [
        ("locking_mode", "EXCLUSIVE"),
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("foreign_keys", "ON"),
    ] {
        connection.pragma_update(None, name, value)?;
    }
    let transaction = connection.transaction()?;
    let found = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match found {
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
        }
        LAYOUT => {}
        found => {
            let known = LAYOUT;
            return Err(StoreError::Layout { found, known });
        }
    }
    let problem = Rejection::Internal("the service ended each time while it ran".into()).problem();
    let problem = serde_json::to_string(&problem).expect("a problem has only names for keys");
    let sql = "UPDATE jobs SET state = 'failed', result = ?2, finished = ?3,
        call_at = CASE WHEN callback IS NULL THEN NULL ELSE ?3 END
        WHERE state = 'running' AND starts >= ?1";
    transaction.execute(sql, params![MOST_STARTS, problem, now()])?;
    let sql = "UPDATE jobs SET state = 'queued', started = NULL WHERE state = 'running'";
    transaction.execute(sql, [])?;
    let sql = "DELETE FROM recordings WHERE job IN (SELECT id FROM jobs WHERE state = 'failed')";
    transaction.execute(sql, [])?;
    Ok(transaction.commit()?)
}

/// A job that is to run.
pub fn taken(row: &Row<'_>) -> rusqlite::Result<Taken> {
    let client: String = row.get(1)?;
    let (share, goal): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let size: i64 = row.get(4)?;
    Ok(Taken {
        id: row.get(0)?,
        client: Client::at(client.parse::<IpAddr>().map_err(|error| foreign(1, error))?),
        ask: Ask {
            tolerance: share
                .map(|share| tolerance(&share))
                .transpose()
                .map_err(|error| foreign(2, error))?,
            objective: goal
                .map(|goal| objective(&goal))
                .transpose()
                .map_err(|error| foreign(3, error))?,
        },
        size: usize::try_from(size).unwrap_or(usize::MAX),
    })
}

/// All that is known of a job.
pub fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let result: Option<String> = row.get(5)?;
    let result = result.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Record {
        id: row.get(0)?,
        state: state(row, 1)?,
        created: row.get(2)?,
        started: row.get(3)?,
        finished: row.get(4)?,
        result: result.map_err(|error| foreign(5, error))?,
        callback: row.get(6)?,
        called: row.get(7)?,
        calls: row.get(8)?,
        ahead: row.get::<_, i64>(9)?.unsigned_abs(),
    })
}

/// The state in a column.
pub fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<State> {
    let name: String = row.get(column)?;
    let unknown = || foreign(column, std::io::Error::other(format!("no state: {name}")));
    State::of(&name).ok_or_else(unknown)
}

/// A value that this service does not write.
fn foreign(
    column: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    let kind = rusqlite::types::Type::Text;
    rusqlite::Error::FromSqlConversionFailure(column, kind, Box::new(error))
}

/// Seconds since 1970.
pub fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

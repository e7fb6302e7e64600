//! Why jobs cannot be kept.

use crate::WithCauses;
use crate::service::error::Rejection;

/// Why jobs cannot be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database says so.
    #[error(
        "jobs cannot be kept: see that the disk has room, that no other service uses the file, and that it is \
         a file of jobs, or name a new one"
    )]
    Database(#[from] rusqlite::Error),
    /// The file was made by another version.
    #[error("the file of jobs has layout {found}, and this version reads {known}: name a new file")]
    Layout {
        /// The layout it has.
        found: i64,
        /// The layout that is read.
        known: i64,
    },
    /// The thread could not be started, or has ended.
    #[error("jobs cannot be kept: their thread has ended")]
    Gone,
}

impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        Rejection::Unavailable(WithCauses(&error).to_string())
    }
}

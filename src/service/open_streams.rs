//! The streams that are open, and how many there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::client::{Client, Counted, PerClient};
use crate::scheduler::StreamId;

/// How many streams are open; clones count together.
#[derive(Clone)]
pub struct OpenStreams(Arc<watch::Sender<usize>>);

impl Default for OpenStreams {
    fn default() -> Self {
        OpenStreams(Arc::new(watch::Sender::new(0)))
    }
}

impl OpenStreams {
    /// How many are open.
    pub fn count(&self) -> usize {
        *self.0.borrow()
    }

    /// Waits until none is.
    pub async fn ended(&self) {
        let mut open = self.0.subscribe();
        // The sender lives as long as this does.
        let _ = open.wait_for(|open| *open == 0).await;
    }
}

/// How many streams may be open, in all and of one client.
pub struct StreamLimits {
    open: OpenStreams,
    most: usize,
    of_clients: PerClient,
    numbers: AtomicU64,
}

/// An open stream, until it is dropped.
pub struct OpenStream {
    open: OpenStreams,
    _of_client: Counted,
}

/// Why no further stream may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoStream {
    /// As many are open as may be.
    #[error("{most} streams are open, which is all there may be")]
    All {
        /// How many.
        most: usize,
    },
    /// The client has its share.
    #[error("this client has as many streams open as one client may")]
    OfClient,
}

impl StreamLimits {
    /// At most so many in all, and of each client.
    pub fn new(open: OpenStreams, most: usize, per_client: usize) -> Self {
        StreamLimits {
            open,
            most,
            of_clients: PerClient::new(per_client),
            numbers: AtomicU64::new(0),
        }
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.open.count()
    }

    /// A number for the scheduler that no other stream has.
    pub fn next_id(&self) -> StreamId {
        StreamId(self.numbers.fetch_add(1, Ordering::Relaxed))
    }

    /// Opens a stream of a client.
    ///
    /// # Errors
    /// There are as many as may be.
    pub fn open(&self, client: Client) -> Result<OpenStream, NoStream> {
        let of_client = self.of_clients.try_take(client).ok_or(NoStream::OfClient)?;
        let may = self.open.0.send_if_modified(|open| {
            let may = *open < self.most;
            *open += usize::from(may);
            may
        });
        let open = self.open.clone();
        match may {
            true => Ok(OpenStream { open, _of_client: of_client }),
            false => Err(NoStream::All { most: self.most }),
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.open.0.send_modify(|open| *open -= 1);
    }
}

//! Callers who do not read: the service gives up writing to them.
//!
//! What is written to a connection goes to the system until its buffers are full, and then waits
//! for the caller to read. Two bounds limit that: the longest time without any progress, and the
//! longest time until everything that waits is gone, which stops a caller who reads a byte now and
//! then. After either, the connection fails and its slot is free. What is read from it is counted
//! ([`Arrived`]).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::arrived::Arrived;

/// A connection on which writing does not wait for ever.
pub struct TimedWrites<C> {
    connection: C,
    arrived: Arrived,
    /// Longest wait without progress.
    idle: Duration,
    /// Longest wait in all.
    whole: Duration,
    /// While a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// When all that waits must be gone.
    due: Option<Instant>,
}

impl<C> TimedWrites<C> {
    /// Bounds the waits of a connection, and counts what arrives on it.
    pub fn new(connection: C, arrived: Arrived, idle: Duration, whole: Duration) -> Self {
        TimedWrites { connection, arrived, idle, whole, waiting: None, due: None }
    }

    /// What a write came to, or that it has waited too long.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let now = Instant::now();
        if written.is_ready() {
            self.waiting = None;
            return match self.due {
                Some(due) if due <= now => Poll::Ready(Err(unread())),
                _ => written,
            };
        }
        let due = *self.due.get_or_insert(now + self.whole);
        let longest = self.idle.min(due.saturating_duration_since(now));
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(longest)));
        ready!(waiting.as_mut().poll(context));
        Poll::Ready(Err(unread()))
    }
}

fn unread() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the caller does not read")
}

impl<C: AsyncRead + Unpin> AsyncRead for TimedWrites<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.connection).poll_read(context, buffer);
        self.arrived.add(buffer.filled().len() - before);
        read
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for TimedWrites<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write_vectored(context, bytes);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    /// Asked for once all is written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.connection).poll_flush(context);
        let flushed = self.watch(context, flushed);
        if matches!(flushed, Poll::Ready(Ok(()))) {
            self.due = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.connection).poll_shutdown(context);
        self.watch(context, ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    const IDLE: Duration = Duration::from_millis(50);
    const WHOLE: Duration = Duration::from_millis(300);

    fn on_a_runtime<F: Future>(future: F) -> F::Output {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn who_reads_nothing_is_given_up() {
        on_a_runtime(async {
            let (near, _far) = duplex(16);
            let mut near = TimedWrites::new(near, Arrived::default(), IDLE, WHOLE);
            let error = near.write_all(&[0; 64]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        });
    }

    #[test]
    fn who_reads_a_byte_now_and_then_is_given_up_in_the_end() {
        on_a_runtime(async {
            let (near, mut far) = duplex(16);
            let mut near = TimedWrites::new(near, Arrived::default(), IDLE, WHOLE);
            let trickle = tokio::spawn(async move {
                while far.read_u8().await.is_ok() {
                    sleep(IDLE / 5).await;
                }
            });
            let error = near.write_all(&[0; 4096]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            drop(near);
            trickle.await.unwrap();
        });
    }

    #[test]
    fn who_reads_gets_all() {
        on_a_runtime(async {
            let (near, mut far) = duplex(16);
            let mut near = TimedWrites::new(near, Arrived::default(), IDLE, WHOLE);
            let reader = tokio::spawn(async move {
                let mut all = Vec::new();
                far.read_to_end(&mut all).await.unwrap();
                all.len()
            });
            for _ in 0..8 {
                near.write_all(&[0; 4096]).await.unwrap();
                near.flush().await.unwrap();
            }
            drop(near);
            assert_eq!(reader.await.unwrap(), 8 * 4096);
        });
    }
}

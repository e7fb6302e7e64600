//! The log of a service: written by a thread of its own, so that a log that is full, stalled or
//! closed costs lines and never a request.
//!
//! A line waits in a bounded queue; where the queue is full it is left out and counted
//! ([`lost_lines`], `paretone_log_lines_lost_total`), as is a line that cannot be written. A
//! process has one log, hence one count.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

/// Most lines that wait to be written.
const WAITING_LINES: usize = 4096;

/// Lines that were left out because too many waited.
static LEFT_OUT: OnceLock<ErrorCounter> = OnceLock::new();
/// Lines that could not be written.
static UNWRITTEN: AtomicU64 = AtomicU64::new(0);

/// The process's log, on a writer that may block or fail. What waits is written when the guard is
/// dropped, as far as that succeeds within a second.
///
/// Only the first call's lost lines are counted by [`lost_lines`].
pub fn lossy(writer: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    let (lines, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(WAITING_LINES)
        .thread_name("log")
        .finish(CountFailures(writer));
    // The log of a process is set up once; a second one is a test's.
    let _ = LEFT_OUT.set(lines.error_counter());
    (lines, guard)
}

/// How many lines of the log were lost.
pub fn lost_lines() -> u64 {
    let left_out = LEFT_OUT.get().map_or(0, ErrorCounter::dropped_lines);
    UNWRITTEN.load(Ordering::Relaxed) + left_out as u64
}

/// A writer whose failures are counted and forgotten.
struct CountFailures<W>(W);

impl<W: Write> Write for CountFailures<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        if self.0.write_all(line).is_err() {
            UNWRITTEN.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        // What was lost was counted when it was written.
        let _ = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_no_failure() {
        let (mut lines, guard) = lossy(Full);
        for _ in 0..3 {
            lines.write_all(b"a line\n").unwrap();
        }
        drop(guard);
        assert_eq!(lost_lines(), 3);
    }
}

//! Long work without Python's lock, which Ctrl-C stops.
//!
//! Python delivers a signal only to the main thread, and only while that asks. So the work goes on in
//! another thread while the caller's wakes from time to time to ask.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use paretone::decode::Cancel;
use pyo3::prelude::*;

/// How long a signal may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// Does the work without Python's lock. After a signal the tokens are cancelled, and the error is that of
/// the signal's handler: `KeyboardInterrupt`.
///
/// # Errors
/// A signal's handler raised.
pub fn interruptible<T: Send>(
    py: Python<'_>,
    stop: &[Cancel],
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    py.detach(|| {
        thread::scope(|scope| {
            let (sender, done) = sync_channel(1);
            let working = scope.spawn(move || drop(sender.send(work())));
            loop {
                match done.recv_timeout(PATIENCE) {
                    Ok(made) => return Ok(made),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => match working.join() {
                        Err(panic) => std::panic::resume_unwind(panic),
                        Ok(()) => unreachable!("work that ends sends what it made"),
                    },
                }
                if let Err(signal) = Python::attach(|py| py.check_signals()) {
                    for token in stop {
                        token.cancel();
                    }
                    return Err(signal);
                }
            }
        })
    })
}

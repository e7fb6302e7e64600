//! Connections from accept to the last answer: header timeouts, a bound on their number, and an end
//! in which every accepted request is answered.
//!
//! `axum::serve` has neither a timeout for a request's head nor a bound on connections, hence a loop
//! of our own over hyper. Told to stop, hyper closes a connection of which it has read nothing,
//! though its request may lie in the socket; hence such a connection is given time to be heard.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::state::App;

/// How long to wait after the system refused to accept, as it does when files run out.
const BREATH: Duration = Duration::from_millis(50);
/// Once the service is told to stop: how long the first request of a connection may take to begin.
/// Its caller has connected and not yet been heard; longer than a packet takes around the world.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// The same for a further request on a connection. The runtime reads what has arrived before it
/// looks at the clock, so any time lets what was sent before be heard.
const NEXT_REQUEST: Duration = Duration::from_millis(20);

/// How the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every accepted request was answered.
    Complete,
    /// Connections were still open when the time for the end was over.
    CutShort,
}

/// Serves connections until [`App::drain`] is called, then answers what was accepted.
///
/// A connection that fails concerns its caller alone.
pub async fn serve(app: Arc<App>, router: Router, listener: TcpListener) -> End {
    let (drain, streams) = (app.options.connections.drain, Arc::clone(&app));
    // Each connection holds a sender; when none is left, all are done.
    let (alive, mut done) = mpsc::channel::<Infallible>(1);
    Door {
        slots: Arc::new(Semaphore::new(app.options.connections.most.max(1))),
        app,
        router,
        alive,
    }
    .keep(listener)
    .await;
    // A stream leaves its connection's task, and is answered too.
    let answered = async { (done.recv().await, streams.streams.ended().await) };
    match tokio::time::timeout(drain, answered).await {
        Ok(_) => End::Complete,
        Err(_) => End::CutShort,
    }
}

/// Where connections come in.
struct Door {
    app: Arc<App>,
    router: Router,
    slots: Arc<Semaphore>,
    alive: mpsc::Sender<Infallible>,
}

impl Door {
    /// Lets connections in until the service is told to stop.
    async fn keep(self, listener: TcpListener) {
        let mut stop = pin!(self.app.until_draining());
        loop {
            let next = async {
                let slot = slot(&self.slots).await;
                (accept(&listener).await, slot)
            };
            tokio::select! {
                (stream, slot) = next => self.admit(stream, std::future::ready(slot)),
                () = &mut stop => break,
            }
        }
        // What the system has accepted on our behalf has callers too, who wait for their turn.
        for stream in backlog(listener) {
            self.admit(stream, slot(&self.slots));
        }
    }

    /// Serves a connection once it has its slot.
    fn admit(
        &self,
        stream: TcpStream,
        slot: impl Future<Output = OwnedSemaphorePermit> + Send + 'static,
    ) {
        let (app, router) = (Arc::clone(&self.app), self.router.clone());
        let alive = self.alive.clone();
        tokio::spawn(async move {
            let _slot = slot.await;
            app.metrics.connections.inc();
            connection(&app, router, stream).await;
            app.metrics.connections.dec();
            drop(alive);
        });
    }
}

fn slot(slots: &Arc<Semaphore>) -> impl Future<Output = OwnedSemaphorePermit> + use<> {
    let slot = Arc::clone(slots).acquire_owned();
    async { slot.await.expect("the semaphore is never closed") }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                if !is_of_one_caller(&error) {
                    tracing::warn!("accepting fails: {error}");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }
}

/// What the system has accepted, and closes the listener. The system itself is asked, as the
/// runtime learns of connections only when it next listens to it.
fn backlog(listener: TcpListener) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return streams;
    };
    loop {
        let accepted = listener.accept().and_then(|(stream, _)| {
            stream.set_nonblocking(true)?;
            TcpStream::from_std(stream)
        });
        match accepted {
            Ok(stream) => streams.push(stream),
            Err(error) if is_of_one_caller(&error) => {}
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    tracing::warn!("accepting fails: {error}");
                }
                return streams;
            }
        }
    }
}

fn is_of_one_caller(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

async fn connection(app: &App, router: Router, stream: TcpStream) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let has_asked = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.options.connections.idle)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // The connection goes first: what has arrived is read before it may be closed.
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = until_heard(app, &has_asked) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended early: {error}");
    }
}

/// Waits until a connection without a request may be closed: the service stops, and what was sent
/// before has had the time to arrive.
async fn until_heard(app: &App, has_asked: &AtomicBool) {
    app.until_draining().await;
    let time = match has_asked.load(Ordering::Relaxed) {
        true => NEXT_REQUEST,
        false => FIRST_REQUEST,
    };
    tokio::time::sleep(time).await;
}

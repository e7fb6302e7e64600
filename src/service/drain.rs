//! Connections from accept to the last answer: header timeouts, a bound on their number, and an end
//! in which every accepted request is answered.
//!
//! `axum::serve` has neither a timeout for a request's head nor a bound on connections, hence a loop
//! of our own over hyper.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::state::App;

/// How long to wait after the system refused to accept, as it does when files run out.
const BREATH: Duration = Duration::from_millis(50);

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
    let slots = Arc::new(Semaphore::new(app.options.connections.most.max(1)));
    // Each connection holds a sender; when none is left, all are done.
    let (alive, mut done) = mpsc::channel::<Infallible>(1);
    let mut stop = pin!(app.until_draining());
    loop {
        let next = accept(&listener, &slots);
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = &mut stop => break,
        };
        start(&app, &router, accepted, alive.clone());
    }
    // What the system has accepted on our behalf has callers too.
    while let Some(accepted) = accept(&listener, &slots).now_or_never() {
        start(&app, &router, accepted, alive.clone());
    }
    drop((listener, alive));
    // A stream leaves its connection's task, and is answered too.
    let answered = async { (done.recv().await, app.streams.ended().await) };
    match tokio::time::timeout(app.options.connections.drain, answered).await {
        Ok(_) => End::Complete,
        Err(_) => End::CutShort,
    }
}

type Accepted = (TcpStream, OwnedSemaphorePermit);

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Accepted {
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
            Err(error) => {
                if !is_of_one_caller(&error) {
                    tracing::warn!("accepting fails: {error}");
                    tokio::time::sleep(BREATH).await;
                }
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

fn start(app: &Arc<App>, router: &Router, accepted: Accepted, alive: mpsc::Sender<Infallible>) {
    let (app, router) = (Arc::clone(app), router.clone());
    tokio::spawn(async move {
        let (stream, _slot) = accepted;
        app.metrics.connections.inc();
        connection(&app, router, stream).await;
        app.metrics.connections.dec();
        drop(alive);
    });
}

async fn connection(app: &App, router: Router, stream: TcpStream) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.options.connections.idle)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = app.until_draining() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended early: {error}");
    }
}

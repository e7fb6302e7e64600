//! Connections from accept to the last answer: timeouts, bounds on their number, and an end in
//! which every accepted request is answered.
//!
//! `axum::serve` has neither a timeout for a request's head nor a bound on connections, hence a
//! loop of our own over hyper. Told to stop, hyper closes a connection of which it has read
//! nothing, though its request may lie in the socket; hence such a connection is given time to be
//! heard.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::arrived::Arrived;
use super::error::Rejection;
use super::options::Connections;
use super::slots::{PROBE_BYTES, Slots, Wait, is_probe};
use super::state::Edge;
use super::stream;
use super::unread::TimedWrites;

/// How long to wait after the system refused to accept, as it does when files run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);
/// Once the service is told to stop: how long the first request of a connection may take to begin.
/// Its caller has connected and not yet been heard; longer than a packet takes around the world.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// The same for a further request on a connection. The runtime reads what has arrived before it
/// looks at the clock, so any time lets what was sent before be heard.
const NEXT_REQUEST: Duration = Duration::from_millis(20);
/// Most of a request's head, in bytes, and most of a body that is read ahead.
const READ_AHEAD: usize = 64 << 10;

/// How the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every accepted request was answered.
    Complete,
    /// Connections were still open when the time for the end was over.
    CutShort,
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

/// The service as connections know it: what answers them may be exchanged while they are open, so
/// that the port is open before the model is.
#[derive(Clone)]
pub struct Front {
    /// How connections are treated.
    pub options: Connections,
    /// What they share with the service.
    pub edge: Edge,
    router: watch::Sender<Router>,
}

impl Front {
    /// A front behind which this router answers.
    pub fn new(options: Connections, edge: Edge, router: Router) -> Self {
        Front { options, edge, router: watch::Sender::new(router) }
    }

    /// From now on this router answers, on open connections too.
    pub fn answer_with(&self, router: Router) {
        // The router before may still answer what it has begun.
        let _ = self.router.send_replace(router);
    }

    /// Serves connections until [`Stopping::drain`](super::stopping::Stopping::drain) is called,
    /// then answers what was accepted.
    ///
    /// A connection that fails concerns its caller alone.
    pub async fn serve(self, listener: TcpListener) -> End {
        let (drain, streams) = (self.options.drain, self.edge.streams.clone());
        // Each connection holds a sender; when none is left, all are done.
        let (alive, mut done) = mpsc::channel::<Infallible>(1);
        Acceptor {
            slots: Arc::new(Slots::new(self.options.most, self.options.per_client)),
            front: self,
            alive,
        }
        .run(listener)
        .await;
        // A stream leaves its connection's task, and is answered too.
        let answered = async { (done.recv().await, streams.ended().await) };
        match timeout(drain, answered).await {
            Ok(_) => End::Complete,
            Err(_) => End::CutShort,
        }
    }
}

/// What accepts connections.
struct Acceptor {
    front: Front,
    slots: Arc<Slots>,
    alive: mpsc::Sender<Infallible>,
}

impl Acceptor {
    /// Accepts connections until the service is told to stop.
    async fn run(self, listener: TcpListener) {
        let mut stop = pin!(self.front.edge.stopping.until_draining());
        loop {
            let next = async {
                let open = self.slots.open().await;
                (accept(&listener).await, open)
            };
            tokio::select! {
                ((stream, peer), open) = next => self.admit(stream, peer, Some(open)),
                () = &mut stop => break,
            }
        }
        // What the system has accepted on our behalf has callers too, who wait for their turn.
        for (stream, peer) in backlog(listener) {
            self.admit(stream, peer, None);
        }
    }

    /// Serves a connection once it has been heard of and has its slot.
    fn admit(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        open: Option<tokio::sync::OwnedSemaphorePermit>,
    ) {
        let (front, slots) = (self.front.clone(), Arc::clone(&self.slots));
        let alive = self.alive.clone();
        tokio::spawn(async move {
            front.edge.metrics.connections.inc();
            wait_and_serve(&front, &slots, stream, peer.to_canonical()).await;
            front.edge.metrics.connections.dec();
            drop((open, alive));
        });
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer.ip()),
            Err(error) => {
                if !is_of_one_caller(&error) {
                    tracing::warn!("accepting fails: {error}");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            }
        }
    }
}

/// What the system has accepted, and closes the listener. The system itself is asked, as the
/// runtime learns of connections only when it next listens to it.
fn backlog(listener: TcpListener) -> Vec<(TcpStream, IpAddr)> {
    let mut streams = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return streams;
    };
    loop {
        let accepted = listener.accept().and_then(|(stream, peer)| {
            stream.set_nonblocking(true)?;
            Ok((TcpStream::from_std(stream)?, peer.ip()))
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

async fn wait_and_serve(front: &Front, slots: &Slots, stream: TcpStream, peer: IpAddr) {
    let mut wait = slots.wait(peer);
    let Some(is_probe) = first_bytes(front, &mut wait, &stream).await else {
        return;
    };
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let is_proxy = front.options.trusted_proxies.contains(&peer);
    let slot = slots.take((!is_proxy).then_some(peer));
    let slot = tokio::select! {
        biased;
        slot = slots.or_for_probe(slot, is_probe) => slot,
        Ok(()) = &mut wait.evicted => return,
    };
    drop(wait);
    let _slot = match slot {
        Ok(slot) => slot,
        Err(_probe) => return connection(front, stream, peer, Only::OneProbe).await,
    };
    connection(front, stream, peer, Only::Anything).await;
}

/// Waits for the first bytes of a connection, and tells whether they are a probe's; nothing where
/// none come in time, or the connection must make room.
async fn first_bytes(front: &Front, wait: &mut Wait, stream: &TcpStream) -> Option<bool> {
    let mut bytes = [0; PROBE_BYTES];
    let stopped = async {
        front.edge.stopping.until_draining().await;
        tokio::time::sleep(FIRST_REQUEST).await;
    };
    // What has arrived goes before the reasons to go.
    let peeked = tokio::select! {
        biased;
        peeked = stream.peek(&mut bytes) => peeked,
        () = stopped => return None,
        () = tokio::time::sleep(front.options.idle) => return None,
        Ok(()) = &mut wait.evicted => return None,
    };
    let count = peeked.ok().filter(|&count| count > 0)?;
    Some(is_probe(&bytes[..count]))
}

/// What is answered on a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    Anything,
    /// A probe's request, and the connection ends.
    OneProbe,
}

async fn connection(front: &Front, stream: TcpStream, peer: IpAddr, only: Only) {
    let Connections { idle, upload, .. } = front.options;
    let (has_asked, arrived) = (AtomicBool::new(false), Arrived::default());
    let service = service_fn(|request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        answer(front, request, (peer, arrived.clone()), only)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(idle)
        .max_buf_size(READ_AHEAD)
        .serve_connection(
            TokioIo::new(TimedWrites::new(stream, arrived.clone(), idle, upload)),
            service,
        )
        .with_upgrades();
    let mut connection = pin!(connection);
    // The connection goes first: what has arrived is read before it may be closed.
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = until_heard(front, &has_asked) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended early: {error}");
    }
}

async fn answer(
    front: &Front,
    request: Request<Incoming>,
    (peer, arrived): (IpAddr, Arrived),
    only: Only,
) -> Result<Response, Infallible> {
    let mut request = request.map(axum::body::Body::new);
    request.extensions_mut().insert(Peer(peer));
    request.extensions_mut().insert(arrived);
    stream::on_any_path(&mut request);
    let is_last = only == Only::OneProbe;
    let is_probes = matches!(request.uri().path(), "/healthz" | "/readyz");
    let mut response = if is_last && !is_probes {
        Rejection::Unavailable("all connections are taken".into()).into_response()
    } else {
        // The router that answers now, which a router elsewhere may replace meanwhile.
        let router = TowerToHyperService::new(front.router.borrow().clone());
        match router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    };
    if is_last {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}

/// Waits until a connection without a request may be closed: the service stops, and what was sent
/// before has had the time to arrive.
async fn until_heard(front: &Front, has_asked: &AtomicBool) {
    front.edge.stopping.until_draining().await;
    let time = match has_asked.load(Ordering::Relaxed) {
        true => NEXT_REQUEST,
        false => FIRST_REQUEST,
    };
    tokio::time::sleep(time).await;
}

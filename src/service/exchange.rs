//! What happens around every exchange: the request gets an id, a line in the log and a count, and
//! the rest of its body is discarded; if the service is stopping, its connection closes after it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use super::client::Client;
use super::connections::Peer;
use super::linger::linger;
use super::state::App;

/// The header that carries the request id, there and back.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id of a caller's that is kept, in bytes.
const LONGEST_ID: usize = 64;

/// Most of a path that the log tells, in bytes.
const LONGEST_PATH: usize = 128;

/// The id of a request: the caller's, where it is a plain word, or a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    fn of(request: &Request) -> RequestId {
        let given = request.headers().get(REQUEST_ID);
        let given = given.and_then(|value| value.to_str().ok());
        let is_plain = |id: &&str| {
            (1..=LONGEST_ID).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let id = given.filter(is_plain).map(str::to_owned);
        RequestId(id.unwrap_or_else(|| format!("{:016x}", rand::random::<u64>())))
    }
}

fn client(app: &App, request: &Request) -> Client {
    let peer = request.extensions().get::<Peer>();
    let peer = peer.map_or(IpAddr::from(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    Client::of(peer, request.headers(), &app.options.trusted_proxies)
}

/// Enough of a path to recognise it by: a line of the log is small whatever its caller sends.
fn shortened(path: &str) -> &str {
    // A path is ASCII (RFC 9112, Section 3.2).
    path.get(..LONGEST_PATH).unwrap_or(path)
}

/// The middleware.
pub async fn exchange(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let client = client(&app, &request);
    request.extensions_mut().insert(client);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("unknown", MatchedPath::as_str).to_owned();
    let span =
        tracing::info_span!("request", id = id.0, %method, path = shortened(request.uri().path()));
    let value = HeaderValue::from_str(&id.0);
    request.extensions_mut().insert(id);
    let request = linger(&app, request);
    let mut response = next.run(request).instrument(span.clone()).await;
    // A plain word is always a header's value.
    if let Ok(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if !app.stopping.is_ready() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    let status = response.status().as_u16();
    let ms = started.elapsed().as_secs_f64() * 1e3;
    span.in_scope(|| tracing::info!(status, ms, "answered"));
    app.metrics.exchanged(route, status);
    response
}

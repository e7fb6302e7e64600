//! Reads and discards, for a bounded time, the rest of a request's body that no handler reads, so
//! that the answer reaches a caller who is still sending.
//!
//! A connection that is closed with bytes unread is reset by the system, and a reset also discards
//! what its peer has not read yet: the refusal. Hence the rest is read, within bounds, and nothing
//! of it is kept; meanwhile hyper holds the connection open, which counts as any other, and where
//! the body ends in time the connection goes on. RFC 9112, Section 9.6; nginx's `lingering_close`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;
use hyper::body::{Frame, SizeHint};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::state::App;

/// Longest wait for a further part.
const QUIET: Duration = Duration::from_secs(2);
/// Longest time in all.
const WHOLE: Duration = Duration::from_secs(10);
/// Longest time once the service is told to stop.
const STOPPING: Duration = Duration::from_secs(1);
/// Most bytes, unless a body may have more.
const MOST: usize = 64 << 20;

/// A body whose rest is thrown away when it is dropped.
struct Lingering {
    /// Nothing once it has ended.
    body: Option<Body>,
    app: Arc<App>,
    runtime: Handle,
    /// The caller sends nothing until it is told to continue, which reading would do.
    awaits_word: bool,
}

/// Has the rest of a request's body thrown away where it is not read.
pub fn linger(app: &Arc<App>, request: Request) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    let awaits_word = awaits_word(request.headers());
    request.map(|body| {
        Body::new(Lingering {
            body: Some(body),
            app: Arc::clone(app),
            runtime: Handle::current(),
            awaits_word,
        })
    })
}

fn awaits_word(headers: &HeaderMap) -> bool {
    let expected = headers.get_all(header::EXPECT).iter();
    let mut expected = expected.map(|value| value.as_bytes());
    expected.any(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(body).poll_frame(context);
        self.awaits_word = false;
        if matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let is_left = !self.awaits_word && !self.is_end_stream();
        if let Some(body) = self.body.take().filter(|_| is_left) {
            self.runtime.spawn(throw_away(Arc::clone(&self.app), body));
        }
    }
}

/// Reads a body to its end or to the bounds.
async fn throw_away(app: Arc<App>, body: Body) {
    let most = MOST.max(app.options.limits.body);
    let stopping = async {
        app.stopping.until_draining().await;
        sleep(STOPPING).await;
    };
    tokio::select! {
        _ = timeout(WHOLE, read(body, most)) => {}
        () = stopping => {}
    }
}

async fn read(body: Body, most: usize) {
    let (mut parts, mut bytes) = (body.into_data_stream(), 0);
    while let Ok(Some(Ok(part))) = timeout(QUIET, parts.next()).await {
        bytes += part.len();
        if bytes > most {
            return;
        }
    }
}

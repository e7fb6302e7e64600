//! Whose pages may call: a browser lets any page send requests to any service, this machine's
//! included, so that the service itself must ask.
//!
//! Three things are looked at. The header `Host` must name this service where that listens on
//! loopback alone: a page whose own name has been pointed to 127.0.0.1 (DNS rebinding) would
//! otherwise count as our own. `Origin`, which browsers send with everything but plain reads, must
//! be our own or one that is allowed. And `Sec-Fetch-Site: cross-site` must come with an allowed
//! origin. A caller that is no browser sends neither of the latter.
//!
//! References: RFC 9110, Section 7.2; RFC 6454; Fetch Metadata,
//! <https://www.w3.org/TR/fetch-metadata/>.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::Response;

use super::allowed::{AllowedOrigin, Hosts};
use super::error::Rejection;
use super::state::App;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The middleware around all paths.
///
/// # Errors
/// The request names no host, more than one, or one that is not this service's.
pub async fn check_host(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Rejection> {
    host(&app.options.hosts, &request)?;
    Ok(next.run(request).await)
}

fn host(hosts: &Hosts, request: &Request) -> Result<(), Rejection> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let wrong = |what: &str| Err(Rejection::BadRequest(what.into()));
    let named = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().unwrap_or("\u{fffd}"),
        (None, _) if request.version() < Version::HTTP_11 => return Ok(()),
        (None, _) => return wrong("a request of HTTP/1.1 has a header Host (RFC 9112, 3.2)"),
        (Some(_), Some(_)) => return wrong("a request has one header Host (RFC 9112, 3.2)"),
    };
    // Where the target names a host, that counts (RFC 9112, Section 3.2.2).
    let named = request.uri().authority().map_or(named, |authority| authority.as_str());
    let is_name = |named: &str| named.parse::<Authority>().is_ok() && !named.contains('@');
    if !named.is_empty() && !is_name(named) {
        return wrong("the header Host names a host, and perhaps a port (RFC 9110, 7.2)");
    }
    match hosts.may_be(named) {
        true => Ok(()),
        false => Err(Rejection::Forbidden(
            "this service listens on loopback and is not known by that name; --allow-host adds one"
                .into(),
        )),
    }
}

/// The middleware around paths that do something.
///
/// # Errors
/// [`Rejection::Forbidden`] where a page sends it that may not call.
pub async fn check_origin(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Rejection> {
    let (options, headers) = (&app.options, request.headers());
    // Who shows the token, or reads without effect, need not tell where from: no other page can
    // show it, nor see what it has read.
    let matters = options.token.is_none() && request.method() != Method::GET;
    let is_allowed = is_allowed(headers, &options.cors);
    if matters && !is_allowed {
        return Err(foreign());
    }
    let site = headers.get(SEC_FETCH_SITE);
    let is_foreign = site.is_some_and(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"));
    if is_foreign && !(headers.contains_key(header::ORIGIN) && is_allowed) {
        return Err(foreign());
    }
    Ok(next.run(request).await)
}

/// Whether the page that sends a request, if one does, may call: it is our own or allowed.
pub fn is_allowed(headers: &HeaderMap, allowed: &[AllowedOrigin]) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (None, _) => return true, // No page.
        (Some(origin), None) => origin,
        _ => return false,
    };
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let host = headers.get(header::HOST).and_then(text);
    let own = text(origin).and_then(|origin| Some(origin.split_once("://")?.1.to_owned()));
    own.is_some() && own == host
        || allowed.iter().any(|may| match may {
            AllowedOrigin::Any => true,
            AllowedOrigin::Only(may) => may == origin,
        })
}

/// The refusal.
pub fn foreign() -> Rejection {
    Rejection::Forbidden(
        "pages from elsewhere may not call this service; --cors-origin allows those of an origin"
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn what_names_no_host_is_refused_whoever_listens() {
        let status = |hosts: &Hosts, value: &[u8]| {
            let value = HeaderValue::from_bytes(value).unwrap();
            let request = Request::builder().header(header::HOST, value);
            let checked = host(hosts, &request.body(Body::empty()).unwrap());
            checked.map_err(|rejection| rejection.problem().status)
        };
        let loopback = Hosts::LoopbackAnd(Vec::new());
        for (name, any, own) in [
            (b"localhost:80".as_slice(), Ok(()), Ok(())),
            (b"[::1]:80", Ok(()), Ok(())),
            (b"speech.example", Ok(()), Err(403)),
            (b"", Ok(()), Err(403)),
            (b"user@localhost", Err(400), Err(400)),
            (b"localhost/path", Err(400), Err(400)),
            (b"localhost, evil.example", Err(400), Err(400)),
            (b"local host", Err(400), Err(400)),
            (b"\xff", Err(400), Err(400)),
        ] {
            let text = String::from_utf8_lossy(name);
            assert_eq!(status(&Hosts::Any, name), any, "{text}");
            assert_eq!(status(&loopback, name), own, "{text}");
        }
    }
}

//! Who may ask: everybody, or who shows the bearer token.
//!
//! The token comes as `Authorization: Bearer TOKEN`. Scripts in browsers cannot set that header of
//! a WebSocket's request, but they can name subprotocols, so that one named `bearer.HEX` shows it
//! too: the token's bytes in lower-case hexadecimal digits, as not every token is a subprotocol's
//! name (RFC 6455, Section 4.1). No page of elsewhere can send either header unasked.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::error::Rejection;
use super::state::App;

/// The middleware.
///
/// # Errors
/// [`Rejection::Unauthorized`] where the service has a token and the request does not show it.
pub async fn authorise(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Rejection> {
    match &app.options.token {
        Some(token) if !shows(request.headers(), token) => Err(Rejection::Unauthorized),
        _ => Ok(next.run(request).await),
    }
}

fn shows(headers: &HeaderMap, token: &str) -> bool {
    in_authorization(headers, token) || in_subprotocols(headers, token)
}

fn in_authorization(headers: &HeaderMap, token: &str) -> bool {
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes());
    let Some((scheme, shown)) = shown.and_then(|shown| shown.split_at_checked("Bearer ".len()))
    else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"Bearer ") && same(shown, token.as_bytes())
}

fn in_subprotocols(headers: &HeaderMap, token: &str) -> bool {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let offers = offers.filter_map(|value| value.to_str().ok());
    let mut shown = offers
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().strip_prefix("bearer."));
    let digits: String = token.bytes().map(|byte| format!("{byte:02x}")).collect();
    shown.any(|shown| same(shown.as_bytes(), digits.as_bytes()))
}

/// Digests are compared, so that the time taken tells nothing of the token.
fn same(shown: &[u8], token: &[u8]) -> bool {
    Sha256::digest(shown) == Sha256::digest(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn a_token_is_shown_in_either_header() {
        let token = "p=/+";
        for (name, value) in [
            ("authorization", "Bearer p=/+"),
            ("authorization", "bearer p=/+"),
            ("sec-websocket-protocol", "paretone, bearer.703d2f2b"),
            ("sec-websocket-protocol", "bearer.703d2f2b,paretone"),
        ] {
            assert!(shows(&headers(name, value), token), "{name}: {value}");
        }
    }

    #[test]
    fn nothing_else_shows_it() {
        for (name, value) in [
            ("authorization", ""),
            ("authorization", "Bearer "),
            ("authorization", "Basic pass"),
            ("authorization", "Bearer passing"),
            ("sec-websocket-protocol", ""),
            ("sec-websocket-protocol", "pass"),
            ("sec-websocket-protocol", "bearer.pass"),
            ("sec-websocket-protocol", "bearer."),
            ("sec-websocket-protocol", "bearer.7061737"),
            ("sec-websocket-protocol", "bearer.7061737300"),
            ("cookie", "bearer.70617373"),
        ] {
            assert!(!shows(&headers(name, value), "pass"), "{name}: {value}");
        }
        assert!(!shows(&HeaderMap::new(), "pass"));
    }
}

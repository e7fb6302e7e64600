//! Telling a job's answer to an address of its caller's, at least once.
//!
//! An address is plain HTTP, of a host that the operator allows; there is none by default, as a
//! caller could otherwise have this machine speak to others behind its firewall. Redirects are not
//! followed. Any answer from 200 to 299 within `PATIENCE` ends it; else it is tried again, later
//! each time, across restarts too. The receiver tells repetitions apart by the job's id.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::WithCauses;
use crate::service::allowed::AllowedHost;
use crate::service::error::Rejection;
use crate::service::job_store::{Call, Called, Job, Jobs};

/// Longest time for one try.
const PATIENCE: Duration = Duration::from_secs(10);
/// Times an address is tried.
const MOST_CALLS: u32 = 10;
/// The pause after the first try; each further one is twice as long …
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// … and this at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Addresses that are told at once.
const AT_ONCE: u32 = 16;
/// How long to wait where nothing is due and nothing will be.
const IDLE: Duration = Duration::from_secs(60);
/// Longest address, in bytes.
const LONGEST_ADDRESS: usize = 2048;

/// Where to tell an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
    path: String,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl FromStr for Address {
    type Err = Rejection;

    fn from_str(text: &str) -> Result<Self, Rejection> {
        let wrong =
            || Rejection::BadRequest("a Callback is an address such as http://host/path".into());
        let uri: Uri = match text.len() <= LONGEST_ADDRESS {
            true => text.trim().parse().map_err(|_| wrong())?,
            false => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?;
        let has_user = authority.as_str().contains('@');
        if uri.scheme_str() != Some("http") || authority.host().is_empty() || has_user {
            return Err(wrong());
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Address {
            host: authority.host().to_ascii_lowercase(),
            port: authority.port_u16().unwrap_or(80),
            path: path.to_owned(),
        })
    }
}

impl Address {
    /// An address of one of these hosts.
    ///
    /// # Errors
    /// It is none, or of another host.
    pub fn allowed(text: &str, hosts: &[AllowedHost]) -> Result<Address, Rejection> {
        let address: Address = text.parse()?;
        let is_of = |allowed: &AllowedHost| allowed.is(&address.host, address.port);
        match hosts.iter().any(is_of) {
            true => Ok(address),
            false => Err(Rejection::Forbidden(format!(
                "this service tells no answers to {}: its operator allows hosts with --callback-host",
                address.host
            ))),
        }
    }
}

/// Tells what is due, for as long as it is polled.
pub(super) async fn tell(jobs: &Jobs) {
    loop {
        let (due, wait) = match jobs.store.due(AT_ONCE).await {
            Ok(due) => due,
            Err(error) => {
                tracing::error!("{}", WithCauses(&error));
                (Vec::new(), Some(FIRST_PAUSE))
            }
        };
        if due.is_empty() {
            tokio::select! {
                () = jobs.ended.notified() => {}
                () = sleep(wait.unwrap_or(IDLE).min(IDLE)) => {}
            }
            continue;
        }
        join_all(due.iter().map(|call| call_once(jobs, call))).await;
    }
}

async fn call_once(jobs: &Jobs, call: &Call) {
    let job = match jobs.job(&call.id).await {
        Ok(Some(job)) => job,
        // Deleted meanwhile.
        _ => return,
    };
    let told = timeout(PATIENCE, post(call, &job)).await;
    let told = told.map_err(|_| "no answer in time".to_owned()).flatten();
    let called = match told {
        Ok(()) => Called::Delivered,
        Err(what) => {
            tracing::warn!(id = call.id, address = call.address, "a callback fails: {what}");
            match call.before + 1 < MOST_CALLS {
                true => Called::Again(pause_after(call.before)),
                false => Called::GivenUp,
            }
        }
    };
    if let Err(error) = jobs.store.called(&call.id, called).await {
        tracing::error!("{}", WithCauses(&error));
        sleep(FIRST_PAUSE).await;
    }
}

fn pause_after(calls: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << calls.min(16)).min(LONGEST_PAUSE)
}

async fn post(call: &Call, job: &Job) -> Result<(), String> {
    let address: Address = call.address.parse().map_err(|error: Rejection| error.to_string())?;
    let text = |error: &dyn std::error::Error| WithCauses(error).to_string();
    let authority = format!("{}:{}", address.host, address.port);
    let stream = TcpStream::connect(&authority).await.map_err(|error| text(&error))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| text(&error))?;
    let body = serde_json::to_vec(job).expect("its keys are names");
    let request = Request::post(&address.path)
        .header("Host", &authority)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", &call.id)
        .body(Full::new(Bytes::from(body)));
    let request = request.map_err(|error| text(&error))?;
    // The connection ends with this, whatever its other end does.
    let mut driven = JoinSet::new();
    driven.spawn(connection);
    let reply = sender.send_request(request).await.map_err(|error| text(&error))?;
    match reply.status().is_success() {
        true => Ok(()),
        false => Err(format!("status {}", reply.status())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_hosts_are_told() {
        let hosts: Vec<AllowedHost> = ["backend.example", "10.0.0.7:8080", "[::1]:81"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        let told = |text| Address::allowed(text, &hosts).map(|address| address.to_string());
        for (text, address) in [
            ("http://backend.example", "http://backend.example:80/"),
            ("http://Backend.Example:9/a?b=c", "http://backend.example:9/a?b=c"),
            ("http://10.0.0.7:8080/x", "http://10.0.0.7:8080/x"),
            ("http://[::1]:81/", "http://[::1]:81/"),
        ] {
            assert_eq!(told(text).unwrap(), address);
        }
        for text in [
            "http://10.0.0.7/x",
            "http://evil.example/",
            "http://backend.example.evil.example/",
            "http://127.0.0.1:8080/",
        ] {
            assert!(matches!(told(text), Err(Rejection::Forbidden(_))), "{text}");
        }
        for text in [
            "",
            "backend.example",
            "https://backend.example/",
            "http:///path",
            "http://backend.example@evil.example/",
            "http://evil.example@backend.example/",
            "file:///etc/passwd",
        ] {
            assert!(matches!(told(text), Err(Rejection::BadRequest(_))), "{text}");
        }
        for text in ["", "http://a", "a/b", "a@b", "a b", ":80"] {
            assert!(text.parse::<AllowedHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause_after(0), FIRST_PAUSE);
        assert_eq!(pause_after(3), FIRST_PAUSE * 8);
        assert_eq!(pause_after(u32::MAX), LONGEST_PAUSE);
    }
}

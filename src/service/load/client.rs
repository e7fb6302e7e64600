//! One caller of `POST /compute`, and what became of its request.

use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::WithCauses;

/// Longest detail of a problem that is kept, in characters.
const LONGEST_DETAIL: usize = 200;

/// Who is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host and port.
    pub authority: String,
}

impl Target {
    /// The service at an address such as `http://127.0.0.1:8080`; only plain HTTP is spoken.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn parse(text: &str) -> Result<Target, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{text}: {error}"))?;
        if uri.scheme_str() != Some("http") || uri.path() != "/" {
            return Err(format!("{text} is not of the form http://host:port"));
        }
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(80);
        Ok(Target { authority: format!("{host}:{port}") })
    }
}

/// Sends recordings in turn to one tier.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who is called.
    pub target: Target,
    /// The header `Tolerance`.
    pub tolerance: String,
    /// The header `Objective`.
    pub objective: String,
    /// The recordings, at least one.
    pub recordings: Vec<Bytes>,
    /// How long after its arrival a request is given up.
    pub patience: Duration,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Answered,
    /// Refused: 429.
    Refused,
    /// With another status.
    Other(u16),
    /// Without a whole response: no connection, cut off, or given up.
    Failed,
}

/// A request that has ended.
#[derive(Clone, Debug)]
pub struct Sent {
    /// How it ended.
    pub ending: Ending,
    /// From the arrival that was drawn to the response's last byte.
    pub latency: Duration,
    /// What the service or the system said, where it was not answered.
    pub why: Option<String>,
}

impl Caller {
    /// Sends the request that arrived at `due` and waits for its end.
    pub async fn call(&self, number: usize, due: Instant) -> Sent {
        let recording = &self.recordings[number % self.recordings.len()];
        let response = timeout_at(due + self.patience, self.exchange(recording.clone())).await;
        let latency = due.elapsed();
        let (ending, why) = match response {
            Ok(Ok((StatusCode::OK, _))) => (Ending::Answered, None),
            Ok(Ok((StatusCode::TOO_MANY_REQUESTS, _))) => (Ending::Refused, None),
            Ok(Ok((status, body))) => (Ending::Other(status.as_u16()), Some(said(status, &body))),
            Ok(Err(broken)) => (Ending::Failed, Some(WithCauses(&broken).to_string())),
            Err(_) => {
                let patience = self.patience.as_secs_f64();
                (Ending::Failed, Some(format!("no answer within {patience} s")))
            }
        };
        Sent { ending, latency, why }
    }

    /// One connection a request: callers are many, and strangers to each other.
    async fn exchange(&self, body: Bytes) -> Result<(StatusCode, Bytes), Broken> {
        let stream = TcpStream::connect(&self.target.authority).await;
        let stream = stream.map_err(Broken::Connect)?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends by itself once the sender is dropped.
        tokio::spawn(connection);
        let request = Request::post("/compute")
            .header("Host", &self.target.authority)
            .header("Tolerance", &self.tolerance)
            .header("Objective", &self.objective)
            .body(Full::new(body))?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// What a response that is no answer says: the status, and the detail of a problem.
fn said(status: StatusCode, body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
    let detail = detail.map(|detail| detail.chars().take(LONGEST_DETAIL).collect::<String>());
    detail.map_or(status.to_string(), |detail| format!("{status}: {detail}"))
}

/// Why there was no whole response.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("no connection")]
    Connect(#[source] std::io::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Hyper(#[from] hyper::Error),
    #[error(transparent)]
    Request(#[from] hyper::http::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_taken() {
        let authority = |text| Target::parse(text).map(|target| target.authority);
        assert_eq!(authority("http://a:1").unwrap(), "a:1");
        assert_eq!(authority("http://a/").unwrap(), "a:80");
        for wrong in ["", "a:1", "https://a", "http://a/compute", "http://"] {
            assert!(authority(wrong).is_err(), "{wrong}");
        }
    }
}

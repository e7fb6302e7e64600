//! How the service is set up, and what it will not exceed.

use std::path::PathBuf;
use std::time::Duration;

use crate::units::Seconds;

/// How the service is set up: [`Options::new`], and what differs from the defaults set in its fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The routing rules; read again at every reload.
    pub rules: PathBuf,
    /// Threads that recognise, at least one. Default: one per processor.
    pub workers: usize,
    /// Most requests that wait for one policy; more are refused. Larger: fewer refusals, longer
    /// waits. Default: 64.
    pub queue: usize,
    /// Longest time from the end of an upload to its answer. Default: 60 s.
    pub deadline: Duration,
    /// What a request may bring.
    pub limits: Limits,
    /// How connections are treated.
    pub connections: Connections,
    /// The bearer token that callers must show. Default: none, everybody is served.
    pub token: Option<String>,
    /// Origins whose pages may call. Default: none.
    pub cors: Vec<String>,
    /// Share of requests that the reference version answers too, unseen, to watch for drift.
    /// Default: 0.
    pub shadow: f64,
}

/// What a request may bring.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body, in bytes. Default: 32 MiB.
    pub body: usize,
    /// Longest recording. Its scores take 0.2 MB a second. Default: 600 s.
    pub audio: Seconds,
    /// Bytes of uploads and waveforms held at once, over all requests. Default: 512 MiB.
    pub memory: usize,
}

/// How connections are treated.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Connections {
    /// Most that are open at once; others wait in the listener's backlog. Default: 4096.
    pub most: usize,
    /// Longest wait for a request's head, and for the next part of its body. Default: 15 s.
    pub idle: Duration,
    /// Longest time that a whole body may take. Default: 120 s.
    pub upload: Duration,
    /// Longest time that answers in progress get once the service is told to stop. Default: 30 s.
    pub drain: Duration,
}

impl Options {
    /// The defaults with these rules.
    pub fn new(rules: PathBuf) -> Self {
        Options {
            rules,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            queue: 64,
            deadline: Duration::from_secs(60),
            limits: Limits::default(),
            connections: Connections::default(),
            token: None,
            cors: Vec::new(),
            shadow: 0.0,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 32 << 20,
            audio: Seconds(600.0),
            memory: 512 << 20,
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Connections {
            most: 4096,
            idle: Duration::from_secs(15),
            upload: Duration::from_secs(120),
            drain: Duration::from_secs(30),
        }
    }
}

//! How the service is set up, and what it will not exceed.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::allowed::{AllowedHost, AllowedOrigin, Hosts};
use crate::units::Seconds;

/// How the service is set up: [`Options::new`], and what differs from the defaults set in its
/// fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The routing rules; read again at every reload.
    pub rules: PathBuf,
    /// Threads that recognise, at least one. Default: one per processor.
    pub workers: usize,
    /// Most requests that wait for one policy; over all of them twice as many wait, and of one
    /// client two thirds of those. Larger: fewer refusals, longer waits. Default: 64.
    pub queue: usize,
    /// Whether the most accurate version answers, with nothing certified, where at the start the
    /// rules are missing or were learnt for another model. Default: no, the service does not start
    /// then.
    pub uncertified: bool,
    /// Longest time from the end of an upload to its answer. Default: 60 s.
    pub deadline: Duration,
    /// What a request may bring.
    pub limits: Limits,
    /// The bearer token that callers must show. Default: none, everybody is served.
    pub token: Option<String>,
    /// Origins whose pages may call. Default: none.
    pub cors: Vec<AllowedOrigin>,
    /// What the header `Host` may name. Default: anything.
    pub hosts: Hosts,
    /// Proxies that say whom they speak for in `X-Forwarded-For`. Default: none.
    pub trusted_proxies: Vec<IpAddr>,
    /// Longest wait for the next part of a body. Default: 15 s.
    pub idle: Duration,
    /// Longest time that a whole body may take. Default: 120 s.
    pub upload: Duration,
    /// How often to look whether the rules have changed. Default: never.
    pub watch_rules: Option<Duration>,
    /// Share of requests that the reference version answers too, unseen, to watch for drift.
    /// Default: 0.
    pub shadow: f64,
    /// Where jobs are kept. Default: nowhere, and none are taken in.
    pub jobs: Option<JobOptions>,
}

/// How jobs are kept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobOptions {
    /// The file, which is made where there is none.
    pub file: PathBuf,
    /// Most jobs that wait, of one client half of them. Default: 1000.
    pub most: usize,
    /// Most bytes of recordings and answers that are kept. Default: 4 GiB.
    pub bytes: u64,
    /// How long an answer is kept. Default: a day.
    pub keep: Duration,
    /// Hosts that may be told answers. Default: none.
    pub callback_hosts: Vec<AllowedHost>,
}

/// What a request may bring.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body, in bytes. Default: 32 MiB.
    pub body: usize,
    /// Longest recording. Default: an hour, which admits what OpenAI's interface does: 25 MB.
    pub audio: Seconds,
    /// Bytes of uploads, waveforms and scores held at once, over all requests. Default: 1 GiB.
    pub memory: usize,
    /// Most streams that are open at once. Default: 256.
    pub streams: usize,
    /// Most of them of one client. Default: half of them.
    pub streams_per_client: usize,
    /// Longest time that a stream may go without audio. Default: 60 s.
    pub stream_idle: Duration,
    /// Bytes that all streams hold at once. Default: 256 MiB.
    pub stream_memory: usize,
    /// Most lists of callers' words whose graphs are kept; each takes the memory of the model's
    /// graph, of `models/en` some 80 MB. 0: no words are taken. Default: 4.
    pub word_lists: usize,
}

/// How connections are treated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connections {
    /// Most that are served at once; others wait. Default: 4096.
    pub most: usize,
    /// Most of them of one client. Default: half of them.
    pub per_client: usize,
    /// Longest wait for a request's head, for the next part of its body, and for its caller to read
    /// more of the answer. Default: 15 s.
    pub idle: Duration,
    /// Longest time that a whole body may take, and a whole answer. Default: 120 s.
    pub upload: Duration,
    /// Longest time that answers in progress get once the service is told to stop. Default: 30 s.
    pub drain: Duration,
    /// Proxies, whose connections are many clients'. Default: none.
    pub trusted_proxies: Vec<IpAddr>,
}

impl Options {
    /// The defaults with these rules.
    pub fn new(rules: PathBuf) -> Self {
        Options {
            rules,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            queue: 64,
            uncertified: false,
            deadline: Duration::from_secs(60),
            limits: Limits::default(),
            token: None,
            cors: Vec::new(),
            hosts: Hosts::default(),
            trusted_proxies: Vec::new(),
            idle: Duration::from_secs(15),
            upload: Duration::from_secs(120),
            watch_rules: None,
            shadow: 0.0,
            jobs: None,
        }
    }
}

impl JobOptions {
    /// The defaults with this file.
    pub fn new(file: PathBuf) -> Self {
        JobOptions {
            file,
            most: 1000,
            bytes: 4 << 30,
            keep: Duration::from_secs(24 * 3600),
            callback_hosts: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 32 << 20,
            audio: Seconds(3600.0),
            memory: 1 << 30,
            streams: 256,
            streams_per_client: 128,
            stream_idle: Duration::from_secs(60),
            stream_memory: 256 << 20,
            word_lists: 4,
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Connections {
            most: 4096,
            per_client: 2048,
            idle: Duration::from_secs(15),
            upload: Duration::from_secs(120),
            drain: Duration::from_secs(30),
            trusted_proxies: Vec::new(),
        }
    }
}

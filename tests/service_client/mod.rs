//! A server of one's own on a free port, and an HTTP client that can misbehave.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};
use serde_json::Value;

/// Long enough for a busy machine, and never reached where all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A running `paretone serve`; killed when dropped.
pub struct Server {
    pub child: Child,
    /// The header that shows its token, where it has one.
    authorization: String,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts one with these flags, on a free port unless they name one.
    pub fn start(flags: &[&str]) -> Server {
        Server::start_logging(flags, Stdio::null())
    }

    /// The same with its log going there.
    pub fn start_logging(flags: &[&str], log: Stdio) -> Server {
        Server::start_by(Command::new(env!("CARGO_BIN_EXE_paretone")), flags, log)
    }

    /// The same with a cache folder of its own.
    pub fn start_in(flags: &[&str], log: Stdio, cache: &Path) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paretone"));
        command.env("PARETONE_CACHE", cache);
        Server::start_by(command, flags, log)
    }

    /// The same by another command, which runs the program.
    pub fn start_by(mut command: Command, flags: &[&str], log: Stdio) -> Server {
        command.arg("serve").args(flags);
        if !flags.iter().any(|flag| flag.starts_with("--model")) {
            command.arg("--model=models/en");
        }
        if !flags.iter().any(|flag| flag.starts_with("--listen")) {
            command.arg("--listen=127.0.0.1:0");
        }
        command.stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the program is built");
        let mut line = String::new();
        let out = child.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
        let address = line.trim().rsplit('/').next().and_then(|address| address.parse().ok());
        let token = flags.iter().find_map(|flag| flag.strip_prefix("--token="));
        let authorization = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
        Server {
            child,
            authorization: authorization.unwrap_or_default(),
            address: address.expect("an address"),
        }
    }

    /// Opens a connection.
    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).expect("it listens")
    }

    /// Opens a connection that comes from another address of loopback.
    pub fn connect_from(&self, from: &str) -> TcpStream {
        let from: SocketAddr = format!("{from}:0").parse().expect("an address");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let stream = runtime.expect("a runtime").block_on(async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(from)?;
            socket.connect(self.address).await?.into_std()
        });
        let stream = stream.expect("it listens");
        stream.set_nonblocking(false).expect("it may block");
        stream
    }

    /// Opens a connection and sends a request.
    pub fn send(&self, request: &[u8]) -> TcpStream {
        let mut stream = self.connect();
        // A refusal may come, and the connection end, before all is sent.
        let _ = stream.write_all(request);
        stream
    }

    /// Sends a request and reads the reply.
    pub fn ask(&self, request: &[u8]) -> Reply {
        Reply::read(&mut self.send(request)).expect("a whole reply")
    }

    /// `GET path`, with the token.
    pub fn get(&self, path: &str) -> Reply {
        let authorization = &self.authorization;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\r\n"
        );
        self.ask(request.as_bytes())
    }

    /// `POST path` with more headers, each with its line end, and a body, with the token.
    pub fn post(&self, path: &str, headers: &str, body: &[u8]) -> Reply {
        let headers = format!("{headers}{}", self.authorization);
        self.ask(&post(path, &headers, body))
    }

    /// The sum of a metric over all labels that hold this text; 0 where it was never counted.
    pub fn metric(&self, name: &str, label: &str) -> f64 {
        let text = self.get("/metrics").text();
        let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        let named = lines.filter(|(key, _)| {
            let (known, labels) = key.split_once('{').unwrap_or((key, ""));
            known == name && labels.contains(label)
        });
        named.map(|(_, value)| value.parse::<f64>().expect("a number")).sum()
    }

    /// What its memory is made of: its own, of files, and shared.
    #[cfg(target_os = "linux")]
    pub fn parts_of_memory(&self) -> String {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("it runs");
        let parts =
            status.lines().filter(|line| line.starts_with("Rss") || line.starts_with("VmRSS"));
        parts.collect::<Vec<_>>().join(", ")
    }

    /// The most memory it has had, in KiB.
    #[cfg(target_os = "linux")]
    pub fn peak_memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = peak.and_then(|peak| peak.trim().split(' ').next());
        number.expect("a peak").parse().expect("a number")
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it was started")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What came back.
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    /// A whole reply, or nothing.
    pub fn read(stream: &mut TcpStream) -> Option<Reply> {
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let status = line.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut reply = Reply { status, headers, body: Vec::new() };
        reply.body = vec![0; reply.header("content-length")?.parse().ok()?];
        reader.read_exact(&mut reply.body).ok()?;
        Some(reply)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// Checks that a reply is a problem of this status, and returns it.
pub fn problem(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    let kind = reply.header("content-type");
    assert_eq!(kind, Some("application/problem+json"));
    let json: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(json["status"], status);
    json
}

/// A sample recording of the repository.
pub fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("corpora/samples/{name}")).expect("a sample")
}

/// The sample of 4.9 s, so many times: a recording that takes the strictest tier a while.
pub fn long_recording(times: usize) -> Vec<u8> {
    let short = sample("river.wav");
    let data: Vec<u8> = short[44..].repeat(times);
    let mut long = short[..44].to_vec();
    let length = u32::try_from(data.len()).expect("a few minutes");
    long[40..44].copy_from_slice(&length.to_le_bytes());
    long.extend(data);
    long
}

/// `POST path` with more headers, each with its line end, and a body.
pub fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A transcription request with these fields, and a file.
pub fn form(fields: &[(&str, &str)], file: Option<&[u8]>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!(
                "--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .bytes(),
        );
    }
    if let Some(file) = file {
        body.extend(
            b"--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n",
        );
        body.extend(file);
        body.extend(b"\r\n");
    }
    body.extend(b"--limit--\r\n");
    post("/v1/audio/transcriptions", "Content-Type: multipart/form-data; boundary=limit\r\n", &body)
}

/// A thousand connections are more files than the usual limit leaves room for.
pub fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("up to the maximum");
}

//! `paretone serve` told to stop, or killed: whoever had asked is answered, and it starts again.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::Signal;
use service_client::{PATIENCE, Reply, Server, long_recording, post, problem, sample, until};

/// Connections of a round; the system's backlog holds more.
const CALLERS: usize = 100;

/// `GET /healthz` on a connection that is kept.
const KEPT: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A connection that was answered once and is kept.
fn kept(server: &Server) -> TcpStream {
    let mut stream = server.send(KEPT);
    assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
    stream
}

/// Told to stop, it no longer listens.
fn until_stopping(server: &Server) {
    until("no connection is accepted", || TcpStream::connect(server.address).is_err());
}

#[test]
fn what_lies_in_the_backlog_and_in_sockets_is_answered() {
    let request = post("/compute", "Tolerance: 10%\r\n", &sample("night.wav"));
    let mut answered = 0;
    for connections in ["--max-connections=4096", "--max-connections=40"] {
        let mut server = Server::start(&[connections, "--queue=1000"]);
        let mut waiting: Vec<TcpStream> = (0..20).map(|_| kept(&server)).collect();
        // While it sleeps the system accepts and receives; once awake it learns of all at once.
        server.signal(Signal::STOP);
        for stream in &mut waiting {
            stream.write_all(KEPT).unwrap();
        }
        waiting.extend((0..CALLERS).map(|_| server.send(&request)));
        server.signal(Signal::TERM);
        server.signal(Signal::CONT);
        for stream in &mut waiting {
            let reply = Reply::read(stream).expect("an answer");
            assert_eq!(reply.status, 200);
            answered += 1;
        }
        assert!(server.wait().success());
    }
    println!("{answered} requests unread when the service was told to stop, all answered");
}

#[test]
fn told_to_stop_under_load_it_answers_what_was_asked_before() {
    let mut server = Server::start(&[]);
    let address = server.address;
    let is_told = AtomicBool::new(false);
    let request = post("/compute", "Tolerance: 10%\r\n", &sample("river.wav"));
    thread::scope(|scope| {
        let call = || {
            let (mut before, mut answered) = (0, 0);
            while let Ok(mut stream) = TcpStream::connect(address) {
                let sent = stream.write_all(&request);
                // Looked at once all is sent: what is sent later may be refused.
                let is_before = sent.is_ok() && !is_told.load(Ordering::SeqCst);
                let is_answered = Reply::read(&mut stream).is_some_and(|reply| reply.status == 200);
                before += usize::from(is_before);
                answered += usize::from(is_before && is_answered);
            }
            (before, answered)
        };
        let callers: Vec<_> = (0..6).map(|_| scope.spawn(call)).collect();
        until("requests are answered", || {
            server.metric("paretone_response_seconds_count", "") > 20.0
        });
        is_told.store(true, Ordering::SeqCst);
        server.signal(Signal::TERM);
        let counts = callers.into_iter().map(|caller| caller.join().unwrap());
        let sum = counts.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        println!("{} requests before the signal, {} answered", sum.0, sum.1);
        assert!(sum.0 > 20 && sum.0 == sum.1, "{sum:?}");
    });
    assert!(server.wait().success());
}

#[test]
fn while_it_stops_it_is_not_ready_and_idle_connections_end() {
    let mut server = Server::start(&["--workers=1", "--max-audio=600"]);
    let mut idle: Vec<TcpStream> = (0..20).map(|_| kept(&server)).collect();
    idle.extend((0..20).map(|_| server.connect()));
    // Heads without their end, so that these connections are asking.
    let half = |path: &str| {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        );
        server.send(head.as_bytes())
    };
    let mut probes = [half("/readyz"), half("/v1/stream")];
    let mut working = server.send(&post("/compute", "", &long_recording(60)));
    until("it works", || server.metric("paretone_running", "v7") == 1.0);
    server.signal(Signal::TERM);
    until_stopping(&server);
    for probe in &mut probes {
        probe.write_all(b"\r\n").unwrap();
        let reply = Reply::read(probe).unwrap();
        problem(&reply, 503);
        assert!(reply.header("retry-after").is_some());
        assert_eq!(reply.header("connection"), Some("close"));
    }
    let ended = idle.len();
    for mut stream in idle {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "nothing was asked");
    }
    assert_eq!(Reply::read(&mut working).unwrap().status, 200);
    assert!(server.wait().success());
    println!("2 requests refused with 503, {ended} idle connections ended, 1 request answered");
}

#[test]
fn killed_it_starts_again_on_its_port() {
    let mut server = Server::start(&[]);
    let address = server.address.to_string();
    for round in 0..3 {
        let mut open = server.send(&post("/compute", "", &long_recording(60)));
        until("it works", || server.metric("paretone_running", "v7") == 1.0);
        server.signal(Signal::KILL);
        assert!(!server.wait().success());
        assert!(Reply::read(&mut open).is_none(), "an answer from the dead");
        server = Server::start(&[&format!("--listen={address}")]);
        let reply = server.post("/compute", "", &sample("river.wav"));
        assert_eq!(reply.status, 200, "round {round}");
    }
    println!("killed 3 times in the middle of a request, started and answered 3 times");
}

#[test]
fn before_it_stops_it_says_so_for_a_while() {
    let mut server = Server::start(&["--drain-delay=600"]);
    assert_eq!(server.get("/readyz").status, 200);
    server.signal(Signal::TERM);
    until("it is not ready", || server.get("/readyz").status == 503);
    // It serves on meanwhile.
    assert_eq!(server.post("/compute", "", &sample("river.wav")).status, 200);
    assert_eq!(server.get("/healthz").status, 200);
    server.signal(Signal::TERM);
    assert!(server.wait().success());
}

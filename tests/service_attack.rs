//! `paretone serve` under attack, as far as a test can do it without a clock: what one caller, one
//! page or one log does takes nothing from others. `scripts/service/attack.sh` does it with other
//! people's tools, at length.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::fs::File;
use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use service_client::{PATIENCE, Reply, Server, long_recording, post, sample, until};
use tungstenite::{Message, WebSocket};

/// Requests whose log lines fill a pipe several times.
const MANY: usize = 2000;

/// Sends many requests on one connection, and tells how many were answered.
fn many_requests(server: &Server) -> usize {
    let mut stream = server.connect();
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    (0..MANY)
        .filter(|_| {
            stream.write_all(request).unwrap();
            Reply::read(&mut stream).is_some_and(|reply| reply.status == 200)
        })
        .count()
}

#[test]
fn a_log_that_is_full_stalled_or_closed_costs_lines_and_no_request() {
    for kind in ["full", "stalled", "closed"] {
        let log = match kind {
            "full" => Stdio::from(File::options().write(true).open("/dev/full").unwrap()),
            _ => Stdio::piped(),
        };
        let mut server = Server::start_logging(&["--shadow=0"], log);
        if kind == "closed" {
            drop(server.child.stderr.take());
        }
        assert_eq!(many_requests(&server), MANY, "{kind}");
        let reply = server.post("/compute", "", &sample("river.wav"));
        assert_eq!(reply.status, 200, "{kind}");
        if kind != "stalled" {
            until("lost lines are counted", || {
                server.metric("paretone_log_lines_lost_total", "") > 0.0
            });
        }
        server.signal(Signal::TERM);
        assert!(server.wait().success(), "{kind}");
    }
    println!("3 bad logs, {} requests, all answered", 3 * MANY);
}

#[test]
fn nobody_need_read_standard_output() {
    for out in ["/dev/full", "/dev/null"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paretone"));
        command.args(["serve", "--model=models/en", "--listen=127.0.0.1:0", "--config=/dev/null"]);
        let out = File::options().write(true).open(out).unwrap();
        let mut child = command.stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(" serving") {
            line.clear();
            assert!(std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0, "it ended");
        }
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

/// Opens a stream from an address of this machine.
fn stream_from(server: &Server, from: &str) -> Option<WebSocket<TcpStream>> {
    let stream = server.connect_from(from);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let uri = format!("ws://{}/v1/stream", server.address);
    tungstenite::client(uri, stream).ok().map(|(socket, _)| socket)
}

#[test]
fn silent_streams_take_nothing_and_end() {
    let server =
        Server::start(&["--max-streams=64", "--max-client-streams=32", "--stream-timeout=2"]);
    let mut silent: Vec<_> = (0..40).filter_map(|_| stream_from(&server, "127.0.0.1")).collect();
    assert_eq!(silent.len(), 32, "one client's share");
    assert_eq!(server.metric("paretone_streams", ""), 32.0);
    assert_eq!(server.metric("paretone_stream_memory_held_bytes", ""), 0.0);
    assert_eq!(server.post("/compute", "", &sample("river.wav")).status, 200);
    let mut other = stream_from(&server, "127.0.0.2").expect("others have theirs");
    other.send(Message::binary(vec![0; 3200])).unwrap();
    assert!(other.read().unwrap().is_text());
    assert!(server.metric("paretone_stream_memory_held_bytes", "") > 0.0);
    // Neither pings nor settings are audio.
    until("silent streams end", || {
        for socket in &mut silent {
            let _ = socket.send(Message::Ping(Default::default()));
            let _ = socket.send(Message::text("{\"config\": {\"words\": 1}}"));
        }
        server.metric("paretone_streams", "") == 0.0
    });
}

#[test]
fn callers_who_do_not_read_lose_their_place() {
    let server = Server::start(&["--idle-timeout=1", "--max-connections=8"]);
    let request = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(400);
    let unread: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = server.connect();
            stream.set_nonblocking(true).unwrap();
            // As much as is taken.
            let _ = stream.write(&request);
            stream
        })
        .collect();
    until("none is open but the one that asks", || {
        server.metric("paretone_connections", "") == 1.0
    });
    drop(unread);
}

#[test]
fn probes_and_other_clients_are_answered_while_one_holds_all_it_may() {
    let server = Server::start(&["--max-connections=20", "--idle-timeout=600"]);
    for many in [50, 200, 300] {
        // Silent ones, and such as have begun to ask.
        let silent: Vec<TcpStream> = (0..many).map(|_| server.connect()).collect();
        let asking: Vec<TcpStream> = (0..many).map(|_| server.send(b"GET /tiers HTT")).collect();
        for path in ["/healthz", "/readyz"].repeat(20) {
            assert_eq!(server.get(path).status, 200);
        }
        let mut stream = server.connect_from("127.0.0.2");
        let request = post("/compute", "Tolerance: 10%\r\n", &sample("river.wav"));
        stream.write_all(&request).unwrap();
        assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
        drop((silent, asking));
    }
}

#[test]
fn probes_have_a_listener_of_their_own_where_that_is_wanted() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let server = Server::start(&[&format!("--probe-listen=127.0.0.1:{port}")]);
    let ask = |path: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        Reply::read(&mut stream).unwrap().status
    };
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/tiers", 404)]
    {
        assert_eq!(ask(path), status, "{path}");
    }
    assert_eq!(server.get("/tiers").status, 200);
}

#[test]
fn one_who_sprays_over_tiers_gets_a_share_of_one_bound() {
    let server = Server::start(&["--workers=1", "--queue=4"]);
    let long = long_recording(60);
    let spray: Vec<TcpStream> = (0..40)
        .map(|number| {
            let tolerance = format!("Tolerance: {}%\r\n", f64::from(number) / 4.0);
            server.send(&post("/compute", &tolerance, &long))
        })
        .collect();
    until("it is refused", || server.metric("paretone_refusals_total", "") >= 30.0);
    assert!(server.metric("paretone_queue_length", "") <= 6.0);
    let mut stream = server.connect_from("127.0.0.2");
    stream.write_all(&post("/compute", "", &sample("river.wav"))).unwrap();
    assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
    drop(spray);
}

#[test]
fn where_files_are_few_connections_are_fewer() {
    let flags = ["--idle-timeout=600"];
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 400; exec \"$0\" \"$@\""]);
    command.arg(env!("CARGO_BIN_EXE_paretone"));
    let server = Server::start_by(command, &flags, Stdio::null());
    let silent: Vec<TcpStream> = (0..300).map(|_| server.connect()).collect();
    let asking: Vec<TcpStream> = (0..300).map(|_| server.send(b"GET /tiers HTT")).collect();
    for path in ["/healthz", "/readyz"].repeat(10) {
        assert_eq!(server.get(path).status, 200);
    }
    let mut stream = server.connect_from("127.0.0.2");
    let request = post("/compute", "Tolerance: 10%\r\n", &sample("river.wav"));
    stream.write_all(&request).unwrap();
    assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
    drop((silent, asking));
}

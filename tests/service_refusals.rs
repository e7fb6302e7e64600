//! `paretone serve` and requests that are refused before their body is read: the answer reaches a
//! caller who first sends all of it, and nobody is listened to without end.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use service_client::{PATIENCE, Reply, Server, post, problem, sample};

/// Connections of each kind.
const CALLERS: usize = 100;
/// A body that no socket's buffers hold.
const BODY: usize = 2_000_000;

/// A request with a chunked body of [`BODY`] bytes at least.
fn chunked(headers: &str) -> Vec<u8> {
    let mut request = format!(
        "POST /compute HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n{headers}\r\n"
    )
    .into_bytes();
    for _ in 0..BODY.div_ceil(0x10000) {
        request.extend(b"10000\r\n");
        request.extend([b'x'; 0x10000]);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    request
}

/// Sends all of a request, in so many parts with pauses between them, and reads only then.
fn sent_whole(server: &Server, request: &[u8], parts: usize) -> Option<Reply> {
    let mut stream = server.connect();
    for part in request.chunks(request.len().div_ceil(parts)) {
        stream.write_all(part).ok()?;
        if parts > 1 {
            thread::sleep(Duration::from_millis(50));
        }
    }
    Reply::read(&mut stream)
}

#[test]
fn a_refusal_reaches_callers_who_send_their_body_first() {
    let open = Server::start(&[]);
    let narrow = Server::start(&["--max-body=1"]);
    let guarded = Server::start(&["--token=secret"]);
    let body = vec![b'x'; BODY];
    let bad = "Tolerance: -1\r\n";
    let kinds = [
        (400, &open, post("/compute", bad, &body), 1),
        (400, &open, post("/compute", bad, &body), 10),
        (400, &open, chunked(bad), 1),
        (401, &guarded, post("/compute", "", &body), 1),
        (403, &open, post("/reload", "", &body), 1),
        (404, &open, post("/nowhere", "", &body), 1),
        (405, &open, post("/tiers", "", &body), 1),
        (413, &narrow, post("/compute", "", &body), 1),
        (413, &narrow, chunked(""), 1),
        (415, &open, post("/v1/audio/transcriptions", "", &body), 1),
    ];
    let mut lost = Vec::new();
    for (status, server, request, parts) in &kinds {
        let ask = || (0..CALLERS / 10).filter_map(|_| sent_whole(server, request, *parts));
        let count = || ask().inspect(|reply| drop(problem(reply, *status))).count();
        let answered: usize = thread::scope(|scope| {
            let callers: Vec<_> = (0..10).map(|_| scope.spawn(count)).collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        println!("{status} in {parts} parts: {answered} of {CALLERS} read the answer");
        lost.extend((answered < CALLERS).then_some((status, parts, answered)));
    }
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn a_connection_goes_on_after_a_refusal() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    let keep = |request: Vec<u8>| {
        let request = String::from_utf8_lossy(&request).into_owned();
        request.replacen("Connection: close\r\n", "", 1).into_bytes()
    };
    let refused = keep(post("/compute", "Tolerance: -1\r\n", &[b'x'; BODY]));
    for _ in 0..10 {
        stream.write_all(&refused).unwrap();
        problem(&Reply::read(&mut stream).unwrap(), 400);
    }
    stream.write_all(&post("/compute", "", &sample("river.wav"))).unwrap();
    assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
}

#[test]
fn who_waits_to_be_told_to_continue_is_not_told_so() {
    let server = Server::start(&[]);
    let request = post("/compute", "Tolerance: -1\r\nExpect: 100-continue\r\n", &[b'x'; BODY]);
    let head = request.len() - BODY;
    for _ in 0..10 {
        let mut stream = server.send(&request[..head]);
        problem(&Reply::read(&mut stream).unwrap(), 400);
        assert_eq!(rest(stream), 0);
    }
}

/// How many bytes come until the server ends the connection.
fn rest(mut stream: TcpStream) -> usize {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap()
}

#[test]
fn a_refused_body_is_not_waited_for_without_end() {
    let mut server = Server::start(&["--idle-timeout=600", "--upload-timeout=600"]);
    let silent = post("/compute", "Tolerance: -1\r\n", &[b'x'; BODY]);
    let endless =
        b"POST /compute HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTolerance: -1\r\n\r\n";
    let ask = |request: &[u8]| {
        let mut stream = server.send(request);
        problem(&Reply::read(&mut stream).unwrap(), 400);
        stream
    };
    for request in [&silent[..BODY / 2], endless] {
        assert_eq!(rest(ask(request)), 0, "a caller who falls silent");
    }
    let mut flood = ask(endless);
    let part = [b"100000\r\n", &[b'x'; 1 << 20][..], b"\r\n"].concat();
    // Thrown away up to a bound, and then the connection ends.
    let taken = (0..1 << 12).take_while(|_| flood.write_all(&part).is_ok()).count();
    assert!(taken < 1 << 9, "{taken} MiB");
    let mut trickle = ask(endless);
    let trickling = std::time::Instant::now();
    while trickle.write_all(b"1\r\nx\r\n").is_ok() {
        assert!(trickling.elapsed() < PATIENCE, "a trickle is endured");
        thread::sleep(Duration::from_millis(50));
    }
    let waiting = ask(endless);
    server.signal(Signal::TERM);
    assert!(server.wait().success());
    assert_eq!(rest(waiting), 0);
    println!("{taken} MiB of an endless body taken");
}

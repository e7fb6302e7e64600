//! `paretone serve` holds no more memory than its limits say, whatever is sent, and nothing that
//! happens to its model's files ends it.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::fs::File;
use std::net::TcpStream;
use std::process::{Command, Stdio};

use service_client::{PATIENCE, Server, form, long_recording, post, problem, sample, until};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::{Message, WebSocket};

#[test]
fn heads_of_parts_are_bounded() {
    let server = Server::start(&["--max-memory=64"]);
    assert_eq!(server.post("/compute", "", &sample("river.wav")).status, 200);
    #[cfg(target_os = "linux")]
    let before = server.peak_memory();
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    let filler = "a".repeat(20 << 20);
    let bodies = [
        format!("{filler}\r\n--x--\r\n"),
        format!("--x\r\nContent-Disposition: form-data; name=\"{filler}\"\r\n\r\n--x--\r\n"),
        format!("--x\r\nA: {filler}\r\n\r\nRIFF\r\n--x--\r\n"),
        format!("--x\r\n{}\r\nRIFF\r\n--x--\r\n", "A: b\r\n".repeat(3 << 20)),
    ];
    let requests = bodies.map(|body| post("/v1/audio/transcriptions", kind, body.as_bytes()));
    std::thread::scope(|scope| {
        for request in requests.iter().cycle().take(16) {
            scope.spawn(|| {
                let reply = server.ask(request);
                assert!([400, 413].contains(&reply.status), "{}", reply.text());
            });
        }
    });
    #[cfg(target_os = "linux")]
    {
        let grown = server.peak_memory() - before;
        println!("16 forms of 20 MiB heads, memory grew by {} MiB", grown >> 10);
        assert!(grown < 48 << 10, "{grown} KiB; now {}", server.parts_of_memory());
    }
    // What is only passed over may be as long as a body.
    let prompt = "a".repeat(1 << 20);
    let request = form(&[("prompt", &prompt)], Some(&sample("river.wav")));
    assert_eq!(server.ask(&request).status, 200);
}

/// Sends a part of a message that does not end with it.
fn send_part(socket: &mut WebSocket<TcpStream>, kind: Data, length: usize) {
    let frame = Frame::message(vec![0; length], OpCode::Data(kind), false);
    socket.send(Message::Frame(frame)).unwrap();
}

#[test]
fn messages_that_do_not_end_are_counted() {
    let server = Server::start(&["--max-stream-memory=4"]);
    let open = || {
        let stream = server.connect();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let uri = format!("ws://{}/v1/stream", server.address);
        tungstenite::client(uri, stream).unwrap().0
    };
    let held = || server.metric("paretone_stream_memory_held_bytes", "");
    let mut first = open();
    send_part(&mut first, Data::Text, 1 << 20);
    for _ in 0..4 {
        send_part(&mut first, Data::Continue, 1 << 19);
    }
    until("what has arrived is counted", || held() >= f64::from(3 << 20));
    // There is no room for as much of another's.
    let mut second = open();
    send_part(&mut second, Data::Binary, 3 << 19);
    let told = second.read().unwrap();
    assert!(told.to_text().unwrap().contains("memory"), "{told}");
    match second.read().unwrap() {
        Message::Close(Some(frame)) => assert_eq!(frame.code, CloseCode::Again),
        other => panic!("{other:?}, no close"),
    }
    drop((first, second));
    until("it is given back", || held() == 0.0);
}

#[test]
fn recordings_that_are_told_by_events_count_as_streams() {
    let server = Server::start(&["--workers=1", "--max-client-streams=2"]);
    let request = form(&[("stream", "true")], Some(&long_recording(60)));
    let told: Vec<TcpStream> = (0..2).map(|_| server.send(&request)).collect();
    until("two are told", || server.metric("paretone_streams", "") == 2.0);
    let reply = server.ask(&request);
    assert!(reply.header("retry-after").is_some());
    problem(&reply, 429);
    until("both are decoded", || {
        server.metric("paretone_stream_memory_held_bytes", "") >= f64::from(10 << 20)
    });
    drop(told);
    until("who has gone is told nothing", || server.metric("paretone_streams", "") == 0.0);
    assert_eq!(server.metric("paretone_stream_memory_held_bytes", ""), 0.0);
}

/// A folder with a copy of the model.
fn copied_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir("models/en").unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    folder
}

#[test]
fn files_cut_short_while_it_serves_do_no_harm() {
    let (model, cache) = (copied_model(), tempfile::tempdir().unwrap());
    let flag = format!("--model={}", model.path().display());
    let server = Server::start_in(&[&flag], Stdio::null(), cache.path());
    let mut cut = 0;
    for folder in [model.path(), cache.path()] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(0).unwrap();
            cut += 1;
        }
    }
    assert!(cut > 10, "model and graph");
    let reply = server.post("/compute", "Tolerance: 0\r\n", &sample("river.wav"));
    assert!(reply.text().contains("river"), "{}", reply.text());
    // And a model that was cut short before is told, not opened.
    let second = Command::new(env!("CARGO_BIN_EXE_paretone"))
        .args(["serve", "--listen=127.0.0.1:0", &flag])
        .env("PARETONE_CACHE", cache.path())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
}

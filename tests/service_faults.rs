//! `paretone serve` and callers who overload it, go away, dawdle or lie: each is told so in time,
//! and takes nothing from the others.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod claims;
mod service_client;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use service_client::{
    PATIENCE, Reply, Server, form, long_recording, post, problem, raise_file_limit, sample, until,
};

#[test]
fn a_full_queue_says_when_to_come_again() {
    let server = Server::start(&["--workers=1", "--queue=2", "--max-audio=600"]);
    let long = post("/compute", "", &long_recording(120));
    let callers: Vec<TcpStream> = (0..5).map(|_| server.send(&long)).collect();
    until("one is worked for and two wait", || {
        server.metric("paretone_running", "v7") == 1.0 && server.metric("paretone_queue", "") == 2.0
    });
    let counted = |tier: &str| server.metric("paretone_refusals_total", tier);
    let before = counted("");
    for _ in 0..10 {
        let reply = server.post("/compute", "", &sample("river.wav"));
        problem(&reply, 429);
        assert!(reply.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    }
    assert!(counted("") >= before + 10.0);
    // The queue of one tier keeps nobody out of another's.
    let reply = server.send(&post("/compute", "Tolerance: 10%\r\n", &sample("river.wav")));
    until("it waits", || server.metric("paretone_queue", "") == 3.0);
    drop(callers);
    let mut reply = reply;
    assert_eq!(Reply::read(&mut reply).unwrap().status, 200);
    println!("10 requests to a full queue, 10 refused with 429; 1 to another queue, answered");
}

#[test]
fn a_deadline_is_kept() {
    let server = Server::start(&["--max-audio=600"]);
    let long = long_recording(60);
    for _ in 0..3 {
        problem(&server.post("/compute", "Deadline: 0.001\r\n", &long), 503);
    }
    assert_eq!(server.metric("paretone_failures_total", "late"), 3.0);
    println!("3 requests of 1 ms, 3 refused with 503");
}

#[test]
fn callers_who_go_away_are_not_worked_for() {
    let server = Server::start(&["--workers=1", "--max-audio=600"]);
    let request = post("/compute", "", &long_recording(120));
    let working = server.send(&request);
    until("it works", || server.metric("paretone_running", "v7") == 1.0);
    let waiting: Vec<TcpStream> = (0..3).map(|_| server.send(&request)).collect();
    until("they wait", || server.metric("paretone_queue", "") == 3.0);
    drop((working, waiting));
    until("all are stopped", || server.metric("paretone_failures_total", "cancelled") == 4.0);
    until("the worker is free", || server.metric("paretone_running", "") == 0.0);
    let reply = server.post("/compute", "", &sample("river.wav"));
    assert_eq!(reply.status, 200);
    println!("1 caller gone in the search and 3 in the queue, 4 stopped");
}

#[test]
fn an_upload_that_breaks_off_gives_its_memory_back() {
    let server = Server::start(&["--max-memory=2"]);
    let whole = || server.post("/compute", "", &sample("river.wav")).status;
    let request = post("/compute", "", &vec![b'x'; 1 << 20]);
    for _ in 0..10 {
        let send = || server.send(&request[..900 << 10]);
        let mut half = send();
        // Its share of the memory is missed by others, who take more than the rest; one that was
        // quicker may have cost the half its place.
        until("the half has arrived", || {
            let is_held = whole() == 429;
            if !is_held {
                half = send();
            }
            is_held
        });
        drop(half);
        until("its memory is free", || whole() == 200);
    }
    println!("10 uploads broken off, 10 times their memory was free again");
}

#[test]
fn a_thousand_idle_connections_keep_nobody_out() {
    let server = Server::start(&["--idle-timeout=3"]);
    raise_file_limit();
    let idle: Vec<TcpStream> = (0..1000).map(|_| server.connect()).collect();
    for _ in 0..20 {
        let reply = server.post("/compute", "Tolerance: 10%\r\n", &sample("river.wav"));
        assert_eq!(reply.status, 200);
    }
    for mut stream in idle {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = Vec::new();
        // Ended by the server, in whatever way.
        let _ = stream.read_to_end(&mut said);
    }
    until("none is open but the one that asks", || {
        server.metric("paretone_connections", "") == 1.0
    });
    println!("1000 idle connections, 20 requests answered beside them, all ended");
}

#[test]
fn slow_bodies_are_ended() {
    let server = Server::start(&["--idle-timeout=1", "--upload-timeout=2"]);
    let head = b"POST /compute HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n";
    let mut silent: Vec<TcpStream> = (0..20).map(|_| server.send(head)).collect();
    for stream in &mut silent {
        problem(&Reply::read(stream).unwrap(), 408);
    }
    let mut trickles: Vec<TcpStream> = (0..20).map(|_| server.send(head)).collect();
    let started = Instant::now();
    thread::scope(|scope| {
        for stream in &trickles {
            let mut stream = stream.try_clone().unwrap();
            scope.spawn(move || {
                while stream.write_all(b"R").is_ok() {
                    assert!(started.elapsed() < PATIENCE, "a trickle is endured");
                    thread::sleep(Duration::from_millis(50));
                }
            });
        }
        for stream in &mut trickles {
            problem(&Reply::read(stream).unwrap(), 408);
        }
    });
    // A head that never ends.
    let mut heads: Vec<TcpStream> = (0..20).map(|_| server.send(&head[..20])).collect();
    for stream in &mut heads {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(!said.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(server.get("/healthz").status, 200);
    println!("20 silent bodies and 20 that trickle, 40 answered with 408; 20 endless heads ended");
}

#[test]
fn a_few_bytes_that_claim_hours_take_no_more_than_they_are() {
    let server = Server::start(&["--max-audio=20"]);
    let audio = |name: &str| fs::read(format!("tests/audio/chirp.{name}")).unwrap();
    assert_eq!(server.post("/compute", "", &sample("river.wav")).status, 200);
    #[cfg(target_os = "linux")]
    let before = server.peak_memory();
    let claims = [
        ("WAV", claims::wav_claiming(sample("night.wav"))),
        ("FLAC", claims::flac_claiming(audio("flac"))),
        ("Ogg Vorbis", claims::ogg_claiming(audio("ogg"))),
        ("Ogg Opus", claims::ogg_claiming(audio("opus"))),
    ];
    for (name, bytes) in &claims {
        let reply = server.post("/compute", "", bytes);
        // What is there is heard, or it is refused.
        assert!([200, 413, 422].contains(&reply.status), "{name}: {}", reply.text());
        println!("{name} that claims hours: {}", reply.status);
    }
    let hours =
        [("FLAC", claims::flac_of_hours()), ("Ogg Opus", claims::opus_of_hours(&audio("opus")))];
    for (name, bytes) in &hours {
        problem(&server.post("/compute", "", bytes), 413);
        let form = form(&[("model", "whisper-1")], Some(bytes));
        problem(&server.ask(&form), 413);
        println!("{name} of ten hours in {} KiB: 413", bytes.len() >> 10);
    }
    #[cfg(target_os = "linux")]
    {
        let grown = server.peak_memory() - before;
        println!("memory grew by {} MiB at most", grown >> 10);
        assert!(grown < 64 << 10, "{grown} KiB");
    }
}

#[test]
fn malformed_forms_are_refused() {
    let server = Server::start(&[]);
    let file = "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n";
    let field = "--x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\n";
    let bodies = [
        (400, String::new()),
        (400, "--x".into()),
        (400, "--x\r\n\r\n".into()),
        (400, "--y--".into()),
        (400, "--x--\r\n".into()),
        (400, format!("{file}RIFF")),
        (400, format!("{file}RIFF\r\n--x")),
        (400, format!("{file}\r\n--x--\r\n")),
        (400, "--x\r\nContent-Disposition: form-data\r\n\r\n".into()),
        (
            422,
            "--x\r\nContent-Disposition: attachment; name=\"file\"\r\n\r\nRIFF\r\n--x--\r\n".into(),
        ),
        (400, "--x\r\n: : :\r\n\r\nRIFF\r\n--x--\r\n".into()),
        (400, format!("{file}RIFF\r\n{file}RIFF\r\n--x--\r\n")),
        (400, format!("{}--x--\r\n", format!("{field}a\r\n").repeat(65))),
        (400, format!("{field}{}\r\n--x--\r\n", "a".repeat(5000))),
        (413, format!("{}{}\r\n--x--\r\n", field.replace("prompt", "model"), "a".repeat(5000))),
        (415, format!("{file}no audio at all\r\n--x--\r\n")),
        (422, format!("{file}RIFF\0\0\0\0WAVE\r\n--x--\r\n")),
    ];
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    for (status, body) in &bodies {
        let reply = server.post("/v1/audio/transcriptions", kind, body.as_bytes());
        problem(&reply, *status);
    }
    let kinds = [
        "",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "text/plain; boundary=x",
        "\u{7f}",
    ];
    for kind in kinds {
        let kind = format!("Content-Type: {kind}\r\n");
        let reply = server.post("/v1/audio/transcriptions", &kind, bodies[5].1.as_bytes());
        assert!([400, 415].contains(&reply.status), "{kind}: {}", reply.status);
    }
    let count = bodies.len() + kinds.len();
    println!("{count} malformed forms, {count} refused");
}

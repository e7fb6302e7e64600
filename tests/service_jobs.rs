//! `paretone serve --jobs`: what was taken in is answered once, whatever happens to the process.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;
use service_client::{Server, long_recording, problem, sample, until};

/// Jobs of the test that kills; `attack.sh` does it with 200.
const MANY: usize = 12;

/// A folder for the file of jobs, and the flag that names it.
fn place() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let flag = format!("--jobs={}", folder.path().join("jobs.sqlite").display());
    (folder, flag)
}

fn submit(server: &Server, headers: &str, recording: &[u8]) -> (u16, Value) {
    let reply = server.post("/v1/jobs", headers, recording);
    let job: Value = serde_json::from_slice(&reply.body).unwrap();
    if reply.status < 300 {
        let id = job["id"].as_str().unwrap();
        assert_eq!(reply.header("location"), Some(&*format!("/v1/jobs/{id}")));
    }
    (reply.status, job)
}

fn job(server: &Server, id: &Value) -> Value {
    server.get(&format!("/v1/jobs/{}", id.as_str().unwrap())).json()
}

/// Waits for a job's end.
fn ended(server: &Server, id: &Value) -> Value {
    until("the job ends", || {
        let state = job(server, id)["state"].clone();
        state == "done" || state == "failed"
    });
    job(server, id)
}

#[test]
fn a_job_is_answered_as_an_upload_is() {
    let (_folder, flag) = place();
    let server = Server::start(&[&flag]);
    let recording = sample("river.wav");
    let headers = "Tolerance: 5%\r\nObjective: cost\r\nAccept: application/json\r\n";
    let answer = server.post("/compute", headers, &recording).json();
    let (status, first) = submit(&server, headers, &recording);
    assert_eq!(status, 202);
    let done = ended(&server, &first["id"]);
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(done["progress"], 1.0);
    for part in ["text", "words", "audio_seconds"] {
        assert_eq!(done["result"][part], answer[part]);
    }
    let tier = |answer: &Value| answer["account"]["tier"].clone();
    assert_eq!(tier(&done["result"]), tier(&answer));
    assert_eq!(server.metric("paretone_jobs", "done"), 1.0);
    // What cannot be heard is told, as of an upload.
    let (_, bad) = submit(&server, "", b"no audio at all");
    let failed = ended(&server, &bad["id"]);
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["status"], 415);
    // What was read may go.
    let id = first["id"].as_str().unwrap();
    let delete = format!("DELETE /v1/jobs/{id} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut stream = server.send(delete.as_bytes());
    let mut line = [0; 12];
    stream.read_exact(&mut line).unwrap();
    assert_eq!(&line, b"HTTP/1.1 204");
    problem(&server.get(&format!("/v1/jobs/{id}")), 404);
}

#[test]
fn a_key_names_one_job() {
    let (_folder, flag) = place();
    let server = Server::start(&[&flag]);
    let key = "Idempotency-Key: 7f0c\r\n";
    let (status, first) = submit(&server, key, &sample("river.wav"));
    assert_eq!(status, 202);
    let (status, again) = submit(&server, key, &sample("river.wav"));
    assert_eq!((status, &again["id"]), (200, &first["id"]));
    let (status, other) = submit(&server, "", &sample("river.wav"));
    assert_eq!(status, 202);
    assert_ne!(other["id"], first["id"]);
    assert_eq!(submit(&server, key, &sample("night.wav")).0, 422);
    let tolerant = format!("{key}Tolerance: 5%\r\n");
    assert_eq!(submit(&server, &tolerant, &sample("river.wav")).0, 422);
    for key in ["", "a b", &"k".repeat(256)] {
        let header = format!("Idempotency-Key: {key}\r\n");
        assert_eq!(submit(&server, &header, b"RIFF").0, 400, "{key}");
    }
}

#[test]
fn jobs_are_bounded_and_only_where_they_are_wanted() {
    let server = Server::start(&[]);
    problem(&server.post("/v1/jobs", "", &sample("river.wav")), 403);
    drop(server);
    let (_folder, flag) = place();
    let long = long_recording(40);
    let statuses =
        |server: &Server| -> Vec<u16> { (0..5).map(|_| submit(server, "", &long).0).collect() };
    // One recording has the room.
    let server = Server::start(&[&flag, "--max-jobs-disk=8"]);
    assert_eq!(statuses(&server), [202, 429, 429, 429, 429]);
    drop(server);
    // One runs and one waits, or both wait.
    let (_folder, flag) = place();
    let server = Server::start(&[&flag, "--max-jobs=4", "--workers=1"]);
    let statuses = statuses(&server);
    assert_eq!((statuses[0], statuses[4]), (202, 429), "{statuses:?}");
    let reply = server.post("/v1/jobs", "", &long);
    assert!(reply.header("retry-after").is_some());
    for (headers, status) in [
        ("Callback: http://127.0.0.1:9/\r\n", 403),
        ("Callback: nowhere\r\n", 400),
        ("Tolerance: much\r\n", 400),
    ] {
        problem(&server.post("/v1/jobs", headers, b"RIFF"), status);
    }
    problem(&server.post("/v1/jobs", "", b""), 400);
}

/// Takes callbacks, the first of which it refuses, and tells the jobs they hold.
fn receiver() -> (u16, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, jobs) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let Some(body) = request_body(&mut stream) else {
                continue;
            };
            let status = if number == 0 { "503 Not now" } else { "200 OK" };
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            if number > 0 && sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                return;
            }
        }
    });
    (port, jobs)
}

fn request_body(stream: &mut std::net::TcpStream) -> Option<Vec<u8>> {
    let (mut read, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let count = stream.read(&mut part).ok().filter(|&count| count > 0)?;
        read.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&read).to_ascii_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.split("content-length: ").nth(1)?;
        let length: usize = length.lines().next()?.parse().ok()?;
        if read.len() >= head.len() + 4 + length {
            return Some(read.split_off(head.len() + 4));
        }
    }
}

#[test]
fn killed_it_answers_each_job_once_after_it_starts_again() {
    let (_folder, flag) = place();
    let (port, told) = receiver();
    let host = format!("--callback-host=127.0.0.1:{port}");
    let flags = [flag.as_str(), &host, "--workers=2"];
    let mut server = Server::start(&flags);
    let recording = long_recording(3);
    let text = server.post("/compute", "", &recording).text();
    let send = |server: &Server, number: usize| {
        let headers =
            format!("Idempotency-Key: job-{number}\r\nCallback: http://127.0.0.1:{port}/told\r\n");
        submit(server, &headers, &recording)
    };
    let jobs: Vec<Value> = (0..MANY).map(|number| send(&server, number).1["id"].clone()).collect();
    until("some are done", || server.metric("paretone_jobs", "done") >= 2.0);
    server.child.kill().unwrap();
    server.wait();
    let server = Server::start(&flags);
    let before: HashMap<&Value, Value> =
        jobs.iter().map(|id| (id, job(&server, id)["finished"].clone())).collect();
    // Sent again by callers who were cut off.
    for (number, id) in jobs.iter().enumerate() {
        let (status, again) = send(&server, number);
        assert_eq!((status, &again["id"]), (200, id));
    }
    for id in &jobs {
        let done = ended(&server, id);
        assert_eq!(done["state"], "done", "{done}");
        assert_eq!(done["result"]["text"], text.trim_end());
        let finished = &before[id];
        assert!(finished.is_null() || *finished == done["finished"], "answered twice");
    }
    assert_eq!(server.metric("paretone_jobs", ""), MANY as f64);
    // At least once; once more where the process was killed between the call and its record.
    until("all callbacks are told", || {
        jobs.iter().all(|id| job(&server, id)["callback"]["state"] == "delivered")
    });
    let told: Vec<Value> = told.try_iter().collect();
    let mut ids: Vec<&Value> = told.iter().map(|job| &job["id"]).collect();
    assert!((MANY..=MANY + 2).contains(&ids.len()), "{} told", ids.len());
    ids.sort_by_key(|id| id.to_string());
    ids.dedup();
    assert_eq!(ids.len(), MANY);
    assert!(told.iter().all(|job| job["result"]["text"] == text.trim_end()));
    println!("{MANY} jobs, killed once: each answered once, {} callbacks", told.len());
}

#[test]
fn told_to_stop_it_does_not_wait_for_jobs_and_runs_them_again() {
    let (_folder, flag) = place();
    let flags = [flag.as_str(), "--workers=1"];
    let mut server = Server::start(&flags);
    let (_, first) = submit(&server, "", &long_recording(60));
    until("it runs", || job(&server, &first["id"])["state"] == "running");
    for _ in 0..3 {
        server.signal(rustix::process::Signal::TERM);
        assert!(server.wait().success());
        server = Server::start(&flags);
        until("it runs again", || job(&server, &first["id"])["state"] == "running");
    }
    // Stopped four times, it is still not given up.
    assert_eq!(ended(&server, &first["id"])["state"], "done");
}

#[test]
fn two_services_do_not_share_a_file() {
    let (_folder, flag) = place();
    let _server = Server::start(&[&flag]);
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_paretone"))
        .args(["serve", "--model=models/en", "--listen=127.0.0.1:0", &flag])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(2));
    let log = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(log.contains("no other service uses the file"), "{log}");
}

//! `paretone serve` as its callers meet it: the program itself, on a loopback port, with the model of
//! the repository; what it answers, what it refuses, and that nothing that callers do takes it down.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use service_client::{Reply, Server, form, post, sample};

/// Long enough for a busy machine, and never reached where all is well.
const PATIENCE: Duration = Duration::from_secs(30);

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A recording of many sentences, which takes the strictest tier seconds.
fn long_recording(times: usize) -> Vec<u8> {
    let short = sample("river.wav");
    let data: Vec<u8> = short[44..].repeat(times);
    let mut long = short[..44].to_vec();
    long[40..44].copy_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
    long.extend(data);
    long
}

fn problem(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    let json: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(json["status"], status);
    json
}

#[test]
fn the_papers_request_and_its_tolerances() {
    let server = Server::start(&[]);
    let compute = |headers: &str| server.ask(&post("/compute", headers, &sample("river.wav")));
    let reply = compute("Tolerance: 0.01\r\nObjective: response-time\r\n");
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("river"), "{}", reply.text());
    for name in [
        "policy",
        "versions",
        "escalated",
        "confidence",
        "server-ms",
        "machine-ms",
        "certificate",
    ] {
        assert!(
            reply.header(&format!("paretone-{name}")).is_some(),
            "{name}"
        );
    }
    let tier = |headers: &str| compute(headers).header("paretone-tier").unwrap().to_owned();
    assert_eq!(tier(""), "response-time/0");
    assert_eq!(tier("Tolerance: 0\r\n"), tier(""));
    assert_eq!(tier("Tolerance: 5%\r\n"), tier("Tolerance: 0.05\r\n"));
    assert_eq!(tier("Tolerance: 5000\r\n"), tier("Tolerance: 10%\r\n"));
    assert!(tier("Objective: cost\r\n").starts_with("cost/"));
    let rounded: f64 = tier("Tolerance: 0.0499\r\n")["response-time/".len()..]
        .parse()
        .unwrap();
    assert!(rounded <= 0.0499);
    for bad in [
        "Tolerance: -1",
        "Tolerance: NaN",
        "Tolerance: much",
        "Objective: speed",
        "Deadline: -1",
        "Tolerance: 1\r\nTolerance: 1",
    ] {
        problem(&compute(&format!("{bad}\r\n")), 400);
    }
    let json = compute("Accept: application/json\r\n").json();
    assert!(json["text"].as_str().unwrap().contains("river"));
    assert_eq!(json["account"]["tier"], "response-time/0");
    assert_eq!(
        json["account"]["certificate"],
        server.get("/tiers").json()["id"]
    );
}

#[test]
fn openais_form_in_every_format() {
    let server = Server::start(&[]);
    let ask = |fields: &[(&str, &str)]| server.ask(&form(fields, Some(&sample("night.wav"))));
    let json = ask(&[("model", "whisper-1")]).json();
    assert!(json["text"].as_str().unwrap().contains("night"));
    assert_eq!(json["account"]["tier"], "response-time/0");
    assert!(ask(&[("response_format", "text")]).text().contains("night"));
    assert!(
        ask(&[("response_format", "srt")])
            .text()
            .starts_with("1\n00:00:00,")
    );
    assert!(
        ask(&[("response_format", "vtt")])
            .text()
            .starts_with("WEBVTT\n")
    );
    let verbose = ask(&[
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
    ])
    .json();
    assert!(verbose["words"].as_array().unwrap().len() > 3 && verbose["segments"].is_null());
    let verbose = ask(&[("response_format", "verbose_json")]).json();
    assert!(verbose["words"].is_null() && verbose["segments"][0]["id"] == 0);
    let tier = |fields: &[(&str, &str)]| ask(fields).json()["account"]["tier"].clone();
    let by_name = tier(&[("model", "paretone-5pct-cost")]);
    assert_eq!(
        by_name,
        tier(&[
            ("tolerance", "0.05"),
            ("objective", "cost"),
            ("model", "paretone")
        ])
    );
    problem(&ask(&[("model", "gpt-4")]), 404);
    problem(&ask(&[("response_format", "xml")]), 400);
    problem(&ask(&[("tolerance", "-5%")]), 400);
    problem(&ask(&[("language", "de")]), 422);
    problem(&server.ask(&form(&[("model", "paretone")], None)), 400);
    let models = server.get("/v1/models").json();
    let names: Vec<&str> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"whisper-1") && names.len() > 10);
    for name in names {
        assert_eq!(
            server.get(&format!("/v1/models/{name}")).status,
            200,
            "{name}"
        );
    }
}

#[test]
fn every_refusal_is_a_typed_problem() {
    let server = Server::start(&["--max-body=1", "--max-audio=2", "--idle-timeout=1"]);
    let compute = |body: &[u8]| server.ask(&post("/compute", "", body));
    problem(&compute(b""), 400);
    problem(&compute(b"hello, this is no audio"), 415);
    problem(&compute(&sample("river.wav")), 413);
    problem(&compute(&sample("river.wav")[..30]), 422);
    let claimed = b"POST /compute HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    problem(&server.ask(claimed), 413);
    let mut chunked = b"POST /compute HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..17 {
        chunked.extend(b"10000\r\n");
        chunked.extend([b'x'; 0x10000]);
        chunked.extend(b"\r\n");
    }
    problem(&server.ask(&chunked), 413);
    problem(&server.get("/nowhere"), 404);
    problem(&server.get("/compute"), 405);
    problem(&server.ask(&post("/reload", "", b"")), 403);
    problem(
        &server.ask(&post("/v1/audio/transcriptions", "", b"a=b")),
        415,
    );
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    for body in [
        "",
        "--x",
        "--x\r\n\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nRIFF",
        "--y--",
        "--x--\r\n",
    ] {
        problem(
            &server.ask(&post("/v1/audio/transcriptions", kind, body.as_bytes())),
            400,
        );
    }
    let slow = b"POST /compute HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 100\r\n\r\nRIFF";
    problem(&server.ask(slow), 408);
    assert_eq!(server.get("/healthz").status, 200);
    // A header that claims hours: what is there is heard, what is claimed is not allocated.
    let mut claims = sample("night.wav")[..44 + 16_000].to_vec();
    claims[40..44].copy_from_slice(&(u32::MAX - 100).to_le_bytes());
    assert_eq!(compute(&claims).status, 200);
}

#[test]
fn a_full_queue_says_when_to_come_again_and_a_deadline_is_kept() {
    let server = Server::start(&["--queue=0"]);
    let reply = server.ask(&post("/compute", "", &sample("river.wav")));
    problem(&reply, 429);
    assert!(reply.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    let server = Server::start(&[]);
    let reply = server.ask(&post("/compute", "Deadline: 0.01\r\n", &long_recording(10)));
    problem(&reply, 503);
}

#[test]
fn only_callers_with_the_token_are_served() {
    let server = Server::start(&["--token=secret"]);
    let wrong = "Authorization: Bearer wrong\r\n";
    for headers in ["", wrong] {
        let reply = server.ask(&post("/compute", headers, &sample("river.wav")));
        problem(&reply, 401);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
    }
    let right =
        "Authorization: Bearer secret\r\nX-Request-Id: mine-1\r\nOrigin: http://a.example\r\n";
    let reply = server.ask(&post("/compute", right, &sample("river.wav")));
    assert_eq!(
        (reply.status, reply.header("x-request-id")),
        (200, Some("mine-1"))
    );
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn callers_who_go_away_are_not_worked_for() {
    let server = Server::start(&["--workers=1"]);
    let request = post("/compute", "", &long_recording(40));
    let mut half = TcpStream::connect(server.address).unwrap();
    half.write_all(&request[..request.len() / 2]).unwrap();
    drop(half);
    let mut whole = TcpStream::connect(server.address).unwrap();
    whole.write_all(&request).unwrap();
    thread::sleep(Duration::from_millis(300));
    drop(whole);
    until("the search is cancelled", || {
        server
            .get("/metrics")
            .text()
            .contains("paretone_failures_total{outcome=\"cancelled\"} 1")
    });
    assert_eq!(
        server
            .ask(&post("/compute", "", &sample("river.wav")))
            .status,
        200
    );
}

#[test]
fn idle_and_trickling_connections_are_ended_and_keep_nobody_out() {
    let server = Server::start(&["--idle-timeout=3", "--upload-timeout=3"]);
    service_client::raise_file_limit();
    let idle: Vec<TcpStream> = (0..1000)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    assert_eq!(
        server
            .ask(&post("/compute", "", &sample("river.wav")))
            .status,
        200
    );
    for mut stream in idle {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = Vec::new();
        // Ended by the server, in whatever way.
        let _ = stream.read_to_end(&mut said);
    }
    let mut trickle = TcpStream::connect(server.address).unwrap();
    trickle
        .write_all(b"POST /compute HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
        .unwrap();
    let started = Instant::now();
    while trickle.write_all(b"R").is_ok() {
        assert!(started.elapsed() < PATIENCE, "a trickle is endured");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.get("/healthz").status, 200);
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
                let is_before = !is_told.load(Ordering::SeqCst);
                let sent = stream.write_all(&request);
                let reply = sent.ok().and_then(|()| Reply::read(&mut stream));
                before += usize::from(is_before);
                answered +=
                    usize::from(is_before && reply.is_some_and(|reply| reply.status == 200));
            }
            (before, answered)
        };
        let callers: Vec<_> = (0..6).map(|_| scope.spawn(call)).collect();
        thread::sleep(Duration::from_secs(1));
        is_told.store(true, Ordering::SeqCst);
        server.signal(rustix::process::Signal::TERM);
        let counts: Vec<(usize, usize)> = callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect();
        let sum = counts
            .iter()
            .fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
        assert!(
            sum.0 > 6 && sum.0 == sum.1,
            "asked before the signal and answered: {counts:?}"
        );
    });
    assert!(server.wait().success());
}

#[test]
fn killed_it_starts_again_on_its_port() {
    let mut server = Server::start(&[]);
    let address = server.address.to_string();
    let mut open = TcpStream::connect(server.address).unwrap();
    open.write_all(&post("/compute", "", &long_recording(20)))
        .unwrap();
    server.signal(rustix::process::Signal::KILL);
    assert!(!server.wait().success());
    assert!(Reply::read(&mut open).is_none(), "an answer from the dead");
    let again = Server::start(&[&format!("--listen={address}")]);
    assert_eq!(
        again
            .ask(&post("/compute", "", &sample("river.wav")))
            .status,
        200
    );
}

#[test]
fn rules_are_swapped_under_load_and_damaged_ones_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules.toml");
    let text = fs::read_to_string("models/en/rules.toml").unwrap();
    fs::write(&path, &text).unwrap();
    let server = Server::start(&[&format!("--rules={}", path.display()), "--token=t"]);
    let (id, token) = (
        |reply: Reply| reply.header("paretone-certificate").unwrap().to_owned(),
        "Authorization: Bearer t\r\n",
    );
    let request = post(
        "/compute",
        &format!("Tolerance: 10%\r\n{token}"),
        &sample("night.wav"),
    );
    let reload = || server.ask(&post("/reload", token, b""));
    let first = id(server.ask(&request));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let call = || {
            let mut count = 0;
            while !is_over.load(Ordering::SeqCst) {
                assert_eq!(server.ask(&request).status, 200);
                count += 1;
            }
            count
        };
        let callers: Vec<_> = (0..3).map(|_| scope.spawn(call)).collect();
        for round in 0..10 {
            let date = format!("2031-01-{:02}", round + 10);
            let at = text.find("date = \"").unwrap() + "date = \"".len();
            let mut changed = text.clone();
            changed.replace_range(at..at + date.len(), &date);
            fs::write(&path, changed).unwrap();
            assert_eq!(reload().status, 200);
        }
        is_over.store(true, Ordering::SeqCst);
        assert!(
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap())
                .sum::<usize>()
                > 0
        );
    });
    let second = id(server.ask(&request));
    assert_ne!(first, second);
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    problem(&reload(), 422);
    server.signal(rustix::process::Signal::HUP);
    let metrics = format!("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{token}\r\n");
    until("both reloads are refused", || {
        server
            .ask(metrics.as_bytes())
            .text()
            .contains("paretone_reloads_total{outcome=\"refused\"} 2")
    });
    assert_eq!(id(server.ask(&request)), second, "the old rules stay");
}

#[test]
fn it_describes_itself_and_watches_for_drift() {
    let server = Server::start(&["--shadow=1"]);
    let api = server.get("/openapi.json").json();
    for path in [
        "/compute",
        "/v1/audio/transcriptions",
        "/v1/models",
        "/tiers",
        "/metrics",
        "/healthz",
        "/readyz",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let page = server.get("/docs");
    assert!(
        page.status == 200 && !page.text().contains("//cdn") && !page.text().contains("src=\"http")
    );
    let request = post("/compute", "Tolerance: 10%\r\n", &sample("night.wav"));
    assert_eq!(server.ask(&request).status, 200);
    until("the shadow is counted", || {
        server
            .get("/metrics")
            .text()
            .contains("paretone_shadow_requests_total 1")
    });
}

//! `paretone serve` under attack, as far as a test can do it without a clock: what one caller, one page
//! or one log does takes nothing from others. `scripts/service/attack.sh` does it with other people's
//! tools, at length.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use service_client::{PATIENCE, Reply, Server, form, long_recording, post, problem, sample, until};
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
        command.args([
            "serve",
            "--model=models/en",
            "--listen=127.0.0.1:0",
            "--config=/dev/null",
        ]);
        let out = File::options().write(true).open(out).unwrap();
        let mut child = command.stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains(" serving") {
            line.clear();
            assert!(
                std::io::BufRead::read_line(&mut log, &mut line).unwrap() > 0,
                "it ended"
            );
        }
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, Signal::TERM).unwrap();
        assert!(child.wait().unwrap().success());
    }
}

/// Opens a stream from an address of this machine.
fn stream_from(server: &Server, from: &str) -> Option<WebSocket<TcpStream>> {
    let local: SocketAddr = format!("{from}:0").parse().unwrap();
    let stream = connect_from(local, server.address);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let uri = format!("ws://{}/v1/stream", server.address);
    tungstenite::client(uri, stream)
        .ok()
        .map(|(socket, _)| socket)
}

/// A connection that comes from another address of loopback.
fn connect_from(local: SocketAddr, to: SocketAddr) -> TcpStream {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(local).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

#[test]
fn silent_streams_take_nothing_and_end() {
    let server = Server::start(&[
        "--max-streams=64",
        "--max-client-streams=32",
        "--stream-timeout=2",
    ]);
    let mut silent: Vec<_> = (0..40)
        .filter_map(|_| stream_from(&server, "127.0.0.1"))
        .collect();
    assert_eq!(silent.len(), 32, "one client's share");
    assert_eq!(server.metric("paretone_streams", ""), 32.0);
    assert_eq!(server.metric("paretone_stream_memory_held_bytes", ""), 0.0);
    assert_eq!(
        server.post("/compute", "", &sample("river.wav")).status,
        200
    );
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
fn heads_of_parts_are_bounded() {
    let server = Server::start(&["--max-memory=64"]);
    assert_eq!(
        server.post("/compute", "", &sample("river.wav")).status,
        200
    );
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
        println!(
            "16 forms of 20 MiB heads, memory grew by {} MiB",
            grown >> 10
        );
        assert!(grown < 48 << 10, "{grown} KiB");
    }
    // What is only passed over may be as long as a body.
    let prompt = "a".repeat(1 << 20);
    let request = form(&[("prompt", &prompt)], Some(&sample("river.wav")));
    assert_eq!(server.ask(&request).status, 200);
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
        let local = "127.0.0.2:0".parse().unwrap();
        let mut stream = connect_from(local, server.address);
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
    for (path, status) in [
        ("/healthz", 200),
        ("/readyz", 200),
        ("/metrics", 200),
        ("/tiers", 404),
    ] {
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
    until("it is refused", || {
        server.metric("paretone_refusals_total", "") >= 30.0
    });
    assert!(server.metric("paretone_queue_length", "") <= 6.0);
    let local = "127.0.0.2:0".parse().unwrap();
    let mut stream = connect_from(local, server.address);
    stream
        .write_all(&post("/compute", "", &sample("river.wav")))
        .unwrap();
    assert_eq!(Reply::read(&mut stream).unwrap().status, 200);
    drop(spray);
}

#[test]
fn pages_from_elsewhere_may_not_call() {
    let server = Server::start(&["--allow-host=speech.example"]);
    let host = server.address.to_string();
    let ask = |host: &str, headers: &str| {
        let body = sample("river.wav");
        let head = format!(
            "POST /compute HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        server.ask(&[head.as_bytes(), &body].concat())
    };
    for (host, headers, status) in [
        (host.as_str(), "", 200),
        ("localhost", "", 200),
        ("speech.example", "", 200),
        (
            "speech.example:443",
            "Origin: https://speech.example:443\r\n",
            200,
        ),
        (
            &host,
            &format!("Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n"),
            200,
        ),
        (
            "evil.example:8080",
            "Origin: http://evil.example:8080\r\n",
            403,
        ),
        ("evil.example", "", 403),
        (&host, "Origin: http://evil.example\r\n", 403),
        (&host, "Origin: null\r\n", 403),
        (&host, "Sec-Fetch-Site: cross-site\r\n", 403),
        (
            &host,
            "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n",
            403,
        ),
        (&host, "Host: localhost\r\n", 400),
    ] {
        let reply = ask(host, headers);
        assert_eq!(reply.status, status, "{host} {headers} {}", reply.text());
    }
    let absolute =
        "GET http://evil.example/tiers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    problem(&server.ask(absolute.as_bytes()), 403);
    let none = b"GET /tiers HTTP/1.1\r\nConnection: close\r\n\r\n";
    problem(&server.ask(none), 400);
}

#[test]
fn origins_are_checked_at_the_start_and_any_may_be_allowed() {
    for wrong in ["example.org", "https://", "https://a.example/page", "a b"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_paretone"));
        command.args(["serve", "--model=models/en", "--listen=127.0.0.1:0"]);
        let output = command
            .arg(format!("--cors-origin={wrong}"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    for (flag, origin, allowed) in [
        ("--cors-origin=*", "https://a.example", Some("*")),
        (
            "--cors-origin=https://a.example",
            "https://a.example",
            Some("https://a.example"),
        ),
        ("--cors-origin=https://a.example", "https://b.example", None),
    ] {
        let server = Server::start(&[flag, "--token=secret"]);
        let preflight = format!(
            "OPTIONS /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization,tolerance\r\n\r\n"
        );
        let reply = server.ask(preflight.as_bytes());
        assert_eq!(
            reply.header("access-control-allow-origin"),
            allowed,
            "{flag} {origin}"
        );
        let headers = reply.header("access-control-allow-headers");
        assert_eq!(headers, Some("authorization,tolerance"));
        let call = format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n");
        let reply = server.post("/compute", &call, &sample("river.wav"));
        assert_eq!(reply.status, if allowed.is_some() { 200 } else { 403 });
    }
}

#[test]
fn openais_events_say_what_an_upload_does() {
    let server = Server::start(&[]);
    // Of several segments.
    for recording in [sample("river.wav"), long_recording(12)] {
        let plain = server.ask(&form(&[], Some(&recording))).json();
        let mut stream = server.send(&form(&[("stream", "true")], Some(&recording)));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("content-type: text/event-stream"), "{said}");
        let events: Vec<serde_json::Value> = said
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(|json| serde_json::from_str(json).unwrap())
            .collect();
        let (last, deltas) = events.split_last().unwrap();
        assert!(
            deltas
                .iter()
                .all(|delta| delta["type"] == "transcript.text.delta")
        );
        let told: String = deltas
            .iter()
            .map(|delta| delta["delta"].as_str().unwrap())
            .collect();
        assert_eq!(last["type"], "transcript.text.done");
        assert_eq!(last["text"], told.as_str());
        assert_eq!(last["text"], plain["text"]);
    }
    problem(
        &server.ask(&form(&[("stream", "true")], Some(b"no audio"))),
        415,
    );
    problem(
        &server.ask(&form(&[("stream", "maybe")], Some(b"no audio"))),
        400,
    );
}

#[test]
fn forms_are_read_as_openais_clients_write_them() {
    let server = Server::start(&[]);
    let river = sample("river.wav");
    let status = |fields: &[(&str, &str)]| server.ask(&form(fields, Some(&river))).status;
    for language in ["en", "EN", "en-US", "en_GB", "English", ""] {
        assert_eq!(status(&[("language", language)]), 200, "{language}");
    }
    for language in ["de", "enx", "de-EN"] {
        assert_eq!(status(&[("language", language)]), 422, "{language}");
    }
    for model in ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"] {
        assert_eq!(status(&[("model", model)]), 200, "{model}");
    }
    let temperature = "0".repeat(10_000);
    assert_eq!(
        status(&[("temperature", &temperature), ("include[]", "logprobs")]),
        200
    );
}

#[test]
fn vosk_servers_clients_are_understood_on_any_path() {
    let server = Server::start(&[]);
    for (path, eof) in [("/", false), ("/asr?x=1", true)] {
        let uri = format!("ws://{}{path}", server.address);
        let (mut socket, _) = tungstenite::client(uri, server.connect()).unwrap();
        let config = r#"{"config": {"sample_rate": "16000.0", "max_alternatives": 2, "phrase_list": ["a"]}}"#;
        socket.send(Message::text(config)).unwrap();
        let mut texts = Vec::new();
        for _ in 0..2 {
            for chunk in sample("river.wav")[44..].chunks(8000) {
                socket.send(Message::binary(chunk.to_vec())).unwrap();
                socket.read().unwrap();
            }
            socket.send(Message::text(r#"{"reset" : 1}"#)).unwrap();
            let answer = socket.read().unwrap().into_text().unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            let [best, other] = answer["alternatives"].as_array().unwrap().as_slice() else {
                panic!("two alternatives: {answer}");
            };
            assert_ne!(best["text"], other["text"]);
            let sure = |one: &serde_json::Value| one["confidence"].as_f64().unwrap();
            assert!(sure(best) >= sure(other) && sure(other) > 0.0, "{answer}");
            texts.push(
                answer["alternatives"][0]["text"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        assert!(
            texts[0].contains("river") && texts[0] == texts[1],
            "{texts:?}"
        );
        let end = b"{\"eof\" : 1}";
        match eof {
            true => socket.send(Message::binary(end.to_vec())).unwrap(),
            false => socket
                .send(Message::text(String::from_utf8_lossy(end).into_owned()))
                .unwrap(),
        }
        let last: serde_json::Value =
            serde_json::from_str(&socket.read().unwrap().into_text().unwrap()).unwrap();
        assert_eq!(last["alternatives"][0]["text"], "");
        assert!(socket.read().unwrap().is_close());
    }
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

#[test]
fn before_it_stops_it_says_so_for_a_while() {
    let mut server = Server::start(&["--drain-delay=600"]);
    assert_eq!(server.get("/readyz").status, 200);
    server.signal(Signal::TERM);
    until("it is not ready", || server.get("/readyz").status == 503);
    // It serves on meanwhile.
    assert_eq!(
        server.post("/compute", "", &sample("river.wav")).status,
        200
    );
    assert_eq!(server.get("/healthz").status, 200);
    server.signal(Signal::TERM);
    assert!(server.wait().success());
}

#[test]
fn changed_rules_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    // As a ConfigMap is mounted: a link to a link, the latter of which is replaced.
    let write = |name: &str, text: &str| {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("rules.toml"), text).unwrap();
        let link = folder.path().join("new");
        std::os::unix::fs::symlink(name, &link).unwrap();
        std::fs::rename(link, folder.path().join("data")).unwrap();
    };
    let rules = std::fs::read_to_string("models/en/rules.toml").unwrap();
    write("first", &rules);
    let path = folder.path().join("rules.toml");
    std::os::unix::fs::symlink("data/rules.toml", &path).unwrap();
    let flag = format!("--rules={}", path.display());
    let server = Server::start(&[&flag, "--watch-rules=0.05"]);
    let before = server.get("/tiers").json()["id"].clone();
    write("second", "no rules");
    until("bad rules are refused", || {
        server.metric("paretone_reloads_total", "refused") == 1.0
    });
    assert_eq!(server.get("/tiers").json()["id"], before);
    write("third", &rules);
    until("good ones are read", || {
        server.metric("paretone_reloads_total", "done") == 1.0
    });
}

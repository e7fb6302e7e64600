//! Whose pages may call `paretone serve`, and by which names.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::process::Command;

use service_client::{Server, problem, sample};

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
        ("speech.example:443", "Origin: https://speech.example:443\r\n", 200),
        (&host, &format!("Origin: http://{host}\r\nSec-Fetch-Site: same-origin\r\n"), 200),
        ("evil.example:8080", "Origin: http://evil.example:8080\r\n", 403),
        ("evil.example", "", 403),
        (&host, "Origin: http://evil.example\r\n", 403),
        (&host, "Origin: null\r\n", 403),
        (&host, "Sec-Fetch-Site: cross-site\r\n", 403),
        (&host, "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n", 403),
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
        let output = command.arg(format!("--cors-origin={wrong}")).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    for (flag, origin, allowed) in [
        ("--cors-origin=*", "https://a.example", Some("*")),
        ("--cors-origin=https://a.example", "https://a.example", Some("https://a.example")),
        ("--cors-origin=https://a.example", "https://b.example", None),
    ] {
        let server = Server::start(&[flag, "--token=secret"]);
        let preflight = format!(
            "OPTIONS /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Origin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization,tolerance\r\n\r\n"
        );
        let reply = server.ask(preflight.as_bytes());
        assert_eq!(reply.header("access-control-allow-origin"), allowed, "{flag} {origin}");
        let headers = reply.header("access-control-allow-headers");
        assert_eq!(headers, Some("authorization,tolerance"));
        let call = format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n");
        let reply = server.post("/compute", &call, &sample("river.wav"));
        assert_eq!(reply.status, if allowed.is_some() { 200 } else { 403 });
    }
}

//! The web page as the service gives it out: its policy, its files, and that anybody may see them.
//! What the page does in a browser, `scripts/service/browser_test.sh` tries.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use service_client::{Reply, Server, sample};

/// Texts between double quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// Names of the files in the folder `page` that a file of the page refers to.
fn referred(name: &str, text: &str) -> BTreeSet<String> {
    let names = quoted(text).filter_map(|path| match name {
        "" => path.strip_prefix("page/"),
        _ => path.strip_prefix("./").or_else(|| path.strip_suffix("-worklet.js").map(|_| path)),
    });
    names.map(str::to_owned).collect()
}

/// The head of the answer to a stream's request with these headers.
fn stream_head(server: &Server, headers: &str) -> String {
    let request = format!(
        "GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{headers}\r\n"
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let lines = BufReader::new(stream).lines().map(|line| line.unwrap() + "\n");
    lines.take_while(|line| line != "\n").collect()
}

fn assert_harmless(reply: &Reply, media_type: &str) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let header = |name| reply.header(name).unwrap_or_default();
    assert!(header("content-type").starts_with(media_type));
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy: BTreeSet<&str> =
        header("content-security-policy").split(';').map(str::trim).collect();
    for rule in
        ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"]
    {
        assert!(policy.contains(rule), "{rule}");
    }
    assert!(!header("content-security-policy").contains("unsafe"));
}

#[test]
fn every_file_of_the_page_is_there() {
    let server = Server::start(&[]);
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::from([String::new()]));
    while let Some(name) = found.pop_first() {
        let path = if name.is_empty() { "/".into() } else { format!("/page/{name}") };
        let reply = server.get(&path);
        let media_type = match name.rsplit('.').next().unwrap() {
            "js" => "text/javascript",
            "css" => "text/css",
            _ => "text/html",
        };
        assert_harmless(&reply, media_type);
        let more = referred(&name, &reply.text());
        seen.insert(name);
        found.extend(more.difference(&seen).cloned());
    }
    let files = std::fs::read_dir("src/service/page").unwrap();
    let mut files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    // The code that serves them.
    assert!(files.remove("mod.rs"));
    // It is `/`.
    assert!(files.remove("index.html") && seen.remove(""));
    assert_eq!(seen, files, "a file is not served, or nothing refers to it");
}

#[test]
fn the_html_holds_no_script_and_no_style() {
    let html = Server::start(&[]).get("/").text();
    assert!(html.starts_with("<!doctype html>"));
    assert!(!html.contains(" style=") && !html.contains("<style"));
    assert!(html.matches("<script").count() == 1 && html.contains("></script>"));
    let handlers =
        html.split_whitespace().filter(|word| word.starts_with("on") && word.contains('='));
    assert_eq!(handlers.count(), 0);
}

#[test]
fn other_names_are_no_files() {
    let server = Server::start(&[]);
    for name in ["", "index.html", "page.rs", "..%2Fpage.rs", "%00", "a/b"] {
        assert_eq!(server.get(&format!("/page/{name}")).status, 404, "{name}");
    }
    assert_eq!(server.get("/page/sample.wav").body, sample("river.wav"));
}

#[test]
fn the_page_is_open_where_the_rest_asks_for_a_token() {
    let server = Server::start(&["--token=secret"]);
    let stranger = |path: &str| {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        server.ask(request.as_bytes())
    };
    assert_harmless(&stranger("/"), "text/html");
    assert_harmless(&stranger("/page/page.js"), "text/javascript");
    assert_eq!(stranger("/tiers").status, 401);
    let protocols = |names: &str| {
        let header = format!("Sec-WebSocket-Protocol: {names}\r\n");
        stream_head(&server, &header).to_ascii_lowercase()
    };
    for names in ["paretone", "paretone, bearer.00", "bearer.secret", "736563726574"] {
        assert!(protocols(names).starts_with("http/1.1 401"), "{names}");
    }
    let opened = protocols("paretone, bearer.736563726574");
    assert!(opened.starts_with("http/1.1 101"), "{opened}");
    assert!(opened.contains("\nsec-websocket-protocol: paretone\n"), "{opened}");
}

#[test]
fn the_tiers_come_with_what_the_page_draws() {
    let server = Server::start(&[]);
    let tiers = server.get("/tiers").json();
    let versions = tiers["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 7);
    let errors: Vec<f64> =
        versions.iter().map(|version| version["wer_percent"].as_f64().unwrap()).collect();
    let times: Vec<f64> =
        versions.iter().map(|version| version["response_seconds"].as_f64().unwrap()).collect();
    assert!(
        errors.is_sorted_by(|a, b| a > b) && times.is_sorted_by(|a, b| a < b),
        "a Pareto front"
    );
    assert!(versions[0]["setting"].as_str().unwrap().contains("network_beam="));
    assert!(!tiers["measured_on"].as_str().unwrap().is_empty());
    assert!(tiers["tolerances"]["step"].as_f64().unwrap() > 0.0);
    let schema = &server.get("/openapi.json").json()["components"]["schemas"]["VersionOnFront"];
    assert!(schema["properties"]["wer_percent"].is_object());
}

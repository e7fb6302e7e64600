//! `paretone serve` as its callers meet it: the program itself, on a loopback port, with the model
//! of the repository; what it answers, and what it refuses.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use service_client::{Server, form, post, problem, sample, until};

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
        "segments",
        "escalated",
        "confidence",
        "server-ms",
        "machine-ms",
        "certificate",
    ] {
        assert!(reply.header(&format!("paretone-{name}")).is_some(), "{name}");
    }
    let tier = |headers: &str| compute(headers).header("paretone-tier").unwrap().to_owned();
    assert_eq!(tier(""), "response-time/0");
    assert_eq!(tier("Tolerance: 0\r\n"), tier(""));
    assert_eq!(tier("Tolerance: 5%\r\n"), tier("Tolerance: 0.05\r\n"));
    assert_eq!(tier("Tolerance: 5000%\r\n"), tier("Tolerance: 10%\r\n"));
    assert!(tier("Objective: cost\r\n").starts_with("cost/"));
    let rounded: f64 = tier("Tolerance: 0.0499\r\n")["response-time/".len()..].parse().unwrap();
    assert!(rounded <= 0.0499);
    for bad in [
        "Tolerance: -1",
        "Tolerance: 5",
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
    assert_eq!(json["account"]["certificate"], server.get("/tiers").json()["id"]);
}

#[test]
fn openais_form_in_every_format() {
    let server = Server::start(&[]);
    let ask = |fields: &[(&str, &str)]| server.ask(&form(fields, Some(&sample("night.wav"))));
    let json = ask(&[("model", "whisper-1")]).json();
    assert!(json["text"].as_str().unwrap().contains("night"));
    assert_eq!(json["account"]["tier"], "response-time/0");
    assert!(ask(&[("response_format", "text")]).text().contains("night"));
    assert!(ask(&[("response_format", "srt")]).text().starts_with("1\n00:00:00,"));
    assert!(ask(&[("response_format", "vtt")]).text().starts_with("WEBVTT\n"));
    let verbose =
        ask(&[("response_format", "verbose_json"), ("timestamp_granularities[]", "word")]).json();
    assert!(verbose["words"].as_array().unwrap().len() > 3 && verbose["segments"].is_null());
    let verbose = ask(&[("response_format", "verbose_json")]).json();
    assert!(verbose["words"].is_null() && verbose["segments"][0]["id"] == 0);
    let tier = |fields: &[(&str, &str)]| ask(fields).json()["account"]["tier"].clone();
    let by_name = tier(&[("model", "paretone-5pct-cost")]);
    assert_eq!(
        by_name,
        tier(&[("tolerance", "0.05"), ("objective", "cost"), ("model", "paretone")])
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
    assert!(
        ["paretone", "whisper-1", "paretone-5pct-cost"].iter().all(|name| names.contains(name))
    );
    assert!(names.len() <= 16, "a list that people read: {names:?}");
    for name in names {
        assert_eq!(server.get(&format!("/v1/models/{name}")).status, 200, "{name}");
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
    let claimed = b"POST /compute HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    problem(&server.ask(claimed), 413);
    let mut chunked = b"POST /compute HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..17 {
        chunked.extend(b"10000\r\n");
        chunked.extend([b'x'; 0x10000]);
        chunked.extend(b"\r\n");
    }
    problem(&server.ask(&chunked), 413);
    problem(&server.get("/nowhere"), 404);
    problem(&server.get("/compute"), 405);
    problem(&server.ask(&post("/reload", "", b"")), 403);
    problem(&server.ask(&post("/v1/audio/transcriptions", "", b"a=b")), 415);
    let kind = "Content-Type: multipart/form-data; boundary=x\r\n";
    for body in [
        "",
        "--x",
        "--x\r\n\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nRIFF",
        "--y--",
        "--x--\r\n",
    ] {
        problem(&server.ask(&post("/v1/audio/transcriptions", kind, body.as_bytes())), 400);
    }
    let slow = b"POST /compute HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100\r\n\r\nRIFF";
    problem(&server.ask(slow), 408);
    assert_eq!(server.get("/healthz").status, 200);
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
    assert_eq!((reply.status, reply.header("x-request-id")), (200, Some("mine-1")));
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert_eq!(server.get("/readyz").status, 200);
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
        server.get("/metrics").text().contains("paretone_shadow_requests_total 1")
    });
}

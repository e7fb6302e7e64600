//! `paretone serve` as clients written for others expect it: OpenAI's, vosk-server's, and such as
//! compress.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::io::Read;

use service_client::{PATIENCE, Server, form, long_recording, post, problem, sample};
use tungstenite::Message;

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
        assert!(deltas.iter().all(|delta| delta["type"] == "transcript.text.delta"));
        let told: String = deltas.iter().map(|delta| delta["delta"].as_str().unwrap()).collect();
        assert_eq!(last["type"], "transcript.text.done");
        assert_eq!(last["text"], told.as_str());
        assert_eq!(last["text"], plain["text"]);
        assert!(last["accounts"][0]["partly_read"].is_null());
    }
    problem(&server.ask(&form(&[("stream", "true")], Some(b"no audio"))), 415);
    problem(&server.ask(&form(&[("stream", "maybe")], Some(b"no audio"))), 400);
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
    assert_eq!(status(&[("temperature", &temperature), ("include[]", "logprobs")]), 200);
}

#[test]
fn a_recording_of_which_a_part_is_missing_is_told_in_events_too() {
    let server = Server::start(&[]);
    // What follows its samples is neither a chunk nor another file.
    let noise: Vec<u8> = (1..200u8).cycle().take(5000).collect();
    let cut = [sample("river.wav"), noise].concat();
    let plain = server.ask(&form(&[], Some(&cut))).json();
    let why = plain["account"]["partly_read"].as_str().unwrap();
    let mut said = String::new();
    let mut stream = server.send(&form(&[("stream", "true")], Some(&cut)));
    stream.read_to_string(&mut said).unwrap();
    assert!(said.contains(why), "{said}");
}

/// Two channels, one of them wired the wrong way round: the caller is told, as the program tells.
#[test]
fn channels_that_cancel_each_other_are_told() {
    let server = Server::start(&[]);
    let river = sample("river.wav");
    let at = river.windows(4).position(|name| name == b"data").unwrap();
    let samples = river[at + 8..].as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair));
    let opposed: Vec<u8> = samples
        .flat_map(|sample| [sample, sample.saturating_neg()].map(i16::to_le_bytes).concat())
        .collect();
    let mut stereo = river[..at + 8].to_vec();
    stereo[22..24].copy_from_slice(&2u16.to_le_bytes());
    stereo[28..32].copy_from_slice(&64_000_u32.to_le_bytes());
    stereo[32..34].copy_from_slice(&4u16.to_le_bytes());
    stereo[at + 4..at + 8].copy_from_slice(&(opposed.len() as u32).to_le_bytes());
    stereo.extend(opposed);
    let reply = server.post("/compute", "Accept: application/json\r\n", &stereo);
    assert!(reply.header("paretone-warnings").unwrap().contains("cancel each other"));
    let told = reply.json()["account"]["warnings"][0].as_str().unwrap().to_owned();
    assert!(told.contains("is heard in place of their average"), "{told}");
    assert!(reply.json()["text"].as_str().unwrap().contains("river"));
    let plain = server.post("/compute", "Accept: application/json\r\n", &river);
    assert!(plain.header("paretone-warnings").is_none());
}

/// A WAV whose header promises 4 GB: what there is is heard, and the caller told, by the service
/// and by the program.
#[test]
fn a_recording_that_ends_before_what_its_header_promises_is_told() {
    let server = Server::start(&[]);
    let mut bytes = sample("river.wav");
    let at = bytes.windows(4).position(|name| name == b"data").unwrap() + 4;
    bytes[at..at + 4].copy_from_slice(&4_000_000_000_u32.to_le_bytes());
    let reply = server.post("/compute", "Accept: application/json\r\n", &bytes);
    assert!(reply.header("paretone-partly-read").is_some());
    let answers = [reply.json(), server.ask(&form(&[], Some(&bytes))).json()];
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_paretone"))
        .args(["transcribe", "--format", "json"])
        .arg(file.path())
        .output()
        .unwrap();
    assert_eq!(said.status.code(), Some(1));
    let program: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    let [computed, transcribed] = answers.each_ref().map(|answer| &answer["account"]);
    for answer in [computed, transcribed, &program] {
        let why = answer["partly_read"].as_str().unwrap();
        assert!(why.contains("header promises"), "{why}");
    }
    assert!(answers[0]["text"].as_str().unwrap().contains("river"));
}

#[test]
fn a_body_that_is_compressed_as_a_whole_is_named_so() {
    let server = Server::start(&[]);
    let body = sample("river.wav");
    for path in ["/compute", "/v1/audio/transcriptions"] {
        let reply = server.ask(&post(path, "Content-Encoding: gzip\r\n", &body));
        let told = problem(&reply, 415);
        assert!(told["detail"].as_str().unwrap().contains("gzip"), "{told}");
    }
    let reply = server.post("/compute", "Content-Encoding: identity\r\n", &body);
    assert_eq!(reply.status, 200);
}

#[test]
fn vosk_servers_clients_are_understood_on_any_path() {
    let server = Server::start(&[]);
    for (path, eof) in [("/", false), ("/asr?x=1", true)] {
        let uri = format!("ws://{}{path}", server.address);
        let (mut socket, _) = tungstenite::client(uri, server.connect()).unwrap();
        let config = r#"{"config": {"sample_rate": "16000.0", "max_alternatives": 2, "phrase_list": ["a"]}}"#;
        socket.send(Message::text(config)).unwrap();
        let (mut texts, mut ends) = (Vec::new(), Vec::new());
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
            for one in [best, other] {
                let words = one["result"].as_array().unwrap().iter();
                let words: Vec<&str> = words.map(|word| word["word"].as_str().unwrap()).collect();
                assert_eq!(one["text"], words.join(" "));
                let last = &one["result"][words.len() - 1];
                assert!(last["start"].as_f64() < last["end"].as_f64(), "{one}");
                ends.push(last["end"].as_f64().unwrap());
            }
            let sure = |one: &serde_json::Value| one["confidence"].as_f64().unwrap();
            assert!(sure(best) >= sure(other) && sure(other) > 0.0, "{answer}");
            texts.push(answer["alternatives"][0]["text"].as_str().unwrap().to_owned());
        }
        assert!(texts[0].contains("river") && texts[0] == texts[1], "{texts:?}");
        // The second time, the recording began where the first had ended.
        let seconds = (sample("river.wav").len() - 44) as f64 / 32_000.0;
        for (first, second) in ends[..2].iter().zip(&ends[2..]) {
            assert!((second - first - seconds).abs() < 0.1, "{ends:?}");
        }
        let end = b"{\"eof\" : 1}";
        match eof {
            true => socket.send(Message::binary(end.to_vec())).unwrap(),
            false => socket.send(Message::text(String::from_utf8_lossy(end).into_owned())).unwrap(),
        }
        let last: serde_json::Value =
            serde_json::from_str(&socket.read().unwrap().into_text().unwrap()).unwrap();
        assert_eq!(last["alternatives"][0]["text"], "");
        assert!(socket.read().unwrap().is_close());
    }
}

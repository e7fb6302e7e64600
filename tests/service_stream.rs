//! `WS /v1/stream` over a real socket: every message of audio has one answer, the last result is
//! the offline one to the bit, and who errs, goes away or is cut off is told so.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

mod service_client;

use std::net::TcpStream;

use paretone::audio::Waveform;
use paretone::recognizer::{Recognizer, Transcript};
use rustix::process::Signal;
use serde_json::{Value, json};
use service_client::{PATIENCE, Server, sample, until};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

/// A conversation.
struct Talk(WebSocket<TcpStream>);

impl Talk {
    fn open(server: &Server) -> Talk {
        let stream = server.connect();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let uri = format!("ws://{}/v1/stream", server.address);
        Talk(tungstenite::client(uri, stream).unwrap().0)
    }

    fn configured(server: &Server, config: &Value) -> Talk {
        let mut talk = Talk::open(server);
        talk.say(&json!({ "config": config }).to_string());
        talk
    }

    fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    fn hear(&mut self) -> Value {
        let answer = self.0.read().unwrap();
        serde_json::from_str(answer.to_text().unwrap()).unwrap()
    }

    /// The answer to PCM.
    fn play(&mut self, pcm: &[u8]) -> Value {
        self.0.send(Message::binary(pcm.to_vec())).unwrap();
        self.hear()
    }

    /// Why the server closes.
    fn closed(&mut self) -> CloseCode {
        match self.0.read().unwrap() {
            Message::Close(Some(frame)) => frame.code,
            other => panic!("{other:?}, no close"),
        }
    }

    /// The last answer, after PCM in messages of this length.
    fn finish(mut self, pcm: &[u8], length: usize) -> Value {
        for chunk in pcm.chunks(length) {
            let answer = self.play(chunk);
            assert!(answer["partial"].is_string(), "{answer}");
        }
        self.say("{\"eof\" : 1}");
        let last = self.hear();
        assert_eq!(self.closed(), CloseCode::Normal);
        last
    }
}

/// Words as a stream tells them, from the offline result; as JSON, whose numbers are read alike.
fn words(offline: &Transcript) -> Value {
    let words = offline.words.iter().map(|word| {
        json!({
            "conf": word.confidence, "end": word.end.0, "start": word.start.0, "word": word.word,
        })
    });
    reread(&Value::Array(words.collect()))
}

fn reread(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

#[test]
fn a_versions_final_result_is_its_offline_result() {
    let server = Server::start(&[]);
    let recognizer = Recognizer::open("models/en").unwrap();
    let mut scratch = recognizer.scratch();
    let mut count = 0;
    for name in ["river.wav", "night.wav"] {
        let bytes = sample(name);
        let waveform = Waveform::read(bytes.as_slice(), None).unwrap();
        for version in &recognizer.versions().list {
            let offline = recognizer.transcribe_at(&version.setting, &waveform, &mut scratch);
            let offline = offline.unwrap();
            // Half samples at the ends of messages included.
            for length in [6400, 3333, 50_001] {
                let config =
                    json!({"sample_rate": 16_000, "version": version.name, "endpointing": false});
                let last = Talk::configured(&server, &config).finish(&bytes[44..], length);
                assert_eq!(last["text"], offline.text());
                assert_eq!(last["result"], words(&offline), "{name} {}", version.name);
                let sure = offline.confidence.map(|confidence| confidence.right);
                assert_eq!(last["confidence"], reread(&json!(sure)));
                count += 1;
            }
        }
    }
    println!(
        "{count} streams, {count} final results equal to the offline result of the same version"
    );
}

#[test]
fn a_tiers_final_result_is_what_an_upload_gets() {
    let server = Server::start(&[]);
    let mut count = 0;
    for (tolerance, objective) in [("0", "response-time"), ("5%", "cost"), ("10%", "response-time")]
    {
        for name in ["winter.wav", "children.wav"] {
            let headers = format!(
                "Tolerance: {tolerance}\r\nObjective: {objective}\r\nAccept: application/json\r\n"
            );
            let upload = server.post("/compute", &headers, &sample(name)).json();
            let config =
                json!({"tolerance": tolerance, "objective": objective, "endpointing": false});
            let last = Talk::configured(&server, &config).finish(&sample(name)[44..], 6400);
            assert_eq!(last["text"], upload["text"]);
            assert_eq!(last["accounts"][0]["tier"], upload["account"]["tier"]);
            assert_eq!(last["confidence"], upload["account"]["confidence"]);
            count += 1;
        }
    }
    println!("{count} streams, {count} final results equal to the upload's");
}

#[test]
fn who_errs_is_told_and_the_stream_is_closed() {
    let server = Server::start(&[]);
    let cases = [
        ("speech", "bad-request"),
        ("{\"config\": {\"sample_rate\": 7999}}", "bad-request"),
        ("{\"config\": {\"tolerance\": -1}}", "bad-request"),
        ("{\"config\": {\"version\": \"v99\"}}", "not-found"),
    ];
    for (text, kind) in cases {
        let mut talk = Talk::open(&server);
        talk.say(text);
        let told = talk.hear();
        assert_eq!(told["error"]["type"], format!("urn:paretone:problem:{kind}"), "{text}");
        assert_eq!(talk.closed(), CloseCode::Policy, "{text}");
    }
    for length in [513 << 10, 2 << 20, 3 << 20] {
        let mut talk = Talk::open(&server);
        talk.0.send(Message::binary(vec![0; length])).unwrap();
        assert_eq!(talk.hear()["error"]["status"], 413);
        assert_eq!(talk.closed(), CloseCode::Size);
    }
    assert_eq!(server.get("/v1/stream").status, 400);
    assert_eq!(server.get("/healthz").status, 200);
    println!("{} bad messages, all told and closed", cases.len() + 3);
}

#[test]
fn streams_that_vanish_leave_room_for_others() {
    // Room for one stream.
    let server = Server::start(&["--max-streams=1"]);
    let try_open = || {
        let uri = format!("ws://{}/v1/stream", server.address);
        let opened = tungstenite::client(uri, server.connect());
        opened.ok().map(|(socket, _)| Talk(socket))
    };
    for _ in 0..10 {
        let mut talk = None;
        until("there is room", || {
            talk = try_open();
            talk.is_some()
        });
        let mut talk = talk.unwrap();
        talk.play(&sample("river.wav")[44..44 + 32_000]);
        assert!(try_open().is_none(), "there is room for one");
        // Without a word of farewell.
        drop(talk);
    }
    println!("10 streams vanished, 10 times there was room again");
}

#[test]
fn told_to_stop_it_answers_what_it_has_heard() {
    let mut server = Server::start(&[]);
    let heard = sample("river.wav");
    let mut talks: Vec<Talk> = (0..5).map(|_| Talk::open(&server)).collect();
    for talk in &mut talks {
        for chunk in heard[44..].chunks(32_000) {
            talk.play(chunk);
        }
    }
    server.signal(Signal::TERM);
    let count = talks.len();
    for talk in &mut talks {
        let last = talk.hear();
        assert!(last["text"].as_str().unwrap().contains("river"), "{last}");
        assert_eq!(talk.closed(), CloseCode::Away);
    }
    assert!(server.wait().success());
    println!("{count} streams under way, {count} answered");
}

//! `paretone serve` with words of its callers': the fields `words` and `prompt`, and vosk's
//! `phrase_list`.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(all(unix, feature = "service", feature = "cli"))]

#[allow(dead_code)] // Not all that is written is needed here.
#[path = "nnet3/fst.rs"]
mod fst;
#[allow(dead_code)] // Of the model its writer alone is needed here.
mod nnet3;
#[path = "nnet3/parts.rs"]
#[allow(dead_code)]
mod parts;
mod service_client;
mod tiny_model;

use std::fs;
use std::io::Read;
use std::process::Stdio;

use serde_json::Value;
use service_client::{Server, form, problem};
use tempfile::TempDir;
use tiny_model::{noise, wav};
use tungstenite::Message;

struct Place {
    folder: TempDir,
    recording: Vec<u8>,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let model = tiny_model::write(folder.path());
        fs::write(model.join("versions.toml"), tiny_model::TWO_VERSIONS).unwrap();
        Place { folder, recording: wav(16_000, &noise(32_000)) }
    }

    fn serve(&self, flags: &[&str]) -> Server {
        let model = format!("--model={}", self.folder.path().join("tiny").display());
        let flags: Vec<&str> = [model.as_str()].iter().chain(flags).copied().collect();
        Server::start_in(&flags, Stdio::null(), &self.folder.path().join("cache"))
    }

    fn heard(&self, server: &Server, fields: &[(&str, &str)]) -> Value {
        let reply = server.ask(&form(fields, Some(&self.recording)));
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()
    }
}

fn text(answer: &Value) -> &str {
    answer["text"].as_str().unwrap()
}

#[test]
fn listed_words_are_heard_by_the_request_that_lists_them() {
    let place = Place::new();
    let server = place.serve(&[]);
    let plain = place.heard(&server, &[]);
    for _ in 0..2 {
        let own = place.heard(&server, &[("words", "Aba-Bah 20 AA B AA\n")]);
        assert!(text(&own).contains("Aba-Bah"), "{own}");
        assert_eq!(own["account"]["tier"], "own-words");
        assert_eq!(own["account"]["certificate"], "none");
        assert_eq!(own["account"]["answered_by"], "v2");
    }
    assert_eq!(place.heard(&server, &[])["text"], plain["text"]);
    // What is told in events is the same.
    let list = ("words", "Aba-Bah 20 AA B AA");
    let mut events = server.send(&form(&[list, ("stream", "true")], Some(&place.recording)));
    let mut told = String::new();
    events.read_to_string(&mut told).unwrap();
    assert!(told.contains("Aba-Bah"), "{told}");
    assert!(server.metric("paretone_response_seconds_count", "own-words") >= 2.0);
}

#[test]
fn prompts_are_wishes_and_lists_are_orders() {
    let place = Place::new();
    let server = place.serve(&[]);
    // All of it can be said, some of it, nothing; and nothing is there.
    for prompt in ["Bahah, ah bah", "Bahah, Zyx 66 & co.", "Zyx", " , "] {
        place.heard(&server, &[("prompt", prompt)]);
    }
    let answer = place.heard(&server, &[("prompt", "Bahah")]);
    assert_eq!(answer["account"]["tier"], "own-words");
    for (list, said) in [
        ("zyx\n", "how \\\"zyx\\\" is said"),
        ("bah 2 B EE\n", "EE"),
        ("route 66\n", "line 1"),
        (&"bah\n".repeat(1001), "at most 1000"),
    ] {
        let reply = server.ask(&form(&[("words", list)], Some(&place.recording)));
        assert!(reply.text().contains(said), "{}", reply.text());
        problem(&reply, 400);
    }
    let large = "bah\n".repeat(20_000);
    let reply = server.ask(&form(&[("words", &large)], Some(&place.recording)));
    problem(&reply, 413);
    place.heard(&server, &[("prompt", &large)]);
}

#[test]
fn few_lists_are_kept_and_a_service_may_take_none() {
    let place = Place::new();
    let server = place.serve(&["--max-word-lists=1"]);
    for word in ["Aba", "Baba", "Aba"] {
        let own = place.heard(&server, &[("words", &format!("{word} 20 AA B AA"))]);
        assert!(text(&own).contains(word), "{own}");
    }
    let server = place.serve(&["--max-word-lists=0"]);
    place.heard(&server, &[("prompt", "Bahah")]);
    let reply = server.ask(&form(&[("words", "Bahah")], Some(&place.recording)));
    problem(&reply, 422);
}

#[test]
fn streams_take_a_phrase_list() {
    let place = Place::new();
    let server = place.serve(&[]);
    let tier = |config: &str| {
        let told = told(&server, config);
        told["accounts"][0]["tier"].as_str().unwrap().to_owned()
    };
    // What nobody can say is passed over.
    let list = r#"{"config": {"phrase_list": ["AH", "AH BAH", "zyx", "[unk]"]}}"#;
    assert_eq!(tier(list), "own-words");
    for plain in [r#"{"config": {"words": 1}}"#, r#"{"config": {"phrase_list": ["zyx"]}}"#] {
        assert_ne!(tier(plain), "own-words");
    }
    let broken = spoken_error(&server, r#"{"config": {"phrase_list": 5}}"#);
    assert!(broken.contains("phrase_list"), "{broken}");
}

fn spoken_error(server: &Server, config: &str) -> String {
    let address = format!("ws://{}/v1/stream", server.address);
    let (mut socket, _) = tungstenite::connect(address).unwrap();
    socket.send(Message::text(config)).unwrap();
    socket.read().unwrap().into_text().unwrap().to_string()
}

/// The last that is told of a stream with a configuration.
fn told(server: &Server, config: &str) -> Value {
    let address = format!("ws://{}/v1/stream", server.address);
    let (mut socket, _) = tungstenite::connect(address).unwrap();
    socket.send(Message::text(config)).unwrap();
    let pcm: Vec<u8> = noise(32_000).iter().flat_map(|s| s.to_le_bytes()).collect();
    socket.send(Message::binary(pcm)).unwrap();
    socket.read().unwrap();
    socket.send(Message::text("{\"eof\": 1}")).unwrap();
    let last = socket.read().unwrap().into_text().unwrap();
    serde_json::from_str(&last).unwrap()
}

#[test]
fn a_vosk_folder_hears_the_phrases_of_a_list_alone() {
    let place = tempfile::tempdir().unwrap();
    let vosk = parts::folder(place.path());
    let versions = tiny_model::TWO_VERSIONS.replace(" rescore", "");
    fs::write(vosk.join("versions.toml"), versions).unwrap();
    let model = format!("--model={}", vosk.display());
    let server = Server::start_in(&[&model], Stdio::null(), &place.path().join("cache"));
    for (list, only) in [(r#"["yet", "no"]"#, "yet"), (r#"["yes"]"#, "yes")] {
        let config = format!("{{\"config\": {{\"phrase_list\": {list}}}}}");
        let answer = told(&server, &config);
        let mut words = text(&answer).split(' ');
        assert!(words.clone().count() > 0 && words.all(|word| word == only), "{answer}");
    }
    let refused = spoken_error(&server, r#"{"config": {"phrase_list": ["no"]}}"#);
    assert!(refused.contains("does not know"), "{refused}");
    // A whole graph takes none, and it is said so.
    let loops = vec![(0.0, vec![(parts::entry(1), 1, 0.5, 0)])];
    parts::put(&vosk, "graph/HCLG.fst", &fst::Fst { start: 0, states: loops }.constant());
    parts::put(&vosk, "graph/words.txt", b"<eps> 0\nyes 1\n");
    let server = Server::start_in(&[&model], Stdio::null(), &place.path().join("cache"));
    let refused = spoken_error(&server, r#"{"config": {"phrase_list": ["yes"]}}"#);
    assert!(refused.contains("HCLr.fst"), "{refused}");
}

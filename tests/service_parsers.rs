//! What callers send is read without a panic, whatever its bytes, and what cannot be used is a
//! typed refusal: headers, multipart forms and messages of streams.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.
#![cfg(feature = "service")]

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue};
use futures_util::stream;
use paretone::service::form::{Form, Format};
use paretone::service::memory::Memory;
use paretone::service::request::{Ask, deadline_of_headers};
use paretone::service::stream::{Command, Pcm};
use paretone::service::{Problem, Rejection};
use proptest::collection::vec;
use proptest::prelude::*;

/// The memory that a form may take.
const MEMORY: usize = 64 << 10;

/// Bytes near those that a header may have, and any others.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..40),
        "[-+0-9.eE% ]{0,40}".prop_map(String::into_bytes),
        "(cost|response-time|NaN|inf|[0-9]{1,3}%?)".prop_map(String::into_bytes),
    ]
}

/// A refusal is the caller's, and no longer than what it quotes may be.
fn check(rejection: Rejection) -> Result<(), TestCaseError> {
    let Problem { status, detail, .. } = rejection.problem();
    prop_assert!([400, 404, 413, 415, 422, 429].contains(&status), "{}", detail);
    prop_assert!(detail.len() < 1000, "{}", detail);
    Ok(())
}

/// Reads a form that arrives in parts of this length.
fn read(body: &[u8], boundary: &str, part: usize) -> Result<Form, Rejection> {
    let parts: Vec<_> = body.chunks(part).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let kind = format!("multipart/form-data; boundary={boundary}");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let memory = Memory::new(MEMORY);
    let form = Form::read(&memory, stream::iter(parts), &kind, Ask::default());
    runtime.unwrap().block_on(form)
}

/// A part of a form, or what looks like one.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        Just("file".to_owned()),
        Just("model".to_owned()),
        Just("tolerance".to_owned()),
        Just("objective".to_owned()),
        Just("response_format".to_owned()),
        Just("timestamp_granularities[]".to_owned()),
        Just("language".to_owned()),
        "[a-z\"\\\\;=\u{e4}]{0,9}",
    ];
    let text = prop_oneof![
        value(),
        Just(b"paretone-5pct-cost".to_vec()),
        Just(b"verbose_json".to_vec()),
        vec(any::<u8>(), 4000..5000),
    ];
    (name, text).prop_map(|(name, text)| {
        let head = format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        [head.as_bytes(), &text, b"\r\n"].concat()
    })
}

proptest! {
    // A case that failed is a test of its own, not a file.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_headers_are_read_or_refused(
        tolerances in vec(value(), 0..3),
        objectives in vec(value(), 0..3),
        deadlines in vec(value(), 0..3),
    ) {
        let mut headers = HeaderMap::new();
        for (name, values) in [("tolerance", tolerances), ("objective", objectives), ("deadline", deadlines)] {
            for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
                headers.append(name, value);
            }
        }
        match Ask::of_headers(&headers) {
            Ok(ask) => prop_assert!(ask.tolerance.is_none_or(|tolerance| tolerance.as_share().is_finite())),
            Err(error) => check(error.into())?,
        }
        if let Err(error) = deadline_of_headers(&headers) {
            check(error.into())?;
        }
    }

    #[test]
    fn any_body_is_a_form_or_refused(body in vec(any::<u8>(), 0..2000), part in 1..500_usize) {
        if let Err(rejection) = read(&body, "x", part) {
            check(rejection)?;
        }
    }

    #[test]
    fn what_looks_like_a_form_is_one_or_refused_however_it_arrives(
        parts in vec(part(), 0..8), cut in any::<prop::sample::Index>(), ends in any::<bool>(), length in 1..200_usize,
    ) {
        let mut body = [parts.concat().as_slice(), b"--x--\r\n"].concat();
        if !ends {
            body.truncate(cut.index(body.len()));
        }
        match (read(&body, "x", length), read(&body, "x", body.len().max(1))) {
            (Ok(form), Ok(whole)) => {
                prop_assert_eq!((form.ask, form.format, form.granularities, &form.name), (whole.ask, whole.format, whole.granularities, &whole.name));
                prop_assert_eq!(form.upload.map(|upload| upload.bytes), whole.upload.map(|upload| upload.bytes));
            }
            (Err(rejection), Err(_)) => check(rejection)?,
            (parts, whole) => prop_assert!(false, "{parts:?} is not {whole:?}"),
        }
    }

    #[test]
    fn any_content_type_names_a_boundary_or_is_refused(kind in "\\PC{0,80}", boundary in "\\PC{0,80}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for kind in [kind, format!("multipart/form-data; boundary={boundary}")] {
            let parts = stream::iter([Ok(Bytes::from_static(b"--x--\r\n"))]);
            let memory = Memory::new(MEMORY);
            let form = Form::read(&memory, parts, &kind, Ask::default());
            if let Err(rejection) = runtime.block_on(form) {
                check(rejection)?;
            }
        }
    }

    #[test]
    fn any_message_is_a_command_or_refused(text in "\\PC{0,80}", field in "(config|eof|Config)", inner in "[\\[\\]{}\":,a-z_0-9.eE-]{0,40}") {
        for text in [text, format!("{{\"{field}\":{inner}}}"), format!("{{\"config\":{{\"sample_rate\":{inner}}}}}")] {
            if let Err(error) = Command::parse(&text) {
                prop_assert_eq!(Rejection::from(error).problem().status, 400);
            }
        }
    }

    #[test]
    fn pcm_is_the_same_however_it_is_cut(bytes in vec(any::<u8>(), 0..500), length in 1..50_usize) {
        let mut pcm = Pcm::default();
        let cut: Vec<f32> = bytes.chunks(length).flat_map(|part| pcm.samples(part)).collect();
        prop_assert_eq!(cut.len(), bytes.len() / 2);
        prop_assert_eq!(cut, Pcm::default().samples(&bytes));
    }
}

#[test]
fn a_whole_form_is_read() {
    let field = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [
        field("model", "paretone-5pct-cost"),
        field("response_format", "srt"),
        field("file", "RIFF"),
        "--x--\r\n".into(),
    ];
    let form = read(body.concat().as_bytes(), "x", 7).unwrap();
    assert_eq!(form.format, Format::Srt);
    assert_eq!(form.ask, Ask::of_model("paretone-5pct-cost").unwrap());
    assert_eq!(form.upload.unwrap().bytes, b"RIFF");
}

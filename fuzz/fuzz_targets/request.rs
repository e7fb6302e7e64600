//! Headers, fields and model names that callers send: any bytes give a request that can be served,
//! or a typed refusal.

#![no_main]

use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use paretone::service::Rejection;
use paretone::service::request::{Ask, deadline_of_headers};

/// A refusal is the caller's doing.
fn check(rejection: Rejection) {
    assert!((400..500).contains(&rejection.problem().status), "{rejection}");
}

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for (line, name) in data
        .split(|&byte| byte == b'\n')
        .zip(["tolerance", "objective", "deadline"].iter().cycle().take(6))
    {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(*name, value);
        }
    }
    match Ask::of_headers(&headers) {
        Ok(ask) => assert!(ask.tolerance.is_none_or(
            |tolerance| tolerance.as_share() >= 0.0 && tolerance.as_share().is_finite()
        )),
        Err(error) => check(error.into()),
    }
    if let Err(error) = deadline_of_headers(&headers) {
        check(error.into());
    }
    if let Ok(text) = std::str::from_utf8(data) {
        for name in [text, &format!("paretone-{text}")] {
            if let Err(error) = Ask::of_model(name) {
                check(error.into());
            }
        }
    }
});

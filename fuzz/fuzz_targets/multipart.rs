//! The form of a transcription request: any bytes give a form or a typed refusal, and the same one
//! however the bytes are cut into pieces. The first byte says how long the pieces are.

#![no_main]

use std::pin::pin;

use bytes::Bytes;
use futures_util::{FutureExt, stream};
use libfuzzer_sys::fuzz_target;
use paretone::service::Rejection;
use paretone::service::form::Form;
use paretone::service::memory::Memory;
use paretone::service::request::Ask;

fn read(body: &[u8], length: usize) -> Result<Form, Rejection> {
    let parts: Vec<_> =
        body.chunks(length.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
    let memory = Memory::new(64 << 10);
    let mut form = pin!(Form::read(
        &memory,
        stream::iter(parts),
        "multipart/form-data; boundary=x",
        Ask::default()
    ));
    // All parts are there; it waits only for its turn after each piece.
    loop {
        if let Some(form) = form.as_mut().now_or_never() {
            return form;
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&length, body)) = data.split_first() else {
        return;
    };
    match (read(body, length.into()), read(body, body.len())) {
        (Ok(parts), Ok(whole)) => {
            assert_eq!(
                (parts.ask, parts.format, parts.granularities, parts.name),
                (whole.ask, whole.format, whole.granularities, whole.name)
            );
            assert_eq!(
                parts.upload.map(|upload| upload.bytes),
                whole.upload.map(|upload| upload.bytes)
            );
        }
        (Err(parts), Err(_)) => assert!((400..500).contains(&parts.problem().status), "{parts}"),
        (parts, whole) => panic!("{parts:?} is not {whole:?}"),
    }
});

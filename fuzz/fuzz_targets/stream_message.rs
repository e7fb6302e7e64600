//! Messages of a stream: any text gives a command or a typed refusal, and PCM gives the same
//! samples wherever it is cut. The first byte says where to cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::service::Rejection;
use paretone::service::stream::{Command, Pcm};

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Err(error) = Command::parse(text)
    {
        assert_eq!(Rejection::from(error).problem().status, 400);
    }
    let Some((&length, bytes)) = data.split_first() else {
        return;
    };
    let mut pcm = Pcm::default();
    let cut: Vec<f32> =
        bytes.chunks(length.max(1).into()).flat_map(|part| pcm.samples(part)).collect();
    assert_eq!(cut, Pcm::default().samples(bytes));
});

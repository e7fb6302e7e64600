//! Any bytes give a waveform of finite samples or a typed error.

#![no_main]

mod decoders;

use libfuzzer_sys::fuzz_target;
use paretone::audio::Waveform;

fuzz_target!(init: decoders::may_panic(), |bytes: &[u8]| {
    if let Ok(waveform) = Waveform::read(bytes, Some("a.mp3")) {
        assert!(waveform.samples.iter().all(|sample| sample.is_finite()));
    }
});

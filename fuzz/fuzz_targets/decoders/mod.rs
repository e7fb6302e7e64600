//! Decoders that are not ours may panic on damaged audio: the library turns that into an error,
//! which is what users see, so it is no finding.

use std::panic;
use std::process::abort;

/// Whose panics the library turns into errors.
const NOT_OURS: &str = "symphonia";

/// Lets only panics elsewhere stop the fuzzer, whose own hook stops at all.
pub fn may_panic() {
    panic::set_hook(Box::new(|panic| {
        if panic.location().is_none_or(|place| !place.file().contains(NOT_OURS)) {
            eprintln!("{panic}");
            abort();
        }
    }));
}

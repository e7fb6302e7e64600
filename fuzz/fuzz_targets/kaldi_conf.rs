//! Kaldi's configuration files: any bytes give a front end or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::check_front_end;

fuzz_target!(|bytes: &[u8]| {
    let _ = check_front_end(bytes);
});

//! The readers of Kaldi's final.ie and final.dubm: any bytes give Gaussians or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::{check_extractor, check_mixture};

fuzz_target!(|bytes: &[u8]| {
    for gaussians in [check_extractor(bytes), check_mixture(bytes)].into_iter().flatten() {
        assert!(gaussians <= bytes.len());
    }
});

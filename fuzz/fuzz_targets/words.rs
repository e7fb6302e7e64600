//! The table of heard words.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::sweep::words::parse;

fuzz_target!(|bytes: &[u8]| {
    let Ok(words) = parse(bytes, Path::new("words.csv")) else { return };
    for word in words {
        assert!((0.0..=1.0).contains(&word.confidence) && (0.0..=1.0).contains(&word.posterior));
    }
});

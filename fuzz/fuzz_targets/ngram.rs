//! The reader of packed n-grams: `Ngram::open` checks a header, `Ngram::verify` all of it; whatever
//! opens can be asked.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use paretone::graph::ngram::{LmState, Ngram};
use paretone::units::WordId;

fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("written");
    let Ok(ngram) = Ngram::open(file.path()) else { return };
    for state in (0..ngram.num_states().min(1000) as u32).map(LmState) {
        let _ = (ngram.backoff(state), ngram.end(state));
        let _ = ngram.successors(state).count();
        let _ = ngram.step(state, WordId(4));
    }
    let _ = Ngram::verify(file.path());
});

//! The readers of recorded outcomes and of hypotheses; what is read can be written back and
//! arranged.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::eval::versions::Hypotheses;
use paretone::tiers::{Outcomes, Table};

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("outcomes.csv");
    let _ = Hypotheses::parse(bytes, path);
    let Ok(table) = Outcomes::read(bytes, path) else { return };
    let mut written = Vec::new();
    table.write(&mut written).expect("memory takes it");
    assert!(Outcomes::read(written.as_slice(), path).is_ok());
    let _ = Table::of(&[table]);
});

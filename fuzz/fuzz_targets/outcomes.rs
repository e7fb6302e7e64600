//! The reader of recorded outcomes: any bytes give rows or a typed error, and rows a table or one.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::tiers::{Outcomes, Table};

fuzz_target!(|bytes: &[u8]| {
    let Ok(outcomes) = Outcomes::read(bytes, Path::new("outcomes.csv")) else { return };
    let Ok(table) = Table::new(&outcomes) else { return };
    assert!(table.most_accurate() < table.versions.len());
});

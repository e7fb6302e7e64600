//! Kaldi's data directories: any texts give utterances or a typed error. The input is the texts of
//! the files, separated by lines of `#`.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::eval::corpus::kaldi::{DataDirectory, parse};
use paretone::eval::corpus::table;

fuzz_target!(|text: &str| {
    let mut parts = text.split("\n#\n");
    let mut next = || parts.next();
    let files = DataDirectory {
        recordings: next().unwrap_or_default(),
        text: next().unwrap_or_default(),
        speakers: next(),
        segments: next(),
        genders: next(),
    };
    let folder = Path::new("data");
    let Ok(utterances) = parse(files, folder) else { return };
    let mut manifest = Vec::new();
    if table::write(&mut manifest, &utterances).is_ok() {
        let again = table::parse(&String::from_utf8_lossy(&manifest), folder)
            .expect("what is written is read");
        assert_eq!(again.len(), utterances.len());
    }
});

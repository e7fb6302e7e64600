//! A model's list of versions, and the text form of a setting.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::recognizer::{Setting, Versions};

fuzz_target!(|text: &str| {
    if let Ok(setting) = text.parse::<Setting>() {
        assert_eq!(setting.to_string().parse::<Setting>(), Ok(setting));
    }
    if let Ok(versions) = Versions::parse(text, Path::new("versions.toml")) {
        assert!(Versions::parse(&versions.to_text(), Path::new("versions.toml")).is_ok());
    }
});

//! A model's calibration, and what it makes of evidence.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::confidence::{Calibration, Evidence};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(calibration) = Calibration::parse(bytes, Path::new("confidence.json")) {
        for heads in calibration.versions.values() {
            let confidence = heads.confidence(&Evidence::default());
            assert!((0.0..=1.0).contains(&confidence.right));
            assert!((0.0..=1.0).contains(&confidence.improvable));
        }
    }
});

//! Kaldi's archives of matrices: any bytes give matrices of finite numbers, no more numbers than
//! bytes, or a typed error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::check_archive;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(matrices) = check_archive(bytes) {
        let values: usize = matrices.iter().map(|(_, matrix)| matrix.len()).sum();
        assert!(values <= bytes.len());
        assert!(matrices.iter().all(|(_, matrix)| matrix.iter().all(|value| value.is_finite())));
    }
});

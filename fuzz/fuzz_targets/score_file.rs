//! The reader of score matrices: any bytes give finite-sized scores or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::acoustic::Scores;
use paretone::units::Seconds;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(scores) = Scores::from_npy(bytes, Seconds(0.02)) {
        assert!(scores.as_slice().len() <= bytes.len() / 4);
        assert_eq!(scores.num_frames() * scores.num_pdfs(), scores.as_slice().len());
    }
});

//! The readers of Kaldi's G.carpa and of the G.fst beside it: any bytes give a model, which has a
//! cost for every word, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::{check_const_arpa, check_subtracted_fst};

fuzz_target!(|bytes: &[u8]| {
    let words = [1, 2, 3, 1, 5, 0, u32::MAX];
    for costs in [check_const_arpa(bytes, &words), check_subtracted_fst(bytes, &words)] {
        let costs = costs.unwrap_or_default();
        assert!(costs.iter().all(|cost| !cost.is_nan()), "{costs:?}");
    }
});

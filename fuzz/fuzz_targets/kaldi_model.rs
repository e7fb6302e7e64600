//! The reader of Kaldi's final.mdl, and the fold of its network: any bytes give layers or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::check_final_mdl;

fuzz_target!(|bytes: &[u8]| {
    let _ = check_final_mdl(bytes);
});

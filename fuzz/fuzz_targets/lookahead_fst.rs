//! The reader of lexicons with what comes next, OpenFst's `olabel_lookahead`: any bytes give an
//! automaton or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::check_lexicon_fst;

fuzz_target!(|bytes: &[u8]| {
    let _ = check_lexicon_fst(bytes);
});

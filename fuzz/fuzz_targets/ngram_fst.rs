//! The reader of language models as OpenFst has them (`ngram`, `const`, `vector`): any bytes give
//! an automaton or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::check_language_fst;

fuzz_target!(|bytes: &[u8]| {
    let _ = check_language_fst(bytes);
});

//! The config lines of an nnet3 network: any lines give layers or an error. Every component that
//! they name is the same matrix.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::kaldi::check_config_lines;

fuzz_target!(|text: &str| {
    let _ = check_config_lines(text);
});

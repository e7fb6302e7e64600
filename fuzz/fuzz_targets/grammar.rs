//! A grammar of anybody's: refused with a reason, or a finite automaton.

#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::graph::Grammar;

fuzz_target!(|text: &str| {
    if let Ok(grammar) = Grammar::parse(text, "grammar") {
        for state in 0..grammar.num_states() {
            assert!(grammar.after(state).all(|(word, next)| word < grammar.words().len()
                && next < grammar.num_states()));
        }
    }
});

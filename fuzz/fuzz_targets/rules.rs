//! The reader of rules files: any text gives rules that can be asked, printed and read back, or a
//! typed error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::tiers::{Objective, Rules, Tolerance};

fuzz_target!(|text: &str| {
    let Ok(rules) = Rules::parse(text) else { return };
    for share in [0.0, 0.05, f64::MAX] {
        let tolerance = Tolerance::share(share).expect("0 or more");
        let _ = rules.rule(tolerance, Objective::Cost);
    }
    let _ = rules.versions();
    let again = Rules::parse(&rules.to_text()).expect("what was read can be written and read");
    assert_eq!(again.tiers.len(), rules.tiers.len());
});

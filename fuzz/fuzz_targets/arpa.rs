//! The reader of ARPA files, compressed or not; what it accepts can be packed and asked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::graph::WordTable;
use paretone::graph::ngram::arpa::Arpa;
use paretone::graph::ngram::{LmState, pack::pack};
use paretone::units::WordId;

fuzz_target!(|bytes: &[u8]| {
    let words = "<eps>\n<s>\n</s>\n<unk>\na\nb\nc\n".as_bytes();
    let words = WordTable::from_reader(words, "words").expect("a sound table");
    let Ok(arpa) = Arpa::from_reader(bytes, "arpa", &words) else { return };
    let Ok(ngram) = pack(arpa, &words, 0) else { return };
    for state in (0..ngram.num_states() as u32).map(LmState) {
        for word in (0..8).map(WordId) {
            let _ = ngram.step(state, word);
        }
    }
});

//! The readers of word tables and lexicons.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::graph::WordTable;
use paretone::graph::lexicon::Lexicon;

fuzz_target!(|bytes: &[u8]| {
    let _ = WordTable::from_reader(bytes, "words");
    let words = WordTable::from_reader("<eps>\na\nb\n".as_bytes(), "words").expect("sound");
    let phones = ["SIL".to_owned(), "AH".to_owned(), "B".to_owned()];
    let _ = Lexicon::from_reader(bytes, "lexicon", &words, &phones);
});

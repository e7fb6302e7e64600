//! The readers of word tables, lexicons and lists of words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::graph::lexicon::Lexicon;
use paretone::graph::{WordList, WordTable};

fuzz_target!(|bytes: &[u8]| {
    let _ = WordTable::from_reader(bytes, "words");
    let _ = WordList::from_reader(bytes, "list");
    let words = WordTable::from_reader("<eps>\na\nb\n".as_bytes(), "words").expect("sound");
    let phones = ["SIL".to_owned(), "AH".to_owned(), "B".to_owned()];
    let _ = Lexicon::from_reader(bytes, "lexicon", &words, &phones);
});

//! The written form of words in any order: no rule panics, and every word is in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::recognizer::written::written;

const WORDS: &str = "zero one two three nine ten twelve thirteen twenty ninety hundred thousand million trillion and a point \
    minus oh double triple first second third twentieth hundredth millionth half thirds percent per cent dollars cents pounds \
    pence degrees celsius kilometers hour march may june of the at until p m o'clock page number";

fuzz_target!(|places: &[u8]| {
    let words: Vec<&str> = WORDS.split_ascii_whitespace().collect();
    let said: Vec<&str> = places.iter().map(|&at| words[usize::from(at) % words.len()]).collect();
    let pieces = written(&said);
    assert_eq!(pieces.iter().map(|piece| piece.words.len()).sum::<usize>(), said.len());
});

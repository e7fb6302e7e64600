//! The readers of transcript lists: our manifest and Common Voice's, VoxForge's prompts,
//! LibriSpeech's, and scorers'
//! in all their forms.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::eval::Normaliser;
use paretone::eval::corpus::{librispeech, table, voxforge};
use paretone::eval::transcripts::Transcripts;

fuzz_target!(|text: &str| {
    let path = Path::new("folder/list.tsv");
    let _ = table::parse(text, path);
    let _ = voxforge::parse(text, path);
    let _ = librispeech::parse(text);
    let _ = Transcripts::parse_tsv(text, path);
    let _ = Transcripts::parse_trn(text, path);
    let _ = Transcripts::parse_kaldi(text, path);
    let _ = Transcripts::parse_ctm(text, path);
    let _ = Transcripts::parse_json(text, path);
    let words = Normaliser::default().words(text);
    let again = Normaliser::default().words(&words.join(" "));
    assert_eq!(words.concat(), again.concat());
});

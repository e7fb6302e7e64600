//! The readers of corpus lists and transcripts, and what is done with their texts. The first byte selects the reader.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paretone::eval::corpus::{librispeech, table, voxforge};
use paretone::eval::transcripts::Transcripts;
use paretone::eval::{AlignmentRule, Normaliser, align};

fuzz_target!(|bytes: &[u8]| {
    let Some((reader, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    let path = Path::new("input");
    match reader % 6 {
        0 => drop(table::parse(&text, path)),
        1 => drop(voxforge::parse(&text, path)),
        2 => drop(librispeech::parse(&text)),
        3 => drop(Transcripts::parse_tsv(&text, path)),
        4 => drop(Transcripts::parse_trn(&text, path)),
        _ => {
            let (reference, hypothesis) = text.split_once('\n').unwrap_or((&text, ""));
            let words = |text: &str| Normaliser::default().words(text);
            let (reference, hypothesis) = (words(reference), words(hypothesis));
            for rule in [AlignmentRule::Minimal, AlignmentRule::Sclite] {
                let _ = align(&reference, &hypothesis, rule);
            }
        }
    }
});

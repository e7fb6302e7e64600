//! Subtitles of words whose times and letters are anything: the limits hold, and no word is lost.
#![no_main]

use libfuzzer_sys::fuzz_target;
use paretone::recognizer::subtitle::{Reserved, cues};
use paretone::recognizer::{Transcript, TranscriptWord};
use paretone::units::Seconds;

fuzz_target!(|said: Vec<(String, u16, u16)>| {
    let mut at = 0.0;
    let words = said.into_iter().map(|(word, pause, lasts)| {
        let start = at + f64::from(pause) / 1000.0;
        at = start + f64::from(lasts) / 1000.0;
        let (start, end) = (Seconds(start), Seconds(at));
        TranscriptWord { word, start, end, confidence: Some(1.0) }
    });
    let transcript = Transcript { words: words.collect(), ..Transcript::default() };
    let cues = cues(&transcript, Reserved { first: 4, last: 8 });
    assert_eq!(cues.iter().map(|cue| cue.words.len()).sum::<usize>(), transcript.words.len());
    for cue in &cues {
        assert!(cue.start.0 <= cue.end.0 && cue.end.0 - cue.start.0 < 7.001);
        assert!(cue.lines.iter().all(|line| line.chars().count() <= 42));
    }
});

//! The shipped model hears what was said: in the samples, in Debian's recordings and in the shared
//! development speech, each where present; what is absent is said, and its test passes
//! empty-handed.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use paretone::audio::Waveform;
use paretone::recognizer::Recognizer;

/// Files of a model without which nothing can be heard.
const MODEL_FILES: [&str; 5] =
    ["model.json", "acoustic.safetensors", "words.txt", "lexicon.txt", "graph.ngram"];

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The shipped model, or `None`, with the reason printed, where it is not all there.
fn shipped() -> Option<Recognizer> {
    let folder = repository("models/en");
    if let Some(missing) = MODEL_FILES.iter().find(|name| !folder.join(name).is_file()) {
        eprintln!("skipped: models/en has no {missing}");
        return None;
    }
    Some(Recognizer::open(&folder).expect("the shipped model opens"))
}

/// Word errors and reference words of recordings with their transcripts.
fn errors(recognizer: &Recognizer, recordings: &[(PathBuf, String)]) -> (usize, usize) {
    let mut scratch = recognizer.scratch();
    let (mut wrong, mut words) = (0, 0);
    for (path, said) in recordings {
        let waveform = Waveform::open(path).expect("a readable recording");
        let transcript = recognizer.transcribe_with(&waveform, &mut scratch).expect("a transcript");
        let heard = transcript.text();
        let said: Vec<&str> = said.split_whitespace().collect();
        let heard: Vec<&str> = heard.split_whitespace().collect();
        println!("{}\n  said  {}\n  heard {}", path.display(), said.join(" "), heard.join(" "));
        wrong += edit_distance(&said, &heard);
        words += said.len();
        check_times(&transcript);
    }
    (wrong, words)
}

fn check_times(transcript: &paretone::recognizer::Transcript) {
    let mut before = 0.0;
    for word in &transcript.words {
        assert!(word.start.0 >= before - 1e-9 && word.end.0 >= word.start.0, "{word:?}");
        before = word.start.0;
    }
    let last = transcript.words.last().map_or(0.0, |word| word.end.0);
    assert!(last <= transcript.audio.0 + 0.1, "a word ends after the recording");
}

/// The textbook recurrence, in one row.
fn edit_distance(a: &[&str], b: &[&str]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Rows of a table with a header, as column → value.
fn table(path: &Path) -> Vec<HashMap<String, String>> {
    let text = fs::read_to_string(path).expect("a readable table");
    let mut lines = text.lines().map(|line| line.split('\t'));
    let header: Vec<&str> = lines.next().expect("a header").collect();
    lines
        .map(|row| header.iter().map(|name| name.to_string()).zip(row.map(str::to_owned)).collect())
        .collect()
}

#[test]
fn the_samples_are_heard() {
    let Some(recognizer) = shipped() else { return };
    let folder = repository("corpora/samples");
    let samples: Vec<_> = table(&folder.join("manifest.tsv"))
        .into_iter()
        .map(|row| (folder.join(&row["path"]), row["text"].clone()))
        .collect();
    let (wrong, words) = errors(&recognizer, &samples);
    assert!(wrong * 5 <= words, "{wrong} word errors in {words} words of clear synthetic speech");
}

/// Confidences never contradict the ranking: of what ranks above an answer nothing is less sure.
#[test]
fn an_alternative_is_never_surer_than_one_above_it() {
    let Some(recognizer) = shipped() else { return };
    let folder = repository("corpora/samples");
    let (mut scratch, setting) = (recognizer.scratch(), recognizer.setting());
    let mut compared = 0;
    for row in table(&folder.join("manifest.tsv")) {
        let waveform = Waveform::open(folder.join(&row["path"])).expect("a readable recording");
        let scored = recognizer.score(&waveform, &mut scratch).expect("scores");
        let mut best = recognizer.search(&setting, &scored, &mut scratch).expect("a transcript");
        let answers = recognizer.n_best(&setting, &scored, 10, &mut scratch).expect("answers");
        let mut above = best.confidence.expect("calibrated").right + 1e-9;
        best.set_alternatives(answers);
        for answer in &best.alternatives {
            let sure = answer.confidence.expect("calibrated");
            assert!(sure <= above, "{}: {sure} after {above}", row["path"]);
            (above, compared) = (sure + 1e-9, compared + 1);
        }
    }
    assert!(compared > 10, "{compared} answers");
}

#[test]
fn shared_development_speech_is_heard() {
    let speech = repository("../shared/speech");
    if !speech.join("manifest.tsv").is_file() {
        eprintln!("skipped: no ../shared/speech beside the repository");
        return;
    }
    let Some(recognizer) = shipped() else { return };
    let rows = table(&speech.join("manifest.tsv"));
    let dev = rows
        .iter()
        .filter(|row| row["split"] == "dev" && row["set"] == "librispeech-test-clean")
        .step_by(64);
    let recordings: Vec<_> =
        dev.map(|row| (speech.join(&row["path"]), row["text"].clone())).collect();
    let (wrong, words) = errors(&recognizer, &recordings);
    assert!(wrong * 100 <= words * 30, "{wrong} word errors in {words} words");
}

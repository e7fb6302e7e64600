//! A stream hears what the whole recording says: however its samples are cut, and where nothing
//! ends an utterance early, to the bit.

mod tiny_model;

use std::path::Path;

use paretone::audio::Waveform;
use paretone::recognizer::{
    Cache, Ending, Endpointing, Guess, Options, Recognizer, RecognizerError, StreamOptions,
    Transcript, Utterance,
};
use paretone::units::{Hertz, Seconds};
use proptest::prelude::*;

fn tiny(folder: &Path) -> Recognizer {
    let options = Options::default().cache(Cache::in_folder(folder.join("cache")));
    Recognizer::open_with(tiny_model::write(folder), options).expect("the tiny model opens")
}

/// Noise with stretches of digital silence.
fn noise(count: usize) -> Vec<f32> {
    let loud = |at: usize| at % 20_000 < 14_000;
    let samples = tiny_model::noise(count).into_iter().enumerate();
    samples.map(|(at, sample)| if loud(at) { f32::from(sample) / 32_768.0 } else { 0.0 }).collect()
}

/// The utterances of samples pushed in chunks of these lengths, over and over, and every guess at
/// a whole second.
fn listen(
    recognizer: &Recognizer,
    options: &StreamOptions,
    samples: &[f32],
    chunks: &[usize],
) -> (Vec<Utterance>, Vec<Guess>) {
    let mut stream = recognizer.stream(options).expect("a stream");
    let (mut ended, mut guesses) = (Vec::new(), Vec::new());
    let second = options.rate.0 as usize;
    for seconds in samples.chunks(second) {
        let (mut rest, mut lengths) = (seconds, chunks.iter().cycle());
        while !rest.is_empty() {
            let length = *lengths.next().expect("a cycle does not end");
            let (chunk, later) = rest.split_at(length.min(rest.len()));
            ended.extend(stream.push(chunk).expect("good samples"));
            rest = later;
        }
        guesses.push(stream.guess().expect("a guess"));
    }
    ended.extend(stream.finish().expect("an end"));
    (ended, guesses)
}

/// What is heard in utterances at the model's setting, with the times of the stream.
fn finals(recognizer: &Recognizer, utterances: &[Utterance]) -> Vec<Transcript> {
    let mut scratch = recognizer.scratch();
    let mut hear = |utterance: &Utterance| {
        let heard = recognizer.transcribe_utterance(&recognizer.setting(), utterance, &mut scratch);
        heard.expect("a transcript").later(utterance.start)
    };
    utterances.iter().map(&mut hear).collect()
}

/// That utterances say together what the recording says.
fn assert_says(recognizer: &Recognizer, utterances: &[Utterance], whole: &Waveform) {
    let heard = finals(recognizer, utterances);
    let mut scratch = recognizer.scratch();
    let expected = recognizer.transcribe_with(whole, &mut scratch).expect("a transcript");
    let words: Vec<_> = heard.iter().flat_map(|heard| heard.words.clone()).collect();
    assert_eq!(words, expected.words);
    let cost: f64 = heard.iter().map(|heard| heard.cost.0).sum();
    assert!((cost - expected.cost.0).abs() <= 1e-9 * cost.abs());
    if let [heard] = heard.as_slice() {
        assert_eq!(heard.cost, expected.cost);
        assert_eq!(heard.confidence, expected.confidence);
        assert_eq!(heard.evidence, expected.evidence);
    }
}

#[test]
fn chunks_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let recognizer = tiny(folder.path());
    let samples = noise(60_000);
    let rates = [16_000, 8_000, 22_050].map(Hertz);
    let options = rates.map(|rate| StreamOptions::default().rate(rate));
    let whole = options.each_ref().map(|options| listen(&recognizer, options, &samples, &[60_000]));
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig::with_cases(40),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let chunks = prop::collection::vec(prop_oneof![1usize..20, 1usize..5_000], 1..12);
    let checked = runner.run(&(chunks, 0..rates.len()), |(chunks, at)| {
        let cut = listen(&recognizer, &options[at], &samples, &chunks);
        prop_assert!(cut == whole[at]);
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn without_rules_utterances_are_the_segments_of_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let recognizer = tiny(folder.path());
    for (rate, seconds) in [(16_000, 95), (8_000, 41), (16_000, 40), (44_100, 3)] {
        let samples = noise(rate as usize * seconds + 7);
        let rate = Hertz(rate);
        let options = StreamOptions::default().rate(rate);
        let options = options.endpointing(Endpointing::OFF);
        let (utterances, _) = listen(&recognizer, &options, &samples, &[3_000]);
        let (last, cut) = utterances.split_last().expect("an utterance");
        assert_eq!(last.ending, Ending::Stream);
        assert!(cut.iter().all(|utterance| utterance.ending == Ending::Length));
        assert_says(&recognizer, &utterances, &Waveform { samples, rate });
    }
}

#[test]
fn silence_ends_an_utterance_without_words_and_memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let recognizer = tiny(folder.path());
    let options = StreamOptions::default();
    let (utterances, _) = listen(&recognizer, &options, &vec![0.0; 16_000 * 61], &[1_600]);
    let longest = utterances.iter().map(|utterance| utterance.audio.duration().0);
    assert!(longest.fold(0.0, f64::max) <= 20.0);
    let mut at = Seconds(0.0);
    for utterance in &utterances {
        assert!((utterance.start.0 - at.0).abs() < 1e-9);
        at.0 += utterance.audio.duration().0;
    }
    assert!((at.0 - 61.0).abs() < 1e-9);
}

#[test]
fn what_cannot_be_heard_is_refused_and_leaves_the_stream_usable() {
    let folder = tempfile::tempdir().unwrap();
    let recognizer = tiny(folder.path());
    for rate in [0, 999, 400_000] {
        let options = StreamOptions::default().rate(Hertz(rate));
        assert!(matches!(recognizer.stream(&options), Err(RecognizerError::Audio(_))), "{rate}");
    }
    let mut stream = recognizer.stream(&StreamOptions::default()).unwrap();
    assert!(stream.finish().unwrap().is_empty());
    let samples = noise(16_000);
    for bad in [f32::NAN, f32::INFINITY] {
        stream.push(&samples).unwrap();
        assert!(matches!(stream.push(&[0.0, bad]), Err(RecognizerError::Audio(_))));
        let utterances = stream.finish().unwrap();
        assert_eq!(utterances.len(), 1);
        assert_eq!(utterances[0].audio.samples, samples);
    }
}

/// The shipped model, where it is all there.
fn shipped() -> Option<Recognizer> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/en");
    if !folder.join("acoustic.safetensors").is_file() {
        eprintln!("skipped: models/en has no acoustic.safetensors");
        return None;
    }
    Some(Recognizer::open(&folder).expect("the shipped model opens"))
}

fn sample(name: &str) -> Waveform {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/samples");
    Waveform::open(folder.join(name)).expect("a readable sample")
}

#[test]
fn samples_are_heard_as_when_whole() {
    let Some(recognizer) = shipped() else { return };
    for name in ["river.wav", "children.wav", "winter.wav", "night.wav"] {
        let whole = sample(name);
        let options = StreamOptions::default().rate(whole.rate);
        let options = options.endpointing(Endpointing::OFF);
        let (utterances, guesses) = listen(&recognizer, &options, &whole.samples, &[777, 1_600, 5]);
        assert_eq!(utterances.len(), 1);
        assert_says(&recognizer, &utterances, &whole);
        assert!(guesses.iter().any(|guess| !guess.words.is_empty()), "{name}");
    }
}

#[test]
fn a_long_pause_is_left_out_of_a_sentence() {
    let Some(recognizer) = shipped() else { return };
    let [river, winter] = ["river.wav", "winter.wav"]
        .map(|name| sample(name).at_rate(Hertz(16_000)).unwrap().samples);
    let together = |pause: usize| {
        let samples = [&river[..], &vec![0.0; pause], &winter[..]].concat();
        Waveform { samples, rate: Hertz(16_000) }
    };
    let (short, long) = (together(16_000), together(16_000 * 30));
    let heard = |waveform: &Waveform| recognizer.transcribe(waveform).unwrap();
    let (expected, whole) = (heard(&short), heard(&long));
    assert_eq!(whole.text(), expected.text());
    let onset = Seconds(river.len() as f64 / 16_000.0 + 30.0);
    let later = whole.words.iter().filter(|word| word.start >= onset).count();
    let second = recognizer.transcribe(&sample("winter.wav")).unwrap().words.len();
    assert_eq!(later, second, "the times know nothing of what was left out");
    assert!(whole.words.iter().all(|word| word.end.0 - word.start.0 < 2.0));
    let options = StreamOptions::default().endpointing(Endpointing::OFF);
    let (utterances, _) = listen(&recognizer, &options, &long.samples, &[1_234]);
    assert_eq!(utterances.len(), 1);
    assert_says(&recognizer, &utterances, &long);
}

#[test]
fn pauses_end_utterances() {
    let Some(recognizer) = shipped() else { return };
    let names = ["river.wav", "winter.wav"];
    let pause = vec![0.0; 24_000];
    let samples: Vec<f32> = names
        .map(|name| sample(name).at_rate(Hertz(16_000)).unwrap().samples)
        .into_iter()
        .flat_map(|samples| [samples, pause.clone()].concat())
        .collect();
    let options = StreamOptions::default();
    let (utterances, _) = listen(&recognizer, &options, &samples, &[3_200]);
    let endings: Vec<_> = utterances.iter().map(|utterance| utterance.ending).collect();
    assert_eq!(endings[..2], [Ending::Rule; 2], "{endings:?}");
    let heard = finals(&recognizer, &utterances);
    let ends_with = |heard: &Transcript, word: &str| {
        assert!(heard.text().ends_with(word), "{}", heard.text());
    };
    ends_with(&heard[0], "before him");
    ends_with(&heard[1], "snow");
    assert!(heard[2..].iter().all(|heard| heard.words.is_empty()));
    assert!(heard[1].words[0].start >= utterances[1].start);
}

//! How late and how near the guesses of a stream are: recordings are fed as if they were being
//! spoken, and every guess is held against what the end says.
//!
//! ```text
//! cargo run --release --example rig-stream -- models/en 200 a.wav b.wav …
//! ```
//!
//! The second argument is the length of the chunks in milliseconds. A word is *shown* when a guess
//! first has it in its place, and stays until the end; its delay is the time from its end in the
//! final answer to that guess. The delay consists of waiting for a whole chunk, of the network's
//! look-ahead and of the processor time of the push. Endpointing is off, so that a recording is an
//! utterance.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use paretone::audio::Waveform;
use paretone::eval::{AlignmentRule, ErrorCounts, align};
use paretone::recognizer::{Endpointing, Recognizer, RecognizerScratch, StreamOptions, Transcript};

/// What was measured, of all recordings.
#[derive(Default)]
struct Measured {
    audio: f64,
    /// Seconds that each push took.
    pushes: Vec<f64>,
    /// Seconds that each final answer took.
    finals: Vec<f64>,
    /// By word that was shown before the end.
    delays: Vec<f64>,
    words: usize,
    /// Word edits between the last guess and the final answer.
    edits: u64,
}

/// A guess, and when it was there on the recording's clock.
type Seen = (f64, Vec<String>);

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments.next().context("give a model's folder")?;
    let chunk = arguments.next().context("give the chunks' milliseconds")?;
    let chunk: f64 = chunk.parse()?;
    let recognizer = Recognizer::open(&model)?;
    let mut scratch = recognizer.scratch();
    let mut measured = Measured::default();
    for file in arguments {
        let waveform = Waveform::open(Path::new(&file))?;
        measured.hear(&recognizer, &mut scratch, &waveform, chunk / 1000.0)?;
    }
    measured.print();
    Ok(())
}

impl Measured {
    fn hear(
        &mut self,
        recognizer: &Recognizer,
        scratch: &mut RecognizerScratch,
        waveform: &Waveform,
        chunk: f64,
    ) -> Result<()> {
        let options = StreamOptions::default().rate(waveform.rate);
        let options = options.endpointing(Endpointing::OFF);
        let mut stream = recognizer.stream(&options)?;
        let rate = f64::from(waveform.rate.0);
        let mut seen: Vec<Seen> = Vec::new();
        let mut spoken = 0;
        for samples in waveform.samples.chunks((chunk * rate) as usize) {
            let started = Instant::now();
            stream.push(samples)?;
            let guess = stream.guess()?;
            let took = started.elapsed().as_secs_f64();
            spoken += samples.len();
            self.pushes.push(took);
            seen.push((spoken as f64 / rate + took, guess.words));
        }
        let started = Instant::now();
        let utterances = stream.finish()?;
        for utterance in &utterances {
            let heard =
                recognizer.transcribe_utterance(&recognizer.setting(), utterance, scratch)?;
            self.compare(&seen, &heard)?;
        }
        self.finals.push(started.elapsed().as_secs_f64());
        self.audio += waveform.duration().0;
        Ok(())
    }

    fn compare(&mut self, seen: &[Seen], heard: &Transcript) -> Result<()> {
        let words: Vec<&str> = heard.words.iter().map(|word| word.word.as_str()).collect();
        let last: Vec<&str> =
            seen.last().map_or(Vec::new(), |(_, words)| words.iter().map(String::as_str).collect());
        self.words += words.len();
        let alignment = align(&words, &last, AlignmentRule::Minimal)?;
        self.edits += ErrorCounts::of(&alignment).errors();
        for (place, word) in heard.words.iter().enumerate() {
            let has = |(_, guess): &&Seen| guess.get(place) == Some(&word.word);
            let since = seen.iter().rev().take_while(has).last();
            self.delays.extend(since.map(|(at, _)| at - word.end.0));
        }
        Ok(())
    }

    fn print(mut self) {
        let all: f64 = self.pushes.iter().sum();
        println!("audio\t{:.1} s", self.audio);
        println!("pushes\t{:.2} % of the audio's time", 100.0 * all / self.audio);
        for (what, values) in [
            ("push", &mut self.pushes),
            ("final answer", &mut self.finals),
            ("word shown after its end", &mut self.delays),
        ] {
            values.sort_by(f64::total_cmp);
            let at = |share: f64| values[((values.len() - 1) as f64 * share) as usize] * 1e3;
            println!(
                "{what}\tp50 {:.0} ms\tp95 {:.0} ms\tlargest {:.0} ms",
                at(0.5),
                at(0.95),
                at(1.0)
            );
        }
        let soon = self.delays.iter().filter(|&&delay| delay <= 0.5).count();
        println!("words shown within 0.5 s\t{soon}");
        println!("words shown before the end\t{} of {}", self.delays.len(), self.words);
        println!("edits of the last guess\t{}", self.edits);
    }
}

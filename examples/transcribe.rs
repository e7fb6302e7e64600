//! Print what is said in each recording, with the time of every word.
//!
//! ```text
//! cargo run --release --example transcribe -- a.wav b.flac
//! ```

use std::error::Error;

use paretone::{Recognizer, Waveform};

fn main() -> Result<(), Box<dyn Error>> {
    let mut recordings: Vec<String> = std::env::args().skip(1).collect();
    if recordings.is_empty() {
        recordings.push("corpora/samples/river.wav".into());
    }
    // A recognizer never changes: threads may share it, and each brings a scratch of its own.
    let recognizer = Recognizer::open("models/en")?;
    let mut scratch = recognizer.scratch();
    for path in &recordings {
        let waveform = Waveform::open(path)?;
        let transcript = recognizer.transcribe_with(&waveform, &mut scratch)?;
        println!("{path}: {}", transcript.text());
        for word in &transcript.words {
            println!("{:7.2} {:7.2} {}", word.start.0, word.end.0, word.word);
        }
    }
    Ok(())
}

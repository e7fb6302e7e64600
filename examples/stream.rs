//! Show words while they are spoken, and the final text of every utterance when it ends.
//!
//! ```text
//! cargo run --release --example stream -- a.wav
//! ```

use std::error::Error;

use paretone::recognizer::StreamOptions;
use paretone::{Recognizer, Waveform};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1);
    let path = path.unwrap_or("corpora/samples/river.wav".into());
    // Stands for a microphone: what is pushed may come in chunks of any size.
    let spoken = Waveform::open(&path)?;
    let recognizer = Recognizer::open("models/en")?;
    let setting = recognizer.setting();
    let mut scratch = recognizer.scratch();
    let options = StreamOptions::default().rate(spoken.rate);
    let mut stream = recognizer.stream(&options)?;
    for chunk in spoken.samples.chunks(4000) {
        let ended = stream.push(chunk)?;
        println!("… {}", stream.guess()?.text());
        for utterance in ended {
            let transcript = recognizer.transcribe_utterance(&setting, &utterance, &mut scratch)?;
            println!("{:.2} s: {}", utterance.start.0, transcript.text());
        }
    }
    for utterance in stream.finish()? {
        let transcript = recognizer.transcribe_utterance(&setting, &utterance, &mut scratch)?;
        println!("{:.2} s: {}", utterance.start.0, transcript.text());
    }
    Ok(())
}

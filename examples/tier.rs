//! Transcribe a recording as cheaply as errors within 5 % of the best version's allow.

use std::error::Error;

use paretone::{Objective, Recognizer, Tiers, Tolerance, Waveform};

fn main() -> Result<(), Box<dyn Error>> {
    let tiers = Tiers::of_model(Recognizer::open("models/en")?)?;
    let recording = Waveform::open("corpora/samples/river.wav")?;
    let answer = tiers.transcribe(&recording, Tolerance::percent(5.0)?, Objective::Cost)?;
    println!("{}", answer.transcript.text());
    let account = &answer.account;
    println!("{} answered, by {}", account.answered_by, account.policy);
    println!("at a cost of {:.1} ms, by certificate {}", 1e3 * account.cost.0, account.certificate);
    Ok(())
}

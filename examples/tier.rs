//! Transcribe a recording as cheaply as errors within 5 % of the best version's allow.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use paretone::audio::Waveform;
use paretone::recognizer::{self, Recognizer};
use paretone::scheduler::{Options, Recognition, Scheduler};
use paretone::tiers::{Objective, Rules};

fn main() -> Result<(), Box<dyn Error>> {
    let model = Path::new("models/en");
    let rules = Rules::open(&model.join("rules.toml"))?;
    let rule = rules.rule(0.05, Objective::Cost).ok_or("no such rule")?;
    let recognizer = Recognizer::open(model, recognizer::Options::default())?;
    let service = Recognition::new(Arc::new(recognizer));
    let policy = service.policy(&rule.policy)?;
    let scheduler = Scheduler::new(service, vec![policy], &Options::default());
    let waveform = Waveform::open(Path::new("corpora/samples/river.wav"))?;
    let served = scheduler.submit(waveform, 0, None)?.wait()?;
    println!("{}", served.answer.text());
    println!("answered by {} in {:?}", rule.policy, served.account);
    Ok(())
}

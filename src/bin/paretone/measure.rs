//! Recognising a corpus in parallel, and timing it: shared by `bench` and `sweep`.
//!
//! Time is processor time of the recognising thread: unlike the clock on the wall it does not
//! depend on what else the machine does, except through shared caches and clock rates; the least of
//! several repeats is taken for each utterance. The recogniser times its stages on the wall; a
//! run's stages are scaled so that they add up to its processor time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::outcomes::Analysis;
use paretone::audio::Waveform;
use paretone::eval::corpus::Utterance;
use paretone::recognizer::{Recognizer, RecognizerScratch, ScoredAudio, Setting, Transcript};
use paretone::units::Seconds;

/// A recording's scores and what it took to get them, in processor time.
pub(super) struct Prepared {
    pub scored: ScoredAudio,
    /// Reading and decoding the file.
    pub reading: Seconds,
    /// Features and network, the least of the repeats.
    pub scores: Seconds,
}

/// What one setting made of one recording.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub transcript: Transcript,
    /// Processor time of the search, and of rescoring: those of the fastest repeat.
    pub search: Seconds,
    pub rescore: Seconds,
    pub analysis: Analysis,
}

/// Reads a recording and scores it, `repeats` times.
pub(super) fn prepare(
    recognizer: &Recognizer,
    utterance: &Utterance,
    repeats: usize,
    scratch: &mut RecognizerScratch,
) -> anyhow::Result<Prepared> {
    let start = thread_time();
    let waveform = Waveform::open(&utterance.audio)?;
    let reading = thread_time() - start;
    let (mut scores, mut scored) = (f64::INFINITY, ScoredAudio::default());
    for _ in 0..repeats.max(1) {
        let start = thread_time();
        scored = recognizer.score(&waveform, scratch)?;
        scores = scores.min((thread_time() - start).as_secs_f64());
    }
    Ok(Prepared {
        scored,
        reading: Seconds(reading.as_secs_f64()),
        scores: Seconds(scores),
    })
}

/// Searches a recording's scores at every setting, `repeats` times in turn, so that a disturbance
/// seldom meets all repeats of one setting.
pub(super) fn hear(
    recognizer: &Recognizer,
    prepared: &Prepared,
    settings: &[Setting],
    repeats: usize,
    scratch: &mut RecognizerScratch,
) -> anyhow::Result<Vec<Heard>> {
    let mut best: Vec<Option<Heard>> = vec![None; settings.len()];
    for _ in 0..repeats.max(1) {
        for (setting, best) in settings.iter().zip(&mut best) {
            let start = thread_time();
            let transcript = recognizer.search(setting, &prepared.scored, scratch)?;
            let used = (thread_time() - start).as_secs_f64();
            if best.as_ref().is_none_or(|best| used < best.total().0) {
                *best = Some(Heard::new(transcript, used));
            }
        }
    }
    Ok(best.into_iter().flatten().collect())
}

impl Heard {
    fn new(transcript: Transcript, used: f64) -> Heard {
        let (search, rescore) = (transcript.timings.search.0, transcript.timings.rescore.0);
        let share = rescore / (search + rescore).max(f64::MIN_POSITIVE);
        Heard {
            transcript,
            search: Seconds(used * (1.0 - share)),
            rescore: Seconds(used * share),
            analysis: Analysis::default(),
        }
    }

    /// Search and rescoring.
    pub fn total(&self) -> Seconds {
        Seconds(self.search.0 + self.rescore.0)
    }
}

/// Calls `work` for every utterance, each worker with a scratch of its own; utterances are taken one
/// by one, so that no worker waits for another.
pub(super) fn for_each_utterance(
    recognizer: &Recognizer,
    utterances: &[Utterance],
    jobs: usize,
    work: impl Fn(usize, &Utterance, &mut RecognizerScratch) + Sync,
) -> anyhow::Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build()?;
    let next = AtomicUsize::new(0);
    pool.broadcast(|_| {
        let mut scratch = recognizer.scratch();
        while let Some((index, utterance)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            utterances.get(index).map(|utterance| (index, utterance))
        } {
            work(index, utterance, &mut scratch);
        }
    });
    Ok(())
}

/// A bar on standard error that counts `what` and says how long the rest will take.
pub(super) fn progress(total: u64, what: &str) -> ProgressBar {
    let template = format!("{{bar:40}} {{human_pos}}/{{human_len}} {what}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).expect("the template is well formed");
    ProgressBar::new(total).with_style(style)
}

/// Time on the wall, where the system does not tell threads apart.
#[cfg(not(unix))]
fn thread_time() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

/// Processor time this thread has used.
#[cfg(unix)]
fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

//! Recognising a corpus in parallel, and timing it.
//!
//! Time is processor time of the recognising thread: unlike the clock on the wall it does not
//! depend on what else the machine does, except through shared caches and clock rates; the least of
//! several repeats is taken for each utterance. The recogniser times its stages on the wall; a
//! run's stages are scaled so that they add up to its processor time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::analysis::Analysis;
use crate::acoustic::Scores;
use crate::decode::{DecodeError, Scratch};
use crate::eval::corpus::Utterance;
use crate::recognizer::{
    AnyNetwork, Recognizer, RecognizerError, RecognizerScratch, ScoredAudio, Setting, Transcript,
};
use crate::units::Seconds;

/// A recording's scores and what it took to get them, in processor time.
pub struct Prepared {
    /// The scores.
    pub scored: ScoredAudio,
    /// Reading and decoding the file.
    pub reading: Seconds,
    /// Features and network, the least of the repeats.
    pub scores: Seconds,
}

/// What one setting made of one recording.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The answer.
    pub transcript: Transcript,
    /// Processor time of the search, in the fastest repeat.
    pub search: Seconds,
    /// Processor time of rescoring, in the same repeat.
    pub rescore: Seconds,
    /// The comparison with the reference, where it was asked for.
    pub analysis: Analysis,
}

/// Reads a recording and scores it, `repeats` times.
///
/// # Errors
/// The recording cannot be read or scored.
pub fn prepare(
    recognizer: &Recognizer,
    utterance: &Utterance,
    repeats: usize,
    scratch: &mut RecognizerScratch,
) -> Result<Prepared, RecognizerError> {
    let start = thread_time();
    let waveform = utterance.waveform()?;
    let reading = thread_time() - start;
    let (mut scores, mut scored) = (f64::INFINITY, ScoredAudio::default());
    for _ in 0..repeats.max(1) {
        let start = thread_time();
        scored = recognizer.score(&waveform, scratch)?;
        scores = scores.min((thread_time() - start).as_secs_f64());
    }
    Ok(Prepared { scored, reading: Seconds(reading.as_secs_f64()), scores: Seconds(scores) })
}

/// Searches a recording's scores at every setting, `repeats` times in turn, so that a disturbance
/// seldom meets all repeats of one setting. One answer for each setting, in their order.
///
/// # Errors
/// The scores cannot be searched.
pub fn hear(
    recognizer: &Recognizer,
    prepared: &Prepared,
    settings: &[Setting],
    repeats: usize,
    scratch: &mut RecognizerScratch,
) -> Result<Vec<Heard>, RecognizerError> {
    fastest(settings, repeats, |setting| recognizer.search(setting, &prepared.scored, scratch))
}

/// The same for the scores of any network.
///
/// # Errors
/// The scores cannot be searched.
pub fn hear_scores(
    network: &AnyNetwork,
    scores: &Scores,
    settings: &[Setting],
    repeats: usize,
    scratch: &mut Scratch,
) -> Result<Vec<Heard>, DecodeError> {
    fastest(settings, repeats, |setting| network.search(setting, scores, scratch))
}

/// The fastest of so many searches at each setting, which are made in turn.
fn fastest<E>(
    settings: &[Setting],
    repeats: usize,
    mut search: impl FnMut(&Setting) -> Result<Transcript, E>,
) -> Result<Vec<Heard>, E> {
    let mut best: Vec<Option<Heard>> = vec![None; settings.len()];
    for _ in 0..repeats.max(1) {
        for (setting, best) in settings.iter().zip(&mut best) {
            let start = thread_time();
            let transcript = search(setting)?;
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

/// Calls `work` for every utterance, each worker with a scratch of its own; utterances are taken
/// one by one, so that no worker waits for another.
pub fn for_each_utterance(
    recognizer: &Recognizer,
    utterances: &[Utterance],
    jobs: usize,
    work: impl Fn(usize, &Utterance, &mut RecognizerScratch) + Sync,
) {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut scratch = recognizer.scratch();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(utterance) = utterances.get(index) else {
                return;
            };
            work(index, utterance, &mut scratch);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(worker);
        }
    });
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

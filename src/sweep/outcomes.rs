//! Rows of outcomes from what was recognised, and the evidence back from such rows.

use super::measure::{Heard, Prepared};
use crate::confidence::Evidence;
use crate::eval::Judged;
use crate::tiers::{Counter, Outcome, Table, Version};
use crate::units::Seconds;

/// A table of outcomes lacks a counter that is needed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the outcomes have no column `{}`; record them with `paretone bench --outcomes`", counter.column())]
pub struct MissingCounter {
    /// The counter.
    pub counter: Counter,
}

/// The outcome of one version on one utterance, with all counters ([`Counter::ALL`]). Its cost is
/// its response time: one worker did it all.
pub fn outcome(version: &str, judged: &Judged, prepared: &Prepared, heard: &Heard) -> Outcome {
    let scored = &judged.scored;
    let confidence = heard.transcript.confidence;
    let response = Seconds(micros(prepared.scores.0 + heard.total().0));
    let value = |&counter: &Counter| value(counter, judged, prepared, heard);
    Outcome {
        id: scored.id.clone(),
        group: scored.speaker.clone(),
        set: scored.set.clone(),
        version: version.to_owned(),
        errors: scored.counts.errors() as u32,
        words: scored.counts.reference as u32,
        response,
        cost: response,
        confidence: digits(confidence.map_or(0.0, |confidence| confidence.right)),
        counters: Counter::ALL.iter().map(value).collect(),
    }
}

/// What a counter has to say of a run.
fn value(counter: Counter, judged: &Judged, prepared: &Prepared, heard: &Heard) -> f64 {
    let counts = judged.scored.counts;
    let effort = heard.transcript.effort;
    let evidence = heard.transcript.evidence.unwrap_or_default();
    let analysis = heard.analysis;
    match counter {
        Counter::Substitutions => counts.substitutions as f64,
        Counter::Deletions => counts.deletions as f64,
        Counter::Insertions => counts.insertions as f64,
        Counter::AudioSeconds => micros(heard.transcript.audio.0),
        Counter::ScoresSeconds => micros(prepared.scores.0),
        Counter::SearchSeconds => micros(heard.search.0),
        Counter::RescoreSeconds => micros(heard.rescore.0),
        Counter::Frames => f64::from(effort.frames),
        Counter::Tokens => effort.tokens as f64,
        Counter::Arcs => effort.arcs as f64,
        Counter::EpsilonArcs => effort.epsilon_arcs as f64,
        Counter::WordsHeard => f64::from(evidence.words),
        Counter::ExpectedErrors => digits(evidence.expected_errors),
        Counter::Posterior => digits(evidence.posterior),
        Counter::WeakestWord => digits(evidence.weakest_word),
        Counter::Alternatives => f64::from(evidence.alternatives),
        Counter::ReachedFinal => f64::from(u8::from(evidence.reached_final)),
        Counter::CrowdedFrames => f64::from(evidence.crowded_frames),
        Counter::AcousticGap => digits(evidence.acoustic_gap),
        Counter::Cutoff => digits(evidence.cutoff),
        Counter::NearCutoff => digits(evidence.near_cutoff),
        Counter::Narrow => digits(evidence.narrow),
        Counter::LeastRoom => digits(evidence.least_room),
        Counter::GraphCost => digits(evidence.graph_cost),
        Counter::Nodes => evidence.nodes as f64,
        Counter::Rivals => digits(evidence.rivals),
        Counter::WidestGap => digits(evidence.widest_gap),
        Counter::PredictedErrors => digits(heard.transcript.expected_errors.unwrap_or(0.0)),
        Counter::Improvable => digits(heard.transcript.confidence.map_or(0.0, |c| c.improvable)),
        Counter::Oov => f64::from(analysis.oov),
        Counter::SearchError => f64::from(u8::from(analysis.search_error)),
        Counter::LatticeErrors => f64::from(analysis.lattice_errors),
    }
}

/// The evidence behind what a version of a table made of the request at a place.
///
/// # Errors
/// The table lacks a counter.
pub fn evidence(
    table: &Table,
    version: &Version,
    place: usize,
) -> Result<Evidence, MissingCounter> {
    let value = |counter: Counter| {
        let at = table.counter(counter);
        let at = at.ok_or(MissingCounter { counter })?;
        Ok(version.counters[at][place])
    };
    Ok(Evidence {
        words: value(Counter::WordsHeard)? as u32,
        expected_errors: value(Counter::ExpectedErrors)?,
        posterior: value(Counter::Posterior)?,
        weakest_word: value(Counter::WeakestWord)?,
        alternatives: value(Counter::Alternatives)? as u32,
        frames: value(Counter::Frames)? as u32,
        reached_final: value(Counter::ReachedFinal)? > 0.0,
        arcs: value(Counter::Arcs)? as u64,
        crowded_frames: value(Counter::CrowdedFrames)? as u32,
        acoustic_gap: value(Counter::AcousticGap)?,
        cutoff: value(Counter::Cutoff)?,
        near_cutoff: value(Counter::NearCutoff)?,
        narrow: value(Counter::Narrow)?,
        least_room: value(Counter::LeastRoom)?,
        graph_cost: value(Counter::GraphCost)?,
        nodes: value(Counter::Nodes)? as u64,
        rivals: value(Counter::Rivals)?,
        widest_gap: value(Counter::WidestGap)?,
    })
}

/// Rounded to the millionth: for seconds finer than they are measured, for evidence all that a
/// calibration can use.
pub(super) fn micros(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// Rounded to five significant digits, in which a logarithm does not feel it.
fn digits(value: f64) -> f64 {
    format!("{value:.4e}").parse().expect("a number was written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::Outcomes;

    #[test]
    fn evidence_is_read_from_the_counters_by_name() {
        let mut outcomes = Outcomes::with_counters(Counter::ALL);
        let counters = (0..Counter::ALL.len()).map(|place| place as f64);
        let row = Outcome { counters: counters.collect(), ..Outcome::default() };
        let place = |counter| row.counters[outcomes.counter(counter).unwrap()];
        let (frames, arcs) = (place(Counter::Frames), place(Counter::Arcs));
        outcomes.rows =
            ["v1", "v2"].map(|version| Outcome { version: version.into(), ..row.clone() }).into();
        let table = Table::new(&outcomes).unwrap();
        let read = evidence(&table, &table.versions[1], 0).unwrap();
        assert_eq!((f64::from(read.frames), read.arcs as f64), (frames, arcs));
        assert!(read.reached_final);

        let posterior = outcomes.counter(Counter::Posterior).unwrap();
        outcomes.counters[posterior] = "other".into();
        let table = Table::new(&outcomes).unwrap();
        let missing = evidence(&table, &table.versions[0], 0).unwrap_err();
        assert_eq!(missing.counter, Counter::Posterior);
        assert!(missing.to_string().contains("`posterior`"));
    }
}

//! The measurements of a search that predict whether its words are right.

use serde::Serialize;

use crate::decode::{Cancel, DecodeError, Effort, Headroom, Hypothesis, Knob, PathGraph, WordFit};

use super::least_risk::least_risk;
use super::mbr::{Risk, risk};
use super::n_best_risk;
use super::posteriors::posteriors;

/// Factor of costs in posteriors. LF-MMI scores are trained and searched at scale 1, but a flatter
/// distribution ranked utterances better on development speech.
const SCALE: f64 = 0.6;

/// Computes the risk of one path's words from all paths of the lattice.
///
/// # Errors
/// [`DecodeError::Cancelled`] if `cancel` asks to stop; it is checked between the recursions.
pub fn doubt(
    paths: &PathGraph<'_>,
    heard: &Hypothesis,
    cancel: Option<&Cancel>,
) -> Result<Risk, DecodeError> {
    let go_on = || cancel.map_or(Ok(()), |cancel| cancel.check(heard.frames as usize));
    go_on()?;
    let posteriors = posteriors(paths, SCALE);
    go_on()?;
    risk(paths, &posteriors, &heard.word_ids(), go_on)
}

/// What a lattice says of an answer and its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// How probable the words are among all paths.
    pub risk: Risk,
    /// How probable they are among the best word sequences, each counted once.
    pub listed: Risk,
    /// How many word sequences those are.
    pub alternatives: u32,
    /// How nearly they were lost.
    pub headroom: Headroom,
    /// How well each of them fits.
    pub fits: Vec<WordFit>,
    /// Nodes of the lattice.
    pub nodes: u64,
    /// [`Lattice::rivals`](crate::decode::Lattice::rivals).
    pub rivals: f64,
}

impl Findings {
    /// Measures an answer by the paths that it was chosen from.
    ///
    /// # Errors
    /// As [`doubt`].
    pub fn of(
        paths: &PathGraph<'_>,
        heard: &Hypothesis,
        cancel: Option<&Cancel>,
    ) -> Result<Findings, DecodeError> {
        let risk = doubt(paths, heard, cancel)?;
        let list = n_best_risk::list(paths);
        Ok(Findings {
            risk,
            listed: n_best_risk::risk(&list, &heard.word_ids()),
            alternatives: list.len() as u32,
            headroom: paths.headroom(),
            fits: paths.word_fits(&heard.words),
            nodes: paths.lattice().num_nodes() as u64,
            rivals: paths.lattice().rivals(),
        })
    }
}

/// The words of least Bayes risk, as libvosk and Kaldi choose them: by posteriors, at the scale of
/// the costs, of `sequences`, which has each word sequence of `paths` once. Times and costs are
/// those of the path that is nearest to the words.
///
/// # Errors
/// As [`doubt`].
pub fn least_risk_words(
    paths: &PathGraph<'_>,
    sequences: &PathGraph<'_>,
    cancel: Option<&Cancel>,
) -> Result<Hypothesis, DecodeError> {
    let best = paths.best();
    let words = best.word_ids();
    let go_on = || cancel.map_or(Ok(()), |cancel| cancel.check(best.frames as usize));
    go_on()?;
    let posteriors = posteriors(sequences, 1.0);
    go_on()?;
    let chosen = least_risk(sequences, &posteriors, &words, go_on)?;
    Ok(match chosen.words == words {
        true => best,
        false => paths.nearest(&chosen.words).unwrap_or(best),
    })
}

/// Measurements summed over the segments of a recording: the inputs of a
/// [`Calibration`](super::Calibration).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// Words heard.
    pub words: u32,
    /// Expected word errors, by the best word sequences.
    pub expected_errors: f64,
    /// The probability that all words are right, by the best word sequences.
    pub posterior: f64,
    /// The lowest probability of any word to be right, by the best word sequences; 1 without words.
    pub weakest_word: f64,
    /// Sum of [`Findings::alternatives`]: word sequences that are about as good.
    pub alternatives: u32,
    /// Score frames.
    pub frames: u32,
    /// Whether every segment ended in a final state.
    pub reached_final: bool,
    /// Arcs the search looked at.
    pub arcs: u64,
    /// Frames in which the network top-N dropped tokens.
    pub crowded_frames: u32,
    /// Sum over frames of the gap between the best score and the score on the best path.
    pub acoustic_gap: f64,
    /// Sum over frames of the largest extra cost that pruning allowed ([`Effort::cutoff`]).
    pub cutoff: f64,
    /// Sum of [`Headroom::near`]: good paths that were nearly lost.
    pub near_cutoff: f64,
    /// Sum of [`Headroom::narrow`]: how often the search's own best path was nearly lost.
    pub narrow: f64,
    /// The lowest [`Headroom::least`] of any segment, in units of cost: how nearly the answer was
    /// lost.
    pub least_room: f64,
    /// What the path costs beyond its scores: arcs, language models and the end.
    pub graph_cost: f64,
    /// Nodes of the lattice.
    pub nodes: u64,
    /// Sum of [`Lattice::rivals`](crate::decode::Lattice::rivals): how unclear the sound is.
    pub rivals: f64,
    /// The largest [`WordFit::acoustic_gap`] of any word.
    pub widest_gap: f64,
}

impl Default for Evidence {
    fn default() -> Self {
        Evidence {
            words: 0,
            expected_errors: 0.0,
            posterior: 1.0,
            weakest_word: 1.0,
            alternatives: 0,
            frames: 0,
            reached_final: true,
            arcs: 0,
            crowded_frames: 0,
            acoustic_gap: 0.0,
            cutoff: 0.0,
            near_cutoff: 0.0,
            narrow: 0.0,
            least_room: Headroom::MOST,
            graph_cost: 0.0,
            nodes: 0,
            rivals: 0.0,
            widest_gap: 0.0,
        }
    }
}

impl Evidence {
    /// Adds a segment.
    pub fn add(&mut self, heard: &Hypothesis, findings: &Findings) {
        let Findings { listed, alternatives, headroom, fits, nodes, rivals, .. } = findings;
        let Effort { frames, arcs, dropped, best_scores, cutoff, .. } = heard.effort;
        self.words += heard.words.len() as u32;
        self.expected_errors += listed.errors;
        self.posterior *= listed.sequence;
        let weakest = listed.words.iter().copied();
        self.weakest_word = weakest.fold(self.weakest_word, f64::min);
        self.alternatives += alternatives;
        self.frames += frames;
        self.reached_final &= heard.reached_final;
        self.arcs += arcs;
        self.crowded_frames += dropped[Knob::NetworkTopN];
        let acoustic = heard.parts.map_or(0.0, |parts| parts.acoustic.0);
        self.acoustic_gap += (acoustic + best_scores).max(0.0);
        self.cutoff += cutoff;
        self.near_cutoff += headroom.near;
        self.narrow += headroom.narrow;
        self.least_room = self.least_room.min(headroom.least);
        self.graph_cost += heard.cost.0 - acoustic;
        self.nodes += nodes;
        self.rivals += rivals;
        let gaps = fits.iter().map(|fit| fit.acoustic_gap);
        self.widest_gap = gaps.fold(self.widest_gap, f64::max);
    }
}

/// Number of inputs of a calibration.
pub const FEATURES: usize = 19;

impl Evidence {
    /// The inputs of a calibration, all finite: logarithms of what varies by factors, ratios of
    /// what grows with length.
    pub fn features(&self) -> [f64; FEATURES] {
        let frames = f64::from(self.frames.max(1));
        let words = f64::from(self.words);
        [
            log_odds(self.posterior),
            (self.expected_errors + 0.01).ln(),
            self.expected_errors / words.max(1.0),
            log_odds(self.weakest_word),
            f64::from(self.alternatives.max(1)).ln(),
            (words + 1.0).ln(),
            words / frames,
            (self.acoustic_gap / frames + 1e-3).ln(),
            (self.arcs as f64 / frames + 1.0).ln(),
            f64::from(self.crowded_frames) / frames,
            f64::from(u8::from(self.reached_final)),
            (self.near_cutoff + 0.01).ln(),
            (self.narrow + 1e-3).ln(),
            self.least_room,
            self.cutoff / frames,
            self.graph_cost / frames,
            (self.nodes as f64 / frames + 1.0).ln(),
            self.rivals / frames,
            (self.widest_gap + 1.0).ln(),
        ]
    }
}

/// `ln(p / (1 − p))`, finite at 0 and 1 too.
pub(super) fn log_odds(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

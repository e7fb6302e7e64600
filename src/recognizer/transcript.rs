//! What was heard: the words with their times, and what hearing them cost.

use serde::Serialize;

use super::written::{self, Piece};
use crate::confidence::{Confidence, Evidence, Findings, Heads, WordEvidence};
use crate::decode::{self, Effort, Hypothesis, PathCost};
use crate::units::Seconds;

use super::Costs;

/// One recognised word. Serializes as `{"word", "start", "end",
/// "confidence"}`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TranscriptWord {
    /// The word as the model's word table spells it.
    pub word: String,
    /// Where it starts, from the beginning of the recording.
    pub start: Seconds,
    /// Where it ends, from the beginning of the recording; never before `start`.
    pub end: Seconds,
    /// The calibrated probability that the word is right, in [0, 1]; none where
    /// [`Transcript::confidence`] is none.
    pub confidence: Option<f64>,
}

/// Wall-clock time of each stage, in seconds of one thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Timings {
    /// Resampling and features.
    pub features: Seconds,
    /// The network's forward pass.
    pub acoustic: Seconds,
    /// The beam search, lattice included.
    pub search: Seconds,
    /// Rescoring with the large language model; zero when it is off.
    pub rescore: Seconds,
}

impl Timings {
    /// All stages together.
    pub fn total(&self) -> Seconds {
        Seconds(self.features.0 + self.acoustic.0 + self.search.0 + self.rescore.0)
    }
}

/// What was heard in one recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The words in time order; empty where nothing was heard.
    pub words: Vec<TranscriptWord>,
    /// What is known of each word; empty where no lattices were made.
    pub word_evidence: Vec<WordEvidence>,
    /// Other answers, the best first, where they were asked for.
    pub alternatives: Vec<Alternative>,
    /// The path's whole cost: acoustic and graph, the latter after rescoring where that was on.
    pub cost: PathCost,
    /// False where the search ended outside a final state, so that the last words are doubtful.
    pub reached_final: bool,
    /// How probably every word is right, calibrated; of several segments the share of words that is
    /// expected to be right, as all words of an hour never are. None where the setting is no
    /// version of a model that was calibrated.
    pub confidence: Option<Confidence>,
    /// How many word errors are expected, calibrated: words added, left out or replaced. None where
    /// [`Transcript::confidence`] is none.
    pub expected_errors: Option<f64>,
    /// What the lattices say of the words; none where none were made, which is where the setting
    /// does not rescore, and where several segments were answered one by one.
    pub evidence: Option<Evidence>,
    /// How many segments it was heard in.
    pub segments: usize,
    /// How much work the search was.
    pub effort: Effort,
    /// Where the time went.
    pub timings: Timings,
    /// How long the recording is.
    pub audio: Seconds,
}

impl Transcript {
    /// The words with one space between them.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.word.as_str()).collect();
        words.join(" ")
    }

    /// The same words so much later, rounded to the millisecond: an utterance's times as its
    /// stream's.
    pub fn later(mut self, by: Seconds) -> Transcript {
        for word in &mut self.words {
            let (start, end) = (word.start, word.end);
            let moved = WordTime { start, end }.later(by);
            (word.start, word.end) = (moved.start, moved.end);
        }
        let alternatives = self.alternatives.iter_mut();
        for time in alternatives.flat_map(|alternative| &mut alternative.times) {
            *time = time.later(by);
        }
        self
    }

    /// The same with numbers, money, dates, times and units as people write them ([`written`]). A
    /// figure stands from the first of its words to the last, and is as sure as the least sure of
    /// them.
    pub fn in_digits(mut self) -> Transcript {
        let names: Vec<&str> = self.words.iter().map(|word| word.word.as_str()).collect();
        let pieces = written::written(&names);
        let joined = |piece: &Piece| {
            let words = &self.words[piece.words.clone()];
            TranscriptWord {
                word: piece.text.clone(),
                start: words[0].start,
                end: words[words.len() - 1].end,
                confidence: words
                    .iter()
                    .map(|word| word.confidence)
                    .reduce(|one, other| Some(one?.min(other?)))
                    .flatten(),
            }
        };
        self.words = pieces.iter().map(joined).collect();
        // It was of the words that were heard.
        self.word_evidence = Vec::new();
        for alternative in &mut self.alternatives {
            let pieces = written::written(&alternative.words);
            let joined = |piece: &Piece| WordTime {
                start: alternative.times[piece.words.start].start,
                end: alternative.times[piece.words.end - 1].end,
            };
            if alternative.times.len() == alternative.words.len() {
                alternative.times = pieces.iter().map(joined).collect();
            }
            alternative.words = pieces.into_iter().map(|piece| piece.text).collect();
        }
        self
    }

    /// Appends the words of a segment, and what is known of it and of them; returns the former.
    /// `place` says how a word is spelt and where it lies in the recording.
    pub(super) fn append<'w>(
        &mut self,
        heard: &Hypothesis,
        findings: Option<&Findings>,
        place: impl Fn(&decode::Word) -> (&'w str, (Seconds, Seconds)),
    ) -> Option<Evidence> {
        let answer = findings.map(|findings| {
            self.evidence.get_or_insert_default().add(heard, findings);
            let mut answer = Evidence::default();
            answer.add(heard, findings);
            answer
        });
        for (at, word) in heard.words.iter().enumerate() {
            let (text, time) = place(word);
            // A phrase of the user's is one word to the search.
            for (text, WordTime { start, end }) in phrase(text, time) {
                if let Some((findings, answer)) = findings.zip(answer) {
                    let spoken = (text, end.0 - start.0);
                    self.word_evidence.push(WordEvidence::new(findings, at, spoken, answer));
                }
                let word = text.to_owned();
                self.words.push(TranscriptWord { word, start, end, confidence: None });
            }
        }
        self.segments += 1;
        self.cost += heard.cost;
        self.reached_final &= heard.reached_final;
        self.effort += heard.effort;
        answer
    }

    /// Says what to believe of the answer and its words, by what was fitted to its version.
    pub(super) fn judge_by(&mut self, heads: &Heads) {
        let evidence = self.evidence.unwrap_or_default();
        self.confidence = Some(heads.confidence(&evidence));
        if heads.expect_errors() {
            self.expected_errors.get_or_insert_default();
        }
        for (word, known) in self.words.iter_mut().zip(&self.word_evidence) {
            word.confidence = Some(heads.word(known));
        }
        self.judge_as_whole();
    }

    /// Of several segments, the confidence is the share of words that is expected to be right.
    fn judge_as_whole(&mut self) {
        let knows_words = self.word_evidence.len() == self.words.len();
        if let (Some(whole), Some(errors), 2.., true) =
            (&mut self.confidence, self.expected_errors, self.segments, knows_words)
        {
            whole.right = (1.0 - errors / self.words.len().max(1) as f64).max(0.0);
        }
    }

    /// The whole of a recording whose segments were answered one by one, in their order, and whose
    /// scores took so long.
    #[cfg(feature = "tiers")]
    pub(crate) fn joined(
        parts: impl Iterator<Item = Transcript>,
        audio: Seconds,
        scored: &Timings,
    ) -> Self {
        let nothing = || Transcript { reached_final: true, ..Transcript::default() };
        let mut whole = parts.reduce(Transcript::followed_by).unwrap_or_else(nothing);
        whole.audio = audio;
        (whole.timings.features, whole.timings.acoustic) = (scored.features, scored.acoustic);
        whole.judge_as_whole();
        whole
    }

    /// The same, and the next segment. Both together are as improvable as the more improvable.
    #[cfg(feature = "tiers")]
    fn followed_by(mut self, next: Transcript) -> Transcript {
        let both = self.confidence.zip(next.confidence);
        self.confidence = both.map(|(this, next)| Confidence {
            right: this.right.min(next.right),
            improvable: this.improvable.max(next.improvable),
        });
        let errors = self.expected_errors.zip(next.expected_errors);
        self.expected_errors = errors.map(|(this, next)| this + next);
        self.evidence = None;
        self.words.extend(next.words);
        self.word_evidence.extend(next.word_evidence);
        self.cost += next.cost;
        self.reached_final &= next.reached_final;
        self.segments += next.segments;
        self.effort += next.effort;
        self.timings.search.0 += next.timings.search.0;
        self.timings.rescore.0 += next.timings.rescore.0;
        self
    }

    /// Takes other answers, and says how sure each is: the best as sure as the transcript, and what
    /// that leaves shared among the others as their posteriors are, none being surer than one that
    /// ranks above it.
    pub fn set_alternatives(&mut self, mut alternatives: Vec<Alternative>) {
        if let Some(right) = self.confidence.map(|confidence| confidence.right) {
            let text = self.text();
            let is_best = |alternative: &Alternative| alternative.words.join(" ") == text;
            let best = alternatives.iter().find(|other| is_best(other));
            let rest = 1.0 - best.map_or(0.0, |best| best.posterior);
            let mut highest = 1.0f64;
            for alternative in &mut alternatives {
                let share = (alternative.posterior / rest.max(f64::MIN_POSITIVE)).min(1.0);
                let sure = match is_best(alternative) {
                    true => right,
                    false => (1.0 - right) * share,
                };
                highest = highest.min(sure);
                alternative.confidence = Some(highest);
            }
        }
        self.alternatives = alternatives;
    }

    /// Processing seconds per second of audio, always of the recording's own length; zero for an
    /// empty recording.
    pub fn real_time_factor(&self) -> f64 {
        if self.audio.0 > 0.0 { self.timings.total().0 / self.audio.0 } else { 0.0 }
    }
}

/// When a word was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct WordTime {
    /// Where it starts.
    pub start: Seconds,
    /// Where it ends.
    pub end: Seconds,
}

impl WordTime {
    /// The same so much later, rounded to the millisecond.
    pub(crate) fn later(self, by: Seconds) -> WordTime {
        let moved = |time: Seconds| Seconds(((time.0 + by.0) * 1000.0).round() / 1000.0);
        WordTime { start: moved(self.start), end: moved(self.end) }
    }
}

/// One of several answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Alternative {
    /// The words.
    pub words: Vec<String>,
    /// When each of them was said on this path.
    pub times: Vec<WordTime>,
    /// Its path's whole cost.
    pub cost: PathCost,
    /// What that is made of; none where the large language models were not opened.
    pub costs: Option<Costs>,
    /// The probability that these are exactly the words, by the lattice alone; in [0, 1].
    pub posterior: f64,
    /// The same, calibrated; none where the transcript's own confidence is none.
    pub confidence: Option<f64>,
}

impl Alternative {
    /// What is heard in no segments at all: nothing, for sure.
    pub(crate) fn nothing() -> Alternative {
        Alternative { posterior: 1.0, costs: Some(Costs::NOTHING), ..Alternative::default() }
    }

    /// The `count` cheapest of all pairs of a first and a second part.
    pub(crate) fn combined(
        first: &[Alternative],
        second: &[Alternative],
        count: usize,
    ) -> Vec<Alternative> {
        let pairs = first.iter().flat_map(|a| second.iter().map(move |b| (a, b)));
        let mut all: Vec<Alternative> = pairs
            .map(|(a, b)| Alternative {
                words: [a.words.as_slice(), &b.words].concat(),
                times: [a.times.as_slice(), &b.times].concat(),
                cost: a.cost + b.cost,
                costs: a.costs.zip(b.costs).map(|(a, b)| a + b),
                posterior: a.posterior * b.posterior,
                confidence: a.confidence.zip(b.confidence).map(|(a, b)| a * b),
            })
            .collect();
        all.sort_by(|a, b| a.cost.0.total_cmp(&b.cost.0));
        all.truncate(count);
        all
    }
}

/// The words of a phrase, each with as much of its time as it has of its letters, rounded to the
/// millisecond.
pub(super) fn phrase(
    text: &str,
    (start, end): (Seconds, Seconds),
) -> impl Iterator<Item = (&str, WordTime)> {
    let letters = text.split(' ').map(str::len).sum::<usize>().max(1) as f64;
    let mut before = 0;
    text.split(' ').map(move |word| {
        let place = |letters_before: usize| {
            Seconds(start.0 + (end.0 - start.0) * letters_before as f64 / letters)
        };
        let start = place(before);
        before += word.len();
        (word, WordTime { start, end: place(before) }.later(Seconds(0.0)))
    })
}

/// The share of words that is expected to be right; none where nothing is known.
pub(super) fn expected_right<'t>(
    words: impl ExactSizeIterator<Item = &'t TranscriptWord>,
) -> Option<f64> {
    let count = words.len().max(1);
    let sum: Option<f64> = words.map(|word| word.confidence).sum();
    Some(sum? / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alternative(word: &str, posterior: f64) -> Alternative {
        Alternative { words: vec![word.to_owned()], posterior, ..Alternative::default() }
    }

    fn at(start: f64, end: f64) -> WordTime {
        WordTime { start: Seconds(start), end: Seconds(end) }
    }

    #[test]
    fn a_figure_stands_for_all_of_its_words() {
        let word = |word: &str, start: f64, confidence| TranscriptWord {
            word: word.into(),
            start: Seconds(start),
            end: Seconds(start + 0.5),
            confidence: Some(confidence),
        };
        let words = vec![
            word("in", 0.0, 0.9),
            word("nineteen", 0.5, 0.8),
            word("eighty", 1.0, 0.6),
            word("four", 1.5, 0.7),
        ];
        let written = Transcript {
            alternatives: vec![Alternative {
                words: vec!["fifty".into(), "five".into()],
                times: vec![at(0.0, 1.0), at(1.0, 1.5)],
                ..Alternative::default()
            }],
            words,
            ..Transcript::default()
        };
        let written = written.in_digits();
        assert_eq!(written.text(), "in 1984");
        let year = &written.words[1];
        assert_eq!((year.start.0, year.end.0, year.confidence), (0.5, 2.0, Some(0.6)));
        let other = &written.alternatives[0];
        assert_eq!(other.words, ["55"]);
        assert_eq!(other.times, [at(0.0, 1.5)]);
        let later = written.later(Seconds(2.0));
        assert_eq!(later.alternatives[0].times, [at(2.0, 3.5)]);
    }

    #[test]
    fn alternatives_share_what_the_best_leaves() {
        let word = TranscriptWord {
            word: "yes".into(),
            start: Seconds(0.0),
            end: Seconds(0.5),
            confidence: Some(0.9),
        };
        let mut transcript = Transcript {
            words: vec![word],
            confidence: Some(Confidence { right: 0.7, improvable: 0.1 }),
            ..Transcript::default()
        };
        let sure = |transcript: &Transcript| {
            let all = transcript.alternatives.iter();
            all.map(|a| a.confidence.unwrap()).collect::<Vec<f64>>()
        };
        let answers = [("yes", 0.6), ("yet", 0.3), ("yen", 0.1)];
        transcript.set_alternatives(answers.map(|(w, p)| alternative(w, p)).to_vec());
        let expected = [0.7, 0.225, 0.075];
        let pairs = sure(&transcript).into_iter().zip(expected);
        assert!({ pairs }.all(|(ours, expected)| (ours - expected).abs() < 1e-12));
        // A lattice of one path leaves nothing to share.
        transcript.set_alternatives(vec![alternative("yes", 1.0), alternative("no", 0.0)]);
        assert_eq!(sure(&transcript), [0.7, 0.0]);
        // The best may be unlikely; what ranks below it is not likelier.
        transcript.confidence = Some(Confidence { right: 0.1, improvable: 0.9 });
        transcript.set_alternatives(answers.map(|(w, p)| alternative(w, p)).to_vec());
        assert_eq!(sure(&transcript), [0.1, 0.1, 0.1]);
    }
}

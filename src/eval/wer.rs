//! Word error rates: counts of errors and their micro and macro averages.
//!
//! *Micro* is the usual word error rate: all errors over all reference words. *Macro* is the mean
//! of the utterances' own rates. An utterance with an empty reference adds its insertions to the
//! micro average and nothing to the denominator; it has no rate of its own and is left out of the
//! macro average.

use std::hash::Hash;
use std::ops::AddAssign;

use serde::Serialize;

use super::EvalError;
use super::align::{Alignment, AlignmentRule, Edit, align};
use crate::tiers::drift::Disagreement;

/// Errors of one or more utterances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ErrorCounts {
    /// Words of the reference.
    pub reference: u64,
    /// Words that came out as another word.
    pub substitutions: u64,
    /// Reference words that did not come out.
    pub deletions: u64,
    /// Words that came out and are not in the reference.
    pub insertions: u64,
}

impl ErrorCounts {
    /// Counts an alignment's errors.
    pub fn of(alignment: &Alignment) -> ErrorCounts {
        let mut counts = ErrorCounts::default();
        for edit in &alignment.edits {
            match edit {
                Edit::Correct(..) => {}
                Edit::Substitution(..) => counts.substitutions += 1,
                Edit::Deletion(_) => counts.deletions += 1,
                Edit::Insertion(_) => counts.insertions += 1,
            }
            counts.reference += u64::from(!matches!(edit, Edit::Insertion(_)));
        }
        counts
    }

    /// Substitutions, deletions and insertions together.
    pub fn errors(&self) -> u64 {
        self.substitutions + self.deletions + self.insertions
    }

    /// Errors over reference words; none without reference words.
    pub fn rate(&self) -> Option<f64> {
        (self.reference > 0).then(|| self.errors() as f64 / self.reference as f64)
    }
}

/// How far an answer is from its shadow's, in words: a unit of evidence for
/// [`Watch`](crate::tiers::drift::Watch).
///
/// # Errors
/// The answers are too long and too different to be aligned.
pub fn disagreement<W: Eq + Hash>(answer: &[W], shadow: &[W]) -> Result<Disagreement, EvalError> {
    let counts = ErrorCounts::of(&align(shadow, answer, AlignmentRule::Minimal)?);
    let most = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Disagreement { distance: most(counts.errors()), words: most(counts.reference) })
}

impl AddAssign for ErrorCounts {
    fn add_assign(&mut self, other: ErrorCounts) {
        self.reference += other.reference;
        self.substitutions += other.substitutions;
        self.deletions += other.deletions;
        self.insertions += other.insertions;
    }
}

/// One scored utterance: its errors and the groups it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scored {
    /// The utterance.
    pub id: String,
    /// Who speaks; empty when unknown.
    pub speaker: String,
    /// The speaker's accent; empty when unknown.
    pub accent: String,
    /// The part of the corpus; empty when it has none.
    pub set: String,
    /// Its errors.
    #[serde(flatten)]
    pub counts: ErrorCounts,
}

/// Sums over utterances.
///
/// ```
/// use paretone::eval::{ErrorCounts, Tally};
///
/// let mut tally = Tally::default();
/// tally.add(ErrorCounts { reference: 9, substitutions: 1, ..Default::default() });
/// tally.add(ErrorCounts { reference: 1, deletions: 1, ..Default::default() });
/// assert_eq!(tally.micro(), Some(0.2)); // 2 errors in 10 words
/// assert_eq!(tally.macro_mean(), Some((1.0 / 9.0 + 1.0) / 2.0)); // mean of the two rates
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Number of utterances.
    pub utterances: u64,
    /// Utterances with at least one error.
    pub wrong: u64,
    /// Their errors.
    pub counts: ErrorCounts,
    rates: f64,
    rated: u64,
}

impl Tally {
    /// Adds one utterance.
    pub fn add(&mut self, counts: ErrorCounts) {
        self.utterances += 1;
        self.wrong += u64::from(counts.errors() > 0);
        self.counts += counts;
        if let Some(rate) = counts.rate() {
            self.rates += rate;
            self.rated += 1;
        }
    }

    /// All errors over all reference words; none without reference words.
    pub fn micro(&self) -> Option<f64> {
        self.counts.rate()
    }

    /// Mean of the utterances' own rates; none without an utterance that has one.
    pub fn macro_mean(&self) -> Option<f64> {
        (self.rated > 0).then(|| self.rates / self.rated as f64)
    }
}

impl<'a> FromIterator<&'a Scored> for Tally {
    fn from_iter<I: IntoIterator<Item = &'a Scored>>(utterances: I) -> Tally {
        let mut tally = Tally::default();
        for utterance in utterances {
            tally.add(utterance.counts);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::super::align::{AlignmentRule, align};
    use super::*;

    fn counts(reference: &str, hypothesis: &str) -> ErrorCounts {
        let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        let rule = AlignmentRule::Minimal;
        ErrorCounts::of(&align(&words(reference), &words(hypothesis), rule).unwrap())
    }

    #[test]
    fn disagreement_is_counted_in_words_of_the_shadow() {
        let words = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
        for (answer, shadow, distance, of) in [
            ("the old man", "the old man", 0, 3),
            ("an old man walked", "the old man", 2, 3),
            ("", "the old", 2, 2),
            ("the", "", 1, 0),
        ] {
            let found = disagreement(&words(answer), &words(shadow)).unwrap();
            assert_eq!(found, Disagreement { distance, words: of });
        }
    }

    #[test]
    fn micro_and_macro_averages() {
        let mut tally = Tally::default();
        for (reference, hypothesis) in [("a b c d", "a x c"), ("a", "a"), ("", "b b")] {
            tally.add(counts(reference, hypothesis));
        }
        assert_eq!((tally.utterances, tally.wrong), (3, 2));
        let want = ErrorCounts { reference: 5, substitutions: 1, deletions: 1, insertions: 2 };
        assert_eq!(tally.counts, want);
        assert_eq!(tally.micro(), Some(4.0 / 5.0));
        assert_eq!(tally.macro_mean(), Some((0.5 + 0.0) / 2.0));
        assert_eq!(Tally::default().micro(), None);
    }
}

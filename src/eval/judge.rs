//! One hypothesis against its reference: both normalised, aligned and counted.

use super::EvalError;
use super::align::{Alignment, AlignmentRule, Edit, align};
use super::corpus::Utterance;
use super::normalise::Normaliser;
use super::wer::{ErrorCounts, Scored};

/// How words are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judging {
    /// What is the same word.
    pub normaliser: Normaliser,
    /// Which alignment counts substitutions, deletions and insertions.
    pub rule: AlignmentRule,
}

/// An utterance that was judged: its counts, and what they were counted from.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// The counts, and whose they are.
    pub scored: Scored,
    /// Words of the reference, normalised.
    pub reference: Vec<String>,
    /// Words of the hypothesis, normalised.
    pub hypothesis: Vec<String>,
    /// Which word stands for which.
    pub alignment: Alignment,
}

impl Judging {
    /// The words of a text, normalised.
    pub fn words(&self, text: &str) -> Vec<String> {
        self.normaliser.words(text)
    }

    /// Normalises both sides and counts the errors.
    ///
    /// # Errors
    /// The texts are too long to align.
    ///
    /// # Examples
    /// ```
    /// use paretone::eval::corpus::Utterance;
    /// use paretone::eval::Judging;
    ///
    /// let said = Utterance { text: "the old man walked".into(), ..Utterance::default() };
    /// let judged = Judging::default().judge(&said, "The old men walked")?;
    /// assert_eq!(judged.scored.counts.substitutions, 1);
    /// # Ok::<(), paretone::eval::EvalError>(())
    /// ```
    pub fn judge(&self, utterance: &Utterance, hypothesis: &str) -> Result<Judged, EvalError> {
        let reference = self.words(&utterance.text);
        let hypothesis = self.words(hypothesis);
        let alignment = align(&reference, &hypothesis, self.rule)?;
        let scored = Scored {
            id: utterance.id.clone(),
            speaker: utterance.speaker.clone(),
            accent: utterance.accent.clone(),
            set: utterance.set.clone(),
            counts: ErrorCounts::of(&alignment),
        };
        Ok(Judged { scored, reference, hypothesis, alignment })
    }
}

impl Judged {
    /// Whether each of the words that were heard is right, by their normalised spellings; none
    /// where a spelling is empty. Normalising parts some words and joins others, so a word is right
    /// if all that its letters went into are. None at all if the letters are not those judged.
    pub fn right_words(&self, heard: &[String]) -> Option<Vec<Option<bool>>> {
        let mut right = vec![false; self.hypothesis.len()];
        for edit in &self.alignment.edits {
            if let Edit::Correct(_, at) = edit {
                right[*at] = true;
            }
        }
        let letters = self.hypothesis.iter().zip(right);
        let mut letters = letters.flat_map(|(word, right)| word.chars().map(move |c| (c, right)));
        let mut verdicts = Vec::with_capacity(heard.len());
        for word in heard {
            let mut verdict = None;
            for letter in word.chars() {
                let (judged, right) = letters.next()?;
                if judged != letter {
                    return None;
                }
                verdict = Some(verdict.unwrap_or(true) && right);
            }
            verdicts.push(verdict);
        }
        letters.next().is_none().then_some(verdicts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_right_if_all_that_its_letters_went_into_are() {
        let said = Utterance { text: "anyone can see".into(), ..Utterance::default() };
        let judged = Judging::default().judge(&said, "any one can sea").unwrap();
        let heard = ["any", "one", "can", "sea"].map(str::to_owned);
        let right = judged.right_words(&heard).unwrap();
        assert_eq!(right, [Some(true), Some(true), Some(true), Some(false)]);
        assert_eq!(judged.right_words(&["other".to_owned()]), None);
    }
}

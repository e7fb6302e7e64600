//! Alignment of a hypothesis with its reference, and the errors it counts.
//!
//! Two rules, because two tools define the counts that papers report:
//!
//! - [`AlignmentRule::Minimal`] (Levenshtein 1966): the fewest errors. Ties are broken as rapidfuzz
//!   does, so that substitutions, deletions and insertions equal those of `jiwer`: equal words at
//!   both ends stay together; between them, from the end, a deletion where it is optimal, else an
//!   insertion where it leads to a cheaper diagonal, else the diagonal.
//! - [`AlignmentRule::Sclite`]: the alignment of NIST's `sclite`, which weighs substitutions 4 and
//!   deletions and insertions 3 and prefers, from the end, the diagonal, then an insertion. It
//!   keeps equal words together at the price of, rarely, one error more than the minimum.
//!
//! `scripts/eval/agree_wer.py` compares both with the two tools. Texts of hours are aligned like
//! those of seconds, but only within a band of the matrix (`band`) that no best alignment leaves.

mod band;

use std::collections::HashMap;
use std::hash::Hash;

use super::EvalError;
use band::Search;

/// Which alignment is sought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AlignmentRule {
    /// The fewest errors; counts equal `jiwer`'s.
    #[default]
    Minimal,
    /// Weights 4, 3, 3 for substitution, deletion and insertion; counts equal `sclite`'s.
    Sclite,
}

/// One step of an alignment, with positions in reference and hypothesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The same word in both.
    Correct(usize, usize),
    /// Another word in the hypothesis.
    Substitution(usize, usize),
    /// A reference word without a counterpart.
    Deletion(usize),
    /// A hypothesis word without a counterpart.
    Insertion(usize),
}

/// The steps of an alignment, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alignment {
    /// Every word of the reference and of the hypothesis occurs once.
    pub edits: Vec<Edit>,
}

/// Aligns a hypothesis with its reference; both are normalised words.
///
/// ```
/// use paretone::eval::{AlignmentRule, ErrorCounts, align};
///
/// let (said, heard) = (["the", "old", "man"], ["an", "old", "man", "walked"]);
/// let counts = ErrorCounts::of(&align(&said, &heard, AlignmentRule::Minimal)?);
/// assert_eq!((counts.substitutions, counts.deletions, counts.insertions), (1, 0, 1));
/// # Ok::<(), paretone::eval::EvalError>(())
/// ```
///
/// Time grows with the length times the number of errors, memory with the root of that: two texts
/// of thirty thousand words, a sixth of them wrong, take a second and 15 MB.
///
/// # Errors
/// The texts are too long and too different for that.
pub fn align<W: Eq + Hash>(
    reference: &[W],
    hypothesis: &[W],
    rule: AlignmentRule,
) -> Result<Alignment, EvalError> {
    let (start, end) = match rule {
        AlignmentRule::Minimal => common_ends(reference, hypothesis),
        AlignmentRule::Sclite => (0, 0),
    };
    let mut ids = HashMap::new();
    let mut numbered = |words| numbers(words, &mut ids);
    let inner_reference = numbered(&reference[start..reference.len() - end]);
    let inner_hypothesis = numbered(&hypothesis[start..hypothesis.len() - end]);
    let search = Search::new(&inner_reference, &inner_hypothesis, rule);
    let Some(inner) = search.edits() else {
        let (reference, hypothesis) = (reference.len(), hypothesis.len());
        return Err(EvalError::TooLong { reference, hypothesis });
    };
    let correct = |k: usize| Edit::Correct(reference.len() - 1 - k, hypothesis.len() - 1 - k);
    let mut edits: Vec<Edit> = (0..start).map(|k| Edit::Correct(k, k)).collect();
    edits.extend(inner.into_iter().map(|edit| edit.later(start)));
    edits.extend((0..end).rev().map(correct));
    Ok(Alignment { edits })
}

impl Edit {
    /// The same step that many words later.
    fn later(self, by: usize) -> Edit {
        match self {
            Edit::Correct(i, j) => Edit::Correct(i + by, j + by),
            Edit::Substitution(i, j) => Edit::Substitution(i + by, j + by),
            Edit::Deletion(i) => Edit::Deletion(i + by),
            Edit::Insertion(j) => Edit::Insertion(j + by),
        }
    }
}

/// A number for each word, the same for equal ones, since numbers compare faster.
fn numbers<'w, W: Eq + Hash>(words: &'w [W], ids: &mut HashMap<&'w W, u32>) -> Vec<u32> {
    let number = |word| {
        let next = ids.len() as u32;
        *ids.entry(word).or_insert(next)
    };
    words.iter().map(number).collect()
}

/// Lengths of the common prefix, and of the common suffix of what follows it.
fn common_ends<W: PartialEq>(a: &[W], b: &[W]) -> (usize, usize) {
    let equal = |(x, y): &(&W, &W)| x == y;
    let start = a.iter().zip(b).take_while(equal).count();
    let rest = a[start..].iter().rev().zip(b[start..].iter().rev());
    (start, rest.take_while(equal).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::wer::ErrorCounts;
    use super::*;

    /// S, D, I as jiwer 4.0 and sclite 2.4.10 count them, ties and all.
    #[test]
    fn counts_equal_the_tools() {
        let cases = [
            ("e b a", "b a a", [2, 0, 0], [0, 1, 1]),
            ("b a b", "a c b a", [0, 1, 2], [0, 1, 2]),
            ("a b c d", "a c c d e", [1, 0, 1], [1, 0, 1]),
            ("x y", "y", [0, 1, 0], [0, 1, 0]),
            ("", "a b", [0, 0, 2], [0, 0, 2]),
            ("a b", "", [0, 2, 0], [0, 2, 0]),
        ];
        for (reference, hypothesis, minimal, sclite) in cases {
            let words = |text: &'static str| text.split_whitespace().collect::<Vec<_>>();
            let (reference, hypothesis) = (words(reference), words(hypothesis));
            for (rule, want) in [(AlignmentRule::Minimal, minimal), (AlignmentRule::Sclite, sclite)]
            {
                let counts = ErrorCounts::of(&align(&reference, &hypothesis, rule).unwrap());
                let got = [counts.substitutions, counts.deletions, counts.insertions];
                assert_eq!(got, want, "{rule:?}: {reference:?} {hypothesis:?}");
            }
        }
    }

    /// The plain recursion over the last words, with unit costs.
    fn distance(a: &[u8], b: &[u8]) -> usize {
        match (a, b) {
            ([], rest) | (rest, []) => rest.len(),
            ([x, a @ ..], [y, b @ ..]) if x == y => distance(a, b),
            ([_, shorter_a @ ..], [_, shorter_b @ ..]) => {
                let least = distance(shorter_a, shorter_b);
                1 + least.min(distance(shorter_a, b)).min(distance(a, shorter_b))
            }
        }
    }

    proptest! {
        /// Every word occurs once and in order, edits say the truth, and the minimal rule is
        /// minimal.
        #[test]
        fn alignments_are_complete(
            reference in prop::collection::vec(0u8..3, 0..7),
            hypothesis in prop::collection::vec(0u8..3, 0..7),
        ) {
            for rule in [AlignmentRule::Minimal, AlignmentRule::Sclite] {
                let alignment = align(&reference, &hypothesis, rule).unwrap();
                let (mut i, mut j) = (0, 0);
                for edit in &alignment.edits {
                    match *edit {
                        Edit::Correct(at_i, at_j) | Edit::Substitution(at_i, at_j) => {
                            prop_assert_eq!((at_i, at_j), (i, j));
                            let equal = matches!(edit, Edit::Correct(..));
                            prop_assert_eq!(equal, reference[i] == hypothesis[j]);
                            (i, j) = (i + 1, j + 1);
                        }
                        Edit::Deletion(at) => {
                            prop_assert_eq!(at, i);
                            i += 1;
                        }
                        Edit::Insertion(at) => {
                            prop_assert_eq!(at, j);
                            j += 1;
                        }
                    }
                }
                prop_assert_eq!((i, j), (reference.len(), hypothesis.len()));
                let errors = ErrorCounts::of(&alignment).errors() as usize;
                let minimum = distance(&reference, &hypothesis);
                prop_assert!(errors == minimum || rule == AlignmentRule::Sclite && errors > minimum);
            }
        }
    }
}

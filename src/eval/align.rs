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
//! `scripts/eval/agree_wer.py` compares both with the two tools.

use super::EvalError;

/// The most cells of the alignment matrix: 256 MB, two texts of 8,000 words.
const MAX_CELLS: usize = 1 << 26;

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
/// # Errors
/// The product of their lengths is beyond what fits in memory.
pub fn align<W: PartialEq>(
    reference: &[W],
    hypothesis: &[W],
    rule: AlignmentRule,
) -> Result<Alignment, EvalError> {
    let (start, end) = match rule {
        AlignmentRule::Minimal => common_ends(reference, hypothesis),
        AlignmentRule::Sclite => (0, 0),
    };
    let inner_reference = &reference[start..reference.len() - end];
    let inner_hypothesis = &hypothesis[start..hypothesis.len() - end];
    let (rows, columns) = (inner_reference.len() + 1, inner_hypothesis.len() + 1);
    if rows
        .checked_mul(columns)
        .is_none_or(|cells| cells > MAX_CELLS)
    {
        let (reference, hypothesis) = (reference.len(), hypothesis.len());
        return Err(EvalError::TooLong {
            reference,
            hypothesis,
        });
    }
    let correct = |k: usize| Edit::Correct(reference.len() - 1 - k, hypothesis.len() - 1 - k);
    let mut edits: Vec<Edit> = (0..end).map(correct).collect();
    trace(inner_reference, inner_hypothesis, rule, start, &mut edits);
    edits.extend((0..start).rev().map(|k| Edit::Correct(k, k)));
    edits.reverse();
    Ok(Alignment { edits })
}

/// Appends the edits from the last to the first, with positions moved by `start`.
fn trace<W: PartialEq>(
    reference: &[W],
    hypothesis: &[W],
    rule: AlignmentRule,
    start: usize,
    edits: &mut Vec<Edit>,
) {
    let costs = Costs::fill(reference, hypothesis, rule);
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    while i > 0 || j > 0 {
        let equal = i > 0 && j > 0 && reference[i - 1] == hypothesis[j - 1];
        let step = costs.last_step(i, j, equal);
        (i, j) = match step {
            Step::Diagonal => (i - 1, j - 1),
            Step::Deletion => (i - 1, j),
            Step::Insertion => (i, j - 1),
        };
        edits.push(match step {
            Step::Diagonal if equal => Edit::Correct(start + i, start + j),
            Step::Diagonal => Edit::Substitution(start + i, start + j),
            Step::Deletion => Edit::Deletion(start + i),
            Step::Insertion => Edit::Insertion(start + j),
        });
    }
}

/// Lengths of the common prefix, and of the common suffix of what follows it.
fn common_ends<W: PartialEq>(a: &[W], b: &[W]) -> (usize, usize) {
    let equal = |(x, y): &(&W, &W)| x == y;
    let start = a.iter().zip(b).take_while(equal).count();
    let rest = a[start..].iter().rev().zip(b[start..].iter().rev());
    (start, rest.take_while(equal).count())
}

/// A step back through the matrix.
#[derive(Clone, Copy)]
enum Step {
    Diagonal,
    Deletion,
    Insertion,
}

/// Cost of aligning every prefix of the reference with every prefix of the hypothesis.
struct Costs {
    /// Row-major, (reference + 1) × (hypothesis + 1).
    cells: Vec<u32>,
    columns: usize,
    rule: AlignmentRule,
}

impl AlignmentRule {
    /// Costs of a substitution and of a deletion or insertion.
    fn weights(self) -> (u32, u32) {
        match self {
            AlignmentRule::Minimal => (1, 1),
            AlignmentRule::Sclite => (4, 3),
        }
    }
}

impl Costs {
    fn fill<W: PartialEq>(reference: &[W], hypothesis: &[W], rule: AlignmentRule) -> Costs {
        let (substitution, gap) = rule.weights();
        let columns = hypothesis.len() + 1;
        let mut cells = vec![0; (reference.len() + 1) * columns];
        for (j, cell) in cells[..columns].iter_mut().enumerate() {
            *cell = j as u32 * gap;
        }
        for (i, word) in reference.iter().enumerate() {
            let (above, row) = cells[i * columns..].split_at_mut(columns);
            row[0] = above[0] + gap;
            for (j, other) in hypothesis.iter().enumerate() {
                let diagonal = above[j] + if word == other { 0 } else { substitution };
                row[j + 1] = diagonal.min(above[j + 1] + gap).min(row[j] + gap);
            }
        }
        Costs {
            cells,
            columns,
            rule,
        }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.columns + j]
    }

    /// The last step of the chosen alignment of the first `i` and `j` words, not both 0.
    fn last_step(&self, i: usize, j: usize, equal: bool) -> Step {
        let (substitution, gap) = self.rule.weights();
        let here = self.at(i, j);
        let deletion = i > 0 && here == self.at(i - 1, j) + gap;
        let insertion = j > 0 && here == self.at(i, j - 1) + gap;
        if i == 0 || j == 0 {
            return if deletion {
                Step::Deletion
            } else {
                Step::Insertion
            };
        }
        let before = self.at(i - 1, j - 1);
        let diagonal = here == before + if equal { 0 } else { substitution };
        match self.rule {
            AlignmentRule::Minimal if deletion => Step::Deletion,
            AlignmentRule::Minimal if insertion && here == before => Step::Insertion,
            AlignmentRule::Minimal => Step::Diagonal,
            AlignmentRule::Sclite if diagonal => Step::Diagonal,
            AlignmentRule::Sclite if insertion => Step::Insertion,
            AlignmentRule::Sclite => Step::Deletion,
        }
    }
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
            for (rule, want) in [
                (AlignmentRule::Minimal, minimal),
                (AlignmentRule::Sclite, sclite),
            ] {
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
                1 + least
                    .min(distance(shorter_a, b))
                    .min(distance(a, shorter_b))
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

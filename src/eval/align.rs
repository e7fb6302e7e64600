//! Alignment of a hypothesis with its reference, and the errors it counts.
//!
//! Two rules, because two tools define the counts that papers report:
//!
//! - [`AlignmentRule::Minimal`] (Levenshtein 1966): the fewest errors. Ties are broken as rapidfuzz does, so that
//!   substitutions, deletions and insertions equal those of `jiwer`: from the end, a deletion where it is optimal, else
//!   an insertion where it lies below a free diagonal, else the diagonal.
//! - [`AlignmentRule::Sclite`]: the alignment of NIST's `sclite`, which weighs substitutions 4 and deletions and
//!   insertions 3. It keeps words that are equal together at the price of, rarely, one error more than the minimum.

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

/// Aligns two sequences of normalised words.
///
/// # Errors
/// The product of their lengths is beyond what fits in memory.
pub fn align<W: PartialEq>(
    reference: &[W],
    hypothesis: &[W],
    rule: AlignmentRule,
) -> Result<Alignment, EvalError> {
    let columns = hypothesis.len() + 1;
    if (reference.len() + 1)
        .checked_mul(columns)
        .is_none_or(|cells| cells > MAX_CELLS)
    {
        let (reference, hypothesis) = (reference.len(), hypothesis.len());
        return Err(EvalError::TooLong {
            reference,
            hypothesis,
        });
    }
    let costs = Costs::fill(reference, hypothesis, rule);
    let (mut i, mut j) = (reference.len(), hypothesis.len());
    let mut edits = Vec::with_capacity(i.max(j));
    while i > 0 || j > 0 {
        let edit = costs.last_edit(
            i,
            j,
            i > 0 && j > 0 && reference[i - 1] == hypothesis[j - 1],
        );
        match edit {
            Edit::Correct(..) | Edit::Substitution(..) => (i, j) = (i - 1, j - 1),
            Edit::Deletion(_) => i -= 1,
            Edit::Insertion(_) => j -= 1,
        }
        edits.push(edit);
    }
    edits.reverse();
    Ok(Alignment { edits })
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
    fn last_edit(&self, i: usize, j: usize, equal: bool) -> Edit {
        let (substitution, gap) = self.rule.weights();
        let here = self.at(i, j);
        let deletion = i > 0 && here == self.at(i - 1, j) + gap;
        let insertion = j > 0 && here == self.at(i, j - 1) + gap;
        let diagonal =
            i > 0 && j > 0 && here == self.at(i - 1, j - 1) + if equal { 0 } else { substitution };
        let prefer_gap = match self.rule {
            AlignmentRule::Minimal => {
                deletion || (insertion && here == self.at(i.saturating_sub(1), j - 1))
            }
            AlignmentRule::Sclite => false,
        };
        match (diagonal && !prefer_gap, deletion, equal) {
            (true, _, true) => Edit::Correct(i - 1, j - 1),
            (true, _, false) => Edit::Substitution(i - 1, j - 1),
            (false, true, _) => Edit::Deletion(i - 1),
            (false, false, _) => Edit::Insertion(j - 1),
        }
    }
}

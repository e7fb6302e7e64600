//! The best alignment by dynamic programming over the diagonals that it may touch.
//!
//! An alignment of `n` with `m` words that strays `s + 1` diagonals beyond those between 0 and
//! `m − n` has at least `|m − n| + 2s + 2` deletions and insertions (Ukkonen 1985). So if the best
//! alignment within `s` diagonals costs less than these, all best alignments lie within, and ties
//! are broken among the same cells as in the whole matrix: the edits are the same. Where it costs
//! more, the band is widened.
//!
//! Of the rows, the last of each block of `√n` is kept; going back, a block's rows are filled again
//! (Hirschberg 1975 keeps still less, at the price of the tie rules).

use super::{AlignmentRule, Edit};

/// Cost of what lies outside of the band; larger than any alignment's, small enough to add to.
const OUTSIDE: u32 = u32::MAX / 2;
/// Most cells that are filled: a minute of work.
const MOST_CELLS: usize = 1 << 36;
/// Most cells that are held: 1 GB.
const MOST_HELD: usize = 1 << 28;
/// Texts with no more cells than this are not worth a band.
const FEW_CELLS: usize = 1 << 14;

/// Two texts as numbers, and the weights by which they are compared.
pub(super) struct Search<'t> {
    reference: &'t [u32],
    hypothesis: &'t [u32],
    rule: AlignmentRule,
    /// Diagonals that are added on both sides at first.
    slack: usize,
    /// Rows in a block.
    block: usize,
}

impl<'t> Search<'t> {
    pub(super) fn new(reference: &'t [u32], hypothesis: &'t [u32], rule: AlignmentRule) -> Self {
        let (rows, columns) = (reference.len(), hypothesis.len());
        let few = rows.saturating_mul(columns) <= FEW_CELLS;
        Search {
            reference,
            hypothesis,
            rule,
            // Right for a text with an error in eight words.
            slack: if few { rows.max(columns) } else { 64 + rows / 16 },
            block: if few { rows.max(1) } else { rows.isqrt().max(1) },
        }
    }

    /// The edits of the best alignment, in order; none where that takes too much.
    pub(super) fn edits(&self) -> Option<Vec<Edit>> {
        let mut slack = self.slack;
        loop {
            let band = Band::new(self.reference.len(), self.hypothesis.len(), slack);
            let rows = self.reference.len();
            let held = (rows / self.block + self.block + 3).checked_mul(band.width)?;
            if held > MOST_HELD || (rows + 1).checked_mul(band.width)? > MOST_CELLS {
                return None;
            }
            let kept = self.fill(&band);
            if self.is_exact(&band, slack, &kept) {
                return Some(self.trace(&band, &kept));
            }
            slack = 2 * slack + 1;
        }
    }

    /// Fills all rows, and keeps the first, the last of each block, and the last of all.
    fn fill(&self, band: &Band) -> Vec<Vec<u32>> {
        let mut row = self.first_row(band);
        let mut kept = vec![row.clone()];
        for i in 1..=self.reference.len() {
            self.advance(band, i, &mut row);
            if i % self.block == 0 || i == self.reference.len() {
                kept.push(row.clone());
            }
        }
        kept
    }

    /// Whether no best alignment leaves the band.
    fn is_exact(&self, band: &Band, slack: usize, kept: &[Vec<u32>]) -> bool {
        let (rows, columns) = (self.reference.len(), self.hypothesis.len());
        let last = kept.last().expect("the first row is kept");
        let cost = band.at(last, rows, columns);
        let (_, gap) = self.rule.weights();
        let beyond = rows.abs_diff(columns) + 2 * slack + 2;
        slack >= rows.max(columns) || (cost as usize) < gap as usize * beyond
    }

    /// Costs of aligning no word of the reference with the first words of the hypothesis.
    fn first_row(&self, band: &Band) -> Vec<u32> {
        let (_, gap) = self.rule.weights();
        let mut row = vec![OUTSIDE; band.width];
        for (j, cell) in row[band.before..].iter_mut().enumerate() {
            if j <= self.hypothesis.len() {
                *cell = j as u32 * gap;
            }
        }
        row
    }

    /// Turns the costs of row `i − 1` into those of row `i`. A cell is stored at the index of its
    /// diagonal, so the cell above it is one index later, and the one to the left of that is at its
    /// own index.
    fn advance(&self, band: &Band, i: usize, row: &mut [u32]) {
        let (substitution, gap) = self.rule.weights();
        let word = self.reference[i - 1];
        let columns = self.hypothesis.len();
        let (first, last) = band.places(i, columns);
        let mut left = OUTSIDE;
        for place in first..=last {
            let j = i + place - band.before;
            let above = row.get(place + 1).map_or(OUTSIDE, |&above| above);
            let mut cost = above.min(left) + gap;
            if j > 0 {
                let differs = u32::from(self.hypothesis[j - 1] != word);
                cost = cost.min(row[place] + differs * substitution);
            }
            row[place] = cost.min(OUTSIDE);
            left = row[place];
        }
        row[..first].fill(OUTSIDE);
        row[last + 1..].fill(OUTSIDE);
    }

    /// Goes back from the end, block by block.
    fn trace(&self, band: &Band, kept: &[Vec<u32>]) -> Vec<Edit> {
        let (mut i, mut j) = (self.reference.len(), self.hypothesis.len());
        let mut edits = Vec::with_capacity(i.max(j));
        for (number, first) in kept.iter().enumerate().rev() {
            let begin = number * self.block;
            if begin >= i && begin > 0 {
                continue;
            }
            let mut rows = vec![first.clone()];
            for at in begin + 1..=i {
                let mut row = rows[at - begin - 1].clone();
                self.advance(band, at, &mut row);
                rows.push(row);
            }
            let at = |i: usize, j: usize| band.at(&rows[i - begin], i, j);
            while i > begin || begin == 0 && j > 0 {
                let equal = i > 0 && j > 0 && self.reference[i - 1] == self.hypothesis[j - 1];
                let step = self.rule.last_step(i, j, equal, at);
                (i, j) = match step {
                    Step::Diagonal => (i - 1, j - 1),
                    Step::Deletion => (i - 1, j),
                    Step::Insertion => (i, j - 1),
                };
                edits.push(match step {
                    Step::Diagonal if equal => Edit::Correct(i, j),
                    Step::Diagonal => Edit::Substitution(i, j),
                    Step::Deletion => Edit::Deletion(i),
                    Step::Insertion => Edit::Insertion(j),
                });
            }
        }
        edits.reverse();
        edits
    }
}

/// The diagonals that are filled; a cell's place in its row is its diagonal's.
struct Band {
    /// Diagonals before that of the first cell, row 0 and column 0.
    before: usize,
    /// All diagonals.
    width: usize,
}

impl Band {
    fn new(rows: usize, columns: usize, slack: usize) -> Band {
        let before = (rows.saturating_sub(columns) + slack).min(rows);
        let after = (columns.saturating_sub(rows) + slack).min(columns);
        Band { before, width: before + 1 + after }
    }

    /// The first and the last place of row `i` that are columns from 0 to `columns`.
    fn places(&self, i: usize, columns: usize) -> (usize, usize) {
        let first = self.before.saturating_sub(i);
        let last = (columns + self.before - i.min(columns + self.before)).min(self.width - 1);
        (first, last)
    }

    /// The cost in a row's column.
    fn at(&self, row: &[u32], i: usize, j: usize) -> u32 {
        let place = (j + self.before).checked_sub(i);
        let cost = place.and_then(|place| row.get(place));
        cost.copied().unwrap_or(OUTSIDE)
    }
}

/// A step back through the matrix.
#[derive(Clone, Copy)]
enum Step {
    Diagonal,
    Deletion,
    Insertion,
}

impl AlignmentRule {
    /// Costs of a substitution and of a deletion or insertion.
    fn weights(self) -> (u32, u32) {
        match self {
            AlignmentRule::Minimal => (1, 1),
            AlignmentRule::Sclite => (4, 3),
        }
    }

    /// The last step of the chosen alignment of the first `i` and `j` words, not both 0, by the
    /// costs at hand.
    fn last_step(self, i: usize, j: usize, equal: bool, at: impl Fn(usize, usize) -> u32) -> Step {
        let (substitution, gap) = self.weights();
        let here = at(i, j);
        let deletion = i > 0 && here == at(i - 1, j) + gap;
        let insertion = j > 0 && here == at(i, j - 1) + gap;
        if i == 0 || j == 0 {
            return if deletion { Step::Deletion } else { Step::Insertion };
        }
        let before = at(i - 1, j - 1);
        let diagonal = here == before + if equal { 0 } else { substitution };
        match self {
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

    use super::*;

    /// The edits by the whole matrix, from the end.
    fn by_whole_matrix(reference: &[u32], hypothesis: &[u32], rule: AlignmentRule) -> Vec<Edit> {
        let (substitution, gap) = rule.weights();
        let (n, m) = (reference.len(), hypothesis.len());
        let mut cells = vec![vec![0; m + 1]; n + 1];
        for i in 0..=n {
            for j in 0..=m {
                let differs = || u32::from(reference[i - 1] != hypothesis[j - 1]) * substitution;
                cells[i][j] = match (i, j) {
                    (0, _) => j as u32 * gap,
                    (_, 0) => i as u32 * gap,
                    _ => (cells[i - 1][j - 1] + differs())
                        .min(cells[i - 1][j] + gap)
                        .min(cells[i][j - 1] + gap),
                };
            }
        }
        let (mut i, mut j) = (n, m);
        let mut edits = Vec::new();
        while i > 0 || j > 0 {
            let equal = i > 0 && j > 0 && reference[i - 1] == hypothesis[j - 1];
            let step = rule.last_step(i, j, equal, |i, j| cells[i][j]);
            let (edit, di, dj) = match step {
                Step::Diagonal if equal => (Edit::Correct(i - 1, j - 1), 1, 1),
                Step::Diagonal => (Edit::Substitution(i - 1, j - 1), 1, 1),
                Step::Deletion => (Edit::Deletion(i - 1), 1, 0),
                Step::Insertion => (Edit::Insertion(j - 1), 0, 1),
            };
            edits.push(edit);
            (i, j) = (i - di, j - dj);
        }
        edits.reverse();
        edits
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        /// However narrow the band is at first and however short the blocks, ties included.
        #[test]
        fn a_band_gives_the_edits_of_the_whole_matrix(
            reference in prop::collection::vec(0u32..4, 0..24),
            hypothesis in prop::collection::vec(0u32..4, 0..24),
            slack in 0usize..6,
            block in 1usize..7,
        ) {
            for rule in [AlignmentRule::Minimal, AlignmentRule::Sclite] {
                let search = Search { reference: &reference, hypothesis: &hypothesis, rule, slack, block };
                let edits = search.edits();
                prop_assert_eq!(edits, Some(by_whole_matrix(&reference, &hypothesis, rule)));
            }
        }
    }

    /// Words that repeat as those of a language do, and every sixth one wrong.
    #[test]
    fn a_text_of_an_hour_is_aligned_as_by_the_whole_matrix() {
        let word = |k: u32| (k.wrapping_mul(2_654_435_761) >> 16) % (1 + (k * 7919) % 900);
        let reference: Vec<u32> = (0..3000).map(word).collect();
        let mut hypothesis = Vec::new();
        for (at, &word) in (0u32..).zip(&reference) {
            match at % 19 {
                3 => hypothesis.push(word + 1),
                8 => {}
                13 => hypothesis.extend([word, at % 7]),
                _ => hypothesis.push(word),
            }
        }
        for rule in [AlignmentRule::Minimal, AlignmentRule::Sclite] {
            let edits = Search::new(&reference, &hypothesis, rule).edits();
            assert_eq!(edits, Some(by_whole_matrix(&reference, &hypothesis, rule)));
        }
    }

    #[test]
    fn what_would_take_too_long_is_refused() {
        let (one, other) = (vec![0; 1 << 20], vec![1; 1 << 20]);
        assert_eq!(Search::new(&one, &other, AlignmentRule::Minimal).edits(), None);
    }
}

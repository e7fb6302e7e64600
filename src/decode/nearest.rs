//! The path of a lattice nearest to a word sequence: how few errors a perfect choice among the
//! lattice's paths would leave (its oracle word error rate).

use crate::units::WordId;

use super::paths::PathGraph;

impl PathGraph<'_> {
    /// Returns the oracle error count: the least edit distance between `reference` and the words of
    /// any path, or `None` if there is no path. Pass [`WordId::EPSILON`] for a reference word that
    /// is not in the vocabulary; no path can match it. Takes time in proportion to edges × words
    /// and memory in proportion to nodes × words.
    pub fn least_errors(&self, reference: &[WordId]) -> Option<u32> {
        let columns = reference.len() + 1;
        let mut rows = vec![u32::MAX; self.num_nodes() * columns];
        (0u32..).zip(&mut rows[..columns]).for_each(|(q, cell)| *cell = q);
        let mut row = vec![0; columns];
        for edge in self.all_edges() {
            let from = edge.from as usize * columns;
            let source = &rows[from..from + columns];
            if source[0] == u32::MAX {
                continue;
            }
            match self.word(edge) {
                WordId::EPSILON => row.copy_from_slice(source),
                word => advance(source, &mut row, word, reference),
            }
            let target = &mut rows[edge.next as usize * columns..][..columns];
            for (held, &found) in target.iter_mut().zip(&row) {
                *held = found.min(*held);
            }
        }
        let last = |node: u32| rows[node as usize * columns + columns - 1];
        let least = self.finals().map(|(node, _)| last(node)).min()?;
        (least != u32::MAX).then_some(least)
    }
}

/// One row of the edit-distance table after another word.
fn advance(source: &[u32], row: &mut [u32], word: WordId, reference: &[WordId]) {
    row[0] = source[0] + 1;
    for (q, &wanted) in reference.iter().enumerate() {
        let diagonal = source[q] + u32::from(word != wanted);
        row[q + 1] = diagonal.min(source[q + 1] + 1).min(row[q] + 1);
    }
}

//! The path of a lattice nearest to a word sequence: how few errors a perfect choice among the
//! lattice's paths would leave (its oracle word error rate), and when words were said that were not
//! chosen by a path.

use crate::units::WordId;

use super::hypothesis::{Hypothesis, PathCost, Word};
use super::paths::{Edge, PathGraph};

/// What an edit costs beside paths, whose costs are far smaller.
const EDIT: f64 = 1e9;

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

    /// These words at the times, and with the costs, of the cheapest of the paths that differ from
    /// them in the fewest words; none if there is no path. A word that the path has not takes no
    /// time. Time and memory as for [`PathGraph::least_errors`].
    pub fn nearest(&self, words: &[WordId]) -> Option<Hypothesis> {
        let columns = words.len() + 1;
        let mut rows = vec![f64::INFINITY; self.num_nodes() * columns];
        rows[..columns].iter_mut().zip(0u32..).for_each(|(cell, q)| *cell = EDIT * f64::from(q));
        let mut row = vec![0.0; columns];
        for edge in self.all_edges() {
            self.advance_costs(edge, &rows, (words, &mut row));
            let target = &mut rows[edge.next as usize * columns..][..columns];
            target.iter_mut().zip(&row).for_each(|(held, found)| *held = found.min(*held));
        }
        let last = |node: u32| rows[node as usize * columns + columns - 1];
        let ends = self.finals().map(|(node, cost)| (node, cost, last(node) + cost.0));
        let (node, end_cost, _) = ends.min_by(|a, b| a.2.total_cmp(&b.2))?;
        let (path, places) = self.trace_nearest(&rows, node, words);
        let cost: f64 = path.iter().map(|edge| f64::from(edge.cost.0)).sum();
        let mut found = self.hypothesis(&path, PathCost(cost) + end_cost);
        let mut until = 0;
        let placed = words.iter().zip(places).map(|(&id, place)| {
            let place = place.and_then(|at: usize| found.words.get(at));
            let (start, end) = place.map_or((until, until), |word| (word.start, word.end));
            until = end;
            Word { id, start, end }
        });
        found.words = placed.collect();
        Some(found)
    }

    /// A row of the table of costs after an edge: the fewest edits, then the cheapest path.
    fn advance_costs(&self, edge: &Edge, rows: &[f64], (words, row): (&[WordId], &mut [f64])) {
        let columns = words.len() + 1;
        let source = &rows[edge.from as usize * columns..][..columns];
        let (word, cost) = (self.word(edge), f64::from(edge.cost.0));
        if word == WordId::EPSILON {
            row.iter_mut().zip(source).for_each(|(to, from)| *to = from + cost);
            return;
        }
        row[0] = source[0] + cost + EDIT;
        for (q, &wanted) in words.iter().enumerate() {
            let edit = if word == wanted { 0.0 } else { EDIT };
            let (stand, insert) = (source[q] + cost + edit, source[q + 1] + cost + EDIT);
            row[q + 1] = stand.min(insert).min(row[q] + EDIT);
        }
    }

    /// The path behind the last cell of a node, and by word its place among the path's words.
    fn trace_nearest(
        &self,
        rows: &[f64],
        mut node: u32,
        words: &[WordId],
    ) -> (Vec<Edge>, Vec<Option<usize>>) {
        let columns = words.len() + 1;
        let (mut path, mut row, mut q) = (Vec::new(), vec![0.0; columns], words.len());
        // Counted from the path's end until its length is known.
        let (mut places, mut spoken) = (vec![None; words.len()], 0);
        for edge in self.all_edges().iter().rev() {
            if edge.next != node {
                continue;
            }
            self.advance_costs(edge, rows, (words, &mut row));
            if row[q] != rows[node as usize * columns + q] {
                continue;
            }
            path.push(*edge);
            node = edge.from;
            let word = self.word(edge);
            if word == WordId::EPSILON {
                continue;
            }
            while q > 0 && row[q] == row[q - 1] + EDIT {
                q -= 1;
            }
            let (source, cost) = (&rows[node as usize * columns..][..columns], edge.cost.0);
            let edit = |q: usize| if word == words[q] { 0.0 } else { EDIT };
            if q > 0 && row[q] == source[q - 1] + f64::from(cost) + edit(q - 1) {
                q -= 1;
                places[q] = Some(spoken);
            }
            spoken += 1;
        }
        path.reverse();
        let places = places.into_iter().map(|place| place.map(|at: usize| spoken - 1 - at));
        (path, places.collect())
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

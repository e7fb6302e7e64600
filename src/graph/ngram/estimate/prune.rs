//! Entropy pruning: an n-gram goes when listing it lowers the perplexity by less than a threshold,
//! relatively [Stolcke, "Entropy-based pruning of backoff language models", 1998].
//!
//! The probability of a history is its share of the text, not the model's: Kneser–Ney's lower
//! orders are no estimate of it, and pruning by them loses much (Chelba and others, 2010). The
//! threshold is raised in steps, with an estimation after each, because the criterion judges every
//! n-gram as if it alone were removed.

use super::Model;

/// Thresholds on the way, as shares of the last.
const STEPS: [f64; 3] = [0.1, 0.4, 1.0];
/// Least probability that is left to what is not listed.
const LEAST: f64 = 1e-12;

impl Model {
    /// Leaves out the n-grams of order 2 and more that are not worth a threshold.
    pub(super) fn prune(&mut self, threshold: f64) {
        for step in STEPS {
            for at in (1..self.tables.len()).rev() {
                self.prune_order(at, threshold * step);
            }
            self.estimate_again();
        }
    }

    pub(super) fn prune_order(&mut self, at: usize, threshold: f64) {
        let (needed, loss) = (self.needed(at), self.loss(at));
        for (row, keep) in self.keep[at].iter_mut().enumerate() {
            *keep &= needed[row] || loss[row] >= threshold;
        }
    }

    /// By row: whether a listed n-gram above begins or ends with it.
    fn needed(&self, at: usize) -> Vec<bool> {
        let mut needed = vec![false; self.tables[at].keys.len()];
        if let Some(above) = self.tables.get(at + 1) {
            for row in (0..above.keys.len()).filter(|&row| self.is_listed(at + 1, row)) {
                needed[above.prefix[row] as usize] = true;
                needed[above.suffix[row] as usize] = true;
            }
        }
        needed
    }

    /// For each row, the share by which the perplexity would rise if that n-gram alone were
    /// removed; infinite for one that is not listed.
    fn loss(&self, at: usize) -> Vec<f64> {
        let (table, p, below) = (&self.tables[at], &self.p[at], &self.p[at - 1]);
        let histories = &self.tables[at - 1].raw;
        let (mut mass, mut room) = (vec![1.0; histories.len()], vec![1.0; histories.len()]);
        let listed = |row: &usize| self.is_listed(at, *row);
        for row in (0..table.keys.len()).filter(listed) {
            mass[table.prefix[row] as usize] -= p[row];
            room[table.prefix[row] as usize] -= below[table.suffix[row] as usize];
        }
        let words: f64 = self.tables[0].raw.iter().sum();
        let mut loss = vec![f64::INFINITY; table.keys.len()];
        for row in (0..table.keys.len()).filter(listed) {
            let history = table.prefix[row] as usize;
            let (mass, room) = (mass[history].max(LEAST), room[history].max(LEAST));
            let (p, lower) = (p[row], below[table.suffix[row] as usize]);
            let weight = (mass + p) / (room + lower);
            let entropy =
                p * (p.ln() - (weight * lower).ln()) - mass * (weight.ln() - (mass / room).ln());
            loss[row] = (histories[history] / words * entropy).exp_m1();
        }
        loss
    }
}

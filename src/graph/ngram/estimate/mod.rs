//! An n-gram from text: interpolated modified Kneser–Ney, and the n-grams that are worth their
//! place.
//!
//! The highest order counts occurrences, lower ones distinct words before; each order takes D1, D2
//! or D3+ from counts of 1, 2 or more. A pruned n-gram passes its whole count to its suffix,
//! instead of a count of one, so that the lower orders know how often the model will back off to
//! them.
//!
//! References: Chen and Goodman, "An empirical study of smoothing techniques for language
//! modeling", 1998; Siivola, Hirsimäki and Virpioja, "On growing and pruning Kneser-Ney smoothed
//! n-gram models",
//! 2007. The same numbers in Python, by which this one is tested: `scripts/train/lm_kneser_ney.py`.

mod counts;
mod prune;
#[cfg(test)]
mod tests;

use super::arpa::{Arpa, ArpaEntry};
use super::{BEGIN, MAX_ORDER, MAX_WORDS, NgramError};
use crate::graph::WordTable;
use crate::units::WordId;
use counts::Table;
pub use counts::TextCounts;

/// The unknown word, as keys hold it; no model predicts it, and after it nothing is remembered.
const UNKNOWN: u64 = super::UNKNOWN.0 as u64;
/// What it is listed with, for readers that insist on it.
const UNKNOWN_COST: f32 = 16.118_095; // −ln 10⁻⁷
/// Least back-off weight, so that its logarithm is finite.
const LEAST_WEIGHT: f64 = 1e-30;

/// How a model is estimated.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct EstimateOptions {
    /// Longest n-grams, from 1 to 4. Default: 3.
    pub order: usize,
    /// N-grams without which the perplexity would rise by less than this share are left out. 0:
    /// none. Larger: a smaller, less accurate model. Default: 0.
    pub prune: f64,
}

impl Default for EstimateOptions {
    fn default() -> Self {
        EstimateOptions { order: 3, prune: 0.0 }
    }
}

impl EstimateOptions {
    /// The longest n-grams; see [`EstimateOptions::order`].
    pub fn order(self, order: usize) -> Self {
        EstimateOptions { order, ..self }
    }

    /// What is left out; see [`EstimateOptions::prune`].
    pub fn prune(self, prune: f64) -> Self {
        EstimateOptions { prune, ..self }
    }
}

/// Estimates a model of a text whose words have the ids of a table.
///
/// ```
/// use paretone::graph::WordTable;
/// use paretone::graph::ngram::estimate::{EstimateOptions, TextCounts, estimate};
///
/// let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\nyes\nno\n".as_bytes(), "words")?;
/// let mut text = TextCounts::default();
/// text.add("yes no yes", &words);
/// let arpa = estimate(&text, &words, &EstimateOptions::default().order(2))?;
/// assert!(arpa.orders[1].len() > 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`NgramError::TooLarge`] for an order or a word table beyond what the packed form holds;
/// [`NgramError::Lacks`] for a text without a word of the table.
pub fn estimate(
    text: &TextCounts,
    words: &WordTable,
    options: &EstimateOptions,
) -> Result<Arpa, NgramError> {
    let limit = |what, found: usize, limit| match found > limit {
        true => Err(NgramError::TooLarge { what, found, limit }),
        false => Ok(()),
    };
    limit("words", words.len(), MAX_WORDS)?;
    limit("orders", options.order, MAX_ORDER)?;
    if text.known_words() == 0 {
        return Err(NgramError::Lacks {
            name: "the text".to_owned(),
            what: "word that is in the word table",
            remedy: "write its words as the table does: `tr A-Z a-z` turns capitals into small letters",
        });
    }
    let tables = text.tables(options.order.max(1), words.len());
    let mut model = Model::all(tables);
    if options.prune > 0.0 {
        model.prune(options.prune);
    }
    Ok(model.arpa())
}

/// Probabilities of all that was counted, listed or not.
struct Model {
    tables: Vec<Table>,
    /// By order and row: whether the model lists it.
    keep: Vec<Vec<bool>>,
    /// By order: what is taken from counts of 0, 1, 2 and more.
    discounts: Vec<[f64; 4]>,
    /// By order and row: the probability of the last word after the others.
    p: Vec<Vec<f64>>,
    /// By order and row: the back-off weight of the row as a history; none of the highest order.
    gamma: Vec<Vec<f64>>,
}

impl Model {
    /// The model that lists everything but epsilon.
    fn all(tables: Vec<Table>) -> Model {
        let mut keep: Vec<Vec<bool>> = tables.iter().map(|t| vec![true; t.keys.len()]).collect();
        keep[0][0] = false;
        let counts = adjusted(&tables, &keep);
        let mut model = Model {
            discounts: counts.iter().map(|counts| discounts(counts)).collect(),
            tables,
            keep,
            p: Vec::new(),
            gamma: Vec::new(),
        };
        model.weigh(&counts);
        model
    }

    /// Estimates again, with what is listed now; the discounts stay those of the whole text.
    fn estimate_again(&mut self) {
        let counts = adjusted(&self.tables, &self.keep);
        self.weigh(&counts);
    }

    fn weigh(&mut self, counts: &[Vec<f64>]) {
        (self.p, self.gamma) = (Vec::new(), Vec::new());
        for (at, table) in self.tables.iter().enumerate() {
            let histories = at.checked_sub(1).map_or(1, |below| self.tables[below].keys.len());
            let (mut total, mut gained) = (vec![0.0; histories], vec![0.0; histories]);
            let mut gain = vec![0.0; table.keys.len()];
            for (row, &count) in counts[at].iter().enumerate() {
                let history = table.prefix[row] as usize;
                total[history] += count;
                if self.keep[at][row] {
                    let taken = self.discounts[at][(count.ceil() as usize).min(3)];
                    gain[row] = (count - taken).max(0.0);
                    gained[history] += gain[row];
                }
            }
            let share = |part: f64, total: f64, otherwise| match total > 0.0 {
                true => part / total,
                false => otherwise,
            };
            let weight: Vec<f64> = (0..histories)
                .map(|history| share(total[history] - gained[history], total[history], 1.0))
                .collect();
            let lower = |row: usize| match at {
                0 => {
                    let predicted = |row: &usize| self.keep[0][*row] && *row != BEGIN.0 as usize;
                    let words = (0..table.keys.len()).filter(predicted).count();
                    1.0 / words.max(1) as f64
                }
                _ => self.p[at - 1][table.suffix[row] as usize],
            };
            let uniform = if at == 0 { lower(0) } else { 0.0 };
            let p = (0..table.keys.len()).map(|row| {
                let history = table.prefix[row] as usize;
                let below = if at == 0 { uniform } else { lower(row) };
                share(gain[row], total[history], 0.0) + weight[history] * below
            });
            let mut p: Vec<f64> = p.collect();
            if at == 0 {
                for row in [0, BEGIN.0 as usize] {
                    p[row] = 0.0;
                }
            } else {
                self.gamma.push(weight);
            }
            self.p.push(p);
        }
    }

    /// Whether a row is listed: kept, and its history is not the unknown word.
    fn is_listed(&self, at: usize, row: usize) -> bool {
        self.keep[at][row] && !(at > 0 && self.tables[at].first_word(row) == UNKNOWN)
    }

    fn arpa(&self) -> Arpa {
        let orders = (0..self.tables.len()).map(|at| self.entries(at)).collect();
        Arpa { orders, left_out: 0 }
    }

    fn entries(&self, at: usize) -> Vec<ArpaEntry> {
        let table = &self.tables[at];
        let mut extended = vec![false; table.keys.len()];
        if let Some(above) = self.tables.get(at + 1) {
            let listed = (0..above.keys.len()).filter(|&row| self.is_listed(at + 1, row));
            listed.for_each(|row| extended[above.prefix[row] as usize] = true);
        }
        let rows = (0..table.keys.len()).filter(|&row| self.is_listed(at, row));
        let entry = |row: usize| ArpaEntry {
            key: table.keys[row],
            cost: match (at, table.keys[row]) {
                (0, key) if key == u64::from(BEGIN.0) => f32::INFINITY,
                (0, UNKNOWN) => UNKNOWN_COST,
                _ => -(self.p[at][row].max(f64::MIN_POSITIVE).ln() as f32),
            },
            backoff: match extended[row] {
                true => -(self.gamma[at][row].max(LEAST_WEIGHT).ln() as f32),
                false => 0.0,
            },
        };
        rows.map(entry).collect()
    }
}

/// Kneser–Ney counts by order: one a distinct word before, or the full count where pruned.
fn adjusted(tables: &[Table], keep: &[Vec<bool>]) -> Vec<Vec<f64>> {
    let mut counts: Vec<Vec<f64>> = tables.iter().map(|table| table.raw.clone()).collect();
    for at in (0..tables.len().saturating_sub(1)).rev() {
        let (table, above) = (&tables[at], &tables[at + 1]);
        let mut lower = vec![0.0; table.keys.len()];
        for (row, &suffix) in above.suffix.iter().enumerate() {
            lower[suffix as usize] += match keep[at + 1][row] {
                true => 1.0,
                false => counts[at + 1][row],
            };
        }
        for (row, lower) in lower.into_iter().enumerate() {
            if !table.starts(row) {
                counts[at][row] = lower;
            }
        }
    }
    for special in [0, BEGIN.0 as usize, UNKNOWN as usize] {
        if let Some(count) = counts[0].get_mut(special) {
            *count = 0.0;
        }
    }
    counts
}

/// What to take from counts of 0, 1, 2 and more, by the counts of counts (Chen and Goodman,
/// equation 26). A text too small to have n-grams of each count gets the usual 0.5, 1 and 1.5.
fn discounts(counts: &[f64]) -> [f64; 4] {
    let mut of = [0.0f64; 5];
    for &count in counts.iter().filter(|&&count| count <= 4.0) {
        of[count as usize] += 1.0;
    }
    let [_, n1, n2, n3, n4] = of;
    if n1.min(n2).min(n3).min(n4) == 0.0 {
        return [0.0, 0.5, 1.0, 1.5];
    }
    let y = n1 / (n1 + 2.0 * n2);
    let taken = [0.0, 1.0 - 2.0 * y * n2 / n1, 2.0 - 3.0 * y * n3 / n2, 3.0 - 4.0 * y * n4 / n3];
    std::array::from_fn(|count| taken[count].clamp(0.0, count as f64))
}

/// The id that a text's word counts as.
fn id_of(word: &str, words: &WordTable) -> u16 {
    let known = words.id(word).filter(|id| id.0 > UNKNOWN as u32);
    known.map_or(UNKNOWN as u16, |WordId(id)| u16::try_from(id).unwrap_or(UNKNOWN as u16))
}

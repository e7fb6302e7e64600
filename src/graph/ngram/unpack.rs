//! A packed model as the n-grams of an ARPA file, and such as text.

use std::io::{self, Write};

use super::arpa::{Arpa, ArpaEntry};
use super::{BEGIN, EMPTY, History, Ngram};
use crate::graph::WordTable;
use crate::units::WordId;

/// What stands for the logarithm of zero.
const LOG_ZERO: f32 = -99.0;

impl Ngram {
    /// All n-grams, those that packing put in included: packed again, they give the same model.
    pub fn unpack(&self) -> Arpa {
        let mut orders = Vec::with_capacity(self.order());
        let mut histories = vec![(EMPTY, 0u64)];
        for order in 1..=self.order() {
            let (mut entries, mut longer) = (Vec::new(), Vec::new());
            for &(history, key) in &histories {
                for row in self.list(history) {
                    let word = self.word(history, row);
                    let key = key << 16 | u64::from(word.0);
                    let extended = self.extended(history, row, word);
                    let entry = ArpaEntry {
                        key,
                        cost: self.cost(history, row).0,
                        backoff: extended.map_or(0.0, |next| self.backoff_cost(next).0),
                    };
                    // A word that the model does not know has a row of order 1 all the same.
                    let is_known = order > 1 || word == BEGIN || entry.cost.is_finite();
                    if is_known || extended.is_some() {
                        entries.push(entry);
                    }
                    longer.extend(extended.map(|next| (next, key)));
                }
            }
            orders.push(entries);
            histories = longer;
        }
        Arpa { orders, left_out: 0 }
    }

    /// The history that an n-gram is, where others go on from it.
    fn extended(&self, history: History, row: usize, word: WordId) -> Option<History> {
        if history.length == 0 {
            let next = History { length: 1, index: word.index() };
            return Some(next).filter(|&next| !self.list(next).is_empty());
        }
        let inner = self.levels.get(history.length - 1)?.inner();
        (history.length + 1 < self.order() && inner.get(row))
            .then(|| History { length: history.length + 1, index: inner.rank(row) })
    }
}

impl Arpa {
    /// Writes the text of an ARPA file, base-10 logarithms to seven digits.
    ///
    /// # Errors
    /// What `out` does not take.
    pub fn write(&self, words: &WordTable, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "\\data\\")?;
        for (order, entries) in (1..).zip(&self.orders) {
            writeln!(out, "ngram {order}={}", entries.len())?;
        }
        for (order, entries) in (1..).zip(&self.orders) {
            writeln!(out, "\n\\{order}-grams:")?;
            for entry in entries {
                write!(out, "{:.7}", log10(entry.cost))?;
                for place in (0..order).rev() {
                    let id = WordId((entry.key >> (16 * place)) as u32 & 0xFFFF);
                    let before = if place + 1 == order { '\t' } else { ' ' };
                    write!(out, "{before}{}", words.name(id).unwrap_or("<unk>"))?;
                }
                match entry.backoff == 0.0 {
                    true => writeln!(out)?,
                    false => writeln!(out, "\t{:.7}", log10(entry.backoff))?,
                }
            }
        }
        writeln!(out, "\n\\end\\")
    }
}

fn log10(cost: f32) -> f32 {
    match cost.is_finite() {
        true => (-cost / std::f32::consts::LN_10).max(LOG_ZERO),
        false => LOG_ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ngram::LmState;
    use crate::graph::ngram::pack::pack;

    #[test]
    fn unpacked_written_read_and_packed_it_is_the_same_model() {
        let words = "<eps>\n<s>\n</s>\n<unk>\na\nb\nc\n";
        let words = WordTable::from_reader(words.as_bytes(), "words").unwrap();
        let text = "\\data\\\nngram 1=4\nngram 2=4\nngram 3=2\n\n\\1-grams:\n-99\t<s>\t-0.3\n-0.5\t</s>\n\
            -0.4\ta\t-0.2\n-0.6\tb\t0.1\n\n\\2-grams:\n-0.3\t<s> a\t-0.05\n-0.2\ta b\t-0.15\n-0.4\tb </s>\n\
            -0.7\tb a\n\n\\3-grams:\n-0.1\t<s> a b\n-0.35\ta b a\n\\end\\\n";
        let read = |text: &[u8]| {
            let arpa = Arpa::from_reader(text, "arpa", &words).unwrap();
            pack(arpa, &words, 7).unwrap()
        };
        let ngram = read(text.as_bytes());
        let mut again = Vec::new();
        ngram.unpack().write(&words, &mut again).unwrap();
        let again = read(&again);
        assert_eq!(again.num_ngrams(), ngram.num_ngrams());
        assert_eq!(again.num_states(), ngram.num_states());
        for state in (0..ngram.num_states() as u32).map(LmState) {
            for word in (0..words.len() as u32).map(WordId) {
                let (expected, found) = (ngram.step(state, word), again.step(state, word));
                assert_eq!(found.0, expected.0);
                let same = found.1 == expected.1 || (found.1.0 - expected.1.0).abs() < 1e-5;
                assert!(same, "{state:?} {word:?}: {found:?}, not {expected:?}");
            }
        }
    }
}

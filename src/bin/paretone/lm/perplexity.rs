//! `paretone lm perplexity`: how well language models predict a text.

use std::io::{BufRead, Write};
use std::path::Path;

use anyhow::{Result, bail};

use super::{lines, read_words};
use paretone::acoustic::Precision;
use paretone::graph::WordTable;
use paretone::graph::ngram::{BEGIN, END, LmState, Ngram, StepCache};
use paretone::language::{NeuralModel, Next, Workspace};
use paretone::units::{Cost, WordId};

/// Sums over a text.
#[derive(Default)]
struct Tally {
    /// Total cost of the scored words and sentence ends.
    cost: f64,
    /// Number of scored words and sentence ends.
    scored: u64,
    /// Words that are not in the table: not scored, and forgotten as history.
    unknown: u64,
    /// What the neural model adds, where there is one.
    neural: NeuralTally,
}

/// Sums over the same words under a neural model.
#[derive(Default)]
struct NeuralTally {
    /// Cost under the network, normalised.
    cost: f64,
    /// Cost under the mixture, the network as it is.
    mixture: f64,
    /// Squares of the logarithms of the sums over all words.
    square: f64,
}

/// A neural model at work on a text.
struct Reader {
    model: NeuralModel,
    work: Workspace,
    /// Of the sentence, one after the other.
    states: Vec<f32>,
    /// Place of the last.
    last: u32,
}

/// The ids of words that are never predicted: epsilon, the sentence's start, the unknown word.
const NEVER: [WordId; 3] = [WordId(0), BEGIN, UNKNOWN];
/// What stands for a word that is not in the table.
const UNKNOWN: WordId = WordId(3);

impl Reader {
    fn new(model: NeuralModel) -> Reader {
        Reader { model, work: Workspace::default(), states: Vec::new(), last: 0 }
    }

    fn begin(&mut self) {
        self.states.clear();
        self.last = 0;
        self.extend(Next { before: None, word: BEGIN });
    }

    fn read(&mut self, word: WordId) {
        self.extend(Next { before: Some(self.last), word });
        self.last += 1;
    }

    fn extend(&mut self, next: Next) {
        self.model.extend(&mut self.states, &[next], &mut self.work);
    }

    /// Counts a word that cost `ngram` under the n-gram.
    fn score(&self, word: WordId, ngram: Cost, tally: &mut NeuralTally) {
        let cost = f64::from(self.model.cost(&self.states, self.last, word).0);
        let normaliser = f64::from(self.model.log_normaliser(&self.states, self.last, &NEVER));
        let weight = f64::from(self.model.weight());
        let mixed = weight * (-cost).exp() + (1.0 - weight) * f64::from(-ngram.0).exp();
        tally.cost += cost + normaliser;
        tally.mixture -= mixed.ln();
        tally.square += normaliser * normaliser;
    }
}

impl Tally {
    fn sentence(
        &mut self,
        line: &str,
        (ngram, words): (&Ngram, &WordTable),
        cache: &mut StepCache,
        mut reader: Option<&mut Reader>,
    ) {
        let mut state = ngram.start();
        reader.iter_mut().for_each(|reader| reader.begin());
        for word in line.split_ascii_whitespace() {
            let known = words.id(word);
            let step = known.map(|id| (id, cache.step(ngram, state, id)));
            match step {
                Some((id, (next, cost))) if cost.0.is_finite() => {
                    self.score(id, cost, reader.as_deref());
                    state = next;
                }
                _ => {
                    self.unknown += 1;
                    state = LmState::EMPTY;
                }
            }
            if let Some(reader) = reader.as_deref_mut() {
                reader.read(known.unwrap_or(UNKNOWN));
            }
        }
        self.score(END, ngram.end(state), reader.as_deref());
    }

    fn score(&mut self, word: WordId, cost: Cost, reader: Option<&Reader>) {
        self.cost += f64::from(cost.0);
        self.scored += 1;
        if let Some(reader) = reader {
            reader.score(word, cost, &mut self.neural);
        }
    }
}

/// Prints the perplexity of a text.
pub fn perplexity(
    ngram: &Path,
    words: &Path,
    neural: Option<&Path>,
    precision: Precision,
    text: &Path,
) -> Result<()> {
    let ngram = Ngram::open(ngram)?;
    let (words, sum) = read_words(words)?;
    if sum != ngram.words_sum() {
        bail!("the n-gram was packed with another word table; pack it again with this one");
    }
    let model = neural.map(|path| NeuralModel::open(path, precision.kernels()));
    let mut reader = model.transpose()?.map(Reader::new);
    if reader.as_ref().is_some_and(|reader| reader.model.num_words() != words.len()) {
        bail!("the neural model was trained with another word table; give the one it came with");
    }
    let mut cache = StepCache::default();
    let mut tally = Tally::default();
    for line in lines(text)?.lines() {
        tally.sentence(&line?, (&ngram, &words), &mut cache, reader.as_mut());
    }
    let mut out = std::io::stdout().lock();
    let mean = |sum: f64| sum / tally.scored.max(1) as f64;
    writeln!(out, "perplexity\t{:.3}", mean(tally.cost).exp())?;
    if reader.is_some() {
        let NeuralTally { cost, mixture, square } = tally.neural;
        writeln!(out, "perplexity of the network\t{:.3}", mean(cost).exp())?;
        writeln!(out, "perplexity of the mixture\t{:.3}", mean(mixture).exp())?;
        writeln!(out, "root mean square of ln Z\t{:.3}", mean(square).sqrt())?;
    }
    writeln!(out, "scored words and sentence ends\t{}", tally.scored)?;
    writeln!(out, "unknown words\t{}", tally.unknown)?;
    Ok(())
}

//! How likely n-grams take own words to be.
//!
//! An own word that the model knows is the known one. Of one that it does not know, the n-gram in
//! the graph can say nothing. The larger one knows where people say names, and most words that are
//! listed are names: half of such a word's probability is a name's, which is higher than usual
//! where the n-gram expects a name; and what follows it is what follows a name. So a name is heard
//! in `the man from …` without being likelier everywhere, as a larger boost would have it.

use super::{OwnVocabulary, UNKNOWN};
use crate::decode::LanguageModel;
use crate::graph::WordTable;
use crate::graph::ngram::{LmState, Ngram};
use crate::units::{Cost, WordId};

/// What people and places are called that an English model knows; what follows an own word is what
/// follows the first. In another language's model, which has none of them, own words are as likely
/// everywhere.
const NAMES: [&str; 4] = ["john", "london", "smith", "paris"];
/// The share of an own word's probability that is a name's.
const NAME_SHARE: f32 = 0.5;

/// The names that a table has.
pub(super) fn known_names(words: &WordTable) -> Vec<WordId> {
    NAMES.iter().filter_map(|name| words.id(name)).collect()
}

/// An n-gram, and what it makes of own words.
#[derive(Clone, Copy)]
pub(in crate::recognizer) struct Extended<'m> {
    ngram: &'m Ngram,
    own: Option<&'m OwnVocabulary>,
    /// What it takes own words for that it does not know.
    names: &'m [WordId],
}

impl<'m> Extended<'m> {
    /// The n-gram in the graph, by the costs that the graph has.
    pub fn graphs(ngram: &'m Ngram, own: Option<&'m OwnVocabulary>) -> Self {
        Extended { ngram, own, names: &[] }
    }

    /// The n-gram that takes its place.
    pub fn large(ngram: &'m Ngram, own: Option<&'m OwnVocabulary>) -> Self {
        let names = own.map_or(&[][..], |own| &own.known_names);
        Extended { ngram, own, names }
    }

    /// A word that costs so much after the empty history, which no n-gram knows.
    fn unknown(&self, state: LmState, cost: Cost) -> (LmState, Cost) {
        let (mut shorter, mut plain) = (state, cost);
        while let Some((next, backoff)) = self.ngram.backoff(shorter) {
            (shorter, plain) = (next, plain + backoff);
        }
        let Some(&first) = self.names.first() else {
            return (LmState::EMPTY, plain);
        };
        let likelier = |&name: &WordId| {
            let [alone, here] = [LmState::EMPTY, state].map(|state| self.ngram.step(state, name).1);
            (alone.0 - here.0).exp()
        };
        let likelier: f32 = self.names.iter().map(likelier).sum();
        let name = likelier / self.names.len() as f32 * (-cost.0).exp();
        let both = NAME_SHARE * name + (1.0 - NAME_SHARE) * (-plain.0).exp();
        (self.ngram.step(state, first).0, Cost(-both.ln()))
    }
}

impl LanguageModel for Extended<'_> {
    type State = LmState;

    fn start(&self) -> LmState {
        self.ngram.start()
    }

    fn step(&self, state: LmState, word: WordId) -> (LmState, Cost) {
        let own = self.own.and_then(|own| Some((own, word.0.checked_sub(own.first)? as usize)));
        let Some((own, at)) = own else {
            return self.ngram.step(state, word);
        };
        match own.like.get(at) {
            Some(&Some(known)) => self.ngram.step(state, known),
            _ => self.unknown(state, own.costs.get(at).copied().unwrap_or(Cost(UNKNOWN))),
        }
    }

    fn end(&self, state: LmState) -> Cost {
        self.ngram.end(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ngram::{arpa::Arpa, pack::pack};

    const ARPA: &str = "\\data\\\nngram 1=5\nngram 2=2\n\n\\1-grams:\n-99 <s> -0.3\n-0.6 </s>\n-0.6 from -0.4\n-2 john -0.3\n-0.6 is\n\n\
        \\2-grams:\n-0.5 from john\n-0.2 john is\n\n\\end\\\n";

    #[test]
    fn an_unknown_word_is_likelier_where_names_are_and_followed_as_they_are() {
        let table = |words: &str| {
            let text = format!("<eps>\n<s>\n</s>\n<unk>\nfrom\n{words}\nis\n");
            WordTable::from_reader(text.as_bytes(), "words").unwrap()
        };
        let words = table("john");
        let arpa = Arpa::from_reader(ARPA.as_bytes(), "arpa", &words).unwrap();
        let ngram = pack(arpa, &words, 0).unwrap();
        let mut own = OwnVocabulary::new(&words);
        let word = own.add("Zambretti");
        let [from, is] = ["from", "is"].map(|word| words.id(word).unwrap());
        let large = Extended::large(&ngram, Some(&own));
        let graphs = Extended::graphs(&ngram, Some(&own));
        let after = |model: Extended<'_>, before: WordId| {
            let (state, _) = model.step(LmState::EMPTY, before);
            let (state, cost) = model.step(state, word);
            (cost.0, model.step(state, is).1.0)
        };
        let (named, then) = after(large, from);
        let (plain, next) = after(graphs, from);
        // `john` is 10^1.5 times likelier after `from`, at half the probability.
        let expected = UNKNOWN - (0.5 * 10f32.powf(1.5) + 0.5 * 10f32.powf(-0.4)).ln();
        assert!((named - expected).abs() < 0.05, "{named}, {expected}");
        assert!((plain - UNKNOWN - 0.4 * std::f32::consts::LN_10).abs() < 0.05, "{plain}");
        assert!(then < next - 0.5, "{then}, {next}");
        // After `is` no name is likelier than elsewhere.
        assert!((after(large, is).0 - after(graphs, is).0).abs() < 0.05);
        // A model of another language has none of the names.
        let other = OwnVocabulary::new(&table("ivan"));
        assert!(other.known_names.is_empty());
    }
}

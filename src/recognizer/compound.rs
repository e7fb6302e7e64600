//! How compounds are said: `Snowdesk` as what stands before `desk`, and then `desk`.
//!
//! In a compound letters stand for what they do in its parts, which the spelling of the whole word
//! does not tell: as one word it would end as `tedesk`.

use super::known::known;
use crate::graph::WordTable;
use crate::graph::lexicon::{Lexicon, Pronunciation};
use crate::units::{Cost, PhoneId};

/// Letters of the known word that a compound ends in, at least.
const LAST: usize = 4;
/// Letters that stand before it, at least.
const BEFORE: usize = 2;
/// Pronunciations of what stands before it that are taken.
const BEFORE_SAID: usize = 3;

/// The pronunciations of a word that ends in one of the lexicon's, the longest; `said` tells those
/// of what stands before it. None where it ends in none.
pub(super) fn compound(
    word: &str,
    (words, lexicon): (&WordTable, &Lexicon),
    said: impl Fn(&str) -> Vec<(Vec<PhoneId>, Cost)>,
) -> Vec<(Vec<PhoneId>, Cost)> {
    let letters = word.chars().count();
    let places = word.char_indices().take((letters + 1).saturating_sub(LAST)).skip(BEFORE);
    for (at, _) in places {
        let (first, last) = word.split_at(at);
        let lasts = known(words, last).map_or(&[][..], |id| lexicon.pronunciations(id));
        if !lasts.is_empty() {
            let firsts = said(first).into_iter().take(BEFORE_SAID);
            return firsts.flat_map(|first| joined(first, lasts)).collect();
        }
    }
    Vec::new()
}

fn joined(
    (first, cost): (Vec<PhoneId>, Cost),
    lasts: &[Pronunciation],
) -> Vec<(Vec<PhoneId>, Cost)> {
    let whole = |last: &Pronunciation| ([&first[..], &last.phones].concat(), cost + last.cost);
    lasts.iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compound_is_said_as_its_parts_are() {
        let words = WordTable::from_reader("<eps>\n<s>\n</s>\n<unk>\ndesk\nesk\n".as_bytes(), "w");
        let words = words.unwrap();
        let phones = ["SIL", "D", "EH", "S", "K"].map(String::from);
        let text = "desk\tD EH S K\nesk\tEH K\n";
        let lexicon = Lexicon::from_reader(text.as_bytes(), "l", &words, &phones).unwrap();
        let said = |first: &str| {
            assert_eq!(first, "Snow");
            (1..6).map(|phone| (vec![PhoneId(phone)], Cost(phone as f32))).collect()
        };
        let found = compound("Snowdesk", (&words, &lexicon), said);
        let first: Vec<u32> = found[0].0.iter().map(|phone| phone.0).collect();
        assert_eq!((first, found[0].1, found.len()), (vec![1, 1, 2, 3, 4], Cost(1.0), 3));
        // Too short a beginning, or end, and no known end.
        for word in ["Adesk", "desk", "Snowesk", "Snowdes", "é", ""] {
            let none = |_: &str| unreachable!("there is no compound");
            assert!(compound(word, (&words, &lexicon), none).is_empty(), "{word}");
        }
    }
}

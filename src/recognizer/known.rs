//! A word as a user writes it, looked up among those that a model knows.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::graph::WordTable;
use crate::units::WordId;

/// The id of a word in the model's table, whatever its case and its apostrophe; special words are
/// none.
pub(super) fn known(words: &WordTable, word: &str) -> Option<WordId> {
    let usual = || word.to_lowercase().replace(is_apostrophe, "'");
    let id = words.id(word).or_else(|| words.id(&usual()));
    id.filter(|_| !word.starts_with('<'))
}

/// The letters that English words are spelt with: `naïve` is said as `naive` is, `O’Brien` as
/// `O'Brien`.
pub(super) fn in_english_letters(word: &str) -> String {
    let mut letters = String::with_capacity(word.len());
    for letter in word.nfd().filter(|letter| !is_combining_mark(*letter)) {
        match letter {
            letter if is_apostrophe(letter) => letters.push('\''),
            'ß' => letters.push_str("ss"),
            'æ' => letters.push_str("ae"),
            'Æ' => letters.push_str("Ae"),
            'œ' => letters.push_str("oe"),
            'Œ' => letters.push_str("Oe"),
            'ø' => letters.push('o'),
            'Ø' => letters.push('O'),
            'ł' => letters.push('l'),
            'Ł' => letters.push('L'),
            'đ' | 'ð' => letters.push('d'),
            'þ' => letters.push_str("th"),
            'ı' => letters.push('i'),
            letter => letters.push(letter),
        }
    }
    letters
}

/// What word processors and telephones write for an apostrophe.
fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '’' | '‘' | 'ʼ' | '＇' | '`' | '´')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_alphabets_letters_become_english_ones() {
        for (word, letters) in [
            ("naïve", "naive"),
            ("O’Brien", "O'Brien"),
            ("Łódź", "Lodz"),
            ("Straße", "Strasse"),
            ("cafe\u{301}", "cafe"),
            ("Paretone", "Paretone"),
        ] {
            assert_eq!(in_english_letters(word), letters);
        }
    }
}

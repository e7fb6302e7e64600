//! What counts as the same word: one small normaliser for references and hypotheses alike.
//!
//! Lower case; typographic apostrophes become `'`; an apostrophe stays where it touches a letter or
//! digit (`don't`, `'em`, `boys'`); a hyphen, dash, slash or ellipsis parts words; every other
//! character that is neither letter nor digit disappears. Letters are compared by Unicode's
//! compatibility composition (NFKC), so that it does not matter in which form an accent, a ligature
//! or a full-width letter was written, nor whether a soft hyphen or a joiner stands between
//! letters. Marks that stand for no word, as `<eps>`, are none. Numbers, abbreviations and spelling
//! variants are left alone.
//!
//! LibriSpeech's books write `to day`, `any one` where other prose writes `today`, `anyone`: no
//! recogniser can hear the blank. [`COMPOUNDS`] are therefore joined on both sides by default.
//! `Normaliser { join_compounds: false }` leaves them, for comparison with figures scored the
//! strict way.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Pairs of words that are joined, first word with each of its second words.
pub const COMPOUNDS: &[(&str, &[&str])] = &[
    ("to", &["day", "morrow", "night"]),
    ("any", &["one", "body", "thing", "where"]),
    ("some", &["one", "body", "thing", "where"]),
    ("every", &["one", "body", "thing", "where"]),
    ("no", &["where"]),
    ("for", &["ever"]),
    ("mean", &["while"]),
    ("good", &["bye"]),
];

/// What decoders write for nothing, for a sentence's ends, and for silence.
const MARKS: [&str; 5] = ["<eps>", "<s>", "</s>", "<sil>", "<blank>"];

/// Turns text into the words that are compared.
///
/// ```
/// use paretone::eval::Normaliser;
///
/// let words = Normaliser::default().words("“Don’t go to-day,” he said.");
/// assert_eq!(words, ["don't", "go", "today", "he", "said"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normaliser {
    /// Whether [`COMPOUNDS`] become one word. Default: true.
    pub join_compounds: bool,
}

impl Default for Normaliser {
    fn default() -> Self {
        Normaliser { join_compounds: true }
    }
}

impl Normaliser {
    /// The words of a text.
    pub fn words(&self, text: &str) -> Vec<String> {
        let marks_no_word = |word: &str| MARKS.iter().any(|mark| word.eq_ignore_ascii_case(mark));
        let said: String = match text.contains('<') {
            true => text
                .split_whitespace()
                .filter(|word| !marks_no_word(word))
                .flat_map(|word| [word, " "])
                .collect(),
            false => text.to_owned(),
        };
        let apostrophes = said.chars().map(plain_character);
        let small = apostrophes.nfkc().flat_map(char::to_lowercase);
        let plain: String = small.nfkc().collect();
        let plain: String = plain.replace("..", " ").chars().map(plain_character).collect();
        let mut words: Vec<String> = Vec::new();
        for word in plain.split_whitespace().filter_map(clean_word) {
            match words.last_mut() {
                Some(last) if self.join_compounds && is_compound(last, &word) => {
                    last.push_str(&word)
                }
                _ => words.push(word),
            }
        }
        words
    }
}

fn is_compound(first: &str, second: &str) -> bool {
    COMPOUNDS.iter().any(|(word, seconds)| *word == first && seconds.contains(&second))
}

/// One spelling of the apostrophe; blanks for what parts words.
fn plain_character(character: char) -> char {
    match character {
        '\u{2018}' | '\u{2019}' | '\u{02bc}' | '\u{ff07}' | '`' | '\u{b4}' => '\'',
        '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '/' | '\u{2044}' | '\\' | '_' => ' ',
        other => other,
    }
}

/// Letters, digits and single apostrophes of a word; nothing if no letter or digit is left.
fn clean_word(word: &str) -> Option<String> {
    let mut clean = String::with_capacity(word.len());
    for character in word.chars() {
        let twice = character == '\'' && clean.ends_with('\'');
        if character.is_alphanumeric()
            || is_combining_mark(character)
            || (character == '\'' && !twice)
        {
            clean.push(character);
        }
    }
    // A word in single quotes is not an elision at both ends.
    let quoted = clean.len() > 2 && clean.starts_with('\'') && clean.ends_with('\'');
    let clean = if quoted { clean[1..clean.len() - 1].to_string() } else { clean };
    clean.contains(char::is_alphanumeric).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared_in_one_spelling() {
        let cases = [
            ("Hello, World!", "hello world"),
            ("Don\u{2019}t \u{2018}stop\u{2019}", "don't stop"),
            ("'EM the boys' ''", "'em the boys'"),
            ("well-known \u{2014} and/or", "well known and or"),
            ("To-day any one  came; to morrow", "today anyone came tomorrow"),
            ("any one's any once no one", "any one's any once no one"),
            ("\u{c9}t\u{e9} 1984, 3.5%", "\u{e9}t\u{e9} 1984 35"),
            (" ... ' -- ", ""),
            ("<s> one <eps> two <SIL> </s>", "one two"),
            ("<unk> s", "unk s"),
            ("cafe\u{301} CAFE\u{301} caf\u{e9}", "caf\u{e9} caf\u{e9} caf\u{e9}"),
            (
                "\u{fb01}ne \u{ff26}\u{ff29}\u{ff2e}\u{ff25} co\u{ad}operate na\u{200d}ive",
                "fine fine cooperate naive",
            ),
            (
                "don\u{b4}t rock\u{2011}solid\u{a0}one\u{2009}two\u{2026}three...four",
                "don't rock solid one two three four",
            ),
        ];
        for (text, words) in cases {
            assert_eq!(Normaliser::default().words(text).join(" "), words, "{text}");
        }
        let strict = Normaliser { join_compounds: false };
        assert_eq!(strict.words("To-day any one").join(" "), "to day any one");
    }
}

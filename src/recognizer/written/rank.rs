//! Ordinals and fractions: "twenty first", "two thirds", "three and a half".

use super::Found;
use super::cardinal::{below_hundred, grouped, whole};

const ORDINALS: [&str; 20] = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];

const ROUND_ORDINALS: [(&str, u64); 11] = [
    ("twentieth", 20),
    ("thirtieth", 30),
    ("fortieth", 40),
    ("fiftieth", 50),
    ("sixtieth", 60),
    ("seventieth", 70),
    ("eightieth", 80),
    ("ninetieth", 90),
    ("hundredth", 100),
    ("thousandth", 1000),
    ("millionth", 1_000_000),
];

/// Parts that a fraction may be of: singular, plural, how many make a whole.
const PARTS: [(&str, &str, u64); 10] = [
    ("half", "halves", 2),
    ("third", "thirds", 3),
    ("quarter", "quarters", 4),
    ("fourth", "fourths", 4),
    ("fifth", "fifths", 5),
    ("sixth", "sixths", 6),
    ("seventh", "sevenths", 7),
    ("eighth", "eighths", 8),
    ("ninth", "ninths", 9),
    ("tenth", "tenths", 10),
];

/// The value of an ordinal and how many words it takes.
pub(super) fn rank(words: &[&str]) -> Option<(usize, u64)> {
    let first = *words.first()?;
    if let Some(value) = small(first) {
        return Some((1, value));
    }
    // All words before the last, as a cardinal, and the last.
    let limit = words.len().min(12);
    let last = (1..limit).find(|&at| small(words[at]).is_some())?;
    let value = small(words[last])?;
    let head = &words[..last];
    if value >= 100 {
        let (taken, count) = whole(head)?;
        return (taken == last).then_some((last + 1, count.checked_mul(value)?));
    }
    let head = match head.split_last() {
        Some((&"and", head)) => head,
        _ => head,
    };
    let skipped = last - head.len();
    let (taken, count) = whole(head)?;
    let joins = match value {
        1..10 => count % 10 == 0 && (count % 100 >= 20 || count % 100 == 0),
        _ => count % 100 == 0,
    };
    (joins && count > 0 && taken + skipped == last).then_some((last + 1, count + value))
}

/// The value of an ordinal of one word.
fn small(word: &str) -> Option<u64> {
    let below_twenty = ORDINALS.iter().position(|&known| known == word);
    let round = || ROUND_ORDINALS.iter().find(|(known, _)| *known == word);
    below_twenty.map(|value| value as u64).or_else(|| round().map(|(_, value)| *value))
}

/// An ordinal from the tenth on.
pub(super) fn ordinal(words: &[&str]) -> Found {
    let (taken, value) = rank(words).filter(|&(_, value)| value >= 10)?;
    Some((taken, with_suffix(value)))
}

/// A number with the letters of its ordinal.
pub(super) fn with_suffix(value: u64) -> String {
    let suffix = match (value % 10, value % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{suffix}", grouped(value))
}

/// A fraction, or a whole number and one.
pub(super) fn fraction(words: &[&str]) -> Found {
    if let Some((taken, count, parts)) = plain_fraction(words) {
        return Some((taken, format!("{count}/{parts}")));
    }
    let (taken, value) = whole(words)?;
    let rest = words.get(taken..)?;
    let rest = match rest.split_first() {
        Some((&"and", rest)) => rest,
        _ => return None,
    };
    let (more, count, parts) = match rest {
        ["a", part, ..] => (2, 1, singular(part)?),
        _ => plain_fraction(rest)?,
    };
    Some((taken + 1 + more, format!("{} {count}/{parts}", grouped(value))))
}

fn singular(word: &str) -> Option<u64> {
    let part = PARTS.iter().find(|(one, ..)| *one == word)?;
    Some(part.2)
}

/// So many of so many parts, below the whole.
fn plain_fraction(words: &[&str]) -> Option<(usize, u64, u64)> {
    let (taken, count) = below_hundred(words)?;
    let word = *words.get(taken)?;
    let parts = match count {
        1 => singular(word)?,
        _ => PARTS.iter().find(|(_, many, _)| *many == word)?.2,
    };
    (count > 0 && count < parts).then_some((taken + 1, count, parts))
}

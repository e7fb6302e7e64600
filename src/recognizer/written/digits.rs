//! Digits said one by one, as of telephone numbers and codes: "five five five oh one two three",
//! "double seven".

use super::Found;
use super::cardinal::digit;

/// Digits in a row that make a code of them: fewer may be counting.
const FEWEST: usize = 3;

/// Three digits or more.
pub(super) fn row(words: &[&str]) -> Found {
    let mut taken = 0;
    let mut text = String::new();
    while let Some((more, digits)) = one(&words[taken..]) {
        text.push_str(&digits);
        taken += more;
    }
    // A last "oh" belongs to a sentence, not to a number.
    let real = words[..taken].iter().filter(|word| digit(word).is_some()).count();
    // What is said to be more than digits is no row: "one two three hundred".
    let goes_on = matches!(
        words.get(taken),
        Some(&"hundred" | &"thousand" | &"million" | &"billion" | &"point")
    );
    (text.len() >= FEWEST && real >= 2 && !goes_on).then_some((taken, text))
}

/// A digit, or one that is doubled or tripled.
fn one(words: &[&str]) -> Option<(usize, String)> {
    let times = match *words.first()? {
        "double" => 2,
        "triple" => 3,
        _ => 1,
    };
    let skipped = usize::from(times > 1);
    let value = match *words.get(skipped)? {
        "oh" | "o" => 0,
        word => digit(word)?,
    };
    Some((skipped + 1, value.to_string().repeat(times)))
}

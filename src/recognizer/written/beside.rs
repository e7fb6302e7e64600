//! Numbers beside numbers: both in figures or both in words, never half and half.
//!
//! | said | written |
//! |---|---|
//! | nine eleven, twenty four seven, fifty fifty | 9/11, 24/7, 50/50 |
//! | seven eleven, thirty six two | as said: what could be several things is left alone |
//! | two fifteen year olds | two 15 year olds: each counts something of its own |
//! | nine or ten, five to fifteen, ten minus two | 9 or 10, 5 to 15, 10 minus 2 |
//! | ten to two, twenty past nine | as said: a time of day |

use super::Found;
use super::cardinal::{below_hundred, digit, is_part, whole};
use super::rank;

/// What is known by its numbers.
const KNOWN: [(&[&str], &str); 3] = [
    (&["nine", "eleven"], "9/11"),
    (&["twenty", "four", "seven"], "24/7"),
    (&["fifty", "fifty"], "50/50"),
];

/// What a number before it counts although another number stands before that one.
const COUNTED: &[&str] = &[
    "cent",
    "day",
    "degree",
    "dollar",
    "euro",
    "foot",
    "gallon",
    "hour",
    "inch",
    "kilometer",
    "liter",
    "man",
    "meter",
    "mile",
    "minute",
    "month",
    "ounce",
    "page",
    "pence",
    "penny",
    "pound",
    "second",
    "week",
    "year",
];

/// Words between two numbers that belong together.
const BETWEEN: &[&str] = &["or", "to", "minus", "plus", "times"];

/// Numbers side by side that are known together, or that nobody can tell apart.
pub(super) fn row(words: &[&str], before: &str) -> Found {
    let (mut taken, mut values) = (0, Vec::new());
    while let Some((more, value)) = below_hundred(&words[taken..]) {
        taken += more;
        values.push(value);
    }
    // What is no number below a hundred may still be a part of a larger one.
    let goes_on = words
        .get(taken)
        .is_some_and(|next| is_part(next) || matches!(*next, "point" | "percent" | "per"));
    if goes_on || is_part(before) {
        return None;
    }
    if let Some((known, text)) = KNOWN.iter().find(|(known, _)| words[..taken] == **known) {
        return Some((known.len(), (*text).to_owned()));
    }
    let mixed = values.iter().any(|&value| value < 10) && values.iter().any(|&value| value >= 10);
    let counts = words.get(taken).is_some_and(|next| {
        COUNTED.contains(next) || COUNTED.iter().any(|one| next.strip_suffix('s') == Some(one))
    });
    let ordinal = rank::ordinal(&words[taken..]).is_some();
    (mixed && !counts && !ordinal).then(|| (taken, words[..taken].join(" ")))
}

/// A time of day by the minutes to or past an hour, which stays in words.
pub(super) fn to_or_past(words: &[&str], before: &str) -> Found {
    let (taken, minutes) = below_hundred(words)?;
    let hour_at = taken + 1;
    let (more, hour) = below_hundred(words.get(hour_at..)?)?;
    let is_time = matches!(words[taken], "to" | "past")
        && matches!(minutes, 5 | 10 | 20 | 25)
        && (1..=12).contains(&hour)
        && !matches!(before, "from" | "between" | "of")
        && below_hundred(words.get(hour_at + more..).unwrap_or_default()).is_none()
        && !words.get(hour_at + more).is_some_and(|next| is_part(next));
    is_time.then(|| (hour_at + more, words[..hour_at + more].join(" ")))
}

/// Whether a number below ten is written in figures because the one it is set against is.
pub(super) fn set_against_figure(words: &[&str], at: usize, value: u64) -> bool {
    let behind = &words[at + 1..];
    let sums = |between: &str| matches!(between, "minus" | "plus" | "times");
    let fits = |between: &str| {
        let pair = between == "and" && at > 0 && words[at - 1] == "between";
        // "This one or twenty others" is no number of things.
        pair || BETWEEN.contains(&between) && (value > 1 || sums(between))
    };
    let next = behind.first().is_some_and(|between| {
        let rest = &behind[1..];
        fits(between)
            && below_hundred(rest).is_some_and(|(_, value)| value >= 10)
            && rank::ordinal(rest).is_none()
    });
    let last = at >= 2 && {
        let between = words[at - 1];
        BETWEEN.contains(&between) && fits(between) && ends_large(&words[..at - 1])
    };
    next || last
}

/// Whether words end with a number of ten or more.
fn ends_large(words: &[&str]) -> bool {
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    match digit(last) {
        Some(_) => before.last().is_some_and(|tens| is_part(tens) && digit(tens).is_none()),
        None => is_part(last) && whole(&[last]).is_none_or(|(_, value)| value >= 10),
    }
}

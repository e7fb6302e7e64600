//! Dates: "march third nineteen eighty four", "the twenty first of june", "july nineteen sixty
//! nine".

use super::Found;
use super::cardinal::{Cardinal, number, whole};
use super::rank::{rank, with_suffix};
use super::year::year_in_date;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Months whose names are verbs too: dates only behind one of the words that dates stand behind, or
/// with day and year.
const AMBIGUOUS: [&str; 2] = ["march", "may"];
const BEFORE_DATES: [&str; 16] = [
    "on", "of", "by", "since", "until", "till", "from", "to", "before", "after", "in", "dated",
    "through", "late", "early", "last",
];

/// A date behind a word.
pub(super) fn date(words: &[&str], before: &str) -> Found {
    month_first(words, before).or_else(|| day_first(words))
}

/// "March third", perhaps with a year; or a month and a year.
fn month_first(words: &[&str], before: &str) -> Found {
    let name = *words.first()?;
    let month = capitalised(name)?;
    let rest = &words[1..];
    let skipped = usize::from(rest.first() == Some(&"the"));
    let ordinal = rank(&rest[skipped..]).map(|(taken, day)| (skipped + taken, day));
    let cardinal = || {
        // "June two thousand" and "June two point five" are no days.
        let plain = whole(rest).filter(|_| decimal_free(rest))?;
        (!AMBIGUOUS.contains(&name) && year_in_date(rest).is_none()).then_some(plain)
    };
    let sure = !AMBIGUOUS.contains(&name) || BEFORE_DATES.contains(&before);
    let day = ordinal.or_else(cardinal).filter(|(_, day)| (1..=31).contains(day));
    let Some((taken, day)) = day else {
        let (taken, year) = year_in_date(rest).filter(|_| sure)?;
        return Some((1 + taken, format!("{month} {year}")));
    };
    match year_in_date(&rest[taken..]) {
        Some((more, year)) => Some((1 + taken + more, format!("{month} {day}, {year}"))),
        None => sure.then(|| (1 + taken, format!("{month} {day}"))),
    }
}

/// "Third of March", perhaps with a year.
fn day_first(words: &[&str]) -> Found {
    let (taken, day) = rank(words).filter(|(_, day)| (1..=31).contains(day))?;
    let ["of", month, rest @ ..] = &words[taken..] else {
        return None;
    };
    let date = format!("{} of {}", with_suffix(day), capitalised(month)?);
    match year_in_date(rest) {
        Some((more, year)) => Some((taken + 2 + more, format!("{date} {year}"))),
        None => Some((taken + 2, date)),
    }
}

fn decimal_free(words: &[&str]) -> bool {
    !matches!(number(words), Some((_, Cardinal::Decimal { .. })))
}

fn capitalised(name: &str) -> Option<String> {
    MONTHS.contains(&name).then(|| {
        let (first, rest) = name.split_at(1);
        first.to_uppercase() + rest
    })
}

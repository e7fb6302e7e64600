//! Years as they are said: "nineteen eighty four", "twenty twenty", "nineteen oh five".

use super::Found;
use super::cardinal::{below_hundred, digit, whole};

/// Centuries whose years are said in two halves without being taken for a time of day.
const CENTURIES: std::ops::RangeInclusive<u64> = 13..=20;

/// A year said in two halves, although no word around it says that it is a year. After another
/// number it could be anything, and is left alone.
pub(super) fn lone(words: &[&str], before: &str) -> Found {
    let behind_number = below_hundred(&[before]).is_some();
    let (taken, year) = year(words).filter(|_| !behind_number)?;
    Some((taken, year.to_string()))
}

/// A year said in two halves, and how many words it takes.
pub(super) fn year(words: &[&str]) -> Option<(usize, u64)> {
    let (taken, century) = below_hundred(words)?;
    if !CENTURIES.contains(&century) || taken > 1 {
        return None;
    }
    let rest = &words[1..];
    let (more, year) = match *rest.first()? {
        "oh" | "o" => (2, digit(rest.get(1)?).filter(|&year| year > 0)?),
        _ => below_hundred(rest).filter(|&(_, year)| year >= 10)?,
    };
    // "Twenty twenty five hundred" and "nineteen twenty thousand" are no years.
    let after = rest.get(more);
    let goes_on = matches!(
        after,
        Some(&"hundred" | &"thousand" | &"million" | &"billion" | &"trillion" | &"point")
    );
    (!goes_on).then_some((1 + more, 100 * century + year))
}

/// A year in any of its forms, where a month or a day says that it is one: also "two thousand and
/// nine", and "eighteen hundred" where nothing follows that there could be so many of.
pub(super) fn year_in_date(words: &[&str]) -> Option<(usize, u64)> {
    year(words).or_else(|| {
        let (taken, value) = whole(words)?;
        let round = value % 100 == 0 && taken < words.len();
        ((1000..2100).contains(&value) && !round).then_some((taken, value))
    })
}

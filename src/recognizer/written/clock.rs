//! Times of day: "three thirty p m", "at ten fifteen", "seven o'clock".

use super::Found;
use super::cardinal::{below_hundred, digit};

/// A time: with "a m" or "p m", with "o'clock", or hours and minutes behind a word that says when.
pub(super) fn time(words: &[&str], before: &str) -> Found {
    let (taken, hour) = below_hundred(words).filter(|&(_, hour)| hour <= 24)?;
    if words.get(taken) == Some(&"o'clock") && (1..=12).contains(&hour) {
        return Some((taken + 1, format!("{hour} o'clock")));
    }
    let minutes = minutes(&words[taken..]);
    let behind = taken + minutes.map_or(0, |(more, _)| more);
    let twelve = (1..=12).contains(&hour);
    let half = half_of_day(&words[behind..]).filter(|_| twelve);
    let digital = minutes.map(|(_, minutes)| format!("{hour}:{minutes:02}"));
    match (half, digital) {
        (Some((more, half)), digital) => {
            let time = digital.unwrap_or_else(|| hour.to_string());
            Some((behind + more, format!("{time} {half}")))
        }
        (None, Some(time)) if twelve && says_when(before) && !goes_on(&words[behind..]) => {
            Some((behind, time))
        }
        _ => None,
    }
}

/// Words behind which hours and minutes are a time.
fn says_when(before: &str) -> bool {
    matches!(before, "at" | "until" | "till" | "before" | "after" | "around" | "by")
}

/// Whether a number or its unit follows, so that the one before was no time.
fn goes_on(words: &[&str]) -> bool {
    let Some(next) = words.first() else {
        return false;
    };
    let unit = matches!(
        *next,
        "hundred" | "thousand" | "million" | "percent" | "per" | "dollars" | "degrees" | "point"
    );
    unit || below_hundred(words).is_some()
}

/// Minutes behind the hour: "thirty", "oh five".
fn minutes(words: &[&str]) -> Option<(usize, u64)> {
    match *words.first()? {
        "oh" | "o" => Some((2, digit(words.get(1)?)?)),
        _ => below_hundred(words).filter(|(_, minutes)| (10..60).contains(minutes)),
    }
}

/// "A m" or "p m", in any of the forms that a recogniser has for them.
fn half_of_day(words: &[&str]) -> Option<(usize, &'static str)> {
    let half = |letter: &str| match letter {
        "a" => Some("a.m."),
        "p" => Some("p.m."),
        _ => None,
    };
    match words {
        ["am" | "a.m." | "a.m", ..] => Some((1, "a.m.")),
        ["pm" | "p.m." | "p.m", ..] => Some((1, "p.m.")),
        [letter, "m" | "m.", ..] => Some((2, half(letter.trim_end_matches('.'))?)),
        _ => None,
    }
}

//! The written form of what was said: numbers, money, dates, times and units in digits (inverse
//! text normalisation).
//!
//! At each word the rules are tried in turn, the more particular ones first, and the first that
//! fits takes the words it covers:
//!
//! | rule | said | written |
//! |---|---|---|
//! | dates (`date`) | march third nineteen eighty four | March 3, 1984 |
//! | times (`clock`) | three thirty p m | 3:30 p.m. |
//! | money, percentages, units (`measure`) | two million dollars | $2 million |
//! | numbers in a row (`digits`) | five five five oh one | 55501 |
//! | years (`year`) | nineteen eighty four | 1984 |
//! | numbers beside numbers (`beside`) | nine or ten | 9 or 10 |
//! | ordinals, fractions (`rank`) | twenty first, two thirds | 21st, 2/3 |
//! | cardinals (`cardinal`) | two hundred and five | 205 |
//!
//! As people write, a number below ten stays a word where nothing else makes a figure of it: "one
//! of them" is no figure, "page one" is. What could be something else is left alone: "a second",
//! "half past three", "three pounds".

mod beside;
mod cardinal;
mod clock;
mod date;
mod digits;
mod measure;
mod rank;
mod year;

use std::ops::Range;

use cardinal::Cardinal;

/// A piece of the written form, and the words that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What is written; never empty.
    pub text: String,
    /// The words said, by their places.
    pub words: Range<usize>,
}

/// What a rule makes of the words at a place: how many it takes, and what is written for them.
type Found = Option<(usize, String)>;

/// Nouns before a number of theirs, which is written in digits however small it is.
const NUMBERED: &[&str] = &[
    "act",
    "article",
    "chapter",
    "channel",
    "exercise",
    "figure",
    "flight",
    "gate",
    "highway",
    "item",
    "level",
    "line",
    "number",
    "page",
    "paragraph",
    "part",
    "phase",
    "platform",
    "question",
    "room",
    "route",
    "section",
    "step",
    "table",
    "track",
    "unit",
    "verse",
    "version",
    "volume",
];

/// The written form of words as a recogniser puts them out: small letters, no punctuation.
pub fn written<W: AsRef<str>>(words: &[W]) -> Vec<Piece> {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let (taken, text) = piece(&words, at).unwrap_or((1, words[at].to_owned()));
        pieces.push(Piece { text, words: at..at + taken });
        at += taken;
    }
    pieces
}

/// The written form in one line.
pub fn written_text<W: AsRef<str>>(words: &[W]) -> String {
    let pieces = written(words);
    let texts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
    texts.join(" ")
}

/// What the first rule that fits makes of the words from a place on.
fn piece(words: &[&str], at: usize) -> Found {
    let rest = &words[at..];
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    if matches!(rest[0], "minus" | "negative") && cardinal::is_part(before) {
        // What is taken away from a number.
        return None;
    }
    date::date(rest, before)
        .or_else(|| clock::time(rest, before))
        .or_else(|| measure::measure(rest))
        .or_else(|| digits::row(rest))
        .or_else(|| year::lone(rest, before))
        .or_else(|| beside::to_or_past(rest, before))
        .or_else(|| beside::row(rest, before).filter(|_| !NUMBERED.contains(&before)))
        .or_else(|| rank::fraction(rest))
        .or_else(|| rank::ordinal(rest))
        .or_else(|| number(words, at))
}

/// A number that is none of the more particular things.
fn number(words: &[&str], at: usize) -> Found {
    let (taken, number) = cardinal::number(&words[at..])?;
    let before = at.checked_sub(1).map_or("", |before| words[before]);
    let stays = match number {
        Cardinal::Whole { value, scale: None, negative: false } if value < 10 => {
            !NUMBERED.contains(&before) && !beside::set_against_figure(words, at, value)
        }
        _ => false,
    };
    (!stays).then(|| (taken, number.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: &str = include_str!("../../../tests/fixtures/written/pairs.tsv");

    #[test]
    fn a_thousand_sentences_are_written_as_people_write() {
        let mut wrong = Vec::new();
        for line in PAIRS.lines() {
            let (said, expected) = line.split_once('\t').unwrap();
            let words: Vec<&str> = said.split(' ').collect();
            let got = written_text(&words);
            if got != expected {
                wrong.push(format!("{said}: {got}, not {expected}"));
            }
        }
        assert!(PAIRS.lines().count() >= 1000);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_word_is_in_one_piece() {
        for said in PAIRS.lines().flat_map(|line| line.split('\t').next()) {
            let words: Vec<&str> = said.split(' ').collect();
            // Cut anywhere, so that rules meet the end of the words at every place.
            for cut in 0..=words.len() {
                let pieces = written(&words[..cut]);
                let mut next = 0;
                for piece in &pieces {
                    assert!(piece.words.start == next && piece.words.end > next, "{said}");
                    assert!(!piece.text.is_empty(), "{said}");
                    next = piece.words.end;
                }
                assert_eq!(next, cut, "{said}");
            }
        }
    }

    #[test]
    fn numbers_beyond_all_bounds_do_no_harm() {
        for said in ["nine trillion trillion", "nine hundred trillion nine hundred trillionth"] {
            let words: Vec<&str> = said.split(' ').collect();
            assert!(!written_text(&words).is_empty());
        }
        let words = vec!["hundred"; 10_000];
        assert_eq!(written(&words).len(), words.len());
        let words = vec!["nine"; 10_000];
        assert_eq!(written(&words).len(), 1);
    }
}

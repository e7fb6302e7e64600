//! Cardinal numbers, decimals and negative ones: "two hundred and five", "three point one four",
//! "minus ten", "two point five million".

/// Words below twenty.
const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// Tens from twenty.
const TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/// Powers of a thousand, from the first.
const SCALES: [&str; 4] = ["thousand", "million", "billion", "trillion"];

/// A number, as it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cardinal {
    /// A whole number; `scale` is the word that is kept, as in "5 million".
    Whole { value: u64, negative: bool, scale: Option<&'static str> },
    /// A decimal: the digits before and after the point.
    Decimal { whole: u64, digits: String, negative: bool, scale: Option<&'static str> },
}

impl Cardinal {
    /// The digits, in groups of three from ten thousand on.
    pub(super) fn text(&self) -> String {
        let (head, scale) = self.parts();
        match scale {
            Some(scale) => format!("{head} {scale}"),
            None => head,
        }
    }

    /// The figure, and the word kept after it.
    pub(super) fn parts(&self) -> (String, Option<&'static str>) {
        match self {
            Cardinal::Whole { value, negative, scale } => {
                (format!("{}{}", minus(*negative), grouped(*value)), *scale)
            }
            Cardinal::Decimal { whole, digits, negative, scale } => {
                let sign = minus(*negative);
                (format!("{sign}{}.{digits}", grouped(*whole)), *scale)
            }
        }
    }

    /// Its value, if it is a whole number without a sign or a scale word.
    pub(super) fn whole(&self) -> Option<u64> {
        match self {
            Cardinal::Whole { value, negative: false, scale: None } => Some(*value),
            _ => None,
        }
    }
}

fn minus(negative: bool) -> &'static str {
    if negative { "-" } else { "" }
}

/// A number in digits, in groups of three from ten thousand on.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    if value < 10_000 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The value of a word below ten, zero included.
pub(super) fn digit(word: &str) -> Option<u64> {
    let place = SMALL[..10].iter().position(|&known| known == word)?;
    Some(place as u64)
}

/// Whether a word is one of those that numbers are made of.
pub(super) fn is_part(word: &str) -> bool {
    let all = SMALL.iter().chain(&TENS).chain(&SCALES);
    word == "hundred" || all.into_iter().any(|&known| known == word)
}

/// The value of a number below a hundred and how many words it takes.
pub(super) fn below_hundred(words: &[&str]) -> Option<(usize, u64)> {
    let first = words.first()?;
    if let Some(place) = SMALL.iter().position(|known| known == first) {
        return Some((1, place as u64));
    }
    let tens = TENS.iter().position(|known| known == first)? as u64 * 10 + 20;
    let unit = words.get(1).and_then(|word| digit(word)).filter(|&unit| unit > 0);
    Some(unit.map_or((1, tens), |unit| (2, tens + unit)))
}

/// The value of a number below a thousand; "fifteen hundred" is one too, up to 9,999.
fn below_thousand(words: &[&str]) -> Option<(usize, u64)> {
    let (mut taken, mut value) = match words.first()? {
        &"a" if words.get(1) == Some(&"hundred") => (1, 1),
        _ => below_hundred(words)?,
    };
    if value > 0 && words.get(taken) == Some(&"hundred") {
        taken += 1;
        value *= 100;
        if let Some((more, rest)) = after_and(&words[taken..]) {
            taken += more;
            value += rest;
        }
    }
    Some((taken, value))
}

/// A number below a hundred behind an "and" that may be left out.
fn after_and(words: &[&str]) -> Option<(usize, u64)> {
    let skipped = usize::from(words.first() == Some(&"and"));
    let (taken, value) = below_hundred(&words[skipped..])?;
    let hundreds = words.get(skipped + taken) == Some(&"hundred");
    (value > 0 && !hundreds).then_some((skipped + taken, value))
}

/// A whole number without its sign: its words, its value, and the scale word that ends it.
pub(super) fn whole(words: &[&str]) -> Option<(usize, u64)> {
    spelled(words).map(|(taken, value, _)| (taken, value))
}

fn spelled(words: &[&str]) -> Option<(usize, u64, Option<&'static str>)> {
    let (mut taken, mut group) = match words.first()? {
        &"a" if words.get(1) == Some(&"thousand") => (1, 1),
        _ => below_thousand(words)?,
    };
    let mut total = 0u64;
    let mut ceiling = SCALES.len();
    let mut round = None;
    let mut groups = 0;
    loop {
        let scale = words.get(taken).and_then(|word| {
            let place = SCALES[..ceiling].iter().position(|known| known == word)?;
            (group > 0).then_some(place)
        });
        let Some(place) = scale else {
            // A last group, without a scale.
            total = total.checked_add(group)?;
            return Some((taken, total, round.filter(|_| group == 0 && groups == 1)));
        };
        total = total.checked_add(group.checked_mul(1000u64.pow(place as u32 + 1))?)?;
        taken += 1;
        groups += 1;
        ceiling = place;
        round = Some(SCALES[place]).filter(|_| place > 0);
        group = 0;
        let skipped = usize::from(words.get(taken) == Some(&"and"));
        if let Some((more, next)) = below_thousand(&words[taken + skipped..]) {
            let smaller = next > 0 && next < 1000;
            // "And" joins only what is below a hundred, or all hundreds: "a thousand and one".
            let scaled = words.get(taken + skipped + more);
            let scales = scaled.is_some_and(|word| SCALES[..ceiling].contains(word));
            if smaller && (skipped == 0 || next < 100 || scales) {
                taken += skipped + more;
                group = next;
            }
        }
        if group == 0 {
            return Some((taken, total, round.filter(|_| groups == 1)));
        }
    }
}

/// Any number: with a sign, with a point, with a scale word that is kept where the number is round.
pub(super) fn number(words: &[&str]) -> Option<(usize, Cardinal)> {
    let signed = usize::from(matches!(words.first(), Some(&"minus" | &"negative")));
    let (more, mut number) = unsigned(&words[signed..])?;
    if signed > 0 {
        let (Cardinal::Whole { negative, .. } | Cardinal::Decimal { negative, .. }) = &mut number;
        *negative = true;
    }
    Some((signed + more, number))
}

fn unsigned(words: &[&str]) -> Option<(usize, Cardinal)> {
    if let Some(found) = decimal(words) {
        return Some(found);
    }
    let (taken, value, round) = spelled(words)?;
    let scale = round.map(|scale| (scale, scale_value(scale)));
    let (value, scale) = match scale {
        // 500 thousand is written out, 5 million is not.
        Some((scale, size)) => (value / size, Some(scale)),
        None => (value, None),
    };
    let number = Cardinal::Whole { value, negative: false, scale };
    Some((taken, number))
}

fn scale_value(scale: &str) -> u64 {
    let place = SCALES.iter().position(|&known| known == scale);
    1000u64.pow(place.map_or(0, |place| place as u32 + 1))
}

/// "Three point one four", perhaps of millions.
fn decimal(words: &[&str]) -> Option<(usize, Cardinal)> {
    let (mut taken, whole) =
        whole(words).or_else(|| (words.first() == Some(&"oh")).then_some((1, 0)))?;
    if words.get(taken) != Some(&"point") {
        return None;
    }
    taken += 1;
    let mut digits = String::new();
    while let Some(word) = words.get(taken) {
        let value = match *word {
            "oh" | "o" => 0,
            word => match digit(word) {
                Some(value) => value,
                None => break,
            },
        };
        digits.push(char::from(b'0' + value as u8));
        taken += 1;
    }
    if digits.is_empty() {
        // "Three point fifteen", as some say it.
        let (more, value) = below_hundred(&words[taken..])?;
        digits = value.to_string();
        taken += more;
    }
    let scale = words.get(taken).and_then(|word| {
        let place = SCALES.iter().position(|known| known == word)?;
        Some(SCALES[place])
    });
    taken += usize::from(scale.is_some());
    let number = Cardinal::Decimal { whole, digits, negative: false, scale };
    Some((taken, number))
}

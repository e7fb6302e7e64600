//! Numbers with what they count: money, percentages, degrees and units.

use super::Found;
use super::cardinal::{Cardinal, number, whole};

/// Units with a sign of their own: singular, plural, sign.
const UNITS: &[(&[&str], &[&str], &str)] = &[
    (&["kilometer", "per", "hour"], &["kilometers", "per", "hour"], "km/h"),
    (&["kilometre", "per", "hour"], &["kilometres", "per", "hour"], "km/h"),
    (&["mile", "per", "hour"], &["miles", "per", "hour"], "mph"),
    (&["meter", "per", "second"], &["meters", "per", "second"], "m/s"),
    (&["metre", "per", "second"], &["metres", "per", "second"], "m/s"),
    (&["square", "kilometer"], &["square", "kilometers"], "km²"),
    (&["square", "kilometre"], &["square", "kilometres"], "km²"),
    (&["square", "meter"], &["square", "meters"], "m²"),
    (&["square", "metre"], &["square", "metres"], "m²"),
    (&["kilometer"], &["kilometers"], "km"),
    (&["kilometre"], &["kilometres"], "km"),
    (&["centimeter"], &["centimeters"], "cm"),
    (&["centimetre"], &["centimetres"], "cm"),
    (&["millimeter"], &["millimeters"], "mm"),
    (&["millimetre"], &["millimetres"], "mm"),
    (&["kilogram"], &["kilograms"], "kg"),
    (&["kilogramme"], &["kilogrammes"], "kg"),
    (&["milligram"], &["milligrams"], "mg"),
    (&["milliliter"], &["milliliters"], "ml"),
    (&["millilitre"], &["millilitres"], "ml"),
    (&["kilobyte"], &["kilobytes"], "kB"),
    (&["megabyte"], &["megabytes"], "MB"),
    (&["gigabyte"], &["gigabytes"], "GB"),
    (&["terabyte"], &["terabytes"], "TB"),
    (&["kilohertz"], &["kilohertz"], "kHz"),
    (&["megahertz"], &["megahertz"], "MHz"),
    (&["gigahertz"], &["gigahertz"], "GHz"),
    (&["hertz"], &["hertz"], "Hz"),
    (&["kilowatt"], &["kilowatts"], "kW"),
    (&["megawatt"], &["megawatts"], "MW"),
    (&["millisecond"], &["milliseconds"], "ms"),
    (&["degree", "celsius"], &["degrees", "celsius"], "°C"),
    (&["degree", "centigrade"], &["degrees", "centigrade"], "°C"),
    (&["degree", "fahrenheit"], &["degrees", "fahrenheit"], "°F"),
    (&["degree"], &["degrees"], "°"),
];

/// Currencies whose sign stands before the figure: singular, plural, sign, their hundredths.
const CURRENCIES: &[(&str, &str, &str, &[&str])] = &[
    ("dollar", "dollars", "$", &["cent", "cents"]),
    ("euro", "euros", "€", &["cent", "cents"]),
    ("pound", "pounds", "£", &["penny", "pence", "p"]),
];

/// A number and its unit.
pub(super) fn measure(words: &[&str]) -> Found {
    let (taken, count) = number(words)?;
    let rest = &words[taken..];
    percent(rest, &count)
        .or_else(|| money(rest, &count))
        .or_else(|| unit(rest, &count))
        .map(|(more, text)| (taken + more, text))
}

fn percent(rest: &[&str], count: &Cardinal) -> Found {
    let taken = match rest {
        ["percent", ..] => 1,
        ["per", "cent", ..] => 2,
        _ => return None,
    };
    Some((taken, format!("{}%", count.text())))
}

fn unit(rest: &[&str], count: &Cardinal) -> Found {
    let named = UNITS.iter().find_map(|(one, many, sign)| {
        let fits = |unit: &[&str]| rest.starts_with(unit).then_some(unit.len());
        fits(many).or_else(|| fits(one)).map(|taken| (taken, *sign))
    });
    let (taken, sign) = named?;
    let joined = if sign.starts_with('°') { "" } else { " " };
    Some((taken, format!("{}{joined}{sign}", count.text())))
}

/// An amount, with hundredths if they are said. Pounds may be of weight, so that only hundredths
/// make money of them.
fn money(rest: &[&str], count: &Cardinal) -> Found {
    let word = *rest.first()?;
    let known = CURRENCIES.iter().find(|(one, many, ..)| *one == word || *many == word);
    let (_, _, sign, cents) = known?;
    let (figure, scale) = count.parts();
    if let (Some((more, hundredths)), Some(_)) = (hundredths(&rest[1..], cents), count.whole()) {
        return Some((1 + more, format!("{sign}{figure}.{hundredths:02}")));
    }
    if *sign == "£" {
        return None;
    }
    let (negative, figure) = match figure.strip_prefix('-') {
        Some(figure) => ("-", figure),
        None => ("", figure.as_str()),
    };
    let scale = scale.map_or(String::new(), |scale| format!(" {scale}"));
    Some((1, format!("{negative}{sign}{figure}{scale}")))
}

/// "And twenty cents", or "fifty" alone behind pounds.
fn hundredths(rest: &[&str], names: &[&str]) -> Option<(usize, u64)> {
    let skipped = usize::from(rest.first() == Some(&"and"));
    let (taken, value) = whole(&rest[skipped..]).filter(|&(_, value)| value < 100)?;
    let behind = skipped + taken;
    match rest.get(behind) {
        Some(name) if names.contains(name) => Some((behind + 1, value)),
        _ if skipped == 0 && value >= 10 && names.contains(&"pence") => Some((behind, value)),
        _ => None,
    }
}

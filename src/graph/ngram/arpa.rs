//! Reads ARPA files, the interchange format of back-off n-gram models.
//!
//! ```text
//! \data\
//! ngram 1=5
//! ngram 2=3
//!
//! \1-grams:
//! -0.69897 the<TAB>-0.30103
//! ...
//! \end\
//! ```
//!
//! Each line holds the base-10 logarithm of a probability, the words, and for all but the highest
//! order perhaps that of the back-off weight. The bytes are untrusted: errors name the line, and
//! memory is bounded by what has been read, not by what the header promises. For the conventions
//! see the manual page `ngram-format(5)` of SRILM.

use std::io::BufRead;
use std::path::Path;

use crate::graph::WordTable;
use crate::graph::textfile::{Lines, TextError};

use super::{MAX_ORDER, MAX_WORDS, NgramError};

/// Logarithms up to this (base 10) mean probability zero.
const LOG_ZERO: f32 = -90.0;
/// Rounding that a probability of one is forgiven (base-10 logarithm).
const LOG_ONE_SLACK: f32 = 1e-4;
/// Entries reserved on the header's word alone.
const MAX_RESERVED: usize = 1 << 20;

/// One n-gram.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArpaEntry {
    /// The words, 16 bits each, the last one lowest.
    pub key: u64,
    /// `−ln p` of the last word after the others; infinite for probability zero.
    pub cost: f32,
    /// `−ln` of the back-off weight of the whole as a history; 0 where none is given.
    pub backoff: f32,
}

/// All n-grams of an ARPA file, by order, in the file's order.
#[derive(Clone, Debug)]
pub struct Arpa {
    /// `orders[n - 1]` are the n-grams of length n.
    pub orders: Vec<Vec<ArpaEntry>>,
}

impl Arpa {
    /// Reads a file whose words must be in `words`; not compressed.
    ///
    /// # Errors
    /// [`NgramError::Text`] with the line that is wrong; [`NgramError::TooLarge`] for a word table
    /// or order beyond what the packed form holds.
    pub fn open(path: &Path, words: &WordTable) -> Result<Arpa, NgramError> {
        Arpa::read(Lines::open(path)?, words)
    }

    /// Reads from anything that yields lines; `name` is what errors call it.
    ///
    /// # Errors
    /// As [`Arpa::open`].
    pub fn from_reader(
        reader: impl BufRead,
        name: &str,
        words: &WordTable,
    ) -> Result<Arpa, NgramError> {
        Arpa::read(Lines::new(reader, name), words)
    }

    fn read(mut lines: Lines<impl BufRead>, words: &WordTable) -> Result<Arpa, NgramError> {
        if words.len() > MAX_WORDS {
            return Err(NgramError::TooLarge {
                what: "words",
                found: words.len(),
                limit: MAX_WORDS,
            });
        }
        let (counts, mut heading) = read_header(&mut lines)?;
        if counts.len() > MAX_ORDER {
            let found = counts.len();
            return Err(NgramError::TooLarge {
                what: "orders",
                found,
                limit: MAX_ORDER,
            });
        }
        let mut orders = Vec::with_capacity(counts.len());
        for (order, &count) in (1..).zip(&counts) {
            if heading != format!("\\{order}-grams:") {
                let what = format!("expected \\{order}-grams:, found \"{heading}\"");
                return Err(lines.error(what).into());
            }
            let mut entries = Vec::with_capacity(count.min(MAX_RESERVED));
            heading = read_section(&mut lines, order, words, &mut entries)?;
            if entries.len() != count {
                let found = entries.len();
                let what = format!("{found} {order}-grams, the header promised {count}");
                return Err(lines.error(what).into());
            }
            orders.push(entries);
        }
        if heading != "\\end\\" {
            let what = format!("expected \\end\\, found \"{heading}\"");
            return Err(lines.error(what).into());
        }
        Ok(Arpa { orders })
    }
}

/// The next line that is not empty; the file may not end before `\end\`.
fn next_filled<R: BufRead>(lines: &mut Lines<R>) -> Result<String, TextError> {
    while let Some(line) = lines.next_line()? {
        let line = line.trim_ascii();
        if !line.is_empty() {
            return Ok(line.to_owned());
        }
    }
    Err(lines.error("the file ends before \\end\\".to_owned()))
}

/// The promised number of n-grams by order, and the heading that follows.
fn read_header<R: BufRead>(lines: &mut Lines<R>) -> Result<(Vec<usize>, String), TextError> {
    // What precedes \data\ is comment.
    while next_filled(lines)? != "\\data\\" {}
    let mut counts = Vec::new();
    loop {
        let line = next_filled(lines)?;
        let Some(rest) = line.strip_prefix("ngram ") else {
            return if counts.is_empty() {
                Err(lines.error("expected \"ngram 1=<count>\"".to_owned()))
            } else {
                Ok((counts, line))
            };
        };
        let parsed = rest.split_once('=').and_then(|(order, count)| {
            let order = order.trim().parse::<usize>().ok()?;
            let count = count.trim().parse::<usize>().ok()?;
            (order == counts.len() + 1).then_some(count)
        });
        let next = counts.len() + 1;
        let count = parsed.ok_or_else(|| {
            lines.error(format!(
                "expected \"ngram {next}=<count>\", found \"{line}\""
            ))
        })?;
        counts.push(count);
        if counts.len() > 64 {
            return Err(lines.error("more than 64 orders".to_owned()));
        }
    }
}

/// Reads n-grams up to the next heading, which is returned.
fn read_section<R: BufRead>(
    lines: &mut Lines<R>,
    order: usize,
    words: &WordTable,
    entries: &mut Vec<ArpaEntry>,
) -> Result<String, TextError> {
    while let Some(line) = lines.next_line()? {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        if line.starts_with('\\') {
            return Ok(line.to_owned());
        }
        match parse_entry(line, order, words) {
            Ok(entry) => entries.push(entry),
            Err(what) => return Err(lines.error(what)),
        }
    }
    Err(lines.error("the file ends before \\end\\".to_owned()))
}

fn parse_entry(line: &str, order: usize, words: &WordTable) -> Result<ArpaEntry, String> {
    let mut fields = line.split_ascii_whitespace();
    let cost = parse_log(fields.next().unwrap_or(""))?;
    if cost < -LOG_ONE_SLACK * std::f32::consts::LN_10 {
        return Err("a probability above one".to_owned());
    }
    let mut key = 0;
    for _ in 0..order {
        let word = fields
            .next()
            .ok_or_else(|| format!("fewer than {order} words"))?;
        let id = words
            .id(word)
            .ok_or_else(|| format!("\"{word}\" is not in the word table"))?;
        key = key << 16 | u64::from(id.0);
    }
    let backoff = fields.next().map_or(Ok(0.0), parse_log)?;
    // A weight of zero is written -99 by some tools; a large finite cost keeps sums of costs
    // numbers.
    let backoff = backoff.min(-LOG_ZERO * std::f32::consts::LN_10);
    match fields.next() {
        None => Ok(ArpaEntry {
            key,
            cost: cost.max(0.0),
            backoff,
        }),
        Some(extra) => Err(format!("\"{extra}\" after the back-off weight")),
    }
}

/// A base-10 logarithm as a cost.
fn parse_log(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(log) if log.is_nan() || log == f32::INFINITY => {
            Err(format!("\"{text}\" is no logarithm"))
        }
        Ok(log) if log <= LOG_ZERO => Ok(f32::INFINITY),
        Ok(log) => Ok(-log * std::f32::consts::LN_10),
        Err(_) => Err(format!("\"{text}\" is no logarithm")),
    }
}

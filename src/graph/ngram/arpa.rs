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
//! order perhaps that of the back-off weight. Files may be compressed by gzip. N-grams with words
//! that the word table lacks are left out, with one warning; what a word after such a history costs
//! is what backing off gives. The bytes are untrusted: errors name the line, and memory is bounded
//! by what has been read, not by what the header promises. For the conventions see the manual page
//! `ngram-format(5)` of SRILM.

use std::io::BufRead;
use std::path::Path;

use crate::graph::strangers::Strangers;
use crate::graph::textfile::{Lines, TextError};
use crate::graph::{SPECIALS, WordTable};
use crate::units::WordId;

use super::{BEGIN, END, MAX_ORDER, MAX_WORDS, NgramError};

/// Logarithms up to this (base 10) mean probability zero.
const LOG_ZERO: f32 = -90.0;
/// Rounding that a probability of one is forgiven (base-10 logarithm).
const LOG_ONE_SLACK: f32 = 1e-4;
/// Entries reserved on the header's word alone.
const MAX_RESERVED: usize = 1 << 20;

/// What is wrong with a file that goes no further.
const CUT_SHORT: &str = "the file ends before \\end\\: it was cut short";

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
    /// How many n-grams were left out, because the word table lacks one of their words.
    pub left_out: usize,
}

impl Arpa {
    /// Reads a file; it may be compressed by gzip.
    ///
    /// # Errors
    /// [`NgramError::Text`] with the line that is wrong; [`NgramError::Lacks`] for a file without
    /// what a recogniser's model needs; [`NgramError::TooLarge`] for a word table or order beyond
    /// what the packed form holds.
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
        Arpa::read(Lines::new(reader, name)?, words)
    }

    fn read(mut lines: Lines<'_>, words: &WordTable) -> Result<Arpa, NgramError> {
        let limit = |what, found: usize, limit| match found > limit {
            true => Err(NgramError::TooLarge { what, found, limit }),
            false => Ok(()),
        };
        limit("words", words.len(), MAX_WORDS)?;
        let (counts, mut heading) = read_header(&mut lines)?;
        limit("orders", counts.len(), MAX_ORDER)?;
        let mut strangers = Strangers::default();
        let mut orders = Vec::with_capacity(counts.len());
        for (order, &count) in (1..).zip(&counts) {
            let mut entries = Vec::with_capacity(count.min(MAX_RESERVED));
            if heading == format!("\\{order}-grams:") {
                let before = strangers.entries();
                heading = read_section(&mut lines, order, words, &mut entries, &mut strangers)?;
                let found = entries.len() + strangers.entries() - before;
                if found != count {
                    let what = format!("{found} {order}-grams, the header promised {count}");
                    return Err(lines.error(what).into());
                }
            } else if count > 0 {
                let what = format!("expected \\{order}-grams:, found \"{heading}\"");
                return Err(lines.error(what).into());
            }
            orders.push(entries);
        }
        if heading != "\\end\\" {
            let what = format!("expected \\end\\, found \"{heading}\"");
            return Err(lines.error(what).into());
        }
        require_parts(&orders[0], lines.name(), words)?;
        strangers.tell(lines.name(), "n-grams");
        Ok(Arpa { orders, left_out: strangers.entries() })
    }
}

/// Whether the unigrams, and the table that numbers their words, have all that speech needs.
fn require_parts(unigrams: &[ArpaEntry], name: &str, words: &WordTable) -> Result<(), NgramError> {
    let has = |id: u32| (unigrams.iter()).any(|entry| entry.key == u64::from(id));
    let known = [("<s>", BEGIN), ("</s>", END)];
    let table_fits = known.iter().all(|&(word, id)| words.id(word) == Some(id));
    let specials = SPECIALS.map(|word| words.id(word));
    let is_special =
        |entry: &&ArpaEntry| (specials.iter().flatten()).any(|id| u64::from(id.0) == entry.key);
    let ends = unigrams.iter().find(|entry| entry.key == u64::from(END.0));
    let (what, remedy) = if !table_fits {
        (
            "word table that fits",
            "the table's first lines must be <eps>, <s>, </s>, <unk>, then one word a line",
        )
    } else if !has(BEGIN.0) {
        ("1-gram <s>", "estimate it from sentences with their beginnings marked")
    } else if !ends.is_some_and(|entry| entry.cost.is_finite()) {
        (
            "1-gram </s> of a probability above zero",
            "estimate it from sentences with their ends marked, or no utterance could end",
        )
    } else if unigrams.iter().filter(|entry| !is_special(entry)).count() == 0 {
        (
            "1-gram that is in the word table",
            "write its words as the table does: `tr A-Z a-z` turns capitals into small letters",
        )
    } else {
        return Ok(());
    };
    let name = name.to_owned();
    Err(NgramError::Lacks { name, what, remedy })
}

/// The next line that is not empty, or else what is wrong with a file that has none.
fn next_filled(lines: &mut Lines<'_>, otherwise: &str) -> Result<String, TextError> {
    while let Some(line) = lines.next_line()? {
        let line = line.trim_ascii();
        if !line.is_empty() {
            return Ok(line.to_owned());
        }
    }
    Err(lines.error(otherwise.to_owned()))
}

/// The promised number of n-grams by order, and the heading that follows.
fn read_header(lines: &mut Lines<'_>) -> Result<(Vec<usize>, String), TextError> {
    // What precedes \data\ is comment.
    while next_filled(lines, "is it an ARPA file? No line is \\data\\")? != "\\data\\" {}
    let mut counts = Vec::new();
    loop {
        let line = next_filled(lines, CUT_SHORT)?;
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
            lines.error(format!("expected \"ngram {next}=<count>\", found \"{line}\""))
        })?;
        counts.push(count);
        if counts.len() > 64 {
            return Err(lines.error("more than 64 orders".to_owned()));
        }
    }
}

/// Reads n-grams up to the next heading, which is returned.
fn read_section(
    lines: &mut Lines<'_>,
    order: usize,
    words: &WordTable,
    entries: &mut Vec<ArpaEntry>,
    strangers: &mut Strangers,
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
            Ok(Some(entry)) => entries.push(entry),
            Ok(None) => strangers.add(stranger(line, order, words)),
            Err(what) => return Err(lines.error(what)),
        }
    }
    Err(lines.error(CUT_SHORT.to_owned()))
}

/// The first word of an n-gram that the table lacks.
fn stranger<'l>(line: &'l str, order: usize, words: &WordTable) -> &'l str {
    let mut all = line.split_ascii_whitespace().skip(1).take(order);
    all.find(|word| id(word, words).is_none()).unwrap_or("")
}

/// The id of a word; markers such as `<UNK>` may be in capitals.
fn id(word: &str, words: &WordTable) -> Option<WordId> {
    match word.starts_with('<') {
        true => words.id_in_any_case(word),
        false => words.id(word),
    }
}

/// One n-gram, nothing if the table lacks a word of it, or what is wrong with the line.
fn parse_entry(line: &str, order: usize, words: &WordTable) -> Result<Option<ArpaEntry>, String> {
    let mut fields = line.split_ascii_whitespace();
    let cost = parse_log(fields.next().unwrap_or(""))?;
    if cost < -LOG_ONE_SLACK * std::f32::consts::LN_10 {
        return Err("a probability above one".to_owned());
    }
    let mut key = Some(0);
    for _ in 0..order {
        let word = fields.next().ok_or_else(|| format!("fewer than {order} words"))?;
        let id = id(word, words);
        if id.is_none() && word.starts_with('-') && word.parse::<f32>().is_ok() {
            return Err(format!("fewer than {order} words before \"{word}\""));
        }
        key = key.zip(id).map(|(key, id)| key << 16 | u64::from(id.0));
    }
    let backoff = fields.next().map_or(Ok(0.0), parse_log)?;
    // A weight of zero is written -99 by some tools; a large finite cost keeps sums of costs
    // numbers.
    let backoff = backoff.min(-LOG_ZERO * std::f32::consts::LN_10);
    match fields.next() {
        None => Ok(key.map(|key| ArpaEntry { key, cost: cost.max(0.0), backoff })),
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

//! Whether the histories of a `G.carpa` are what they must be: laid one behind the other without
//! gaps, words ascending, numbers that are some, and every place that is named the beginning of a
//! history, further on than where it is named.

use super::parts::{Child, Parts};

/// The largest logarithm that is believed.
const LARGEST: f32 = 1e6;

/// One bit for each word of the histories.
struct Bits(Vec<u64>);

impl Bits {
    fn new(count: usize) -> Bits {
        Bits(vec![0; count.div_ceil(64)])
    }

    fn set(&mut self, at: usize) {
        if let Some(word) = self.0.get_mut(at / 64) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}

/// Checks all that the file says about histories; an error has the token of the part, and what is
/// wrong.
pub(super) fn check_states(parts: Parts<'_>) -> Result<(), (&'static str, String)> {
    let wrong = |at: usize, what: String| ("<LmStates>", format!("the history at {at}: {what}"));
    let size = parts.len();
    let (mut begins, mut named) = (Bits::new(size), Bits::new(size));
    let mut at = 0;
    while at < size {
        begins.set(at);
        let count = match parts.int(at + 2) {
            count if at + 3 > size || count < 0 => Err(count),
            count if count as usize > (size - at - 3) / 2 => Err(count),
            count => Ok(count as usize),
        };
        let count =
            count.map_err(|count| wrong(at, format!("{count} words, more than the file holds")))?;
        for number in [parts.float(at), parts.float(at + 1)] {
            check_number(number).map_err(|what| wrong(at, what))?;
        }
        let mut before = 0;
        for child in 0..count {
            let (word, child) = parts.child_at(at, child);
            if word <= before || word as usize >= parts.num_words() {
                let what = format!("word {word} after {before}, of {}", parts.num_words());
                return Err(wrong(at, what));
            }
            before = word;
            match child {
                Child::Leaf(number) => check_number(number).map_err(|what| wrong(at, what))?,
                Child::State(next) if next > at as i64 && next < size as i64 => {
                    named.set(next as usize);
                }
                Child::State(_) => {
                    return Err(wrong(at, format!("what follows word {word} does not lie behind")));
                }
            }
        }
        at += 3 + 2 * count;
    }
    if let Some(at) = begins.first_that_lacks(&named) {
        return Err(wrong(at, "no history begins there, and one is said to".into()));
    }
    check_addresses(parts, &begins)
}

/// Checks where the words' own histories begin, and those of the overflow.
fn check_addresses(parts: Parts<'_>, begins: &Bits) -> Result<(), (&'static str, String)> {
    let sections = [
        ("<LmUnigram>", &parts.layout.unigrams, "word"),
        ("<LmOverflow>", &parts.layout.overflow, "entry"),
    ];
    for (token, section, what) in sections {
        for index in 0..section.len() / 8 {
            let address = parts.address(section, index);
            let place = usize::try_from(address).ok().and_then(|address| address.checked_sub(1));
            // Words that the model does not know have none.
            let is_none = address == 0 && what == "word";
            if !is_none && !place.is_some_and(|place| begins.has(place)) {
                return Err((
                    token,
                    format!("no history begins at {address}, as {what} {index} says"),
                ));
            }
        }
    }
    Ok(())
}

/// A logarithm of a probability or weight: −∞ is one of nothing. What is too large would have no
/// sum with that.
fn check_number(number: f32) -> Result<(), String> {
    match number.is_nan() || number > LARGEST {
        true => Err(format!("{number} is no logarithm of a probability")),
        false => Ok(()),
    }
}

impl Bits {
    /// The first that the other has and this lacks.
    fn first_that_lacks(&self, other: &Bits) -> Option<usize> {
        let lacks = |(this, other): (&u64, &u64)| other & !this;
        let mut all = self.0.iter().zip(&other.0).map(lacks).enumerate();
        let (word, bits) = all.find(|(_, bits)| *bits != 0)?;
        Some(64 * word + bits.trailing_zeros() as usize)
    }
}

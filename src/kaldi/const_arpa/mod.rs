//! `G.carpa`: a large n-gram in the form that Kaldi rescores with (`arpa-to-const-arpa`).
//!
//! ```text
//! <ConstArpaLm> <LmInfo> bos eos unk order </LmInfo>
//! <LmStates>  count, and so many words of 32 bits: one history behind the other,
//!             each ln p, ln of its back-off weight, number of words that follow it, and
//!             for each of these, ascending: the word, and what it is as a history
//! </LmStates>
//! <LmUnigram>  number of words, and for each where its history begins, 0 for none  </LmUnigram>
//! <LmOverflow> count, and so many places as those of words  </LmOverflow> </ConstArpaLm>
//! ```
//!
//! What a word is as a history, once no other words follow it, is ln p itself, an even number. Else
//! it is odd: twice how far behind the present history it begins and 1, or less than 0 and the
//! place is one of the overflow. The file is mapped, not copied, and checked whole when it is
//! opened. Reference: `lm/const-arpa-lm.cc`, whose costs these are.

mod check;
mod parts;

use std::fs::File;
use std::path::Path;

use super::KaldiError;
use super::input::{Input, Kind};
use crate::graph::Place;
use crate::units::{Cost, WordId};
use check::check_states;
use parts::{Layout, Parts};

/// Longest n-gram that is read.
const MOST_ORDER: usize = 8;

/// A model, where it is mapped.
pub(crate) struct ConstArpaLm {
    bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    layout: Layout,
}

/// The last words that the model looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ArpaHistory {
    words: [u32; MOST_ORDER - 1],
    count: u8,
}

impl ConstArpaLm {
    /// Opens a file and checks all of it.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or of an order above 8.
    pub fn open(path: &Path, place: Place) -> Result<ConstArpaLm, KaldiError> {
        let io = |error| KaldiError::io(path, error);
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        // Nothing can be mapped of an empty file.
        if length == 0 {
            return ConstArpaLm::read(Vec::new(), path);
        }
        ConstArpaLm::read(place.bytes(file, length).map_err(io)?, path)
    }

    /// As [`ConstArpaLm::open`], of a file's bytes.
    ///
    /// # Errors
    /// As [`ConstArpaLm::open`].
    pub fn read(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
        path: &Path,
    ) -> Result<ConstArpaLm, KaldiError> {
        let layout = Layout::read(bytes.as_ref(), path)?;
        Ok(ConstArpaLm { bytes: Box::new(bytes), layout })
    }

    /// Before the first word.
    pub fn start(&self) -> ArpaHistory {
        let mut history = ArpaHistory::EMPTY;
        if self.layout.order > 1 {
            history.push(self.layout.begin);
        }
        history
    }

    /// The history with one more word, and what that costs: infinitely much where the model does
    /// not know it, nor anything that stands for it.
    pub fn step(&self, history: ArpaHistory, word: WordId) -> (ArpaHistory, Cost) {
        let cost = -self.ln_probability(word.0, history);
        if cost == f32::INFINITY {
            return (history, Cost(cost));
        }
        let mut next = history;
        if next.len() + 1 >= self.layout.order {
            next.forget_first();
        }
        if self.layout.order > 1 {
            next.push(word.0);
        }
        let parts = self.parts();
        while next.len() > 0 && !parts.is_followed(next.words()) {
            next.forget_first();
        }
        (next, Cost(cost))
    }

    /// What it costs to end after these words.
    pub fn end(&self, history: ArpaHistory) -> Cost {
        Cost(-self.ln_probability(self.layout.end, history))
    }

    /// ln of the probability of a word after others, of which those that are not known count as
    /// what stands for them.
    fn ln_probability(&self, word: u32, history: ArpaHistory) -> f32 {
        let parts = self.parts();
        let known = |word: u32| match self.layout.unknown {
            Some(unknown) if parts.unigram(word).is_none() => unknown,
            _ => word,
        };
        let mut history = history;
        for word in &mut history.words[..usize::from(history.count)] {
            *word = known(*word);
        }
        let word = known(word);
        let mut sum = 0.0;
        while let words @ [_, ..] = history.words() {
            if let Some(state) = parts.state_of(words) {
                match parts.child(state, word) {
                    Some(child) => return sum + parts.ln_probability(child),
                    None => sum += parts.float(state + 1),
                }
            }
            history.forget_first();
        }
        let unigram = parts.unigram(word);
        sum + unigram.map_or(f32::NEG_INFINITY, |state| parts.float(state))
    }

    fn parts(&self) -> Parts<'_> {
        Parts { bytes: (*self.bytes).as_ref(), layout: &self.layout }
    }
}

impl Layout {
    /// Reads where the parts are, and checks what lies in them.
    fn read(bytes: &[u8], path: &Path) -> Result<Layout, KaldiError> {
        let mut input = Input::new(bytes, path)?;
        if let Kind::Number = input.kind()? {
            return Err(input.error(
                "it is of the form that was given up in 2015; write it anew with Kaldi's arpa-to-const-arpa",
            ));
        }
        input.expect("<ConstArpaLm>")?;
        input.expect("<LmInfo>")?;
        let [begin, end, unknown, order] = [input.int()?, input.int()?, input.int()?, input.int()?];
        let order = usize::try_from(order).ok().filter(|order| (1..=MOST_ORDER).contains(order));
        let order = order.ok_or_else(|| {
            input.error(format!("n-grams of an order that is not within 1 to {MOST_ORDER}"))
        })?;
        input.expect("</LmInfo>")?;
        input.expect("<LmStates>")?;
        let count = input.long()?;
        let states = input.place(count, 4)?;
        input.expect("</LmStates>")?;
        input.expect("<LmUnigram>")?;
        let words = input.int()?;
        let unigrams = input.place(words.into(), 8)?;
        let symbol = |name: &str, number: i32| match u32::try_from(number) {
            Ok(number @ 1..) if i64::from(number) < i64::from(words) => Ok(number),
            _ => Err(input.error(format!(
                "{name} is word {number}, and the model has words 1 to {}",
                words.saturating_sub(1)
            ))),
        };
        let (begin, end) = (symbol("<s>", begin)?, symbol("</s>", end)?);
        let unknown = match unknown {
            -1 => None,
            number => Some(symbol("the unknown word", number)?),
        };
        input.expect("</LmUnigram>")?;
        input.expect("<LmOverflow>")?;
        let count = input.int()?;
        let overflow = input.place(count.into(), 8)?;
        input.expect("</LmOverflow>")?;
        input.expect("</ConstArpaLm>")?;
        input.end()?;
        let layout = Layout { begin, end, unknown, order, states, unigrams, overflow };
        let checked = check_states(Parts { bytes, layout: &layout });
        checked.map_err(|(token, what)| KaldiError::Format {
            path: path.to_owned(),
            token: token.into(),
            what,
        })?;
        Ok(layout)
    }
}

impl ArpaHistory {
    const EMPTY: ArpaHistory = ArpaHistory { words: [0; MOST_ORDER - 1], count: 0 };

    fn len(&self) -> usize {
        usize::from(self.count)
    }

    fn words(&self) -> &[u32] {
        &self.words[..self.len()]
    }

    /// Leaves out the word said first.
    fn forget_first(&mut self) {
        let Some(last) = self.len().checked_sub(1) else {
            return;
        };
        self.words.copy_within(1.., 0);
        // What is not in use is 0, so that equal histories are equal.
        self.words[last] = 0;
        self.count -= 1;
    }

    fn push(&mut self, word: u32) {
        if let Some(place) = self.words.get_mut(usize::from(self.count)) {
            *place = word;
            self.count += 1;
        }
    }
}

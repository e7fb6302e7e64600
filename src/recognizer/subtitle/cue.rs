//! Which words share a cue, how they stand in its lines, and for how long.
//!
//! Of all ways to cut the words into cues that keep the limits the cheapest is taken, by dynamic
//! programming over the places where a cue may end (as Knuth and Plass, 1981, break paragraphs into
//! lines): a break costs by where it is ([`break_cost`]), a cue by how hard it is to read in its
//! time.

use super::super::{Transcript, TranscriptWord};
use super::phrase::break_cost;
use crate::units::Seconds;

/// Most characters of a line.
pub const LINE_CHARS: usize = 42;
/// The longest a cue stands, in seconds.
pub const LONGEST: f64 = 7.0;
/// The shortest a cue stands, in seconds, where there is time for it before the next.
pub const SHORTEST: f64 = 1.0;
/// Characters a second that a viewer can read.
const READABLE: f64 = 20.0;
/// What another cue costs: fewer, fuller cues are better where nothing else speaks for more.
const CUE_COST: f64 = 1.5;
/// Cost of a cue that is shown for less time than it should be: more than that of any badly placed
/// break.
const TOO_SHORT_COST: f64 = 20.0;
/// A pause within a cue that is too long to be bridged, in seconds.
const TOO_LONG_A_PAUSE: f64 = 1.5;

/// What is shown at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Cue<'t> {
    /// From when it is shown.
    pub start: Seconds,
    /// Until when; never after the next one's start.
    pub end: Seconds,
    /// Its words.
    pub words: &'t [TranscriptWord],
    /// The words in lines: two at most, of 42 characters at most.
    pub lines: Vec<String>,
}

/// Characters of each cue that are left free, for what is written beside its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    /// At the beginning of the first line.
    pub first: usize,
    /// At the end of the last line.
    pub last: usize,
}

/// A transcript's words, cut into cues that a viewer can read.
pub fn cues(transcript: &Transcript, reserved: Reserved) -> Vec<Cue<'_>> {
    let text = Text::new(&transcript.words, reserved);
    let ends = text.best_ends();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let mut cues: Vec<Cue<'_>> =
        starts.zip(&ends).map(|(begin, &end)| text.cue(begin, end)).collect();
    set_times(&mut cues);
    cues
}

/// Gives each cue the time it needs, as far as its neighbours leave it; the last one may outlast
/// the recording.
fn set_times(cues: &mut [Cue<'_>]) {
    let mut free_from = 0.0;
    for at in 0..cues.len() {
        let next = cues.get(at + 1).map(|next| next.start.0);
        let free_until = next.unwrap_or(f64::INFINITY);
        let cue = &mut cues[at];
        let (mut start, mut end) = (cue.start.0.max(free_from), cue.end.0);
        let least = (start + SHORTEST).min(free_until).max(start);
        end = end.min(start + LONGEST).max(least);
        start = start.min((end - SHORTEST).max(free_from));
        free_from = end;
        (cue.start, cue.end) = (Seconds(start), Seconds(end));
    }
}

/// Words with what it takes to lay them out.
struct Text<'t> {
    words: &'t [TranscriptWord],
    /// Characters before each word, blanks included; one more than words.
    chars: Vec<usize>,
    reserved: Reserved,
}

impl<'t> Text<'t> {
    fn new(words: &'t [TranscriptWord], reserved: Reserved) -> Self {
        let mut chars = vec![0];
        for word in words {
            let before = chars.last().expect("one at least");
            chars.push(before + word.word.chars().count() + 1);
        }
        Text { words, chars, reserved }
    }

    /// Where each cue ends, in the cheapest way to cut.
    fn best_ends(&self) -> Vec<usize> {
        let count = self.words.len();
        // By end: the cheapest cost of all cues up to there, and where the last of them begins.
        let mut best: Vec<(f64, usize)> = vec![(0.0, 0)];
        for end in 1..=count {
            let mut cheapest = (f64::INFINITY, end - 1);
            for begin in (0..end).rev() {
                let Some(cost) = self.cost(begin, end) else {
                    break;
                };
                let cost = best[begin].0 + cost;
                if cost < cheapest.0 {
                    cheapest = (cost, begin);
                }
            }
            best.push(cheapest);
        }
        let mut ends = Vec::new();
        let mut end = count;
        while end > 0 {
            ends.push(end);
            end = best[end].1;
        }
        ends.reverse();
        ends
    }

    /// What a cue costs, its end included; none if it, and every longer one with this end, breaks
    /// a limit.
    fn cost(&self, begin: usize, end: usize) -> Option<f64> {
        let words = &self.words[begin..end];
        let (start, stop) = (words[0].start.0, words[words.len() - 1].end.0);
        let chars = self.chars_of(begin, end);
        if words.len() > 1 && (stop - start > LONGEST || self.split(begin, end).is_none()) {
            return None;
        }
        let after = self.words.get(end);
        let room = after.map_or(f64::INFINITY, |next| next.start.0) - start;
        let shown = (stop - start).max(SHORTEST).min(room.max(stop - start));
        let hurry = (chars as f64 / READABLE - shown).max(0.0);
        let flash = if shown < SHORTEST { TOO_SHORT_COST } else { 0.0 };
        let pauses = words.windows(2).map(|pair| pair[1].start.0 - pair[0].end.0);
        let bridged: f64 = pauses.map(|pause| (pause - TOO_LONG_A_PAUSE).max(0.0)).sum();
        let cut = after.map_or(0.0, |next| break_cost(&words[words.len() - 1], next));
        Some(CUE_COST + cut + 2.0 * hurry + flash + 10.0 * bridged)
    }

    /// Characters of words in one line.
    fn chars_of(&self, begin: usize, end: usize) -> usize {
        (self.chars[end] - self.chars[begin]).saturating_sub(1)
    }

    /// Where the second line begins; `end` where one line suffices, none where two do not.
    fn split(&self, begin: usize, end: usize) -> Option<usize> {
        let Reserved { first, last } = self.reserved;
        let (first, last) = (LINE_CHARS.saturating_sub(first), LINE_CHARS.saturating_sub(last));
        if self.chars_of(begin, end) <= (first + last).saturating_sub(LINE_CHARS) {
            return Some(end);
        }
        let fits =
            |&at: &usize| self.chars_of(begin, at) <= first && self.chars_of(at, end) <= last;
        let cost = |at: usize| {
            let (above, below) = (self.chars_of(begin, at), self.chars_of(at, end));
            let uneven = above.abs_diff(below) as f64 / LINE_CHARS as f64;
            2.0 * uneven + break_cost(&self.words[at - 1], &self.words[at])
        };
        let places = (begin + 1..end).filter(fits);
        places.min_by(|&one, &other| cost(one).total_cmp(&cost(other)))
    }

    fn cue(&self, begin: usize, end: usize) -> Cue<'t> {
        let words = &self.words[begin..end];
        let line = |begin: usize, end: usize| {
            let words = self.words[begin..end].iter();
            words.map(|word| word.word.as_str()).collect::<Vec<_>>().join(" ")
        };
        let lines = match self.split(begin, end) {
            Some(at) if at < end => vec![line(begin, at), line(at, end)],
            Some(_) => vec![line(begin, end)],
            // One word that is longer than a line.
            None => pieces(&line(begin, end), self.reserved),
        };
        Cue { start: words[0].start, end: words[words.len() - 1].end, words, lines }
    }
}

/// A word in lines.
fn pieces(word: &str, reserved: Reserved) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let free = LINE_CHARS.saturating_sub(reserved.first + reserved.last);
    let lines = chars.chunks(free.max(1));
    lines.map(|line| line.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words said one after the other, each with the pause before it.
    fn transcript(said: impl IntoIterator<Item = (String, f64, f64)>) -> Transcript {
        let mut at = 0.0;
        let word = |(word, pause, lasts): (String, f64, f64)| {
            let start = at + pause;
            at = start + lasts;
            TranscriptWord { word, start: Seconds(start), end: Seconds(at), confidence: Some(1.0) }
        };
        let words: Vec<TranscriptWord> = said.into_iter().map(word).collect();
        Transcript { words, ..Transcript::default() }
    }

    /// A text said at an even pace; a `|` is a pause of half a second.
    fn said(text: &str) -> Transcript {
        let mut pause = 0.0;
        let mut words = Vec::new();
        for word in text.split_whitespace() {
            if word == "|" {
                pause = 0.5;
            } else {
                words.push((word.to_owned(), pause, 0.07 * word.len() as f64));
                pause = 0.0;
            }
        }
        transcript(words)
    }

    fn shown(transcript: &Transcript) -> Vec<String> {
        let cues = cues(transcript, Reserved::default());
        cues.iter().map(|cue| cue.lines.join(" / ")).collect()
    }

    #[test]
    fn cues_and_lines_end_where_phrases_do() {
        let text = "it was late in the afternoon | when the old man came back from the river and sat down \
            on the bench before his house | he had nothing with him but a basket of small fish";
        assert_eq!(
            shown(&said(text)),
            [
                "it was late in the afternoon",
                "when the old man came back from the river / and sat down on the bench before his house",
                "he had nothing with him / but a basket of small fish",
            ]
        );
    }

    #[test]
    fn a_short_answer_stands_for_a_second() {
        let words = [("yes", 2.0, 0.25), ("no", 3.0, 0.25)];
        let heard = transcript(words.map(|(word, pause, lasts)| (word.to_owned(), pause, lasts)));
        let times: Vec<(f64, f64)> =
            cues(&heard, Reserved::default()).iter().map(|c| (c.start.0, c.end.0)).collect();
        let near = |one: f64, other: f64| (one - other).abs() < 1e-9;
        assert!(near(times[0].0, 2.0) && near(times[0].1, 3.0), "{times:?}");
        assert!(near(times[1].0, 5.25) && near(times[1].1, 6.25), "{times:?}");
        assert!(cues(&Transcript::default(), Reserved::default()).is_empty());
    }

    #[test]
    fn a_word_longer_than_two_lines_is_all_there() {
        let long = "x".repeat(100);
        let heard = transcript([(long.clone(), 0.0, 9.0), ("y".to_owned(), 0.0, 0.1)]);
        let cues = cues(&heard, Reserved::default());
        assert_eq!(cues[0].lines.concat(), long);
        assert!(cues[0].lines.iter().all(|line| line.len() <= LINE_CHARS));
        assert!((cues[0].end.0 - cues[0].start.0 - LONGEST).abs() < 1e-9);
    }

    proptest! {
        /// Whatever is said, the limits hold, all words are there in order, and cues do not
        /// overlap.
        #[test]
        fn the_limits_hold(
            said in prop::collection::vec(("[a-z']{1,14}", 0.0..1.5f64, 0.05..0.9f64), 0..120),
            first in prop::sample::select(vec![0usize, 4]),
            last in prop::sample::select(vec![0usize, 8]),
        ) {
            let heard = transcript(said);
            let cues = cues(&heard, Reserved { first, last });
            let words: Vec<_> = cues.iter().flat_map(|cue| cue.words).cloned().collect();
            prop_assert_eq!(&words, &heard.words);
            let mut before = 0.0;
            for (at, cue) in cues.iter().enumerate() {
                let text: Vec<_> = cue.words.iter().map(|word| word.word.as_str()).collect();
                prop_assert_eq!(cue.lines.join(" "), text.join(" "));
                prop_assert!(cue.lines.len() <= 2);
                prop_assert!(cue.lines.iter().all(|line| line.len() <= LINE_CHARS));
                prop_assert!(cue.lines.last().unwrap().len() <= LINE_CHARS - last);
                let free = LINE_CHARS - if cue.lines.len() == 1 { first + last } else { first };
                prop_assert!(cue.lines[0].len() <= free);
                let (start, end) = (cue.start.0, cue.end.0);
                prop_assert!(before <= start && start <= end, "{} {} {}", before, start, end);
                prop_assert!(end - start <= LONGEST + 1e-9);
                let with = |other: usize| {
                    let words: Vec<_> = cues[at.min(other)..=at.max(other)].iter().flat_map(|c| c.words).collect();
                    let chars: usize = words.iter().map(|word| word.word.len() + 1).sum();
                    words[words.len() - 1].end.0 - words[0].start.0 > LONGEST - 1.5 || chars > 56
                };
                let full = (at == 0 || with(at - 1)) && (at + 1 == cues.len() || with(at + 1));
                prop_assert!(full || end - start >= SHORTEST - 1e-9, "{} to {}", start, end);
                before = end;
            }
        }
    }
}

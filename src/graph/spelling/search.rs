//! The beam search over the graphones that spell a word.
//!
//! Ways on are held as what they cost and where they come from; phones are written down for those
//! alone that are kept.

use super::{BEAM, BEGIN, END, Graphone, NONE, ORDER, Spelling, UNSEEN};
use crate::units::PhoneId;

/// A pronunciation in the making.
#[derive(Clone)]
pub(super) struct Partial {
    pub cost: f32,
    /// The last graphones, as far as there are any, the latest last.
    history: [u16; ORDER - 1],
    known: usize,
    pub phones: Vec<PhoneId>,
}

/// A way on from a hypothesis that was kept.
#[derive(Clone, Copy)]
struct Step {
    cost: f32,
    from: usize,
    number: u16,
    graphone: Graphone,
}

/// A history, and what it costs to look at a shorter one, by length.
struct Context {
    sequence: [u16; ORDER],
    known: usize,
    backoffs: [Option<f32>; ORDER],
}

impl Spelling {
    /// The `count` cheapest pronunciations, each once, the cheapest first.
    pub(super) fn search(&self, letters: &[u8], count: usize) -> Vec<Partial> {
        let mut kept = vec![Partial::beginning()];
        let mut here = 0..1;
        let mut at: Vec<Vec<Step>> = vec![Vec::new(); letters.len() + 1];
        for place in 0..letters.len() {
            if place > 0 {
                let first = kept.len();
                keep_best(std::mem::take(&mut at[place]), &mut kept);
                here = first..kept.len();
            }
            for from in here.clone() {
                let context = self.context(&kept[from]);
                for length in 1..=2.min(letters.len() - place) {
                    let second = if length == 2 { letters[place + 1] } else { NONE };
                    let (first, graphones) = self.spelling([letters[place], second]);
                    at[place + length].extend((first..).zip(graphones).map(
                        |(number, &graphone)| {
                            let cost = kept[from].cost + self.cost(&context, number);
                            Step { cost, from, number, graphone }
                        },
                    ));
                }
            }
        }
        let mut ends = at.pop().unwrap_or_default();
        for end in &mut ends {
            let history = kept[end.from].after(end.number);
            end.cost += self.cost(&self.context_of(history), END);
        }
        cheapest_pronunciations(ends, &kept, count)
    }

    fn context(&self, partial: &Partial) -> Context {
        self.context_of((partial.history, partial.known))
    }

    fn context_of(&self, (history, known): ([u16; ORDER - 1], usize)) -> Context {
        let mut sequence = [0; ORDER];
        sequence[..ORDER - 1].copy_from_slice(&history);
        let mut backoffs = [None; ORDER];
        for length in 1..=known {
            let entry = self.entry(&sequence[known - length..known]);
            backoffs[length] = entry.map(|entry| entry.backoff);
        }
        Context { sequence, known, backoffs }
    }

    /// The cost of a graphone after a history, backing off as far as needed.
    fn cost(&self, context: &Context, next: u16) -> f32 {
        let Context { mut sequence, known, backoffs } = *context;
        sequence[known] = next;
        let mut backoff = 0.0;
        for length in (0..=known).rev() {
            if let Some(entry) = self.entry(&sequence[known - length..=known]) {
                return backoff + entry.cost;
            }
            backoff += backoffs[length].unwrap_or(0.0);
        }
        backoff + UNSEEN
    }
}

impl Partial {
    /// Nothing said yet.
    fn beginning() -> Partial {
        let mut history = [0; ORDER - 1];
        history[0] = BEGIN;
        Partial { cost: 0.0, history, known: 1, phones: Vec::new() }
    }

    /// Its history after one graphone more.
    fn after(&self, number: u16) -> ([u16; ORDER - 1], usize) {
        let (mut history, mut known) = (self.history, self.known);
        if known == history.len() {
            history.rotate_left(1);
            known -= 1;
        }
        history[known] = number;
        (history, known + 1)
    }
}

impl Step {
    /// The hypothesis that it leads to.
    fn taken(&self, kept: &[Partial]) -> Partial {
        let from = &kept[self.from];
        let (history, known) = from.after(self.number);
        let mut phones = Vec::with_capacity(from.phones.len() + 2);
        phones.extend_from_slice(&from.phones);
        let more = self.graphone.phones.iter().filter(|&&phone| phone != NONE);
        phones.extend(more.map(|&phone| PhoneId(u32::from(phone))));
        Partial { cost: self.cost, history, known, phones }
    }
}

/// Keeps the cheapest hypotheses; of those that go on alike and have said the same, one.
fn keep_best(mut steps: Vec<Step>, kept: &mut Vec<Partial>) {
    steps.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let first = kept.len();
    for step in steps {
        if kept.len() - first == BEAM {
            break;
        }
        let partial = step.taken(kept);
        let same =
            |known: &Partial| known.history == partial.history && known.phones == partial.phones;
        if !kept[first..].iter().any(same) {
            kept.push(partial);
        }
    }
}

/// Of complete hypotheses, the cheapest of each pronunciation.
fn cheapest_pronunciations(mut ends: Vec<Step>, kept: &[Partial], count: usize) -> Vec<Partial> {
    ends.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let mut found: Vec<Partial> = Vec::new();
    for end in ends {
        if found.len() == count {
            break;
        }
        let partial = end.taken(kept);
        let known = found.iter().any(|known| known.phones == partial.phones);
        if !known && !partial.phones.is_empty() {
            found.push(partial);
        }
    }
    found
}

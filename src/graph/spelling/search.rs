//! The beam search over the graphones that spell a word.
//!
//! Ways on are held as what they cost and where they come from; phones are written down for those
//! alone that are kept.

use std::cmp::Ordering;

use super::{BEAM, BEGIN, END, FEW, Follower, Graphone, NONE, ORDER, Spelling, UNSEEN};
use crate::units::PhoneId;

/// Steps that are sorted at once for each hypothesis kept: those that are kept are mostly among
/// them.
const LOOKED_AT: usize = 4;

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

/// What a history and the shorter ones that it ends in know, by their lengths.
struct Context<'s> {
    followers: [&'s [Follower]; ORDER],
    /// What it costs to have come down to that length.
    backoffs: [f32; ORDER],
    /// The history's length.
    known: usize,
}

impl Spelling {
    /// The `count` cheapest pronunciations, each once, the cheapest first.
    pub(super) fn search(&self, letters: &[u8], count: usize) -> Vec<Partial> {
        let beam = BEAM + 2 * count.saturating_sub(FEW);
        let mut kept = vec![Partial::beginning()];
        let mut here = 0..1;
        let mut at: Vec<Vec<Step>> = vec![Vec::new(); letters.len() + 1];
        let mut costs = Vec::new();
        for place in 0..letters.len() {
            if place > 0 {
                let first = kept.len();
                keep_best(std::mem::take(&mut at[place]), &mut kept, beam);
                here = first..kept.len();
            }
            for from in here.clone() {
                let context = self.context((kept[from].history, kept[from].known));
                for length in 1..=2.min(letters.len() - place) {
                    let second = if length == 2 { letters[place + 1] } else { NONE };
                    let (first, graphones) = self.spelling([letters[place], second]);
                    context.costs(first, graphones.len(), &mut costs);
                    let numbered = (first..).zip(graphones).zip(&costs);
                    at[place + length].extend(numbered.map(|((number, &graphone), cost)| Step {
                        cost: kept[from].cost + cost,
                        from,
                        number,
                        graphone,
                    }));
                }
            }
        }
        let mut ends = at.pop().unwrap_or_default();
        for end in &mut ends {
            let history = kept[end.from].after(end.number);
            self.context(history).costs(END, 1, &mut costs);
            end.cost += costs[0];
        }
        cheapest_pronunciations(ends, &kept, count)
    }

    /// What follows a history, and what follows the shorter ones that it ends in.
    fn context(&self, (history, known): ([u16; ORDER - 1], usize)) -> Context<'_> {
        let mut context = Context { followers: [&[]; ORDER], backoffs: [0.0; ORDER], known };
        let mut backoff = 0.0;
        for length in (0..=known).rev() {
            context.backoffs[length] = backoff;
            if let Some(entry) = self.known(&history[known - length..known]) {
                context.followers[length] = self.followers(entry);
                backoff += entry.backoff;
            }
        }
        context
    }
}

impl Context<'_> {
    /// The costs of `count` graphones from number `first` on: each after the longest history that
    /// it was seen after. Looking through what follows the histories, the longest last, takes a
    /// tenth of the time that looking up each graphone after each does.
    fn costs(&self, first: u16, count: usize, costs: &mut Vec<f32>) {
        costs.clear();
        costs.resize(count, self.backoffs[0] + UNSEEN);
        let histories = self.followers.iter().zip(&self.backoffs).take(self.known + 1);
        for (followers, backoff) in histories {
            let begin = followers.partition_point(|follower| follower.number < first);
            for follower in &followers[begin..] {
                match costs.get_mut(usize::from(follower.number.wrapping_sub(first))) {
                    Some(cost) => *cost = backoff + follower.cost,
                    None => break,
                }
            }
        }
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
    /// Cheaper steps first; of equal ones, that from the earlier hypothesis.
    fn order(&self, other: &Step) -> Ordering {
        let place = |step: &Step| (step.from, step.number);
        self.cost.total_cmp(&other.cost).then_with(|| place(self).cmp(&place(other)))
    }

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
fn keep_best(mut steps: Vec<Step>, kept: &mut Vec<Partial>, beam: usize) {
    let first = kept.len();
    let mut rest = &mut steps[..];
    while kept.len() - first < beam && !rest.is_empty() {
        let (cheapest, dearer) = split_cheapest(rest, LOOKED_AT * beam);
        rest = dearer;
        for step in cheapest {
            if kept.len() - first == beam {
                break;
            }
            let partial = step.taken(kept);
            let same = |known: &Partial| {
                known.history == partial.history && known.phones == partial.phones
            };
            if !kept[first..].iter().any(same) {
                kept.push(partial);
            }
        }
    }
}

/// The cheapest steps, in order, and the others. Few are looked at of many, which are not sorted.
fn split_cheapest(steps: &mut [Step], most: usize) -> (&mut [Step], &mut [Step]) {
    let middle = most.min(steps.len());
    if middle < steps.len() {
        steps.select_nth_unstable_by(middle, Step::order);
    }
    let (cheapest, dearer) = steps.split_at_mut(middle);
    cheapest.sort_unstable_by(Step::order);
    (cheapest, dearer)
}

/// Of complete hypotheses, the cheapest of each pronunciation.
fn cheapest_pronunciations(mut ends: Vec<Step>, kept: &[Partial], count: usize) -> Vec<Partial> {
    ends.sort_unstable_by(Step::order);
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

//! Which words come next, and what they cost: the labels that a state of the lexicon leads to, met
//! with the arcs of a state of the language model.

use crate::graph::openfst::{Automaton, FstArc, Reach};

/// Of what was summed up before, the least share that a difference of two sums must be to be
/// believed: it then has nine digits at least.
const PRECISE: f64 = 1e-6;

/// What comes.
pub(super) enum Coming {
    /// One word, by this arc.
    One(FstArc),
    /// Words or the end, which cost this: the negative logarithm of the sum of the words'
    /// probabilities, or the cost of the end if that is less.
    Some(f32),
}

/// Looks ahead.
pub(super) struct Ahead<'a> {
    reach: &'a Reach,
    language: &'a Automaton,
    /// By arc of the language model: the probabilities of the arcs before it in its row.
    before: Vec<f64>,
}

impl<'a> Ahead<'a> {
    /// The arcs of the language model are in order of their inputs.
    pub fn new(reach: &'a Reach, language: &'a Automaton) -> Self {
        let mut before = Vec::with_capacity(language.arcs().len());
        for state in 0..language.num_states() as u32 {
            let mut sum = 0.0;
            for arc in language.row(state) {
                before.push(sum);
                sum += probability(arc);
            }
        }
        Ahead { reach, language, before }
    }

    /// What comes at two states; nothing where no word of the one is one of the other's. The same
    /// states give the same answer, to the bit.
    pub fn coming(&self, left: u32, right: u32) -> Option<Coming> {
        let row = self.language.row(right);
        let intervals = self.reach.of(left);
        let (mut count, mut only, mut sum) = (0, None, Sum::default());
        if 2 * row.len() < intervals.len() {
            let met = row.iter().filter(|arc| self.reach.has(left, arc.input));
            for arc in met {
                count += 1;
                only = Some(*arc);
                sum.add_log(arc.cost.into());
            }
        } else {
            let (first, mut from) = (self.language.span(right).start, 0);
            for [begin, end] in intervals {
                from += row[from..].partition_point(|arc| arc.input < *begin);
                let to = from + row[from..].partition_point(|arc| arc.input < *end);
                if to > from {
                    count += to - from;
                    only = Some(row[from]);
                    self.add(first, row, from..to, &mut sum);
                }
                from = to;
            }
        }
        let ending = self.language.final_cost(right);
        let ends = ending != f32::INFINITY && self.reach.has_end(left);
        match (count, only) {
            (0, _) => ends.then_some(Coming::Some(ending)),
            (1, Some(arc)) if !ends => Some(Coming::One(arc)),
            _ => {
                let cost = if ends { sum.cost().min(ending) } else { sum.cost() };
                (cost != f32::INFINITY).then_some(Coming::Some(cost))
            }
        }
    }

    /// Adds the arcs of a part of a row that begins at an index.
    fn add(&self, first: usize, row: &[FstArc], part: std::ops::Range<usize>, sum: &mut Sum) {
        let behind = match part.end == row.len() {
            true => {
                let last = row.last().expect("the part has an arc");
                self.before[first + part.end - 1] + probability(last)
            }
            false => self.before[first + part.end],
        };
        let mass = behind - self.before[first + part.start];
        if mass > PRECISE * behind {
            return sum.add_log(-mass.ln());
        }
        row[part].iter().for_each(|arc| sum.add_log(arc.cost.into()));
    }
}

fn probability(arc: &FstArc) -> f64 {
    (-f64::from(arc.cost)).exp()
}

/// The sum of probabilities, as a cost.
struct Sum(f64);

impl Default for Sum {
    fn default() -> Self {
        Sum(f64::INFINITY)
    }
}

impl Sum {
    fn add_log(&mut self, cost: f64) {
        let (less, more) = (self.0.min(cost), self.0.max(cost));
        if more < f64::INFINITY {
            self.0 = less - (less - more).exp().ln_1p();
        } else {
            self.0 = less;
        }
    }

    fn cost(&self) -> f32 {
        self.0 as f32
    }
}

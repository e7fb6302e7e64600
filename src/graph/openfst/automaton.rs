//! A weighted automaton as it lies in an OpenFst file, of which a decoding graph is yet to be
//! composed: a language model (`Gr.fst`), or the lexicon before it (`HCLr.fst`).

use std::io::{self, Read, Write};

use super::header::{Header, write_vector_header};
use super::input::{Fault, Input, format_fault};
use crate::graph::WORD_MASK;
use crate::graph::error::GraphError;
use crate::graph::rows::{ARC_LIMIT, COST_MIN};

/// An arc. Label 0 is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FstArc {
    /// The label that is read.
    pub input: u32,
    /// The label that is put out.
    pub output: u32,
    /// What it costs.
    pub cost: f32,
    /// The state it leads to.
    pub next: u32,
}

/// Rows of arcs, one a state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Automaton {
    start: u32,
    /// Where the row of each state begins, and the end of the last.
    rows: Vec<u32>,
    arcs: Vec<FstArc>,
    /// By state; infinite where it is not final.
    finals: Vec<f32>,
}

impl Automaton {
    /// Puts rows together: `rows` says where each begins, and where the last ends.
    ///
    /// # Errors
    /// An arc or the start leads to no state, a cost is of no use, or a label is too large.
    pub fn new(
        start: u32,
        rows: Vec<u32>,
        arcs: Vec<FstArc>,
        finals: Vec<f32>,
    ) -> Result<Automaton, GraphError> {
        let made = Automaton { start, rows, arcs, finals };
        let states = made.finals.len() as u32;
        if start >= states {
            return Err(GraphError::NoSuchState { state: start, states });
        }
        for state in 0..states {
            let last = made.finals[state as usize];
            if last.is_nan() || last == f32::NEG_INFINITY {
                return Err(GraphError::BadCost { state, cost: last });
            }
            for arc in made.row(state) {
                if arc.next >= states {
                    return Err(GraphError::NoSuchState { state: arc.next, states });
                }
                if arc.cost.is_nan() || arc.cost <= COST_MIN {
                    return Err(GraphError::BadCost { state, cost: arc.cost });
                }
                let found = u64::from(arc.input.max(arc.output));
                if found > u64::from(WORD_MASK) {
                    let limit = u64::from(WORD_MASK);
                    return Err(GraphError::TooLarge { what: "labels", found, limit });
                }
            }
        }
        Ok(made)
    }

    /// Where it begins.
    pub fn start(&self) -> u32 {
        self.start
    }

    /// Number of states.
    pub fn num_states(&self) -> usize {
        self.finals.len()
    }

    /// The arcs of all states, in order of these.
    pub fn arcs(&self) -> &[FstArc] {
        &self.arcs
    }

    /// The indices of a state's arcs.
    pub fn span(&self, state: u32) -> std::ops::Range<usize> {
        let at = state as usize;
        self.rows[at] as usize..self.rows[at + 1] as usize
    }

    /// The arcs of a state.
    pub fn row(&self, state: u32) -> &[FstArc] {
        &self.arcs[self.span(state)]
    }

    /// What ending in a state costs; infinite if it is not final.
    pub fn final_cost(&self, state: u32) -> f32 {
        self.finals[state as usize]
    }

    /// Writes a `vector` file.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write_vector_header(out, [self.start as usize, self.num_states(), self.arcs.len()])?;
        for state in 0..self.num_states() as u32 {
            let row = self.row(state);
            out.write_all(&self.final_cost(state).to_le_bytes())?;
            out.write_all(&(row.len() as i64).to_le_bytes())?;
            for arc in row {
                let FstArc { input, output, cost, next } = arc;
                for bytes in [
                    input.to_le_bytes(),
                    output.to_le_bytes(),
                    cost.to_le_bytes(),
                    next.to_le_bytes(),
                ] {
                    out.write_all(&bytes)?;
                }
            }
        }
        Ok(())
    }

    /// The same automaton, which reads what it put out.
    pub fn projected(mut self) -> Automaton {
        for arc in &mut self.arcs {
            arc.input = arc.output;
        }
        self
    }

    /// The same automaton, the rows in ascending order of the labels that are read.
    pub fn sorted_by_input(mut self) -> Automaton {
        for state in 0..self.finals.len() as u32 {
            let span = self.span(state);
            self.arcs[span].sort_by_key(|arc| arc.input);
        }
        self
    }
}

/// Reads what follows the header and the symbols of a `const` file.
pub(super) fn constant(input: &mut Input<impl Read>, header: &Header) -> Result<Automaton, Fault> {
    input.enter("the states");
    header.align(input)?;
    let word = |bytes: &[u8; 20], at: usize| {
        u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"))
    };
    let states = input.array(header.states as u64, |bytes: [u8; 20]| {
        (f32::from_bits(word(&bytes, 0)), word(&bytes, 1), word(&bytes, 2))
    })?;
    let (mut rows, mut finals, mut total) = (vec![0], Vec::new(), 0u64);
    for (last, first, count) in states {
        if u64::from(first) != total && count > 0 {
            return format_fault("arcs of a const file are out of order");
        }
        total += u64::from(count);
        check_arcs(total)?;
        rows.push(total as u32);
        finals.push(last);
    }
    input.enter("the arcs");
    header.align(input)?;
    let arcs = input.array(total, arc)?;
    finish(header, rows, arcs, finals)
}

pub(super) fn finish(
    header: &Header,
    rows: Vec<u32>,
    arcs: Vec<FstArc>,
    finals: Vec<f32>,
) -> Result<Automaton, Fault> {
    let Some(start) = header.start else {
        return Err(Fault::Graph(GraphError::NoStart));
    };
    Ok(Automaton::new(start, rows, arcs, finals)?)
}

pub(super) fn check_arcs(found: u64) -> Result<(), Fault> {
    let limit = ARC_LIMIT as u64;
    match found > limit {
        true => Err(Fault::Graph(GraphError::TooLarge { what: "arcs", found, limit })),
        false => Ok(()),
    }
}

pub(super) fn arc(bytes: [u8; 16]) -> FstArc {
    let [input, output, cost, next] = [0, 4, 8, 12]
        .map(|at| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")));
    FstArc { input, output, cost: f32::from_bits(cost), next }
}

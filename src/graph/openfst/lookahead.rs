//! OpenFst's `olabel_lookahead` type: an automaton, and for each of its states which output labels
//! come next, as intervals of labels (which were renumbered so that few intervals do).
//!
//! Reference: C. Allauzen, M. Riley and J. Schalkwyk, "A Generalized Composition Algorithm for
//! Weighted Finite-State Transducers", Interspeech 2009; OpenFst 1.7, `fst/add-on.h`,
//! `fst/label-reachable.h`, `fst/interval-set.h`.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::automaton::{Automaton, constant};
use super::header::Header;
use super::input::{Fault, Input, format_fault};
use crate::graph::WORD_MASK;
use crate::graph::error::GraphError;
use crate::graph::rows::ARC_LIMIT;

const ADD_ON_MAGIC: i32 = 446_681_434;
/// The size of a set of intervals that was not counted.
const UNCOUNTED: i32 = -1;

/// Which output labels come next: those of arcs without an output are of the states they lead to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reach {
    /// Where the intervals of each state begin, and the end of the last.
    rows: Vec<u32>,
    /// First label and the one behind the last, ascending within a state.
    intervals: Vec<[u32; 2]>,
    /// Stands for the end among the labels.
    end: u32,
}

/// An automaton whose arcs are in ascending order of output labels, with what comes next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LookAhead {
    /// The automaton.
    pub automaton: Automaton,
    /// What comes next.
    pub reach: Reach,
}

impl Reach {
    /// The intervals of a state.
    pub fn of(&self, state: u32) -> &[[u32; 2]] {
        let at = state as usize;
        &self.intervals[self.rows[at] as usize..self.rows[at + 1] as usize]
    }

    /// Whether a label comes next.
    pub fn has(&self, state: u32, label: u32) -> bool {
        let intervals = self.of(state);
        let at = intervals.partition_point(|[_, end]| *end <= label);
        intervals.get(at).is_some_and(|[begin, _]| *begin <= label)
    }

    /// Whether a state may be the last before the end.
    pub fn has_end(&self, state: u32) -> bool {
        self.has(state, self.end)
    }
}

impl LookAhead {
    /// Reads an `olabel_lookahead` file.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or of another type.
    pub fn open(path: &Path) -> Result<LookAhead, GraphError> {
        let file = File::open(path);
        let file = file.map_err(|source| GraphError::Io { path: path.to_owned(), source })?;
        LookAhead::read(BufReader::with_capacity(1 << 20, file))
    }

    /// As [`LookAhead::open`], of a file's bytes.
    ///
    /// # Errors
    /// As [`LookAhead::open`].
    pub fn read(input: impl Read) -> Result<LookAhead, GraphError> {
        let mut input = Input::new(input);
        let read = read(&mut input);
        input.located(read)
    }
}

fn read(input: &mut Input<impl Read>) -> Result<LookAhead, Fault> {
    Header::read(input, &["olabel_lookahead"])?.skip_symbols(input)?;
    input.enter("what follows the outer header");
    let magic = input.i32()?;
    if magic != ADD_ON_MAGIC {
        return format_fault(format!("mark {magic} of what is added, not {ADD_ON_MAGIC}"));
    }
    let header = Header::read(input, &["const"])?;
    header.skip_symbols(input)?;
    let automaton = constant(input, &header)?;
    for state in 0..automaton.num_states() as u32 {
        if !automaton.row(state).is_sorted_by_key(|arc| arc.output) {
            return format_fault(format!("arcs of state {state} not in order of their outputs"));
        }
    }
    input.enter("what is looked ahead by");
    if !input.boolean()? {
        return format_fault("no labels that come next");
    }
    if input.boolean()? {
        return format_fault("input labels that come next, not output labels alone");
    }
    if !input.boolean()? {
        return format_fault("no output labels that come next");
    }
    let reach = reach(input, automaton.num_states())?;
    input.enter("the end");
    input.expect_end()?;
    Ok(LookAhead { automaton, reach })
}

fn reach(input: &mut Input<impl Read>, states: usize) -> Result<Reach, Fault> {
    if input.boolean()? {
        return format_fault("labels of inputs that come next, not of outputs");
    }
    if input.boolean()? {
        input.enter("the old numbers of labels");
        for _ in 0..input.count()? {
            input.bytes::<8>()?;
        }
    }
    input.enter("the label of the end");
    // Where no state is final there is none.
    let end = input.i32()?.max(0) as u32;
    input.enter("the sets of labels that come next");
    let found = input.count()?;
    if found != states as u64 {
        return format_fault(format!("{found} sets of {states} states"));
    }
    let (mut rows, mut intervals) = (vec![0], Vec::new());
    for state in 0..states {
        let count = input.count()?;
        let (found, limit) = (intervals.len() as u64 + count, ARC_LIMIT as u64);
        if found > limit {
            return Err(GraphError::TooLarge { what: "intervals of labels", found, limit }.into());
        }
        let mut set = input.array(count, |bytes: [u8; 8]| {
            let [begin, end] = [0, 4]
                .map(|at| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")));
            [begin, end]
        })?;
        check_set(state, &set, input.i32()?)?;
        intervals.append(&mut set);
        rows.push(intervals.len() as u32);
    }
    Ok(Reach { rows, intervals, end })
}

/// Checks that intervals are such, in order and apart, and of as many labels as the file says.
fn check_set(state: usize, set: &[[u32; 2]], size: i32) -> Result<(), Fault> {
    let mut behind = 1;
    let mut labels = 0u64;
    for [begin, end] in set {
        if begin < &behind || end <= begin || *end > WORD_MASK {
            return format_fault(format!("labels {begin} to {end} of state {state}"));
        }
        behind = *end;
        labels += u64::from(end - begin);
    }
    match size == UNCOUNTED || i64::from(size) == labels as i64 {
        true => Ok(()),
        false => format_fault(format!("{size} labels of state {state}, where {labels} are listed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::written::Fst;

    fn lexicon() -> Fst {
        Fst {
            start: 0,
            states: vec![
                (f32::INFINITY, vec![(1, 0, 0.5, 1), (2, 3, 0.25, 2)]),
                (f32::INFINITY, vec![(3, 0, 0.0, 2), (4, 1, 1.0, 0), (5, 2, 1.5, 0)]),
                (2.0, vec![(6, 5, 0.125, 0)]),
            ],
        }
    }

    #[test]
    fn what_comes_next_is_read() {
        let read = LookAhead::read(&lexicon().look_ahead()[..]).unwrap();
        assert_eq!((read.automaton.start(), read.automaton.num_states()), (0, 3));
        assert_eq!(read.automaton.row(1).len(), 3);
        assert_eq!(read.reach.of(0), [[1, 4], [5, 7]]);
        assert_eq!(read.reach.of(2), [[5, 7]]);
        let labels = |state| -> Vec<u32> { (0..9).filter(|l| read.reach.has(state, *l)).collect() };
        assert_eq!(labels(0), [1, 2, 3, 5, 6]);
        assert!([0, 1, 2].iter().all(|state| read.reach.has_end(*state)));
    }

    #[test]
    fn damaged_files_are_errors_that_say_where() {
        let bytes = lexicon().look_ahead();
        for length in 0..bytes.len() {
            let error = LookAhead::read(&bytes[..length]).unwrap_err().to_string();
            assert!(error.contains("OpenFst file, in "), "cut to {length}: {error}");
            for value in [0x00, 0x7f, 0xff] {
                let mut damaged = bytes.clone();
                damaged[length] = value;
                let _ = LookAhead::read(&damaged[..]);
            }
        }
        let longer = [bytes, vec![0]].concat();
        assert!(LookAhead::read(&longer[..]).unwrap_err().to_string().contains("the end"));
    }

    #[test]
    fn other_types_are_refused_by_name() {
        let error = LookAhead::read(&lexicon().constant()[..]).unwrap_err().to_string();
        assert!(error.contains("type const"), "{error}");
        let error = crate::graph::Graph::from_openfst(&lexicon().look_ahead()[..]);
        assert!(error.unwrap_err().to_string().contains("olabel_lookahead"));
    }
}

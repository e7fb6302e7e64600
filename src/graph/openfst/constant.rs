//! Writes OpenFst's `const` type, which programs read in one piece: what a graph is best handed on
//! as.
//!
//! Layout as in OpenFst 1.7 (`fst/const-fst.h`), version 2, not aligned: a header, then the states
//! (final cost, first arc, number of arcs, of those without input and without output), then the
//! arcs.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::units::StateId;

use super::header::FST_MAGIC;
use crate::graph::WORD_MASK;
use crate::graph::container;
use crate::graph::error::GraphError;
use crate::graph::rows::{ArcRef, Graph};

const VERSION: i32 = 2;
/// The property "expanded", which every const file has; the others are left unknown.
const PROPERTIES: u64 = 1;

impl Graph {
    /// Writes an OpenFst const file, atomically. Labels as [`Graph::save_openfst`] has them.
    ///
    /// # Errors
    /// [`GraphError::Io`] if the folder cannot be written.
    pub fn save_openfst_const(&self, path: &Path) -> Result<(), GraphError> {
        let saved = container::save_atomically(path, |out| self.write_openfst_const(out));
        saved.map_err(|error| GraphError::of(container::Fault::Io(error), path))
    }

    /// Writes an OpenFst const file's bytes.
    ///
    /// # Errors
    /// Whatever the writer reports.
    pub fn write_openfst_const(&self, out: &mut impl Write) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, out);
        let mut number = vec![0u32; self.state_limit()];
        for (count, state) in (0..).zip(self.states()) {
            number[state.index()] = count;
        }
        let number = |state: StateId| number.get(state.index()).copied().unwrap_or(0);
        self.write_head(&mut out, number(self.start()))?;
        let mut first = 0u32;
        for state in self.states() {
            let epsilon = self.epsilon_arcs(state).count() as u32;
            let silent = self.row(state).filter(|arc| arc.label & WORD_MASK == 0);
            let (arcs, silent) = (self.row(state).count() as u32, silent.count() as u32);
            out.write_all(&self.final_cost(state).0.to_le_bytes())?;
            for value in [first, arcs, epsilon, silent] {
                out.write_all(&value.to_le_bytes())?;
            }
            first += arcs;
        }
        for state in self.states() {
            for arc in self.row(state) {
                out.write_all(&arc.pdf.map_or(0, |pdf| pdf.0 + 1).to_le_bytes())?;
                out.write_all(&(arc.label & WORD_MASK).to_le_bytes())?;
                out.write_all(&arc.cost.0.to_le_bytes())?;
                out.write_all(&number(arc.next).to_le_bytes())?;
            }
        }
        out.flush()
    }

    fn row(&self, state: StateId) -> impl Iterator<Item = ArcRef> {
        self.epsilon_arcs(state).chain(self.emitting_arcs(state))
    }

    fn write_head(&self, out: &mut impl Write, start: u32) -> io::Result<()> {
        let (emitting, epsilon) = self.num_arcs();
        out.write_all(&FST_MAGIC.to_le_bytes())?;
        for text in ["const", "standard"] {
            out.write_all(&(text.len() as i32).to_le_bytes())?;
            out.write_all(text.as_bytes())?;
        }
        out.write_all(&VERSION.to_le_bytes())?;
        out.write_all(&0i32.to_le_bytes())?;
        out.write_all(&PROPERTIES.to_le_bytes())?;
        out.write_all(&i64::from(start).to_le_bytes())?;
        out.write_all(&(self.num_states() as i64).to_le_bytes())?;
        out.write_all(&((emitting + epsilon) as i64).to_le_bytes())
    }
}

//! A composition as a graph: labels become pdfs, and rows what the search reads.

use super::compose;
use crate::graph::builder::GraphBuilder;
use crate::graph::error::GraphError;
use crate::graph::openfst::{Automaton, LookAhead};
use crate::graph::rows::{Graph, PDF_LIMIT};
use crate::units::{Cost, PdfId, StateId};

impl Graph {
    /// Composes a lexicon over transitions and a language model, whose arcs are in order of their
    /// inputs. `meaning` says what an input label of the lexicon stands for, a pdf and the flags
    /// to put beside the word, and is asked of all of them first; `silent` ones read nothing.
    ///
    /// # Errors
    /// A label stands for nothing or for a pdf that a graph cannot name, the composition is larger
    /// than a graph can be, or it has no path.
    pub(crate) fn composed(
        lexicon: &LookAhead,
        language: &Automaton,
        silent: &[u32],
        meaning: impl Fn(u32) -> Option<(PdfId, u32)>,
    ) -> Result<Graph, GraphError> {
        // Here, before minutes are spent.
        for arc in lexicon.automaton.arcs() {
            match meaning(arc.input) {
                Some((pdf, _)) if pdf.index() < PDF_LIMIT => {}
                _ if arc.input == 0 || silent.contains(&arc.input) => {}
                Some((pdf, _)) => {
                    let (found, limit) = (u64::from(pdf.0) + 1, PDF_LIMIT as u64);
                    return Err(GraphError::TooLarge { what: "pdfs", found, limit });
                }
                None => return Err(unknown(arc.input)),
            }
        }
        let composed = compose(lexicon, language, silent)?;
        laid_out(composed, meaning)
    }
}

fn laid_out(
    composed: Automaton,
    meaning: impl Fn(u32) -> Option<(PdfId, u32)>,
) -> Result<Graph, GraphError> {
    let arcs = composed.arcs();
    let epsilon = arcs.iter().filter(|arc| arc.input == 0).count();
    let mut builder = GraphBuilder::with_capacity(arcs.len() - epsilon, epsilon);
    builder.add_states(composed.num_states());
    builder.set_start(StateId(composed.start()));
    for state in 0..composed.num_states() as u32 {
        builder.set_final(StateId(state), Cost(composed.final_cost(state)));
        for arc in composed.row(state) {
            let (pdf, flags) = match arc.input {
                0 => (None, 0),
                input => {
                    let (pdf, flags) = meaning(input).ok_or_else(|| unknown(input))?;
                    (Some(pdf), flags)
                }
            };
            let (from, to) = (StateId(state), StateId(arc.next));
            builder.add_arc(from, pdf, arc.output | flags, Cost(arc.cost), to);
        }
    }
    drop(composed);
    builder.build()
}

fn unknown(label: u32) -> GraphError {
    let what = format!("label {label} is no transition of the model");
    GraphError::OpenFst { at: "the arcs".into(), what }
}

//! The transition model: which pdf and which phone each transition-id of a graph stands for.
//!
//! Reference: `hmm/transition-model.cc`, `hmm/hmm-topology.cc`. Transition-ids count from 1 in the
//! order of tuples (phone, state, pdfs), then of the transitions of that state.

use std::path::Path;

use super::KaldiError;
use super::input::Input;

/// What a transition-id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The distribution of the frame it consumes.
    pub pdf: u32,
    /// The phone, from 1.
    pub phone: u32,
    /// Whether it stays in its state.
    pub is_loop: bool,
}

/// The transitions of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransitionModel {
    transitions: Vec<Transition>,
}

/// By destination.
type State = Vec<i32>;

impl TransitionModel {
    /// Reads the transitions at the beginning of a `final.mdl`; which network follows does not
    /// matter.
    ///
    /// # Errors
    /// The file cannot be read, or begins with no transition model in binary mode.
    pub fn open(path: &Path) -> Result<Self, KaldiError> {
        let bytes = super::read(path)?;
        Self::read(&mut Input::new(&bytes, path)?)
    }

    /// What a transition-id stands for; `None` if there is no such id. Ids count from 1.
    pub fn get(&self, id: u32) -> Option<Transition> {
        let at = (id as usize).checked_sub(1)?;
        self.transitions.get(at).copied()
    }

    /// All of them, in order of their ids.
    pub fn all(&self) -> &[Transition] {
        &self.transitions
    }

    /// One more than the largest pdf.
    pub fn num_pdfs(&self) -> usize {
        let pdfs = self.transitions.iter().map(|transition| transition.pdf as usize + 1);
        pdfs.max().unwrap_or(0)
    }

    /// By pdf, of so many, whether it belongs to these phones and to no others.
    pub(super) fn pdfs_of(&self, phones: &[u32], pdfs: usize) -> Vec<bool> {
        let of_phones = |yes: bool| {
            let mut found = vec![false; pdfs];
            for transition in &self.transitions {
                if phones.contains(&transition.phone) == yes
                    && let Some(pdf) = found.get_mut(transition.pdf as usize)
                {
                    *pdf = true;
                }
            }
            found
        };
        of_phones(true).iter().zip(of_phones(false)).map(|(own, others)| *own && !others).collect()
    }

    pub(super) fn read(input: &mut Input<'_>) -> Result<Self, KaldiError> {
        input.expect("<TransitionModel>")?;
        input.expect("<Topology>")?;
        let _phones = input.ints(1)?;
        let entry_of = input.ints(1)?;
        let entries = topology(input)?;
        input.expect("</Topology>")?;
        let token = input.token()?;
        let (pairs, end) = match token.as_str() {
            "<Tuples>" => (true, "</Tuples>"),
            "<Triples>" => (false, "</Triples>"),
            _ => return Err(input.error("<Tuples> or <Triples> was expected")),
        };
        let count = input.count(if pairs { 20 } else { 15 })?;
        let mut transitions = Vec::new();
        for _ in 0..count {
            let (phone, state, forward) = (input.int()?, input.int()?, input.int()?);
            let own = if pairs { input.int()? } else { forward };
            let entry = usize::try_from(phone).ok().and_then(|phone| entry_of.get(phone));
            let entry = entry.and_then(|&entry| entries.get(usize::try_from(entry).ok()?));
            let destinations = entry.and_then(|entry| entry.get(usize::try_from(state).ok()?));
            let destinations = destinations.ok_or_else(|| {
                input.error(format!("phone {phone} has no state {state} in the topology"))
            })?;
            for destination in destinations {
                let is_loop = *destination == state;
                let pdf = u32::try_from(if is_loop { own } else { forward });
                let pdf =
                    pdf.map_err(|_| input.error(format!("a pdf of phone {phone} is negative")))?;
                transitions.push(Transition { pdf, phone: phone as u32, is_loop });
            }
        }
        input.expect(end)?;
        input.expect("<LogProbs>")?;
        let costs = input.vector()?;
        if costs.len() != transitions.len() + 1 {
            let (found, expected) = (costs.len(), transitions.len() + 1);
            return Err(input.error(format!("{found} probabilities for {expected} transition-ids")));
        }
        input.expect("</LogProbs>")?;
        input.expect("</TransitionModel>")?;
        Ok(TransitionModel { transitions })
    }
}

/// The entries, of which phones share one: of each state where its transitions lead.
fn topology(input: &mut Input<'_>) -> Result<Vec<Vec<State>>, KaldiError> {
    let first = input.int()?;
    // -1 says that loops have pdfs of their own, and the count follows.
    let two_pdfs = first == -1;
    let count = if two_pdfs { input.int()? } else { first };
    let mut entries = Vec::new();
    for _ in 0..count {
        let mut states = Vec::new();
        for _ in 0..input.count(10)? {
            input.int()?;
            if two_pdfs {
                input.int()?;
            }
            let mut destinations = State::new();
            for _ in 0..input.count(10)? {
                destinations.push(input.int()?);
                input.float()?;
            }
            states.push(destinations);
        }
        entries.push(states);
    }
    Ok(entries)
}

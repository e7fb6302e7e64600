//! Our HMMs as a Kaldi transition model, and as HMMs whose "pdfs" are transition-ids.
//!
//! Kaldi's graphs name transitions: of each (phone, forward pdf, self-loop pdf) that occurs, a
//! *tuple*, the self-loop and then the way out, from 1 on (`hmm/transition-model.cc`). A phone's
//! only state is left once and entered with no frame of its own, so the way out is the frame that
//! our entry arc consumes.

use super::super::KaldiError;
use super::super::output::Output;
use crate::acoustic::{Hmm, HmmArc, HmmDescription};
use crate::units::PhoneId;

/// The transition model.
pub(super) struct Transitions {
    /// Phone (from 1), forward pdf, self-loop pdf; ascending.
    tuples: Vec<[i32; 3]>,
    phones: usize,
    /// The same phones; the pdf of each arc is its transition-id less one.
    pub hmm: Hmm,
}

impl Transitions {
    pub fn of(hmm: &Hmm) -> Result<Self, KaldiError> {
        let phones = hmm.phones.len();
        let pairs: Vec<[i32; 3]> = (0..phones as u32)
            .flat_map(|left| (0..phones as u32).map(move |phone| (left, phone)))
            .map(|(left, phone)| tuple(hmm, PhoneId(left), PhoneId(phone)))
            .collect();
        let mut tuples = pairs.clone();
        tuples.sort_unstable();
        tuples.dedup();
        let place = |pair: &[i32; 3]| {
            let at = tuples.binary_search(pair);
            at.expect("every tuple is listed") as i32
        };
        // Entry and loop, as the table of an HMM has them; the loop's id precedes the entry's.
        let table: Vec<i32> =
            pairs.iter().flat_map(|pair| [2 * place(pair) + 1, 2 * place(pair)]).collect();
        let name = |phone: PhoneId| hmm.phones[phone.index()].clone();
        let description = HmmDescription {
            phones: hmm.phones.clone(),
            silence: name(hmm.silence()),
            unknown: name(hmm.unknown()),
            pdfs: 2 * tuples.len(),
            context: "left-biphone".into(),
        };
        Ok(Transitions { hmm: Hmm::new(&description, &table)?, phones, tuples })
    }

    /// Number of transition-ids.
    pub fn count(&self) -> usize {
        2 * self.tuples.len()
    }

    pub fn write(&self, out: &mut Output) {
        let phones = self.phones as i32;
        let ids: Vec<i32> = (1..=phones).collect();
        let entry_of: Vec<i32> = (0..=phones).map(|id| if id == 0 { -1 } else { 0 }).collect();
        out.token("<TransitionModel>").token("<Topology>");
        out.ints(&ids).ints(&entry_of);
        // -1: loops have pdfs of their own. Then one entry of two states: an emitting one with its
        // loop and its way out, and the end.
        out.int(-1).int(1).int(2);
        out.int(0).int(1).int(2);
        out.int(0).float(0.5).int(1).float(0.5);
        out.int(-1).int(-1).int(0);
        out.token("</Topology>").token("<Tuples>");
        out.size(self.tuples.len());
        for [phone, forward, own] in &self.tuples {
            out.int(*phone).int(0).int(*forward).int(*own);
        }
        out.token("</Tuples>").token("<LogProbs>");
        let mut costs = vec![0.5f32.ln(); self.count() + 1];
        costs[0] = 0.0;
        out.vector(&costs);
        out.token("</LogProbs>").token("</TransitionModel>");
    }
}

fn tuple(hmm: &Hmm, left: PhoneId, phone: PhoneId) -> [i32; 3] {
    let pdf = |arc| hmm.pdf(left, phone, arc).0 as i32;
    [phone.0 as i32 + 1, pdf(HmmArc::Entry), pdf(HmmArc::Loop)]
}

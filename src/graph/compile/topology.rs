//! The pdfs of each phone in each left context, as plain numbers.

use crate::units::{PdfId, PhoneId};

/// The pdfs of a phone's one-state HMM after a given left phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PhonePdfs {
    /// Consumed by the arc that enters the phone.
    pub(super) entry: PdfId,
    /// Consumed by its self-loop.
    pub(super) again: PdfId,
}

/// The phone set's HMMs.
#[derive(Debug)]
pub(super) struct Topology {
    /// Number of phones.
    pub(super) phones: usize,
    /// Number of pdfs.
    pub(super) pdfs: usize,
    /// The phone of pauses, which is also the context at the start of an utterance.
    pub(super) silence: PhoneId,
    /// `[left, phone]`, row-major; empty where every phone has the pdf of its number in any
    /// context.
    pub(super) table: Vec<PhonePdfs>,
}

impl Topology {
    /// So many phones without context, each with one pdf, which has its number.
    pub(super) fn without_context(phones: usize, silence: PhoneId) -> Self {
        Topology { phones, pdfs: phones, silence, table: Vec::new() }
    }

    /// The pdfs of `phone` after `left`.
    pub(super) fn pdfs(&self, left: PhoneId, phone: PhoneId) -> PhonePdfs {
        if self.table.is_empty() {
            let (entry, again) = (PdfId(phone.0), PdfId(phone.0));
            return PhonePdfs { entry, again };
        }
        self.table[left.index() * self.phones + phone.index()]
    }
}

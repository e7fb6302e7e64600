//! The network's output for an utterance.

use crate::units::{PdfId, Seconds};

/// Scores of every pdf in every output frame: natural-log pseudo-likelihoods, larger is better.
///
/// Row-major, frames × pdfs. A frame lasts [`Scores::shift`] (30 ms at a subsampling of 3).
///
/// ```
/// use paretone::acoustic::Scores;
/// use paretone::units::{PdfId, Seconds};
///
/// // Two frames of three pdfs, 30 ms apart.
/// let scores = Scores::from_rows(vec![-0.1, -3.0, -4.0, -2.0, -0.2, -5.0], 3, Seconds(0.03));
/// assert_eq!((scores.num_frames(), scores.num_pdfs()), (2, 3));
/// assert_eq!(scores.get(1, PdfId(1)), -0.2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    pub(super) data: Vec<f32>,
    pub(super) pdfs: usize,
    pub(super) shift: Seconds,
}

impl Scores {
    /// Takes a row-major matrix, frames × `pdfs`, of rows `shift` apart.
    ///
    /// # Panics
    /// `pdfs` is zero or does not divide the number of values.
    pub fn from_rows(data: Vec<f32>, pdfs: usize, shift: Seconds) -> Self {
        assert!(pdfs > 0 && data.len().is_multiple_of(pdfs), "whole rows of {pdfs} scores");
        Scores { data, pdfs, shift }
    }

    /// Number of output frames.
    pub fn num_frames(&self) -> usize {
        self.data.len().checked_div(self.pdfs).unwrap_or(0)
    }

    /// Number of pdfs: columns.
    pub fn num_pdfs(&self) -> usize {
        self.pdfs
    }

    /// Time from one row to the next.
    pub fn shift(&self) -> Seconds {
        self.shift
    }

    /// The scores of all pdfs in output frame `frame`.
    ///
    /// # Panics
    /// `frame` is not below [`Scores::num_frames`].
    pub fn row(&self, frame: usize) -> &[f32] {
        &self.data[frame * self.pdfs..][..self.pdfs]
    }

    /// The score of one pdf in one frame.
    ///
    /// # Panics
    /// The frame or the pdf is out of range.
    pub fn get(&self, frame: usize, pdf: PdfId) -> f32 {
        self.row(frame)[pdf.index()]
    }

    /// All rows, one after the other.
    pub fn as_slice(&self) -> &[f32] {
        &self.data
    }

    /// Multiplies every score, the acoustic scale of the search: larger trusts the sound more than
    /// the language model.
    pub fn scale(&mut self, factor: f32) {
        if factor != 1.0 {
            self.data.iter_mut().for_each(|score| *score *= factor);
        }
    }

    /// Removes all rows and keeps the memory, for the next part of a stream.
    pub fn clear(&mut self) {
        self.data.clear();
    }
}

//! Phones, and which distribution (pdf) each of their HMM arcs uses.
//!
//! Topology of lattice-free MMI ("chain", Povey et al. 2016): one state a phone. The arc that
//! enters it consumes one output frame with the *entry* pdf, its self-loop consumes one with the
//! *loop* pdf; transition costs are zero since they would add the same constant to every frame.
//! Both pdfs depend on the phone and on the phone to its left.

#[cfg(feature = "speech")]
use std::path::Path;

use super::AcousticError;
#[cfg(feature = "speech")]
use super::ModelDescription;
use super::hmm_description::HmmDescription;
#[cfg(feature = "speech")]
use super::tensors::Tensors;
use crate::units::{PdfId, PhoneId};

/// Name of the pdf table in the weights file.
const TABLE: &str = "hmm.pdfs";

/// An arc of a phone's one-state HMM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HmmArc {
    /// The arc that enters the phone: its first frame.
    Entry,
    /// The self-loop: every further frame.
    Loop,
}

/// The phone set with the pdf of every (left phone, phone, arc).
///
/// ```
/// use std::path::Path;
/// use paretone::acoustic::{Hmm, HmmArc};
///
/// let hmm = Hmm::open(Path::new("models/en"))?;
/// let (t, iy) = (hmm.phone("T").expect("a phone"), hmm.phone("IY").expect("a phone"));
/// // How IY sounds depends on the phone before it.
/// assert!(hmm.pdf(t, iy, HmmArc::Entry).index() < hmm.num_pdfs());
/// # Ok::<(), paretone::acoustic::AcousticError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Hmm {
    /// Phone names; a phone's id is its position.
    pub phones: Vec<String>,
    silence: PhoneId,
    unknown: PhoneId,
    pdfs: usize,
    /// `[left, phone, entry | loop]`, row-major.
    table: Vec<PdfId>,
}

impl Hmm {
    /// Builds the table: `table[(left · phones + phone) · 2 + arc]`, arc 0 = entry, 1 = loop.
    ///
    /// # Errors
    /// The silence or unknown phone is not among the phones, a phone occurs twice, the table has
    /// not `phones² · 2` elements, or an element is not in `0..pdfs`.
    pub fn new(description: &HmmDescription, table: &[i32]) -> Result<Self, AcousticError> {
        let phones = description.phones.clone();
        for (i, phone) in phones.iter().enumerate() {
            if phones[..i].contains(phone) {
                return Err(AcousticError::Range {
                    field: format!("hmm.phones[{i}]"),
                    found: phone.clone(),
                    expected: "a name that occurs once".into(),
                });
            }
        }
        let expected = phones.len() * phones.len() * 2;
        if table.len() != expected {
            return Err(AcousticError::Shape {
                tensor: TABLE.into(),
                found: vec![table.len()],
                expected: vec![phones.len(), phones.len(), 2],
            });
        }
        let pdfs = description.pdfs;
        let to_pdf = |(element, &pdf): (usize, &i32)| match u32::try_from(pdf) {
            Ok(id) if (id as usize) < pdfs => Ok(PdfId(id)),
            _ => Err(AcousticError::UnknownPdf { pdf: pdf.into(), element, pdfs }),
        };
        Ok(Hmm {
            silence: find(&phones, &description.silence, "hmm.silence")?,
            unknown: find(&phones, &description.unknown, "hmm.unknown")?,
            table: table.iter().enumerate().map(to_pdf).collect::<Result<_, _>>()?,
            phones,
            pdfs,
        })
    }

    /// Reads phones and table from a model directory, without the network.
    ///
    /// # Errors
    /// As [`ModelDescription::open`] and [`Hmm::new`], or the table is missing from the weights
    /// file.
    #[cfg(feature = "speech")]
    pub fn open(dir: &Path) -> Result<Self, AcousticError> {
        let description = ModelDescription::open(dir)?;
        Self::from_tensors(
            &description.hmm,
            &Tensors::open(&dir.join(&description.network.weights))?,
        )
    }

    /// Takes the table from an opened weights file.
    ///
    /// # Errors
    /// As [`Hmm::new`], or the table is missing.
    #[cfg(feature = "speech")]
    pub fn from_tensors(
        description: &HmmDescription,
        tensors: &Tensors,
    ) -> Result<Self, AcousticError> {
        let phones = description.phones.len();
        Self::new(description, &tensors.view()?.integers(TABLE, &[phones, phones, 2])?)
    }

    /// The distribution used on an arc of `phone` after `left`.
    ///
    /// # Panics
    /// A phone is not one of this set.
    pub fn pdf(&self, left: PhoneId, phone: PhoneId, arc: HmmArc) -> PdfId {
        assert!(phone.index() < self.phones.len(), "the phone belongs to this phone set");
        self.table[(left.index() * self.phones.len() + phone.index()) * 2 + arc as usize]
    }

    /// The id of a phone name.
    pub fn phone(&self, name: &str) -> Option<PhoneId> {
        self.phones.iter().position(|phone| phone == name).map(|i| PhoneId(i as u32))
    }

    /// The silence phone: also the left context at the start of an utterance.
    pub fn silence(&self) -> PhoneId {
        self.silence
    }

    /// The phone that stands for words outside the lexicon.
    pub fn unknown(&self) -> PhoneId {
        self.unknown
    }

    /// Number of distributions: columns of the scores.
    pub fn num_pdfs(&self) -> usize {
        self.pdfs
    }
}

fn find(phones: &[String], name: &str, field: &str) -> Result<PhoneId, AcousticError> {
    let index = phones.iter().position(|phone| phone == name);
    index.map(|i| PhoneId(i as u32)).ok_or_else(|| AcousticError::UnknownName {
        field: field.into(),
        name: name.into(),
        expected: "one of hmm.phones",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> HmmDescription {
        HmmDescription {
            phones: vec!["SIL".into(), "AA".into()],
            silence: "SIL".into(),
            unknown: "SIL".into(),
            pdfs: 8,
            context: "left-biphone".into(),
        }
    }

    #[test]
    fn the_table_is_left_phone_major() {
        let hmm = Hmm::new(&description(), &[0, 1, 2, 3, 4, 5, 6, 7]).unwrap();
        let (sil, aa) = (hmm.silence(), hmm.phone("AA").unwrap());
        assert_eq!(hmm.pdf(sil, aa, HmmArc::Entry), PdfId(2));
        assert_eq!(hmm.pdf(sil, aa, HmmArc::Loop), PdfId(3));
        assert_eq!(hmm.pdf(aa, sil, HmmArc::Loop), PdfId(5));
    }

    #[test]
    fn wrong_tables_are_named() {
        let error = |table: &[i32]| Hmm::new(&description(), table).unwrap_err();
        assert!(matches!(error(&[0; 7]), AcousticError::Shape { .. }));
        assert!(matches!(
            error(&[0, 0, 0, 0, 0, 0, 0, 8]),
            AcousticError::UnknownPdf { pdf: 8, .. }
        ));
        assert!(matches!(error(&[-1; 8]), AcousticError::UnknownPdf { pdf: -1, element: 0, .. }));
        let mut unknown = description();
        unknown.silence = "sil".into();
        assert!(matches!(Hmm::new(&unknown, &[0; 8]), Err(AcousticError::UnknownName { .. })));
    }
}

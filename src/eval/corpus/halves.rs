//! The speech that something is learnt on, and the speech that it is certified on. They are the
//! corpus's splits or, if it has none, a division by speaker, so that no speaker is in both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use xxhash_rust::xxh3::xxh3_64;

use super::{Utterance, table};

/// Why a corpus cannot be parted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HalvesError {
    /// Both parts would be the same.
    #[error(
        "the two splits must differ: a promise is measured on other speech than the versions are chosen by"
    )]
    SameSplit,
    /// A part is empty.
    #[error(
        "{learn} utterances are left to learn on and {certify} to certify on: both need some, of different speakers"
    )]
    Empty {
        /// Utterances to learn on.
        learn: usize,
        /// Utterances to certify on.
        certify: usize,
    },
    /// A manifest of other speech is there.
    #[error(
        "{} is of a tuning to other speech: choose another folder, or remove that one", path.display()
    )]
    OtherSpeech {
        /// The manifest.
        path: PathBuf,
    },
    /// A manifest cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The manifest.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// What is learnt on and what is certified on: two splits of the corpus, or half of the speakers
/// each.
///
/// # Errors
/// The splits are the same, or a part is empty.
pub fn halves(
    all: Vec<Utterance>,
    splits: Option<(&str, &str)>,
) -> Result<[Vec<Utterance>; 2], HalvesError> {
    let [learn, certify] = match splits {
        Some((learn, certify)) if learn == certify => return Err(HalvesError::SameSplit),
        Some((learn, certify)) => [learn, certify].map(|split| of_split(&all, split)),
        None => by_speakers(all),
    };
    match learn.is_empty() || certify.is_empty() {
        true => Err(HalvesError::Empty { learn: learn.len(), certify: certify.len() }),
        false => Ok([learn, certify]),
    }
}

/// Writes a part as a manifest, unless it is there; one that is there must be the same.
///
/// # Errors
/// It is of other speech, or cannot be written.
pub fn keep(path: &Path, utterances: &[Utterance]) -> Result<(), HalvesError> {
    let write = |source| HalvesError::Write { path: path.into(), source };
    let mut text = Vec::new();
    table::write(&mut text, utterances).map_err(write)?;
    match fs::read(path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(HalvesError::OtherSpeech { path: path.into() }),
        Err(_) => fs::write(path, text).map_err(write),
    }
}

fn of_split(all: &[Utterance], split: &str) -> Vec<Utterance> {
    let of = all.iter().filter(|utterance| utterance.split == split);
    of.cloned().collect()
}

/// Each speaker, those with the most utterances first, goes to the part that has fewer utterances.
/// A hash of the name decides between equals, so that alphabetical order plays no role.
fn by_speakers(all: Vec<Utterance>) -> [Vec<Utterance>; 2] {
    let mut speakers: BTreeMap<String, Vec<Utterance>> = BTreeMap::new();
    for utterance in all {
        let who = match utterance.speaker.is_empty() {
            true => &utterance.id,
            false => &utterance.speaker,
        };
        speakers.entry(who.clone()).or_default().push(utterance);
    }
    let mut speakers: Vec<(String, Vec<Utterance>)> = speakers.into_iter().collect();
    speakers.sort_by_key(|(name, said)| (usize::MAX - said.len(), xxh3_64(name.as_bytes())));
    let mut parts = [Vec::new(), Vec::new()];
    for (_, said) in speakers {
        let fewer = usize::from(parts[1].len() < parts[0].len());
        parts[fewer].extend(said);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(speaker: &str, count: usize) -> Vec<Utterance> {
        let one = |number: usize| Utterance {
            id: format!("{speaker}-{number}"),
            speaker: speaker.into(),
            split: ["dev", "test"][number % 2].into(),
            ..Utterance::default()
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn nobody_is_heard_on_both_sides() {
        let all =
            [said("ann", 7), said("bob", 4), said("cid", 3), said("dee", 1), said("", 2)].concat();
        let [learn, certify] = halves(all, None).unwrap();
        assert!(learn.len().abs_diff(certify.len()) <= 1);
        assert!(learn.iter().all(|one| one.speaker.is_empty()
            || certify.iter().all(|other| other.speaker != one.speaker)));
        assert_eq!(learn.len() + certify.len(), 17);
    }

    #[test]
    fn splits_are_taken_where_they_are_named() {
        let parts = |splits| halves(said("ann", 5), splits);
        let [learn, certify] = parts(Some(("dev", "test"))).unwrap();
        assert_eq!((learn.len(), certify.len()), (3, 2));
        assert!(matches!(parts(Some(("dev", "dev"))), Err(HalvesError::SameSplit)));
        let empty = parts(Some(("dev", "train")));
        assert!(matches!(empty, Err(HalvesError::Empty { learn: 3, certify: 0 })));
        assert!(halves(said("ann", 5), None).is_err(), "one speaker is on one side");
    }
}

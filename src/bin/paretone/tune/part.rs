//! The speech that a tuning learns on, and the speech that it certifies on. They are the corpus's
//! splits or, if it has none, a division by speaker, so that no speaker is in both.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use xxhash_rust::xxh3::xxh3_64;

use super::{Args, unusable};
use crate::{UsageError, progress};
use paretone::eval::corpus::{self, Utterance, table};

/// The manifest of what is learnt on, in the tuning's folder.
pub(super) const LEARN: &str = "learn.tsv";
/// The manifest of what is certified on.
pub(super) const CERTIFY: &str = "certify.tsv";

/// How much speech a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub utterances: usize,
    pub speakers: usize,
    /// Utterances of which nobody knows who speaks.
    pub unknown: usize,
}

/// Both parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub learn: Size,
    pub certify: Size,
}

/// Parts the speech, and writes both manifests; those of a tuning that was begun must be the same.
///
/// # Errors
/// The speech cannot be read or parted, or the folder holds a tuning to other speech.
pub(super) fn part(args: &Args, folder: &Path) -> anyhow::Result<Parts> {
    let all = corpus::open(&args.manifest).map_err(|error| UsageError(error.into()))?;
    let [learn, certify] = match (&args.split, &args.certify_split) {
        (Some(learn), Some(certify)) if learn == certify => {
            return Err(unusable(
                "--split and --certify-split must be two splits: a promise is measured on other \
                                 speech than the versions are chosen by",
            ));
        }
        (Some(learn), Some(certify)) => [learn, certify].map(|split| of_split(&all, split)),
        _ => by_speakers(all),
    };
    if learn.is_empty() || certify.is_empty() {
        return Err(unusable(format!(
            "{} utterances are left to learn on and {} to certify on: both need some, of different speakers",
            learn.len(),
            certify.len()
        )));
    }
    for (name, utterances) in [(LEARN, &learn), (CERTIFY, &certify)] {
        write(&folder.join(name), utterances)?;
    }
    Ok(Parts { learn: size(&learn), certify: size(&certify) })
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

fn size(utterances: &[Utterance]) -> Size {
    let named = |one: &&Utterance| !one.speaker.is_empty();
    let mut speakers: Vec<&str> =
        utterances.iter().filter(named).map(|one| one.speaker.as_str()).collect();
    let unknown = utterances.len() - speakers.len();
    speakers.sort_unstable();
    speakers.dedup();
    Size { utterances: utterances.len(), speakers: speakers.len(), unknown }
}

/// Writes a manifest, unless it is there.
fn write(path: &Path, utterances: &[Utterance]) -> anyhow::Result<()> {
    let mut text = Vec::new();
    table::write(&mut text, utterances).map_err(|error| UsageError(error.into()))?;
    match fs::read(path) {
        Ok(found) if found == text => Ok(()),
        Ok(_) => Err(unusable(format!(
            "{} is of a tuning to other speech: name another folder with --dir, or remove that one",
            path.display()
        ))),
        Err(_) => fs::write(path, text).with_context(|| format!("cannot write {}", path.display())),
    }
}

impl Parts {
    /// Says what is learnt on and what is certified on.
    pub fn tell(&self) {
        for (what, size) in [("learning", self.learn), ("certifying", self.certify)] {
            progress::tell(&format!("{what} on {}", size.words()));
        }
    }
}

impl Size {
    /// The size, in words.
    pub fn words(self) -> String {
        let Size { utterances, speakers, unknown } = self;
        match unknown {
            0 => format!("{utterances} utterances of {speakers} speakers"),
            _ => format!(
                "{utterances} utterances of {speakers} speakers and {unknown} of whom nobody knows who speaks"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(speaker: &str, count: usize) -> Vec<Utterance> {
        let one = |number: usize| Utterance {
            id: format!("{speaker}-{number}"),
            speaker: speaker.into(),
            ..Utterance::default()
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn nobody_is_heard_on_both_sides() {
        let all =
            [said("ann", 7), said("bob", 4), said("cid", 3), said("dee", 1), said("", 2)].concat();
        let [learn, certify] = by_speakers(all);
        assert!(learn.len().abs_diff(certify.len()) <= 1);
        assert!(learn.iter().all(|one| one.speaker.is_empty()
            || certify.iter().all(|other| other.speaker != one.speaker)));
        let (learn, certify) = (size(&learn), size(&certify));
        assert_eq!(learn.speakers + certify.speakers, 4);
        assert_eq!(learn.unknown + certify.unknown, 2);
    }
}

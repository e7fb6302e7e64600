//! The speech that a tuning learns on, and the speech that it certifies on, written to its folder.

use std::path::Path;

use super::Args;
use crate::{UsageError, progress};
use paretone::eval::corpus::halves::{halves, keep};
use paretone::eval::corpus::{self, Utterance};

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
    let splits = args.split.as_deref().zip(args.certify_split.as_deref());
    let [learn, certify] = halves(all, splits).map_err(|error| UsageError(error.into()))?;
    for (name, utterances) in [(LEARN, &learn), (CERTIFY, &certify)] {
        keep(&folder.join(name), utterances).map_err(|error| UsageError(error.into()))?;
    }
    Ok(Parts { learn: size(&learn), certify: size(&certify) })
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

    #[test]
    fn a_part_says_how_much_speech_it_is() {
        let said = |speaker: &str| Utterance { speaker: speaker.into(), ..Utterance::default() };
        let part = ["ann", "ann", "bob", ""].map(said);
        let words = size(&part).words();
        assert_eq!(words, "4 utterances of 2 speakers and 1 of whom nobody knows who speaks");
        assert_eq!(size(&part[..3]).words(), "3 utterances of 2 speakers");
    }
}

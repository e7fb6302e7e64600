//! The calibration of every version's confidence, from recorded outcomes and words.

use std::collections::BTreeMap;

use super::outcomes::{MissingCounter, evidence};
use super::words::{AnswerError, Answers, HeardWord};
use crate::confidence::{Calibration, Evidence, Example, Heads, WordExample};
use crate::provenance::MadeFor;
use crate::tiers::{Request, Table};

/// Utterances below which no calibration is fitted: the probabilities of a version would be off by
/// more than 0.05 on average (one standard error of a share at 0.5 is 0.029 at 300).
const FEWEST: usize = 300;
/// Utterances with an error, and without one, below which there is nothing to tell apart.
const FEWEST_OF_A_KIND: usize = 30;
/// So many further examples count as much as one of the speech that is most like what will be
/// heard; chosen by seven folds of development speakers (benches/records/2026-11-28/beside.txt).
const FURTHER: f64 = 4.0;

/// There is too little speech to fit a calibration to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} has {all} utterances, {right} of them without error: a calibration needs {FEWEST}, and {FEWEST_OF_A_KIND} with and \
     without errors each; record more speech"
)]
pub struct TooFew {
    name: String,
    all: usize,
    right: usize,
}

/// Nothing is known of a version's answers but their words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the outcomes of {name} say nothing of its lattices, from which a confidence is made: give its setting in versions.toml the \
     word `rescore`, and measure it again"
)]
pub struct NoLattices {
    name: String,
}

/// Why no calibration can be fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// There is too little speech.
    #[error(transparent)]
    TooFew(#[from] TooFew),
    /// The version makes no lattices.
    #[error(transparent)]
    NoLattices(#[from] NoLattices),
    /// The outcomes do not say what was known of an answer.
    #[error(transparent)]
    Counter(#[from] MissingCounter),
    /// The words are of other answers.
    #[error(transparent)]
    Words(#[from] AnswerError),
    /// Further outcomes are not of the same versions.
    #[error(
        "the further outcomes are of {found}, the others of {expected}: record all versions of the model on both"
    )]
    OtherVersions {
        /// Versions of the further outcomes.
        found: String,
        /// Those of the others.
        expected: String,
    },
}

/// What a calibration is fitted to, by version.
pub struct Examples {
    made_for: MadeFor,
    answers: BTreeMap<String, Vec<Example>>,
    words: BTreeMap<String, Vec<WordExample>>,
}

/// How much of one version's speech there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// The version.
    pub version: String,
    /// Utterances.
    pub all: usize,
    /// Those without error.
    pub right: usize,
    /// Those in which the most accurate version makes fewer errors.
    pub improvable: usize,
    /// Words.
    pub words: usize,
}

impl Examples {
    /// From outcomes of every version, and from the words of the same speech, of which there may be
    /// none.
    ///
    /// # Errors
    /// The outcomes lack a counter or an answer that there are words of.
    pub fn new(table: &Table, words: &[HeardWord]) -> Result<Examples, FitError> {
        let best = &table.versions[table.most_accurate()];
        let weights = weights(table);
        let mut examples = Examples {
            // What they were recorded under before, a new calibration replaces.
            made_for: MadeFor { calibration: None, ..table.made_for.clone() },
            answers: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        for version in &table.versions {
            let example = |place: usize| -> Result<Example, MissingCounter> {
                Ok(Example {
                    evidence: evidence(table, version, place)?,
                    right: version.errors[place] == 0,
                    improvable: best.errors[place] < version.errors[place],
                    errors: version.errors[place],
                    weight: weights[place],
                })
            };
            let all: Result<Vec<Example>, _> = (0..table.requests.len()).map(example).collect();
            examples.answers.insert(version.name.clone(), all?);
        }
        let known = Answers::of(table);
        for word in words {
            let example = WordExample { evidence: known.evidence(word)?, right: word.right == 1 };
            examples.words.entry(word.version.clone()).or_default().push(example);
        }
        Ok(examples)
    }

    /// Adds examples of speech that is less like what will be heard: degraded copies, or speakers
    /// that the model was trained on, in whose speech it errs less than it seems to. Four of them
    /// count as one of these.
    ///
    /// # Errors
    /// They are of other versions.
    pub fn beside(mut self, further: Examples) -> Result<Examples, FitError> {
        let names = |examples: &Examples| {
            let names: Vec<&str> = examples.answers.keys().map(String::as_str).collect();
            names.join(", ")
        };
        let [expected, found] = [names(&self), names(&further)];
        if expected != found {
            return Err(FitError::OtherVersions { found, expected });
        }
        for (name, examples) in further.answers {
            let all = self.answers.entry(name).or_default();
            all.extend(examples.into_iter().map(|mut example| {
                example.weight /= FURTHER;
                example
            }));
            let mean = all.iter().map(|example| example.weight).sum::<f64>() / all.len() as f64;
            all.iter_mut().for_each(|example| example.weight /= mean);
        }
        for (name, words) in further.words {
            self.words.entry(name).or_default().extend(words);
        }
        Ok(self)
    }

    fn check_enough(&self) -> Result<(), TooFew> {
        for Amount { version, all, right, .. } in self.amounts() {
            if all < FEWEST || right.min(all - right) < FEWEST_OF_A_KIND {
                return Err(TooFew { name: version, all, right });
            }
        }
        Ok(())
    }

    /// What was measured without a lattice is as sure as can be of no words.
    fn check_lattices(&self) -> Result<(), NoLattices> {
        let is_blank = |example: &Example| {
            let Evidence { words, posterior, .. } = example.evidence;
            words == 0 && posterior == 1.0
        };
        let blank = self.answers.iter().find(|(_, examples)| examples.iter().all(is_blank));
        blank.map_or(Ok(()), |(name, _)| Err(NoLattices { name: name.clone() }))
    }

    /// How much there is of each version.
    pub fn amounts(&self) -> Vec<Amount> {
        let amount = |(version, examples): (&String, &Vec<Example>)| Amount {
            version: version.clone(),
            all: examples.len(),
            right: examples.iter().filter(|example| example.right).count(),
            improvable: examples.iter().filter(|example| example.improvable).count(),
            words: self.words.get(version).map_or(0, Vec::len),
        };
        self.answers.iter().map(amount).collect()
    }

    /// The calibration that fits them.
    ///
    /// # Errors
    /// There are too few of them, or nothing is known of a version's lattices.
    pub fn fit(&self) -> Result<Calibration, FitError> {
        self.check_enough()?;
        self.check_lattices()?;
        let mut versions = Heads::fit(&self.answers);
        for (name, heads) in &mut versions {
            heads.fit_words(self.words.get(name).map_or(&[], Vec::as_slice));
        }
        Ok(Calibration { made_for: self.made_for.clone(), versions })
    }
}

/// How much each request counts; 1 in the mean. Requests of one speaker are alike, and copies of
/// one recording more so, so that together they count as much as the root of their number. A
/// speaker is known by name, since copies stand in sets of their own; a request without one stands
/// alone.
fn weights(table: &Table) -> Vec<f64> {
    let speaker = |request: &Request| table.groups[request.group].as_str();
    let mut requests = BTreeMap::<&str, usize>::new();
    table.requests.iter().for_each(|request| *requests.entry(speaker(request)).or_default() += 1);
    let weight = |request: &Request| match speaker(request) {
        "" => 1.0,
        name => 1.0 / (requests[name] as f64).sqrt(),
    };
    let weights: Vec<f64> = table.requests.iter().map(weight).collect();
    let mean = weights.iter().sum::<f64>() / weights.len().max(1) as f64;
    weights.into_iter().map(|weight| weight / mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers::Outcomes;
    use std::fmt::Write;
    use std::path::Path;

    #[test]
    fn copies_of_a_speaker_s_recordings_count_less() {
        let mut rows = String::from(
            "id,group,version,errors,words,response_seconds,cost_seconds,confidence,set\n",
        );
        let requests =
            ["a,ann,plain", "b,ann,plain", "a,ann,babble", "b,ann,babble", "c,ben,plain"];
        for request in requests.into_iter().chain(["d,,plain", "e,,plain"]) {
            let [id, group, set] = request.split(',').collect::<Vec<_>>().try_into().unwrap();
            for (version, seconds) in [("fast", 1), ("slow", 2)] {
                writeln!(rows, "{id},{group},{version},2,9,{seconds},{seconds},0.6,{set}").unwrap();
            }
        }
        let outcomes = Outcomes::read(rows.as_bytes(), Path::new("t.csv")).unwrap();
        let weights = weights(&Table::new(&outcomes).unwrap());
        assert!((weights.iter().sum::<f64>() - 7.0).abs() < 1e-12);
        let of_one = weights[4];
        let factors: Vec<f64> = weights.iter().map(|weight| weight / of_one).collect();
        assert_eq!(factors, [0.5, 0.5, 0.5, 0.5, 1.0, 1.0, 1.0]);
    }
}

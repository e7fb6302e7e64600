//! Attributes each wrong transcript to the search or to the model.
//!
//! Where the model itself finds the reference likelier than the hypothesis, a wider search would
//! have found it: a *search error*. Where it finds the hypothesis at least as likely, no search
//! helps: a *model error* (Chase 1997, "Error-responsive feedback mechanisms for speech
//! recognizers"). A reference with a word that the vocabulary lacks has no path at all and is
//! *unalignable*. Read from the counters `search_error` (0 or 1) and `oov` (words outside the
//! vocabulary).

use serde::Serialize;

use super::category::Category;
use crate::tiers::{Counter, Row, Table, Version};

/// The causes of the wrong transcripts of one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Causes {
    /// The category of the utterances; none for all of them.
    pub category: Option<Category>,
    /// The version.
    pub version: String,
    /// Utterances.
    pub utterances: usize,
    /// Those with at least one error; the next three add up to it.
    pub wrong: usize,
    /// The reference was likelier and was missed.
    pub search: usize,
    /// The hypothesis was at least as likely as the reference.
    pub model: usize,
    /// The reference has a word outside the vocabulary.
    pub unalignable: usize,
}

impl Causes {
    /// Counts what a version made of the request at a place.
    fn add(&mut self, run: &Version, place: usize, counters: Counters) {
        let count = |at: Option<usize>| at.map_or(0.0, |at| run.counters[at][place]);
        self.utterances += 1;
        if run.errors[place] == 0 {
            return;
        }
        self.wrong += 1;
        match () {
            () if count(counters.oov) > 0.0 => self.unalignable += 1,
            () if count(Some(counters.search_error)) > 0.0 => self.search += 1,
            () => self.model += 1,
        }
    }
}

#[derive(Clone, Copy)]
struct Counters {
    search_error: usize,
    oov: Option<usize>,
}

/// The causes for all utterances, then for each category, each version by version; none without
/// the counter `search_error`.
pub fn causes(table: &Table) -> Option<Vec<Causes>> {
    let counters = Counters {
        search_error: table.counter(Counter::SearchError)?,
        oov: table.counter(Counter::Oov),
    };
    let categories = [None].into_iter().chain(Category::ALL.map(Some));
    let mut rows = Vec::new();
    for category in categories {
        let mut by_version: Vec<Causes> = table
            .version_names()
            .map(|version| Causes { category, version: version.to_owned(), ..Causes::default() })
            .collect();
        let is_of = |row: &Row| category.is_none_or(|c| Category::of(&row.errors()) == c);
        for row in table.rows().filter(is_of) {
            for (causes, run) in by_version.iter_mut().zip(&table.versions) {
                causes.add(run, row.place(), counters);
            }
        }
        rows.extend(by_version);
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid_with;
    use super::*;

    #[test]
    fn every_wrong_utterance_has_one_cause() {
        let counters = [Counter::SearchError, Counter::Oov];
        let grid = grid_with(&counters, |request, version| match (request, version) {
            // (errors, counters): missed by the search, then found; a model error that stays;
            // unalignable, whatever the search says; right.
            (0, 0) => (2, vec![1.0, 0.0]),
            (0, _) => (0, vec![0.0, 0.0]),
            (1, _) => (1, vec![0.0, 0.0]),
            (2, _) => (1, vec![1.0, 1.0]),
            _ => (0, vec![0.0, 0.0]),
        });
        let rows = causes(&grid).unwrap();
        let counts =
            |row: &Causes| [row.utterances, row.wrong, row.search, row.model, row.unalignable];
        assert_eq!(counts(&rows[0]), [4, 3, 1, 1, 1]);
        assert_eq!(counts(&rows[1]), [4, 2, 0, 1, 1]);
        let improves = rows.iter().find(|row| row.category == Some(Category::Improves));
        assert_eq!(counts(improves.unwrap()), [1, 1, 1, 0, 0]);
        assert_eq!(causes(&grid_with(&[Counter::Oov], |_, _| (0, vec![0.0]))), None);
    }
}

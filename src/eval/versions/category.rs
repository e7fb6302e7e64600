//! Four ways an utterance's errors move from the fastest to the most accurate version (section
//! III-C of the paper, figures 2e and 3).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::tiers::{Row, Table};

/// How the errors of an utterance change over the versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// All versions make as many errors.
    Unchanged,
    /// No version makes more errors than the one before, and the last makes fewer than the first.
    Improves,
    /// No version makes fewer errors than the one before, and the last makes more than the first.
    Degrades,
    /// Anything else.
    Varies,
}

impl Category {
    /// All categories, in the order of tables and pictures.
    pub const ALL: [Category; 4] =
        [Category::Unchanged, Category::Improves, Category::Degrades, Category::Varies];

    /// The category of a series of errors; the same for counts and for rates, as the reference is
    /// the same.
    pub fn of(errors: &[u32]) -> Category {
        let falls = errors.windows(2).any(|pair| pair[1] < pair[0]);
        let rises = errors.windows(2).any(|pair| pair[1] > pair[0]);
        match (falls, rises) {
            (false, false) => Category::Unchanged,
            (true, false) => Category::Improves,
            (false, true) => Category::Degrades,
            (true, true) => Category::Varies,
        }
    }

    /// The category's name.
    pub fn name(self) -> &'static str {
        match self {
            Category::Unchanged => "unchanged",
            Category::Improves => "improves",
            Category::Degrades => "degrades",
            Category::Varies => "varies",
        }
    }
}

/// How many utterances of a set are of each category (figure 2e).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shares {
    /// The set, or `all`.
    pub set: String,
    /// Utterances of the set.
    pub utterances: usize,
    /// Counts in the order of [`Category::ALL`].
    pub counts: [usize; 4],
    /// Unchanged utterances that no version gets wrong.
    pub unchanged_right: usize,
}

impl Shares {
    /// The share of a category, from 0 to 1.
    pub fn share(&self, category: Category) -> f64 {
        self.counts[category as usize] as f64 / self.utterances as f64
    }
}

/// The shares of all utterances, then of each set where there are several.
pub fn shares(table: &Table) -> Vec<Shares> {
    let all: Vec<Row> = table.rows().collect();
    let mut sets: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
    for row in table.rows() {
        sets.entry(row.set()).or_default().push(row);
    }
    let mut rows = vec![shares_of("all", &all)];
    if sets.len() > 1 {
        rows.extend(sets.iter().map(|(name, members)| shares_of(name, members)));
    }
    rows
}

fn shares_of(set: &str, members: &[Row]) -> Shares {
    let mut counts = [0; 4];
    let mut unchanged_right = 0;
    for row in members {
        let errors = row.errors();
        counts[Category::of(&errors) as usize] += 1;
        unchanged_right += usize::from(errors.iter().all(|&errors| errors == 0));
    }
    Shares { set: set.to_owned(), utterances: members.len(), counts, unchanged_right }
}

/// Errors of a category's utterances version by version (figure 3).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CategoryErrors {
    /// The category; none for all utterances.
    pub category: Option<Category>,
    /// Utterances.
    pub utterances: usize,
    /// Reference words.
    pub words: u64,
    /// Errors by version.
    pub errors: Vec<u64>,
    /// Errors over reference words, by version; NaN without words.
    pub micro: Vec<f64>,
    /// Mean of the utterances' own rates, by version; NaN without words.
    #[serde(rename = "macro")]
    pub macro_mean: Vec<f64>,
}

impl CategoryErrors {
    /// The category's name, or `all`.
    pub fn name(&self) -> &'static str {
        self.category.map_or("all", Category::name)
    }

    /// Places of the versions that make the fewest errors.
    pub fn best(&self) -> Vec<usize> {
        let least = self.errors.iter().min();
        let is_best = |&place: &usize| Some(&self.errors[place]) == least;
        (0..self.errors.len()).filter(is_best).collect()
    }
}

/// The errors of each category, in the order of [`Category::ALL`], then of all utterances.
pub fn errors_by_category(table: &Table) -> Vec<CategoryErrors> {
    let categories = Category::ALL.map(Some).into_iter().chain([None]);
    let rows = categories.map(|category| {
        let is_of =
            |row: &Row| category.is_none_or(|category| Category::of(&row.errors()) == category);
        category_errors(category, table, table.rows().filter(is_of))
    });
    rows.collect()
}

fn category_errors<'a>(
    category: Option<Category>,
    table: &Table,
    members: impl Iterator<Item = Row<'a>>,
) -> CategoryErrors {
    let (mut utterances, mut words, mut rated) = (0, 0, 0.0);
    let mut errors = vec![0; table.versions.len()];
    let mut rates = vec![0.0; table.versions.len()];
    for row in members {
        let of_request = row.request().words;
        utterances += 1;
        words += u64::from(of_request);
        rated += f64::from(u8::from(of_request > 0));
        for (version, made) in row.errors().into_iter().enumerate() {
            errors[version] += u64::from(made);
            if of_request > 0 {
                rates[version] += f64::from(made) / f64::from(of_request);
            }
        }
    }
    CategoryErrors {
        category,
        utterances,
        words,
        micro: errors.iter().map(|&sum| sum as f64 / words as f64).collect(),
        macro_mean: rates.iter().map(|sum| sum / rated).collect(),
        errors,
    }
}

/// Whether some version makes the fewest errors in every category that has utterances.
pub fn one_version_fits_all(rows: &[CategoryErrors]) -> bool {
    let versions = rows.first().map_or(0, |row| row.errors.len());
    let best_everywhere = |version: usize| {
        let mut filled = rows.iter().filter(|row| row.utterances > 0);
        filled.all(|row| row.best().contains(&version))
    };
    (0..versions).any(best_everywhere)
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid;
    use super::*;

    #[test]
    fn a_series_is_of_the_category_that_its_definition_says() {
        for (errors, category) in [
            (&[2, 2, 2][..], Category::Unchanged),
            (&[0], Category::Unchanged),
            (&[3, 3, 1], Category::Improves),
            (&[0, 1, 1], Category::Degrades),
            (&[1, 0, 1], Category::Varies),
            (&[2, 3, 1], Category::Varies),
        ] {
            assert_eq!(Category::of(errors), category, "{errors:?}");
        }
    }

    #[test]
    fn utterances_and_errors_are_counted_by_category() {
        let grid = grid(&[
            ("a", "x", 4, &[0, 0, 0]),
            ("b", "x", 4, &[2, 2, 2]),
            ("c", "y", 2, &[2, 1, 0]),
            ("d", "y", 5, &[0, 0, 1]),
            ("e", "y", 5, &[1, 0, 1]),
        ]);
        let rows = shares(&grid);
        assert_eq!((rows[0].set.as_str(), rows[0].counts), ("all", [2, 1, 1, 1]));
        assert_eq!((rows[1].set.as_str(), rows[1].counts), ("x", [2, 0, 0, 0]));
        assert_eq!((rows[1].unchanged_right, rows[2].utterances), (1, 3));
        assert_eq!(rows[0].share(Category::Unchanged), 0.4);
        let rows = errors_by_category(&grid);
        assert_eq!(rows[1].errors, [2, 1, 0]);
        assert_eq!(rows[1].micro, [1.0, 0.5, 0.0]);
        assert_eq!((rows[4].words, &rows[4].errors[..]), (20, &[5, 3, 4][..]));
        assert_eq!(rows[4].macro_mean[0], (0.0 + 0.5 + 1.0 + 0.0 + 0.2) / 5.0);
        assert_eq!((rows[3].best(), rows[2].best()), (vec![1], vec![0, 1]));
        assert!(!one_version_fits_all(&rows));
        assert!(one_version_fits_all(&rows[..2]));
        assert!(!one_version_fits_all(&[]));
    }
}

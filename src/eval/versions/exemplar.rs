//! The utterances that show a category best (figures 2a to 2d).

use std::cmp::Reverse;

use serde::Serialize;

use super::category::Category;
use super::hypotheses::Hypotheses;
use crate::tiers::{Row, Table, Version};
use crate::units::Seconds;

/// An utterance that shows its category.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Exemplar {
    /// The category.
    pub category: Category,
    /// The utterance.
    pub id: String,
    /// The part of the corpus it is from.
    pub set: String,
    /// Words of its reference.
    pub words: u32,
    /// Errors by version.
    pub errors: Vec<u32>,
    /// Response time on the server by version.
    pub response: Vec<Seconds>,
    /// The reference transcript, if known.
    pub reference: Option<String>,
    /// The transcript of each version, if known.
    pub texts: Vec<Option<String>>,
}

/// For each category the clearest utterances, at most `most` of them, the clearest first.
pub fn exemplars(table: &Table, hypotheses: &Hypotheses, most: usize) -> Vec<Exemplar> {
    let mut found = Vec::new();
    for category in Category::ALL {
        let is_of = |row: &Row| Category::of(&row.errors()) == category;
        let mut members: Vec<Row> = table.rows().filter(is_of).collect();
        members.sort_by_cached_key(|row| (Reverse(clarity(category, *row)), &row.request().id));
        let clearest = members.into_iter().take(most);
        found.extend(clearest.map(|row| exemplar(category, row, table, hypotheses)));
    }
    found
}

/// What makes an utterance a clear case, the larger the clearer: the most words gained or lost by
/// going from the first version to the last, or between any two; the longest faultless one where
/// nothing changes. Among equals the shorter reference is clearer, as more of it changes.
fn clarity(category: Category, row: Row) -> (u32, i64) {
    let errors = row.errors();
    let (first, last) = (errors[0], errors[errors.len() - 1]);
    let least = errors.iter().min().copied().unwrap_or(0);
    let most = errors.iter().max().copied().unwrap_or(0);
    let words = i64::from(row.request().words);
    match category {
        Category::Unchanged => (u32::from(most == 0), words),
        Category::Improves | Category::Degrades => (first.abs_diff(last), -words),
        Category::Varies => (most - least, -words),
    }
}

fn exemplar(category: Category, row: Row, table: &Table, hypotheses: &Hypotheses) -> Exemplar {
    let request = row.request();
    let response = |version: &Version| Seconds(version.response[row.place()]);
    let text = |version: &str| hypotheses.get(&request.id, version).map(str::to_owned);
    Exemplar {
        category,
        id: request.id.clone(),
        set: row.set().to_owned(),
        words: request.words,
        errors: row.errors(),
        response: table.versions.iter().map(response).collect(),
        reference: text(Hypotheses::REFERENCE),
        texts: table.version_names().map(text).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::grid;
    use super::*;

    #[test]
    fn the_clearest_come_first_and_carry_their_texts() {
        let grid = grid(&[
            ("slight", "", 9, &[1, 1, 0]),
            ("strong", "", 9, &[4, 1, 0]),
            ("strong and short", "", 5, &[4, 1, 0]),
            ("wrong", "", 30, &[1, 1, 1]),
            ("right", "", 6, &[0, 0, 0]),
            ("down", "", 6, &[0, 0, 2]),
            ("wild", "", 6, &[3, 0, 2]),
        ]);
        let tsv = "id\tversion\ttext\ndown\tv3\twrong now\ndown\treference\tright now\n";
        let hypotheses = Hypotheses::parse(tsv.as_bytes(), "h.tsv".as_ref()).unwrap();
        let found = exemplars(&grid, &hypotheses, 2);
        let ids: Vec<&str> = found.iter().map(|exemplar| exemplar.id.as_str()).collect();
        let want = ["right", "wrong", "strong and short", "strong", "down", "wild"];
        assert_eq!(ids, want);
        let down = &found[4];
        assert_eq!(down.category, Category::Degrades);
        assert_eq!(down.reference.as_deref(), Some("right now"));
        assert_eq!(down.texts, [None, None, Some("wrong now".to_owned())]);
    }
}

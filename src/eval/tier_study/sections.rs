//! A study as tables and as one page of HTML that needs nothing else.

use super::study::Study;
use super::tier_tables::{accountings, certified, more_groups, prices, savings, violations};
use super::version_tables::{alike, shift, third, timelines, versions};
use crate::eval::page::{Page, Section};
use crate::eval::table::Table;
use crate::tiers::folds::Split;

/// All tables of a study.
pub fn tables(study: &Study) -> Vec<Table> {
    let mut tables = vec![versions(study), violations(study)];
    tables.extend([Split::Random, Split::Disjoint].map(|split| savings(study, split)));
    tables.extend([
        prices(study),
        certified(study),
        more_groups(study),
        accountings(study),
        timelines(study),
        alike(study),
    ]);
    tables.extend([third(study), shift(study)]);
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// The page: what it comes to with the picture of what was saved, a section for each table, then
/// all pictures (name and SVG text).
pub fn page(
    sentences: &[String],
    tables: &[Table],
    pictures: &[(String, String)],
    outcomes_sha256: &str,
) -> Page {
    let mut first = Section::new("In short");
    sentences.iter().for_each(|sentence| first.text(sentence));
    if let Some((name, svg)) = pictures.iter().find(|(name, _)| name.starts_with("fig9")) {
        first.picture(svg, name);
    }
    let of_table = |table: &Table| {
        let mut section = Section::new(&table.caption);
        section.table(Table { caption: String::new(), ..table.clone() });
        section
    };
    let mut last = Section::new("Pictures");
    for (name, svg) in pictures {
        last.picture(svg, name);
    }
    Page {
        title: "Tolerance tiers".into(),
        lead: format!("From outcomes with SHA-256 {outcomes_sha256}"),
        sections: [first].into_iter().chain(tables.iter().map(of_table)).chain([last]).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_are_escaped() {
        let mut table = Table::new("Versions", ["version"]);
        table.push("<script>", []);
        let html = page(&["1 < 2".into()], &[table], &[("a.svg".into(), "<svg/>".into())], "00ff")
            .to_html();
        assert!(html.contains("<p>1 &lt; 2</p>"));
        assert!(html.contains("&lt;script&gt;</td>") && html.contains("<svg/>"));
    }
}

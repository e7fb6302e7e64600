//! The report as sections of a page: what is claimed, each picture with its numbers, and how they
//! were made.

use super::VersionReport;
use super::breakdown::Part as Corpus;
use super::figures::Figure;
use super::tables::{
    categories_table, causes_table, claims_table, confidence_quality_table, corpus_table,
    counters_table, differences_table, distributions_table, errors_table, exemplars_table, percent,
    set_times_table, shares_table, texts_tables, times, times_table,
};
use crate::eval::page::{Part, Section};

/// Longer tables of speakers are cut on the page; `report.json` has all of them.
const MOST_SPEAKERS: usize = 300;

/// The sections of the page, about these versions alone.
pub fn sections(report: &VersionReport, figures: &[Figure]) -> Vec<Section> {
    let mut all = vec![
        tradeoff_section(report, figures),
        categories_section(report, figures),
        errors_section(report, figures),
    ];
    all.extend(causes_section(report, figures));
    all.push(confidence_section(report, figures));
    all.extend(corpus_section(report));
    all
}

fn picture(section: &mut Section, figures: &[Figure], name: &str, caption: &str) {
    if let Some(figure) = figures.iter().find(|figure| figure.name == name) {
        section.picture(&figure.svg, caption);
    }
}

/// What was measured beside what the paper found.
pub fn beside_paper(report: &VersionReport) -> Section {
    let mut section = Section::new("Beside the paper");
    section.text(
        "What the paper (Halpern et al., ISPASS 2019, sections II and III) found on its speech \
         service (figures 1a, 2, 3 and 5), and what was found here. Intervals hold the middle 95 % of corpora made by \
         drawing speakers anew.",
    );
    section.table(claims_table(report));
    section
}

fn tradeoff_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Error and response time");
    let tradeoff = &report.tradeoff;
    let network = match 1000.0 * tradeoff.round_trip.0 {
        0.0 => "without the network".to_owned(),
        added => {
            format!("with a round trip of {added:.0} ms over the network, not measured, added")
        }
    };
    let caption =
        format!("Above, the error of each version; below, its mean response time, {network}.");
    picture(&mut section, figures, "tradeoff", &caption);
    section.table(errors_table(report));
    section.table(times_table(report));
    section.text(format!(
        "From {} to {} the error gap relative to the better is {} % by all errors over all words, \
         {} % by the mean over utterances; the response spread is {}, {} on the server alone.",
        report.versions[0],
        report.versions[report.versions.len() - 1],
        percent(tradeoff.gap),
        percent(tradeoff.macro_gap),
        times(tradeoff.spread),
        times(tradeoff.server_spread),
    ));
    section.parts.extend(counters_table(&tradeoff.rows).map(Part::Table));
    section.table(differences_table(
        "What each version loses in accuracy and gains in time against the next; differences are \
         paired by speaker",
        &report.steps,
    ));
    if report.dominated.is_empty() {
        section.text("No version is both slower and less accurate than another.");
    } else {
        let caption = "Versions that another beats in both; beyond noise where the whole interval \
                       of the error is above 0";
        section.table(differences_table(caption, &report.dominated));
    }
    section
}

fn categories_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Categories");
    section.text(
        "An utterance is unchanged if all versions make as many errors; it improves if no version \
         makes more than the one before and the last makes fewer than the first; it degrades in \
         the opposite case; otherwise it varies.",
    );
    picture(&mut section, figures, "shares", "Shares of the categories, of all and by set.");
    section.table(shares_table(report));
    let caption = "The clearest utterance of each category: its errors against its response time, \
                   version by version.";
    picture(&mut section, figures, "exemplars", caption);
    section.table(exemplars_table(report));
    let texts = texts_tables(report);
    section.parts.extend(texts.into_iter().map(Part::Folded));
    section
}

fn errors_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Error by category");
    let caption = "Errors over words of each category's utterances by version. Unchanged \
                   utterances are not drawn, as no version changes them.";
    picture(&mut section, figures, "categories", caption);
    section.table(categories_table(report));
    section
}

fn causes_section(report: &VersionReport, figures: &[Figure]) -> Option<Section> {
    let rows = report.causes.as_ref()?;
    let mut section = Section::new("Search errors and model errors");
    section.text(
        "A wrong utterance is a search error if the model finds the reference likelier than what \
         was heard, so that a wider search would have found it; a model error if it does not; and \
         beyond the vocabulary if the reference has a word that the model cannot write.",
    );
    picture(&mut section, figures, "causes", "Wrong utterances by cause and version.");
    let (all, by_category): (Vec<_>, _) = rows.iter().partition(|row| row.category.is_none());
    section.table(causes_table("", &all));
    let caption = "The same by category";
    section.parts.push(Part::Folded(causes_table(caption, &by_category)));
    Some(section)
}

fn confidence_section(report: &VersionReport, figures: &[Figure]) -> Section {
    let mut section = Section::new("Confidence");
    let caption = "Confidence by version and category: the middle half of the utterances, the \
                   median, and what 5 % and 95 % stay below.";
    picture(&mut section, figures, "confidence", caption);
    section.table(confidence_quality_table(report));
    let caption = "How often utterances are without error, by confidence; bins of fewer than 5 \
                   utterances are left out.";
    picture(&mut section, figures, "calibration", caption);
    let caption = "Of the utterances that a version is surest of, the share with an error: what is \
                   missed when the rest is looked at again.";
    picture(&mut section, figures, "risk", caption);
    section.parts.push(Part::Folded(distributions_table(report)));
    section
}

fn corpus_section(report: &VersionReport) -> Option<Section> {
    if report.sets.is_empty() && report.groups.is_empty() {
        return None;
    }
    let mut section = Section::new("Sets and speakers");
    if !report.sets.is_empty() {
        section.table(corpus_table("Error by set, % (95 %)", report, report.sets.iter()));
        section.table(set_times_table(report));
    }
    if !report.groups.is_empty() {
        let mut most: Vec<&Corpus> = report.groups.iter().collect();
        most.sort_by_key(|part| std::cmp::Reverse(part.words));
        let shown = most.len().min(MOST_SPEAKERS);
        let caption =
            format!("Error by speaker, %: {shown} of {} speakers, most words first", most.len());
        let table = corpus_table(&caption, report, most.into_iter().take(shown));
        section.parts.push(Part::Folded(table));
    }
    Some(section)
}

//! Pictures of the categories.

use super::super::VersionReport;
use super::super::category::Category;
use super::super::exemplar::Exemplar;
use super::capitalised;
use crate::eval::plot::palette::{GREEN, PALE, Rgb, SKY, STRONG, shade};
use crate::eval::plot::{Arrangement, Axis, Bars, Content, Line, Lines, Scale, Series, Titled};

/// More characters of an id do not fit over one of two charts in a row.
const LONGEST_ID: usize = 40;

/// The colour of a category.
pub(super) fn color_of(category: Category) -> Rgb {
    match category {
        Category::Unchanged => PALE,
        Category::Improves => GREEN,
        Category::Degrades => STRONG,
        Category::Varies => SKY,
    }
}

/// Figure 2e.
pub(super) fn shares(report: &VersionReport) -> Titled {
    let series = Category::ALL.map(|category| Series {
        name: category.name().into(),
        color: color_of(category),
        values: report.shares.iter().map(|row| 100.0 * row.share(category)).collect(),
    });
    Titled {
        title: "Utterances by category".into(),
        content: Content::Bars(Bars {
            names: report.shares.iter().map(|row| row.set.clone()).collect(),
            name_label: String::new(),
            value_label: "share of utterances (%)".into(),
            series: series.into(),
            arrangement: Arrangement::Rows,
            decimals: 1,
        }),
    }
}

/// Figures 2a to 2d: the clearest utterance of each category.
pub(super) fn exemplars(report: &VersionReport) -> Vec<Titled> {
    let clearest = Category::ALL.iter().filter_map(|category| {
        report.exemplars.iter().find(|exemplar| exemplar.category == *category)
    });
    clearest.map(|exemplar| exemplar_chart(report, exemplar)).collect()
}

fn exemplar_chart(report: &VersionReport, exemplar: &Exemplar) -> Titled {
    let network = report.tradeoff.round_trip.0;
    let first = exemplar.response[0].0 + network;
    let words = f64::from(exemplar.words.max(1));
    let times = exemplar.response.iter().map(|time| match first > 0.0 {
        true => (time.0 + network) / first,
        false => 1.0,
    });
    let errors = exemplar.errors.iter().map(|&errors| 100.0 * f64::from(errors) / words);
    let points: Vec<(f64, f64)> = times.zip(errors).collect();
    let slowest = points.iter().map(|at| at.0).fold(1.0, f64::max);
    let highest = points.iter().map(|at| at.1).fold(0.0, f64::max);
    let highest = if highest > 0.0 { highest } else { 1.0 };
    // Room for names on all sides, below zero too.
    let room = 0.2 * highest;
    let name = exemplar.category.name();
    Titled {
        title: format!("{} ({} words)", capitalised(name), exemplar.words),
        content: Content::Lines(Lines {
            x: Axis::around(
                &format!("response time (1 = {})", report.versions[0]),
                Scale::Linear,
                points.iter().map(|at| at.0).chain([0.9, slowest * 1.03]),
            ),
            y: Axis::numbers("errors (% of words)", Scale::Linear, -room..highest + room)
                .ticks_from(0.0),
            lines: vec![Line {
                name: shortened(&exemplar.id),
                color: color_of(exemplar.category),
                points,
                names: report.versions.clone(),
                ..Line::default()
            }],
        }),
    }
}

/// Figure 3; *unchanged* is left out, as in the paper, for it does not depend on the version.
pub(super) fn categories(report: &VersionReport) -> Titled {
    let shown = report
        .by_category
        .iter()
        .filter(|row| row.utterances > 0 && row.category != Some(Category::Unchanged));
    let shown: Vec<_> = shown.collect();
    let versions = report.versions.iter().enumerate();
    let series = versions.map(|(at, version)| Series {
        name: version.clone(),
        color: shade(at, report.versions.len()),
        values: shown.iter().map(|row| 100.0 * row.micro[at]).collect(),
    });
    let error = report.error_name();
    Titled {
        title: format!("{} by category and version", capitalised(error)),
        content: Content::Bars(Bars {
            names: shown.iter().map(|row| row.name().to_owned()).collect(),
            name_label: "category".into(),
            value_label: format!("{error} (%)"),
            series: series.collect(),
            arrangement: Arrangement::Grouped,
            decimals: 1,
        }),
    }
}

/// An id that fits over a chart.
fn shortened(id: &str) -> String {
    match id.char_indices().nth(LONGEST_ID) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id.to_owned(),
    }
}

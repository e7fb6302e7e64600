//! The report's pictures.

mod category;

use category::{categories, color_of, exemplars, shares};

use super::VersionReport;
use super::category::Category;
use crate::eval::plot::palette::{BLUE, GREEN, PALE, STRONG, WARM, shade};
use crate::eval::plot::{
    Arrangement, Axis, Bars, BoxSeries, Boxes, Content, Line, Lines, PlotError, Scale, Series,
    Stroke, Titled, draw,
};

/// Width and height of a chart that has a row to itself, in pixels.
const WIDE: (u32, u32) = (860, 340);
/// Width and height of one of two charts in a row.
const HALF: (u32, u32) = (430, 330);
/// Bins with fewer utterances say little about calibration and are not drawn.
const LEAST_IN_BIN: usize = 5;

/// A picture and the name of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// File name without extension.
    pub name: &'static str,
    /// The picture.
    pub svg: String,
}

/// Draws all pictures of a report, except those whose data was not recorded.
///
/// # Errors
/// The drawing library fails.
pub fn figures(report: &VersionReport) -> Result<Vec<Figure>, PlotError> {
    let figure = |name, charts: &[Titled], columns, size| {
        draw(charts, columns, size).map(|svg| Figure { name, svg })
    };
    let mut all = vec![
        figure("tradeoff", &tradeoff(report), 1, WIDE)?,
        figure("shares", &[shares(report)], 1, shares_size(report))?,
        figure("exemplars", &exemplars(report), 2, HALF)?,
        figure("categories", &[categories(report)], 1, WIDE)?,
        figure("confidence", &[confidence(report)], 1, WIDE)?,
        figure("calibration", &calibration(report), 2, HALF)?,
        figure("risk", &[risk(report)], 1, (560, 420))?,
    ];
    if let Some(chart) = causes(report) {
        all.push(figure("causes", &[chart], 1, WIDE)?);
    }
    Ok(all)
}

/// Figure 1a: error above, response below.
fn tradeoff(report: &VersionReport) -> [Titled; 2] {
    [
        Titled {
            title: format!("{} by version", capitalised(report.error_name())),
            content: Content::Lines(error(report)),
        },
        Titled {
            title: "Mean response time by version".into(),
            content: Content::Bars(response(report)),
        },
    ]
}

/// Both averages of the error, the micro average with its interval.
fn error(report: &VersionReport) -> Lines {
    let line = |name: &str, color| Line { name: name.into(), color, ..Line::default() };
    let mut micro = line("all errors over all words (95 % interval)", BLUE);
    let mut mean = line("mean over utterances", PALE);
    for (at, row) in report.tradeoff.rows.iter().enumerate() {
        if let Some(measured) = row.macro_mean {
            mean.points.push((at as f64, 100.0 * measured.value));
        }
        if let Some(measured) = row.micro {
            micro.points.push((at as f64, 100.0 * measured.value));
            let ends = measured.interval;
            micro.intervals.push(ends.map(|i| (100.0 * i.low, 100.0 * i.high)));
        }
    }
    let ends = micro.intervals.iter().flatten();
    let ends = ends.flat_map(|ends| [ends.0, ends.1]);
    let points = mean.points.iter().chain(&micro.points).map(|at| at.1);
    let label = format!("{} (%)", report.error_name());
    Lines {
        x: Axis::names("version", &report.versions),
        y: Axis::around(&label, Scale::Linear, points.chain(ends)),
        lines: vec![mean, micro],
    }
}

/// Response time in parts: network, shared work, search.
fn response(report: &VersionReport) -> Bars {
    let rows = &report.tradeoff.rows;
    let network = 1000.0 * report.tradeoff.round_trip.0;
    let series = |name: &str, color, values: Vec<f64>| Series { name: name.into(), color, values };
    let mut all = Vec::new();
    if network > 0.0 {
        all.push(series("network", GREEN, vec![network; rows.len()]));
    }
    let shared: Option<Vec<f64>> = rows
        .iter()
        .map(|row| row.counters.get("scores_seconds").map(|mean| 1000.0 * mean))
        .collect();
    let server = rows.iter().map(|row| 1000.0 * row.server.mean);
    match shared {
        Some(shared) => {
            let rest = server.zip(&shared).map(|(all, shared)| (all - shared).max(0.0)).collect();
            all.push(series("server: features and acoustic model", WARM, shared));
            all.push(series("server: search", STRONG, rest));
        }
        None => all.push(series("server", STRONG, server.collect())),
    }
    Bars {
        names: report.versions.clone(),
        name_label: "version".into(),
        value_label: "response time (ms)".into(),
        series: all,
        arrangement: Arrangement::Stacked,
        decimals: 0,
    }
}

fn shares_size(report: &VersionReport) -> (u32, u32) {
    (WIDE.0, 140 + 34 * report.shares.len() as u32)
}

fn causes(report: &VersionReport) -> Option<Titled> {
    let rows = report.causes.as_ref()?;
    let all: Vec<_> = rows.iter().filter(|row| row.category.is_none()).collect();
    let series = |name: &str, color, count: fn(&super::cause::Causes) -> usize| Series {
        name: name.into(),
        color,
        values: all.iter().map(|row| 100.0 * count(row) as f64 / row.utterances as f64).collect(),
    };
    Some(Titled {
        title: "Wrong utterances by cause".into(),
        content: Content::Bars(Bars {
            names: report.versions.clone(),
            name_label: "version".into(),
            value_label: "share of utterances (%)".into(),
            series: vec![
                series("model error", BLUE, |row| row.model),
                series("search error", STRONG, |row| row.search),
                series("word outside the vocabulary", PALE, |row| row.unalignable),
            ],
            arrangement: Arrangement::Stacked,
            decimals: 1,
        }),
    })
}

/// Figure 5.
fn confidence(report: &VersionReport) -> Titled {
    let series = Category::ALL.map(|category| BoxSeries {
        name: category.name().into(),
        color: color_of(category),
        quantiles: report
            .versions
            .iter()
            .map(|version| {
                let is_it = |row: &&super::confidence_quality::Distribution| {
                    row.category == category && row.version == *version
                };
                report.confidence.iter().find(is_it).map(|row| row.quantiles)
            })
            .collect(),
    });
    Titled {
        title: "Confidence by version and category".into(),
        content: Content::Boxes(Boxes {
            names: report.versions.clone(),
            name_label: "version".into(),
            y: Axis::numbers("confidence", Scale::Linear, 0.0..1.02),
            series: series.into(),
        }),
    }
}

/// A reliability diagram for each version.
fn calibration(report: &VersionReport) -> Vec<Titled> {
    let chart = |row: &super::confidence_quality::ConfidenceQuality| {
        let bins = row.calibration.iter().filter(|bin| bin.count >= LEAST_IN_BIN);
        let found = Line {
            name: row.version.clone(),
            color: BLUE,
            points: bins.map(|bin| (bin.confidence, bin.right)).collect(),
            ..Line::default()
        };
        let perfect = Line {
            name: "perfect".into(),
            color: PALE,
            points: vec![(0.0, 0.0), (1.0, 1.0)],
            stroke: Stroke::Thin,
            ..Line::default()
        };
        Titled {
            title: format!("Calibration of {}'s confidence", row.version),
            content: Content::Lines(Lines {
                x: Axis::numbers("confidence", Scale::Linear, 0.0..1.02),
                y: Axis::numbers("share without error", Scale::Linear, 0.0..1.02),
                lines: vec![perfect, found],
            }),
        }
    };
    report.confidence_quality.iter().map(chart).collect()
}

/// Risk against coverage, all versions.
fn risk(report: &VersionReport) -> Titled {
    let count = report.confidence_quality.len();
    let line = |(at, row): (usize, &super::confidence_quality::ConfidenceQuality)| Line {
        name: row.version.clone(),
        color: shade(at, count),
        points: (row.risk.iter()).map(|point| (point.coverage, point.risk)).collect(),
        ..Line::default()
    };
    let lines: Vec<Line> = report.confidence_quality.iter().enumerate().map(line).collect();
    let risks = lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
    Titled {
        title: "Errors among the surest utterances".into(),
        content: Content::Lines(Lines {
            x: Axis::numbers("share of utterances kept", Scale::Linear, 0.0..1.02),
            y: Axis::from_zero("share of them with an error", risks),
            lines,
        }),
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

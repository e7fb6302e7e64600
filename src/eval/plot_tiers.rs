//! Pictures of a study of tiers: Figs 6, 8, 9 and 10 of the paper as SVG text.
//!
//! Each picture is a pure function of a study. Colours are those of Okabe and Ito (2008, "Color
//! universal design"), by contender.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::plot::{PlotError, legend, title};
use super::tier_study::{Accounting, Contender, Curves, Mean, Point, Study, Timeline};
use crate::tiers::folds::Split;
use crate::tiers::{Method, Objective};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Frame<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Numbers, Numbers>>;
type Numbers = plotters::coord::types::RangedCoordf64;

const SIZE: (u32, u32) = (640, 460);
const INK: RGBColor = RGBColor(60, 60, 60);
const MESH: RGBColor = RGBColor(228, 228, 228);
const TEXT: (&str, u32) = ("sans-serif", 16);

fn colour(contender: Contender, naive: bool) -> RGBColor {
    match (contender, naive) {
        (_, true) => RGBColor(160, 175, 190),
        (Contender::SingleVersion, _) => RGBColor(0, 114, 178),
        (Contender::ResponseTime, _) => RGBColor(213, 94, 0),
        (Contender::Cost, _) => RGBColor(0, 158, 115),
    }
}

/// A blank picture with `draw` on it.
fn picture(draw: impl FnOnce(&Area) -> Result<(), PlotError>) -> Result<String, PlotError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(svg)
}

/// What stands beside the axes.
struct Labels<'a> {
    x: &'a str,
    y: &'a str,
}

fn frame<'a, 'b>(
    area: &Area<'b>,
    labels: &Labels,
    x: std::ops::Range<f64>,
    y: std::ops::Range<f64>,
) -> Result<Frame<'a, 'b>, PlotError> {
    let mut frame = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(58)
        .build_cartesian_2d(x, y)?;
    frame
        .configure_mesh()
        .bold_line_style(MESH)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style(TEXT)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.0}"))
        .x_desc(labels.x)
        .y_desc(labels.y)
        .draw()?;
    Ok(frame)
}

/// A cloud of points of one contender.
struct Cloud<'a> {
    name: &'static str,
    colour: RGBColor,
    points: Vec<&'a Point>,
}

/// The points of Fig 8 under the shared accounting: Naive-OSFA's, then those of the method.
fn clouds<'a>(study: &'a Study, split: Split, method: &str) -> Vec<Cloud<'a>> {
    let cloud = |contender: Contender, method: &str, naive: bool| {
        let mine = |point: &&Point| {
            (point.split, point.contender, point.accounting)
                == (split, contender, Accounting::Shared)
                && point.method.name() == method
                && point.degradation.is_finite()
        };
        let points: Vec<&Point> = study.points.iter().filter(mine).collect();
        let name = points.first().map_or("", |point| contender.name(point.method));
        let colour = colour(contender, naive);
        Cloud { name, colour, points }
    };
    let naive = cloud(Contender::SingleVersion, "point", true);
    let own = Contender::ALL.map(|contender| cloud(contender, method, false));
    let all = std::iter::once(naive).chain(own);
    all.filter(|cloud| !cloud.points.is_empty()).collect()
}

/// Fig 8: what was promised against what came, for one split and method, all folds; points above
/// the dashed line are broken promises.
///
/// # Errors
/// The drawing library fails.
pub fn promises(study: &Study, split: Split, method: &str) -> Result<String, PlotError> {
    let clouds = clouds(study, split, method);
    let at = |point: &&Point| (100.0 * point.tolerance, 100.0 * point.degradation);
    let ends = clouds.iter().flat_map(|cloud| &cloud.points).map(|point| at(point).1);
    let (low, high) = ends.fold((-1.0f64, 10.5f64), |(low, high), y| (low.min(y), high.max(y)));
    let heading = format!("Promised and kept: {method}, {} folds", split_name(split));
    let labels = Labels { x: "tolerance promised (%)", y: "degradation found (%)" };
    picture(|area| {
        let entries = clouds.iter().map(|cloud| (cloud.name, cloud.colour));
        let area = legend(&title(area, &heading)?, &entries.collect::<Vec<_>>())?;
        let mut frame = frame(&area, &labels, -0.2..10.2, low - 0.5..high + 0.5)?;
        let diagonal = [(0.0, 0.0), (10.2, 10.2)];
        frame.draw_series(DashedLineSeries::new(diagonal, 6, 4, INK.stroke_width(1)))?;
        for cloud in &clouds {
            let colour = cloud.colour.mix(0.6).filled();
            let dots = cloud.points.iter();
            frame.draw_series(dots.map(|point| Circle::new(at(point), 2, colour)))?;
        }
        Ok(())
    })
}

/// Figs 9 and 10: response or cost against tolerance, relative to the reference version, means over
/// folds with shared scores.
///
/// # Errors
/// The drawing library fails.
pub fn savings(
    study: &Study,
    split: Split,
    method: &str,
    objective: Objective,
) -> Result<String, PlotError> {
    let mine = |curve: &&Curves| {
        (curve.split, curve.method, curve.accounting) == (split, method, Accounting::Shared)
    };
    let at = usize::from(objective == Objective::Cost);
    let share =
        move |mean: &Mean| (100.0 * mean.tolerance, 100.0 * mean.spent[at] / mean.reference[at]);
    let curves: Vec<&Curves> = study.curves.iter().filter(mine).collect();
    let high = curves
        .iter()
        .flat_map(|curve| &curve.means)
        .map(|mean| share(mean).1)
        .fold(100.0, f64::max);
    let (what, y) = match objective {
        Objective::ResponseTime => ("Response time", "response (% of the reference version's)"),
        Objective::Cost => ("Cost", "cost (% of the reference version's)"),
    };
    let heading = format!("{what}: {method}, {} folds", split_name(split));
    let labels = Labels { x: "tolerance (%)", y };
    picture(|area| {
        let entry = |curve: &&Curves| {
            let contender = curve.contender;
            (contender.name(Method::Population), colour(contender, false))
        };
        let entries: Vec<_> = curves.iter().map(entry).collect();
        let area = legend(&title(area, &heading)?, &entries)?;
        let mut frame = frame(&area, &labels, 0.0..10.0, 0.0..high * 1.05)?;
        for curve in &curves {
            let style = colour(curve.contender, false).stroke_width(2);
            frame.draw_series(LineSeries::new(curve.means.iter().map(share), style))?;
        }
        Ok(())
    })
}

/// Fig 6: who works when on one request, under one accounting; grey work is cancelled.
///
/// # Errors
/// The drawing library fails.
pub fn timelines(heading: &str, lines: &[Timeline]) -> Result<String, PlotError> {
    let longest = lines.iter().map(|line| line.mean.response);
    // What is said stands to the right of the longest bar.
    let end = longest.fold(0.0, f64::max) * 1.8;
    picture(|area| {
        let mut chart = ChartBuilder::on(&title(area, heading)?)
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(96)
            .build_cartesian_2d(0.0..end, 0.0..lines.len() as f64)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_y_mesh().y_labels(0);
        mesh.bold_line_style(MESH).light_line_style(TRANSPARENT);
        mesh.axis_style(INK).label_style(TEXT);
        mesh.x_desc("seconds after the request came in, mean of all requests");
        mesh.draw()?;
        for (place, line) in lines.iter().enumerate() {
            draw_timeline(area, &mut chart, line, (lines.len() - place) as f64)?;
        }
        Ok(())
    })
}

/// One row of a picture of timelines: the policy's name, who works when, and what it took.
fn draw_timeline(
    area: &Area,
    chart: &mut Frame,
    line: &Timeline,
    top: f64,
) -> Result<(), PlotError> {
    let height = 0.7 / line.spans.len() as f64;
    for (lane, span) in line.spans.iter().enumerate() {
        let high = top - 0.15 - lane as f64 * height;
        // The reference works alone in the first row, and second in the others.
        let contender = match line.name == "OSFA" || lane > 0 {
            true => Contender::ResponseTime,
            false => Contender::SingleVersion,
        };
        let colour = colour(contender, span.cancelled).filled();
        let corners = [(span.from, high), (span.to, high - height)];
        chart.draw_series([Rectangle::new(corners, colour)])?;
        let (x, y) = chart.backend_coord(&(span.from, high - 0.5 * height));
        let said = if span.cancelled { " cancelled" } else { "" };
        let name = format!("{}{said}", span.version);
        area.draw(&Text::new(
            name,
            (x + 4, y - 8),
            TEXT.into_font().color(if span.cancelled { &INK } else { &WHITE }),
        ))?;
    }
    let [response, cost] = line.to_osfa.map(|ratio| 100.0 * (ratio - 1.0));
    let said = format!("response {response:+.0} %, cost {cost:+.0} %");
    let ink = || TEXT.into_font().color(&INK);
    let (x, y) = chart.backend_coord(&(line.mean.response, top - 0.5));
    area.draw(&Text::new(said, (x + 6, y - 8), ink()))?;
    let (x, _) = chart.backend_coord(&(0.0, 0.0));
    area.draw(&Text::new(line.name, (x - 92, y - 8), ink()))?;
    Ok(())
}

fn split_name(split: Split) -> &'static str {
    match split {
        Split::Random => "random",
        Split::Disjoint => "speaker-disjoint",
    }
}

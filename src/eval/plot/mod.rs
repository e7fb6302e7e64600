//! Pictures: values in, SVG text out, in one style.
//!
//! Every picture is a pure function of its data. The colours are those of Okabe and Ito (2008,
//! "Color universal design"), which people with colour-blindness can tell apart; versions, which
//! have an order, go from light to dark.

mod axis;
mod legend;
mod scatter;

pub use axis::{Axis, Scale};
pub use scatter::{Mark, Scatter, scatter_with_front};

use plotters::coord::Shift;
use plotters::prelude::*;

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a picture could not be drawn: {0}")]
pub struct PlotError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for PlotError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        PlotError(error.to_string())
    }
}

/// A part of a picture.
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A part of a picture with axes.
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Size of a picture in pixels; as it scales without loss, only the proportions matter.
type Size = (u32, u32);

/// Height of text in plotters' measure; 1.24 of them are a pixel of the font.
const TEXT: u32 = 17;
/// Lines of the frame and labels.
const INK: RGBColor = RGBColor(60, 60, 60);
/// Lines of the mesh.
const MESH: RGBColor = RGBColor(228, 228, 228);
/// What is there to be compared with, not to be read itself.
const PALE: RGBColor = RGBColor(160, 175, 190);
/// What the picture is about.
const STRONG: RGBColor = RGBColor(213, 94, 0);

/// Runs `draw` on a blank picture and gives its SVG text.
fn picture(
    size: Size,
    draw: impl FnOnce(&Area) -> Result<(), PlotError>,
) -> Result<String, PlotError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        draw(&area)?;
        area.present()?;
    }
    Ok(svg)
}

/// Draws axes, mesh and labels.
fn frame<'a, 'b>(area: &Area<'b>, x: Axis, y: Axis) -> Result<Chart<'a, 'b>, PlotError> {
    let (x_label, y_label, names) = (x.label.clone(), y.label.clone(), x.has_names());
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(18)
        .x_label_area_size(if x_label.is_empty() { 28 } else { 46 })
        .y_label_area_size(62)
        .build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    if names {
        mesh.disable_x_mesh();
    }
    mesh.bold_line_style(MESH)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .label_style(text(TEXT))
        .axis_desc_style(text(TEXT))
        .x_desc(x_label)
        .y_desc(y_label)
        .draw()?;
    Ok(chart)
}

fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

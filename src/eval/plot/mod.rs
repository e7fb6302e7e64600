//! Pictures: values in, SVG text out, in one style.
//!
//! Every picture is a pure function of its data. [`draw`] sets charts side by side or under each
//! other; [`scatter_with_front`] draws a cloud of measured points.

mod axis;
mod bars;
mod boxes;
mod label;
mod legend;
mod line;
pub mod palette;
mod scatter;

pub use axis::{Axis, Scale};
pub use bars::{Arrangement, Bars, Series};
pub use boxes::{BoxSeries, Boxes};
pub(super) use legend::{legend, title};
pub use line::{Line, Lines, Stroke};
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

/// A chart with a title.
#[derive(Clone, Debug, PartialEq)]
pub struct Titled {
    /// What is seen; may be empty.
    pub title: String,
    /// The chart.
    pub content: Content,
}

/// What can be drawn.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Bars.
    Bars(Bars),
    /// Lines.
    Lines(Lines),
    /// Distributions.
    Boxes(Boxes),
}

/// Draws charts in rows of `columns`, each of the same width and height in pixels, as SVG text.
///
/// # Errors
/// The drawing library fails.
pub fn draw(charts: &[Titled], columns: usize, size: (u32, u32)) -> Result<String, PlotError> {
    let columns = columns.clamp(1, charts.len().max(1));
    let rows = charts.len().div_ceil(columns).max(1);
    let whole = (size.0 * columns as u32, size.1 * rows as u32);
    picture(whole, |area| {
        for (chart, area) in charts.iter().zip(area.split_evenly((rows, columns))) {
            draw_titled(chart, &area)?;
        }
        Ok(())
    })
}

fn draw_titled(chart: &Titled, area: &Area) -> Result<(), PlotError> {
    let rest = title(area, &chart.title)?;
    match &chart.content {
        Content::Bars(bars) => bars.draw(&rest),
        Content::Lines(lines) => lines.draw(&rest),
        Content::Boxes(boxes) => boxes.draw(&rest),
    }
}

/// A part of a picture.
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A part of a picture with axes.
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// Height of text in plotters' measure; 1.24 of them are a pixel of the font.
const TEXT: u32 = 17;
/// Height of numbers at bars.
const SMALL_TEXT: u32 = 15;
/// Height of titles.
const TITLE_TEXT: u32 = 19;
/// Left end of titles and legends, about in line with the axes.
const LEFT: i32 = 72;
/// About the width of a character of [`TEXT`] in pixels; the viewer's font is not known here.
const CHARACTER: f64 = 7.2;
/// Lines of the frame and labels.
const INK: RGBColor = RGBColor(60, 60, 60);
/// Lines of the mesh.
const MESH: RGBColor = RGBColor(228, 228, 228);

/// Runs `draw` on a blank picture and gives its SVG text.
fn picture(
    size: (u32, u32),
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
    let (x_label, y_label) = (x.label.clone(), y.label.clone());
    let (x_names, y_names) = (x.longest_name(), y.longest_name());
    let left = y_names.map_or(62, |longest| 24 + (CHARACTER * longest as f64) as u32);
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .margin_right(18)
        .x_label_area_size(if x_label.is_empty() { 28 } else { 46 })
        .y_label_area_size(left)
        .build_cartesian_2d(x, y)?;
    let mut mesh = chart.configure_mesh();
    if x_names.is_some() {
        mesh.disable_x_mesh();
    }
    if y_names.is_some() {
        mesh.disable_y_mesh();
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

#[cfg(test)]
mod tests {
    use super::palette::{BLUE, GREEN, shade};
    use super::*;

    /// One of each chart, with a value that cannot be drawn and text that must be escaped.
    #[test]
    fn all_charts_are_drawn_in_one_picture() {
        let names = vec!["v1".to_owned(), "<v2>".to_owned()];
        let series = |name: &str| Series {
            name: name.into(),
            color: shade(0, 1),
            values: vec![3.0, f64::NAN],
        };
        let bars = |arrangement| {
            Content::Bars(Bars {
                names: names.clone(),
                name_label: String::new(),
                value_label: "error (%)".into(),
                series: vec![series("one"), series("two")],
                arrangement,
                decimals: 1,
            })
        };
        let lines = Content::Lines(Lines {
            x: Axis::names("version", &names),
            y: Axis::from_zero("share", [0.5]),
            lines: vec![Line {
                name: "line & line".into(),
                color: GREEN,
                points: vec![(0.0, 0.2), (1.0, 0.5)],
                intervals: vec![Some((0.1, 0.3)), None],
                names: names.clone(),
                ..Line::default()
            }],
        });
        let boxes = Content::Boxes(Boxes {
            names: names.clone(),
            name_label: "version".into(),
            y: Axis::from_zero("confidence", [1.0]),
            series: vec![BoxSeries {
                name: "boxed".into(),
                color: BLUE,
                quantiles: vec![None, Some([0.1, 0.2, 0.3, 0.4, 0.5])],
            }],
        });
        let all = [Arrangement::Grouped, Arrangement::Stacked, Arrangement::Rows].map(bars);
        let charts: Vec<Titled> = all
            .into_iter()
            .chain([lines, boxes])
            .map(|content| Titled { title: "title".into(), content })
            .collect();
        let svg = draw(&charts, 2, (400, 300)).unwrap();
        assert!(svg.contains("viewBox=\"0 0 800 900\""));
        for label in ["&lt;v2&gt;", "line &amp; line", "boxed", "6.0", "title"] {
            assert!(svg.contains(label), "{label}");
        }
        assert!(!svg.contains("NaN"));
    }
}

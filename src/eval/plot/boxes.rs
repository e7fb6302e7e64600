//! Distributions as boxes: the middle half, the median, and whiskers.

use plotters::prelude::*;

use super::legend::legend;
use super::palette::Rgb;
use super::{Area, Axis, INK, PlotError, frame};

/// Share of the distance between two names that their boxes take.
const WIDTH: f64 = 0.8;

/// The boxes of one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct BoxSeries {
    /// What the colour means.
    pub name: String,
    /// The colour.
    pub color: Rgb,
    /// For each name the ends of the lower whisker, of the box, its median, the other end and the
    /// end of the upper whisker, in this order: low, lower, median, upper, high; none for no box.
    pub quantiles: Vec<Option<[f64; 5]>>,
}

/// A chart of boxes.
#[derive(Clone, Debug, PartialEq)]
pub struct Boxes {
    /// What the boxes belong to.
    pub names: Vec<String>,
    /// Label of the axis of names; may be empty.
    pub name_label: String,
    /// The axis of values.
    pub y: Axis,
    /// The boxes by colour.
    pub series: Vec<BoxSeries>,
}

impl Boxes {
    pub(super) fn draw(&self, area: &Area) -> Result<(), PlotError> {
        let entries = self.series.iter().map(|series| (series.name.as_str(), series.color));
        let area = legend(area, &entries.collect::<Vec<_>>())?;
        let x = Axis::names(&self.name_label, &self.names);
        let mut chart = frame(&area, x, self.y.clone())?;
        let width = WIDTH / self.series.len().max(1) as f64;
        for (place, series) in self.series.iter().enumerate() {
            for (at, quantiles) in series.quantiles.iter().enumerate() {
                let Some([low, lower, median, upper, high]) = *quantiles else {
                    continue;
                };
                let left = at as f64 - WIDTH / 2.0 + (place as f64 + 0.12) * width;
                let (right, middle) = (left + 0.76 * width, left + 0.38 * width);
                let color = series.color;
                let line = |from, to, width| PathElement::new([from, to], INK.stroke_width(width));
                chart.draw_series([
                    line((middle, low), (middle, lower), 1),
                    line((middle, upper), (middle, high), 1),
                ])?;
                let corners = [(left, lower), (right, upper)];
                chart.draw_series([Rectangle::new(corners, color.filled())])?;
                chart.draw_series([line((left, median), (right, median), 3)])?;
            }
        }
        Ok(())
    }
}

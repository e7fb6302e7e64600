//! Lines through measured points, with intervals and names where there are any.

use plotters::prelude::*;

use super::label::{Prefer, name_points};
use super::legend::legend;
use super::palette::Rgb;
use super::{Area, Axis, PlotError, frame};

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stroke {
    /// A point at each value.
    #[default]
    Points,
    /// Thin and without points: something to compare with.
    Thin,
}

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What it means; empty for none.
    pub name: String,
    /// Its colour.
    pub color: Rgb,
    /// Its points in order.
    pub points: Vec<(f64, f64)>,
    /// Intervals of y, one for each point; may be empty.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// Names of the points; may be empty.
    pub names: Vec<String>,
    /// How it looks.
    pub stroke: Stroke,
}

/// A chart of lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The lines, the last on top.
    pub lines: Vec<Line>,
}

impl Lines {
    pub(super) fn draw(&self, area: &Area) -> Result<(), PlotError> {
        let entries = self.lines.iter().filter(|line| !line.name.is_empty());
        let entries: Vec<_> = entries
            .map(|line| (line.name.as_str(), line.color))
            .collect();
        let area = legend(area, &entries)?;
        let mut chart = frame(&area, self.x.clone(), self.y.clone())?;
        for line in &self.lines {
            let ends = line.points.iter().zip(&line.intervals);
            let whiskers = ends.filter_map(|(at, ends)| Some((at, (*ends)?)));
            chart.draw_series(whiskers.map(|(at, (low, high))| {
                let style = line.color.mix(0.7).stroke_width(2);
                ErrorBar::new_vertical(at.0, low, at.1.clamp(low, high), high, style, 8)
            }))?;
            let points = line.points.iter().copied();
            match line.stroke {
                Stroke::Thin => {
                    chart.draw_series(LineSeries::new(points, line.color.stroke_width(1)))?;
                }
                Stroke::Points => {
                    let style = line.color.stroke_width(2);
                    chart.draw_series(LineSeries::new(points.clone(), style))?;
                    chart.draw_series(points.map(|at| Circle::new(at, 4, line.color.filled())))?;
                }
            }
        }
        for line in &self.lines {
            let names = line.names.iter().map(String::as_str);
            name_points(
                &mut chart,
                Prefer::Above,
                names.zip(line.points.iter().copied()),
            )?;
        }
        Ok(())
    }
}

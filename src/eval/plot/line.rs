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
        let entries: Vec<_> = entries.map(|line| (line.name.as_str(), line.color)).collect();
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
            let names = line.names.iter().map(String::as_str).zip(&line.points);
            let names = names.enumerate();
            let named = names.map(|(k, (name, at))| (name, *at, beside(&line.points, k)));
            name_points(&mut chart, named)?;
        }
        Ok(())
    }
}

/// Where the line that goes through a point leaves room for its name.
fn beside(points: &[(f64, f64)], at: usize) -> Prefer {
    let slope = |from: usize| match points.get(from..from + 2) {
        Some(pair) => pair[1].1 - pair[0].1,
        None => 0.0,
    };
    let before = if at > 0 { slope(at - 1) } else { 0.0 };
    let after = slope(at);
    match (before > 0.0 || after > 0.0, before < 0.0 || after < 0.0) {
        (false, false) => Prefer::Above,
        (true, false) => Prefer::AboveLeft,
        (false, true) => Prefer::AboveRight,
        (true, true) if before > 0.0 => Prefer::Above,
        (true, true) => Prefer::Below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_off_the_line() {
        let points = [3.0, 1.0, 1.0, 1.0, 4.0, 6.0, 2.0, 5.0];
        let points: Vec<_> = points.iter().enumerate().map(|(x, y)| (x as f64, *y)).collect();
        let sides: Vec<Prefer> = (0..points.len()).map(|at| beside(&points, at)).collect();
        let want = [
            Prefer::AboveRight,
            Prefer::AboveRight,
            Prefer::Above,
            Prefer::AboveLeft,
            Prefer::AboveLeft,
            Prefer::Above,
            Prefer::Below,
            Prefer::AboveLeft,
        ];
        assert_eq!(sides, want);
    }
}

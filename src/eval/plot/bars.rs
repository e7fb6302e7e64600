//! Bars: side by side, on top of each other, or as rows that add up to a whole.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::legend::legend;
use super::palette::Rgb;
use super::{Area, Axis, Chart, INK, PlotError, SMALL_TEXT, frame, text};

/// Share of the distance between two names that their bars take.
const WIDTH: f64 = 0.72;
/// A segment of a row narrower than this share of the row has no room for its number.
const ROOM_FOR_NUMBER: f64 = 0.06;

/// How the bars of one name stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Side by side, from zero.
    Grouped,
    /// On top of each other, the sum written over them.
    Stacked,
    /// Lying end to end, each with its number, the first name on top.
    Rows,
}

/// The bars of one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What the colour means.
    pub name: String,
    /// The colour.
    pub color: Rgb,
    /// A value for each name, ≥ 0; one that is not finite has no bar.
    pub values: Vec<f64>,
}

/// A bar chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// What the bars belong to.
    pub names: Vec<String>,
    /// Label of the axis of names; may be empty.
    pub name_label: String,
    /// Label of the axis of values, with its unit.
    pub value_label: String,
    /// The bars by colour; stacked from the first.
    pub series: Vec<Series>,
    /// How they stand.
    pub arrangement: Arrangement,
    /// Decimals of the numbers written at the bars.
    pub decimals: usize,
}

impl Bars {
    pub(super) fn draw(&self, area: &Area) -> Result<(), PlotError> {
        let entries = self.series.iter().map(|series| (series.name.as_str(), series.color));
        let area = legend(area, &entries.collect::<Vec<_>>())?;
        match self.arrangement {
            Arrangement::Grouped => self.draw_grouped(&area),
            Arrangement::Stacked => self.draw_stacked(&area),
            Arrangement::Rows => self.draw_rows(&area),
        }
    }

    fn draw_grouped(&self, area: &Area) -> Result<(), PlotError> {
        let highest = self.series.iter().flat_map(|series| series.values.iter().copied());
        let y = Axis::from_zero(&self.value_label, highest);
        let mut chart = frame(area, Axis::names(&self.name_label, &self.names), y)?;
        let width = WIDTH / self.series.len().max(1) as f64;
        for (place, series) in self.series.iter().enumerate() {
            let left = place as f64 * width - WIDTH / 2.0;
            let bars = finite(series).map(|(at, value)| {
                let start = at as f64 + left;
                // A sliver of white parts bars of similar colours.
                let corners = [(start, 0.0), (start + 0.94 * width, value)];
                Rectangle::new(corners, series.color.filled())
            });
            chart.draw_series(bars)?;
        }
        Ok(())
    }

    fn draw_stacked(&self, area: &Area) -> Result<(), PlotError> {
        let totals = self.totals();
        let y = Axis::from_zero(&self.value_label, totals.iter().copied());
        let mut chart = frame(area, Axis::names(&self.name_label, &self.names), y)?;
        let half = WIDTH / 2.0;
        self.draw_segments(&mut chart, |at, from, to| [(at - half, from), (at + half, to)])?;
        let style = text(SMALL_TEXT).pos(Pos::new(HPos::Center, VPos::Bottom));
        let numbers = totals.iter().enumerate().map(|(at, total)| {
            let number = format!("{total:.0$}", self.decimals);
            EmptyElement::at((at as f64, *total)) + Text::new(number, (0, -3), style.clone())
        });
        chart.draw_series(numbers)?;
        Ok(())
    }

    fn draw_rows(&self, area: &Area) -> Result<(), PlotError> {
        let longest = self.totals().into_iter().fold(0.0, f64::max);
        let x = Axis::numbers(&self.value_label, super::Scale::Linear, 0.0..longest.max(1e-9));
        let upwards: Vec<String> = self.names.iter().rev().cloned().collect();
        let mut chart = frame(area, x, Axis::names(&self.name_label, &upwards))?;
        let (half, top) = (WIDTH / 2.0, self.names.len() as f64 - 1.0);
        self.draw_segments(&mut chart, |at, from, to| {
            [(from, top - at - half), (to, top - at + half)]
        })?;
        let mut from = vec![0.0; self.names.len()];
        for series in &self.series {
            let color = readable_on(series.color);
            let style = text(SMALL_TEXT).color(&color).pos(Pos::new(HPos::Center, VPos::Center));
            let numbers: Vec<_> = finite(series)
                .map(|(at, value)| (at, value, from[at] + value / 2.0))
                .filter(|(_, value, _)| *value > ROOM_FOR_NUMBER * longest)
                .map(|(at, value, middle)| {
                    let number = format!("{value:.0$}", self.decimals);
                    Text::new(number, (middle, top - at as f64), style.clone())
                })
                .collect();
            chart.draw_series(numbers)?;
            finite(series).for_each(|(at, value)| from[at] += value);
        }
        Ok(())
    }

    /// Draws each value from where the one before ended; `corners` places a segment.
    fn draw_segments(
        &self,
        chart: &mut Chart,
        corners: impl Fn(f64, f64, f64) -> [(f64, f64); 2],
    ) -> Result<(), PlotError> {
        let mut from = vec![0.0; self.names.len()];
        for series in &self.series {
            let mut segments = Vec::new();
            for (at, value) in finite(series) {
                let corners = corners(at as f64, from[at], from[at] + value);
                segments.push(Rectangle::new(corners, series.color.filled()));
                from[at] += value;
            }
            chart.draw_series(segments)?;
        }
        Ok(())
    }

    fn totals(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.names.len()];
        for series in &self.series {
            finite(series).for_each(|(at, value)| totals[at] += value);
        }
        totals
    }
}

/// Dark on light colours, white on dark ones, by their luma (ITU-R BT.601).
fn readable_on(color: Rgb) -> Rgb {
    let [red, green, blue] = [color.0, color.1, color.2].map(f64::from);
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    if luma > 140.0 { INK } else { WHITE }
}

fn finite(series: &Series) -> impl Iterator<Item = (usize, f64)> {
    let values = series.values.iter().copied().enumerate();
    values.filter(|(_, value)| value.is_finite())
}

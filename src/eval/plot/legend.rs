//! Rows over the axes: the title, and what the colours mean. There they hide no data.

use plotters::prelude::*;

use super::{Area, CHARACTER, LEFT, PlotError, TEXT, TITLE_TEXT, text};

/// Height of the title's row.
const TITLE_HEIGHT: i32 = 30;
/// Height of the legend's row.
const HEIGHT: i32 = 26;

/// Draws a title and gives what is left of the area; all of it without one.
pub(in crate::eval) fn title<'a>(area: &Area<'a>, title: &str) -> Result<Area<'a>, PlotError> {
    if title.is_empty() {
        return Ok(area.clone());
    }
    let (row, rest) = area.split_vertically(TITLE_HEIGHT);
    let style = text(TITLE_TEXT);
    row.draw(&Text::new(title.to_owned(), (LEFT, 9), style))?;
    Ok(rest)
}

/// Draws the entries and gives what is left of the area; all of it without entries.
pub(in crate::eval) fn legend<'a>(
    area: &Area<'a>,
    entries: &[(&str, RGBColor)],
) -> Result<Area<'a>, PlotError> {
    if entries.is_empty() {
        return Ok(area.clone());
    }
    let (row, rest) = area.split_vertically(HEIGHT);
    let mut left = LEFT;
    for (name, color) in entries {
        let swatch = [(left, 9), (left + 14, 21)];
        row.draw(&Rectangle::new(swatch, color.filled()))?;
        row.draw(&Text::new((*name).to_owned(), (left + 20, 8), text(TEXT)))?;
        left += 44 + (CHARACTER * name.chars().count() as f64) as i32;
    }
    Ok(rest)
}

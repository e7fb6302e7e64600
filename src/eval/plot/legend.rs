//! A row over the axes that says what the colours mean: there it hides no data.

use plotters::prelude::*;

use super::{Area, CHARACTER, LEFT, PlotError, TEXT, text};

/// Height of the row.
const HEIGHT: i32 = 26;

/// Draws the entries and gives what is left of the area; all of it without entries.
pub(super) fn legend<'a>(
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

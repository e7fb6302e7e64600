//! Names beside points, placed so that they do not cover each other.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Chart, PlotError, TEXT, text};

/// Where a name is sought a place for first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefer {
    /// Where a Pareto front leaves room.
    BelowLeft,
    /// Over a level line, and over a peak.
    Above,
    /// Under a valley.
    Below,
    /// Beside a falling line.
    AboveRight,
    /// Beside a rising line.
    AboveLeft,
}

/// Writes each name beside its point.
pub(super) fn name_points<'a>(
    chart: &mut Chart,
    names: impl IntoIterator<Item = (&'a str, (f64, f64), Prefer)>,
) -> Result<(), PlotError> {
    let mut taken: Vec<Extent> = Vec::new();
    for (name, at, prefer) in names {
        let (offset, extent) = free_place(chart.backend_coord(&at), name, prefer, &taken);
        let style = text(TEXT).pos(Pos::new(HPos::Left, VPos::Center));
        let label = Text::new(name.to_owned(), offset, style);
        chart.draw_series([EmptyElement::at(at) + label])?;
        taken.push(extent);
    }
    Ok(())
}

/// Left, top, right and bottom in pixels.
type Extent = [i32; 4];

/// The offset of the first place around a point where its name covers no other name, and what it
/// takes.
fn free_place(
    at: (i32, i32),
    name: &str,
    prefer: Prefer,
    taken: &[Extent],
) -> ((i32, i32), Extent) {
    let width = 9 * name.chars().count() as i32;
    let first = match prefer {
        Prefer::BelowLeft => (-width - 6, 12),
        Prefer::Above => (-width / 2, -16),
        Prefer::Below => (-width / 2, 16),
        Prefer::AboveRight => (6, -12),
        Prefer::AboveLeft => (-width - 4, -12),
    };
    let others = [
        (-width / 2, 16),
        (-width / 2, -16),
        (8, -12),
        (10, 0),
        (-width - 10, 0),
        (-width / 2, 32),
        (-width / 2, -32),
    ];
    let offsets: Vec<(i32, i32)> = [first].into_iter().chain(others).collect();
    let extent = |offset: (i32, i32)| {
        let (left, middle) = (at.0 + offset.0, at.1 + offset.1);
        [left, middle - 8, left + width, middle + 8]
    };
    let free = |offset: &&(i32, i32)| taken.iter().all(|other| !overlap(extent(**offset), *other));
    let offset = offsets.iter().find(free).copied().unwrap_or(offsets[0]);
    (offset, extent(offset))
}

fn overlap(a: Extent, b: Extent) -> bool {
    a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_cover_each_other() {
        let mut taken = Vec::new();
        for step in 0..3 {
            let (_, label) = free_place((100 + 4 * step, 100), "v1", Prefer::Above, &taken);
            assert!(taken.iter().all(|other| !overlap(label, *other)));
            taken.push(label);
        }
    }
}

//! A cloud of measured points and the staircase of those that no other point dominates.

use plotters::prelude::*;

use super::label::{Prefer, name_points};
use super::legend::legend;
use super::palette::{PALE, STRONG};
use super::{Axis, INK, PlotError, Scale, frame, picture};

/// A named point.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What is written beside it.
    pub name: String,
    /// Where it is.
    pub at: (f64, f64),
}

/// A cloud of points, smaller being better on both axes.
#[derive(Clone, Copy, Debug)]
pub struct Scatter<'a> {
    /// The label of the x axis, with its unit, and how it is spread.
    pub x: (&'a str, Scale),
    /// The label of the y axis, with its unit, and how it is spread.
    pub y: (&'a str, Scale),
    /// The points. What is not finite, or not positive on a logarithmic axis, is left out.
    pub points: &'a [(f64, f64)],
    /// Indices of the points that no other dominates, in any order.
    pub front: &'a [usize],
    /// Points to name.
    pub marks: &'a [Mark],
}

/// Draws the cloud, its front and the named points as SVG text.
///
/// # Errors
/// The drawing library fails.
pub fn scatter_with_front(scatter: &Scatter) -> Result<String, PlotError> {
    let marks = scatter.marks.iter().map(|mark| mark.at);
    let shown: Vec<(f64, f64)> = scatter.points.iter().copied().chain(marks).collect();
    let shown: Vec<(f64, f64)> = shown.into_iter().filter(|at| scatter.shows(*at)).collect();
    let x = Axis::around(scatter.x.0, scatter.x.1, shown.iter().map(|at| at.0));
    let y = Axis::around(scatter.y.0, scatter.y.1, shown.iter().map(|at| at.1));
    picture((860, 520), |area| {
        let entries = [("measured", PALE), ("Pareto front", STRONG)];
        let mut chart = frame(&legend(area, &entries)?, x, y)?;
        let points = scatter.points.iter().filter(|at| scatter.shows(**at));
        chart.draw_series(points.map(|at| Circle::new(*at, 2, PALE.mix(0.6).filled())))?;
        let front = scatter.front_points();
        chart.draw_series(LineSeries::new(staircase(&front), STRONG.mix(0.7).stroke_width(2)))?;
        chart.draw_series(front.iter().map(|at| Circle::new(*at, 3, STRONG.filled())))?;
        let marks = || scatter.marks.iter().filter(|mark| scatter.shows(mark.at));
        chart.draw_series(marks().map(|mark| Circle::new(mark.at, 5, INK.stroke_width(2))))?;
        let named = marks().map(|mark| (mark.name.as_str(), mark.at, Prefer::BelowLeft));
        name_points(&mut chart, named)
    })
}

impl Scatter<'_> {
    fn shows(&self, at: (f64, f64)) -> bool {
        let fits = |value: f64, scale| value.is_finite() && (scale == Scale::Linear || value > 0.0);
        fits(at.0, self.x.1) && fits(at.1, self.y.1)
    }

    /// The front from left to right.
    fn front_points(&self) -> Vec<(f64, f64)> {
        let at = |&index: &usize| self.points.get(index).copied();
        let mut front: Vec<_> = self.front.iter().filter_map(at).collect();
        front.retain(|at| self.shows(*at));
        front.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        front
    }
}

/// The border of what the front dominates: to the right, then down.
fn staircase(front: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let corners = front.windows(2).flat_map(|pair| [(pair[1].0, pair[0].1), pair[1]]);
    front.first().copied().into_iter().chain(corners).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_is_a_staircase_from_left_to_right() {
        let points = [(3.0, 1.0), (1.0, 4.0), (2.0, 2.0), (9.0, 9.0), (0.0, f64::NAN)];
        let scatter = Scatter {
            x: ("response (s)", Scale::Linear),
            y: ("error (%)", Scale::Linear),
            points: &points,
            front: &[0, 2, 1, 4, 77],
            marks: &[],
        };
        let corners = staircase(&scatter.front_points());
        let want = [(1.0, 4.0), (2.0, 4.0), (2.0, 2.0), (3.0, 2.0), (3.0, 1.0)];
        assert_eq!(corners, want);
    }

    #[test]
    fn the_picture_names_axes_and_marks_and_escapes_them() {
        let mark = Mark { name: "v<1>".into(), at: (1.0, 1.0) };
        let svg = scatter_with_front(&Scatter {
            x: ("response (s)", Scale::Logarithmic),
            y: ("error (%)", Scale::Linear),
            points: &[(1.0, 1.0), (0.0, 3.0)],
            front: &[0],
            marks: &[mark],
        });
        let svg = svg.unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        for label in ["response (s)", "error (%)", "v&lt;1&gt;", "Pareto front"] {
            assert!(svg.contains(label), "{label}");
        }
        assert!(
            scatter_with_front(&Scatter {
                x: ("x", Scale::Linear),
                y: ("y", Scale::Linear),
                points: &[],
                front: &[],
                marks: &[],
            })
            .is_ok()
        );
    }
}

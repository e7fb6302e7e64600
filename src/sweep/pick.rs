//! Which points of the front become versions: spread evenly in the logarithm of time between the
//! fastest useful and the most accurate, so that each is slower than the one before by about the
//! same factor.

use super::Point;
use crate::provenance::MadeFor;
use crate::recognizer::{Measured, SettingError, Version, Versions};

/// Why no versions can be picked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PickError {
    /// There are not two worth having.
    #[error("the front has no two useful points: sweep more settings")]
    TooFew,
    /// A point's setting is none.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

/// The versions that [`pick`] chooses, `v1` the fastest, for a model of these parts; `measured_on`
/// says on what the points were measured.
///
/// # Errors
/// There are fewer than two, or a point has no setting.
pub fn versions(
    points: &[Point],
    (count, gap): (usize, f64),
    made_for: MadeFor,
    measured_on: String,
) -> Result<Versions, PickError> {
    let chosen = pick(points, count, gap);
    if chosen.len() < 2 {
        return Err(PickError::TooFew);
    }
    let version = |(number, &at): (usize, &usize)| -> Result<Version, PickError> {
        let point = &points[at];
        Ok(Version {
            name: format!("v{}", number + 1),
            measured: Measured {
                wer_percent: rounded(point.wer_percent, 3),
                response_seconds: rounded(point.response_seconds, 5),
                arcs_per_frame: rounded(point.arcs_per_frame, 1),
            },
            setting: point.setting.parse()?,
        })
    };
    Ok(Versions {
        measured_on,
        made_for: MadeFor { versions: None, calibration: None, ..made_for },
        list: chosen.iter().enumerate().map(version).collect::<Result<_, _>>()?,
    })
}

fn rounded(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

/// Indices of `count` points along the response-time front, fastest first; fewer if the front has
/// fewer useful ones.
///
/// The last is the most accurate point. Useful are the points with at most `1 + gap` times its word
/// error rate; the first is the fastest of these. Those between are chosen so that the squared
/// distances of the logarithms of their response times from even steps add up to the least.
///
/// ```
/// use paretone::sweep::pick;
///
/// assert!(pick(&[], 7, 0.12).is_empty()); // nothing measured, nothing picked
/// ```
pub fn pick(points: &[Point], count: usize, gap: f64) -> Vec<usize> {
    let mut front: Vec<usize> = (0..points.len()).filter(|&at| points[at].on_front).collect();
    front.sort_by(|&a, &b| {
        let time = |at: usize| points[at].response_seconds;
        time(a).total_cmp(&time(b))
    });
    let Some(&last) = front.last() else {
        return Vec::new();
    };
    let limit = (1.0 + gap) * points[last].wer_percent;
    front.retain(|&at| points[at].wer_percent <= limit);
    if front.len() <= count || count < 2 {
        return front.split_off(front.len().saturating_sub(count));
    }
    let times = front.iter().map(|&at| points[at].response_seconds.ln());
    let chosen = evenly(&times.collect::<Vec<f64>>(), count);
    chosen.into_iter().map(|at| front[at]).collect()
}

/// Indices of `count` values, the first and the last among them, nearest to even steps between
/// these two; `count` is at least 2 and at most the number of values. Dynamic programming over
/// (step, value).
fn evenly(values: &[f64], count: usize) -> Vec<usize> {
    let last = values.len() - 1;
    let step = (values[last] - values[0]) / (count - 1) as f64;
    let off = |k: usize, at: usize| (values[at] - (values[0] + step * k as f64)).powi(2);
    let mut best = vec![f64::INFINITY; values.len()];
    best[0] = 0.0;
    let mut from = Vec::new();
    for k in 1..count {
        let mut next = vec![f64::INFINITY; values.len()];
        let mut back = vec![0; values.len()];
        let mut before = 0;
        for at in 1..values.len() {
            if best[at - 1] < best[before] {
                before = at - 1;
            }
            next[at] = best[before] + off(k, at);
            back[at] = before;
        }
        best = next;
        from.push(back);
    }
    let mut chosen = vec![last];
    for back in from.iter().rev() {
        chosen.push(back[*chosen.last().expect("it starts with one")]);
    }
    chosen.reverse();
    chosen
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point((response_seconds, wer_percent): (f64, f64)) -> Point {
        Point { response_seconds, wer_percent, on_front: true, ..Point::default() }
    }

    #[test]
    fn picks_along_the_front() {
        let front = [(1.0, 30.0), (2.0, 12.0), (3.0, 11.9), (4.0, 11.4), (5.0, 11.1), (6.0, 10.0)];
        let mut points: Vec<Point> = front.map(point).to_vec();
        points[3].on_front = false;
        assert_eq!(pick(&points, 3, 0.25), [1, 2, 5]);
        assert_eq!(pick(&points, 7, 0.25), [1, 2, 4, 5]);
        assert_eq!(pick(&points, 2, 9.0), [0, 5]);
        assert!(pick(&[], 7, 0.1).is_empty());
    }

    proptest! {
        /// The best of all choices, by trying all.
        #[test]
        fn the_steps_are_the_most_even(values in prop::collection::vec(0.0f64..9.0, 4..9)) {
            let mut values = values;
            values.sort_by(|a, b| b.total_cmp(a));
            let last = values.len() - 1;
            let target = |k: f64| values[0] + (values[last] - values[0]) * k / 3.0;
            let price = |i: usize, j: usize| {
                (values[i] - target(1.0)).powi(2) + (values[j] - target(2.0)).powi(2)
            };
            let pairs = (1..last).flat_map(|i| (i + 1..last).map(move |j| (i, j)));
            let least = pairs.map(|(i, j)| price(i, j)).fold(f64::INFINITY, f64::min);
            let chosen = evenly(&values, 4);
            prop_assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!((chosen[0], chosen[3]), (0, last));
            prop_assert!((price(chosen[1], chosen[2]) - least).abs() < 1e-9);
        }
    }
}

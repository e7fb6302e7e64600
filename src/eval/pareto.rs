//! Pareto fronts: the points that no other point dominates.

/// Returns the indices of the points on the Pareto front, by ascending first coordinate. Smaller is
/// better in both coordinates.
///
/// A point is dominated if another is no worse in both coordinates and better in one. Of equal
/// points the first is kept. Points with a coordinate that is no number are left out.
///
/// ```
/// use paretone::eval::pareto::front;
///
/// // Seconds and errors: the third point is slower than the first and no better.
/// assert_eq!(front(&[(1.0, 9.0), (3.0, 5.0), (2.0, 9.0)]), [0, 1]);
/// ```
pub fn front(points: &[(f64, f64)]) -> Vec<usize> {
    let is_number = |&at: &usize| !points[at].0.is_nan() && !points[at].1.is_nan();
    let mut order: Vec<usize> = (0..points.len()).filter(is_number).collect();
    order.sort_by(|&a, &b| {
        let (p, q) = (points[a], points[b]);
        p.0.total_cmp(&q.0).then(p.1.total_cmp(&q.1)).then(a.cmp(&b))
    });
    let mut best = f64::INFINITY;
    order.retain(|&at| {
        let on_front = points[at].1 < best;
        best = best.min(points[at].1);
        on_front
    });
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The definition, pair by pair.
        #[test]
        fn the_front_is_what_nothing_dominates(
            points in prop::collection::vec((0u8..12, 0u8..12), 0..60),
        ) {
            let points: Vec<(f64, f64)> =
                points.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
            let dominates = |q: (f64, f64), p: (f64, f64)| q.0 <= p.0 && q.1 <= p.1 && q != p;
            let mut expected: Vec<usize> = (0..points.len())
                .filter(|&at| {
                    let first = points[..at].iter().all(|&q| q != points[at]);
                    first && points.iter().all(|&q| !dominates(q, points[at]))
                })
                .collect();
            expected.sort_by(|&a, &b| points[a].0.total_cmp(&points[b].0));
            prop_assert_eq!(front(&points), expected);
        }
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        assert_eq!(front(&[(f64::NAN, 1.0), (1.0, 2.0), (0.0, f64::NAN)]), [1]);
        assert!(front(&[]).is_empty());
    }
}

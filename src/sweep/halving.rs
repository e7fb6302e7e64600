//! Successive halving: settings that do badly on few utterances are not measured on many.
//!
//! Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter
//! optimization", AISTATS 2016, with two goals in place of one: settings are kept front by front
//! (non-dominated sorting, Deb et al. 2002). The goals are word errors and arcs, both the same on
//! every machine, so that an interrupted search goes on with the same settings.

use crate::eval::pareto;

/// How many utterances each rung measures in all: doubled from rung to rung up to `utterances`, so
/// that each rung costs about the same.
pub fn rungs(settings: usize, utterances: usize) -> Vec<usize> {
    let halvings = usize::BITS - settings.max(1).leading_zeros() - 1;
    let rungs = (0..=halvings.min(5)).rev();
    let mut sizes: Vec<usize> = rungs.map(|back| utterances.div_ceil(1 << back)).collect();
    sizes.dedup();
    sizes
}

/// The better half of the points, front by front, as indices in ascending order; smaller is better
/// in both coordinates. Of the front that is cut, the points with the smallest second coordinate
/// stay.
///
/// ```
/// use paretone::sweep::halving::better_half;
///
/// assert_eq!(better_half(&[(1.0, 9.0), (2.0, 9.5), (3.0, 5.0), (4.0, 9.9)]).len(), 2);
/// ```
pub fn better_half(points: &[(f64, f64)]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..points.len()).collect();
    let keep = points.len().div_ceil(2);
    let mut kept = Vec::with_capacity(keep);
    while kept.len() < keep {
        let coordinates: Vec<(f64, f64)> = left.iter().map(|&at| points[at]).collect();
        let mut front = pareto::front(&coordinates);
        if front.is_empty() {
            break;
        }
        front.sort_by(|&a, &b| coordinates[a].1.total_cmp(&coordinates[b].1));
        front.truncate(keep - kept.len());
        front.sort_unstable();
        kept.extend(front.iter().map(|&at| left[at]));
        for at in front.into_iter().rev() {
            left.remove(at);
        }
    }
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_double_up_to_all() {
        assert_eq!(rungs(500, 320), [10, 20, 40, 80, 160, 320]);
        assert_eq!(rungs(4, 100), [25, 50, 100]);
        assert_eq!(rungs(1, 7), [7]);
    }

    #[test]
    fn the_first_fronts_stay() {
        let points = [(1.0, 9.0), (9.0, 1.0), (2.0, 10.0), (10.0, 10.0), (3.0, 11.0), (11.0, 11.0)];
        assert_eq!(better_half(&points), [0, 1, 2]);
        assert_eq!(better_half(&points[..4]), [0, 1]);
        assert!(better_half(&[]).is_empty());
    }
}

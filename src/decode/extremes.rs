//! Minimum, maximum and count of many floats, the former kept in separate lanes so that the
//! compiler uses vector instructions.
//!
//! `f32::min` and `f32::max` handle NaN, and a conditional store must keep the old value. Each
//! takes several times the instructions of a plain choice between two values, which is one.

/// The smaller of two; the first if they cannot be compared.
#[inline(always)]
pub(super) fn lower(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

/// The larger of two; the first if they cannot be compared.
#[inline(always)]
fn higher(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// The lowest cost, infinite if there is none.
pub(super) fn lowest_of(costs: &[f32]) -> f32 {
    const LANES: usize = 8;
    let mut lowest = [f32::INFINITY; LANES];
    let (rows, rest) = costs.as_chunks::<LANES>();
    for row in rows {
        for lane in 0..LANES {
            lowest[lane] = lower(lowest[lane], row[lane]);
        }
    }
    let lanes = lowest.iter().chain(rest).copied();
    lanes.fold(f32::INFINITY, lower)
}

/// Returns the highest score, or the index of a score that is NaN or plus infinity. This takes one
/// pass; a separate scan for bad scores took a tenth of a narrow search.
pub(super) fn highest_of(scores: &[f32]) -> Result<f32, usize> {
    const LANES: usize = 16;
    let (mut highest, mut sums) = ([f32::NEG_INFINITY; LANES], [0.0; LANES]);
    let (rows, rest) = scores.as_chunks::<LANES>();
    for row in rows {
        for lane in 0..LANES {
            highest[lane] = higher(highest[lane], row[lane]);
            sums[lane] += row[lane];
        }
    }
    // A bad score makes the sum NaN or infinite upwards; so may good ones that are huge.
    let sum: f32 = sums.iter().chain(rest).sum();
    let bad = |score: &f32| score.is_nan() || *score == f32::INFINITY;
    if bad(&sum)
        && let Some(pdf) = scores.iter().position(bad)
    {
        return Err(pdf);
    }
    let lanes = highest.iter().chain(rest).copied();
    Ok(lanes.fold(f32::NEG_INFINITY, higher))
}

/// How many scores are at least `least`.
pub(super) fn count_from(scores: &[f32], least: f32) -> u32 {
    scores.iter().map(|&score| u32::from(score >= least)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_counted_from_the_least_on() {
        assert_eq!(count_from(&[-1.0, -3.0, -3.1, f32::NEG_INFINITY], -3.0), 2);
        assert_eq!(count_from(&[], 0.0), 0);
    }
}

//! How much alike the requests of one group are.

/// Intra-class correlation from a one-way analysis of variance, for groups of unequal size: 0 when
/// requests of a group are as different as any, 1 when they are all the same (Donner 1986, "A
/// review of inference procedures for the intraclass correlation coefficient in the one-way random
/// effects model"). None with fewer than two groups, or where every group has one request only.
pub fn intra_class(values: &[f64], groups: &[usize]) -> Option<f64> {
    let mut sums = vec![(0usize, 0.0); groups.iter().max()? + 1];
    for (&value, &group) in values.iter().zip(groups) {
        sums[group].0 += 1;
        sums[group].1 += value;
    }
    sums.retain(|(count, _)| *count > 0);
    let (n, k) = (values.len() as f64, sums.len() as f64);
    if k < 2.0 || n <= k {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let total: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let between: f64 =
        sums.iter().map(|(count, sum)| (sum - *count as f64 * mean).powi(2) / *count as f64).sum();
    let typical =
        (n - sums.iter().map(|(count, _)| (*count as f64).powi(2)).sum::<f64>() / n) / (k - 1.0);
    let (between, within) = (between / (k - 1.0), (total - between) / (n - k));
    let spread = between + (typical - 1.0) * within;
    (spread > 0.0).then(|| (between - within) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_agree_correlate() {
        assert_eq!(intra_class(&[1.0, 1.0, 3.0, 3.0], &[0, 0, 5, 5]), Some(1.0));
        assert_eq!(intra_class(&[1.0, 3.0, 1.0, 3.0], &[0, 0, 1, 1]), Some(-1.0));
        assert_eq!(intra_class(&[1.0, 2.0], &[0, 1]), None);
    }
}

//! Costs in 256 steps: one-dimensional k-means, exact where there are no more than 256 values.

use super::CODES;

/// Rounds of Lloyd's iteration; the steps have settled to a thousandth by then.
const ROUNDS: usize = 12;

/// Costs in eight bits each.
pub(super) struct Quantised {
    /// Index of each value in `codebook`.
    pub(super) codes: Vec<u8>,
    /// The 256 values that stand for all, ascending.
    pub(super) codebook: Vec<f32>,
}

/// Chooses 256 values that are near to the given ones in the sense of least squares, and codes each
/// value by the nearest. Infinite values keep a code of their own.
pub(super) fn quantise(values: &[f32]) -> Quantised {
    let mut sorted: Vec<f32> = values.to_vec();
    sorted.sort_unstable_by(f32::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let mut codebook = if distinct.len() <= CODES { distinct } else { centres(&sorted) };
    codebook.resize(CODES, codebook.last().copied().unwrap_or(0.0));
    let codes = values.iter().map(|&value| nearest(&codebook, value)).collect();
    Quantised { codes, codebook }
}

/// Index of the nearest entry of an ascending codebook.
fn nearest(codebook: &[f32], value: f32) -> u8 {
    let above = codebook.partition_point(|&entry| entry < value).min(CODES - 1);
    let below = above.saturating_sub(1);
    let nearer_below = value - codebook[below] < codebook[above] - value;
    (if nearer_below { below } else { above }) as u8
}

/// Means of 256 groups of the ascending values, found by Lloyd's iteration from groups of equal
/// size.
fn centres(sorted: &[f32]) -> Vec<f32> {
    let finite = sorted.partition_point(|value| value.is_finite());
    let groups = if finite < sorted.len() { CODES - 1 } else { CODES };
    let mut sums = vec![0.0f64];
    sums.extend(sorted[..finite].iter().scan(0.0, |sum, &value| {
        *sum += f64::from(value);
        Some(*sum)
    }));
    let mut edges: Vec<usize> = (0..=groups).map(|g| g * finite / groups).collect();
    let mut means: Vec<f32> = Vec::new();
    for _ in 0..ROUNDS {
        let filled = edges.windows(2).filter(|edge| edge[0] < edge[1]);
        means = filled
            .map(|edge| ((sums[edge[1]] - sums[edge[0]]) / (edge[1] - edge[0]) as f64) as f32)
            .collect();
        edges = vec![0];
        edges.extend(means.windows(2).map(|pair| {
            let middle = 0.5 * (pair[0] + pair[1]);
            sorted[..finite].partition_point(|&value| value < middle)
        }));
        edges.push(finite);
    }
    if finite < sorted.len() {
        means.push(f32::INFINITY);
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_exact() {
        let values = [3.5, 0.25, f32::INFINITY, 3.5, -1.0];
        let q = quantise(&values);
        let back: Vec<f32> = q.codes.iter().map(|&c| q.codebook[c as usize]).collect();
        assert_eq!(back, values);
        assert_eq!(quantise(&[]).codebook.len(), CODES);
    }

    #[test]
    fn many_values_are_near() {
        let mut values: Vec<f32> = (0..20_000).map(|i| (i as f32).sqrt() / 10.0).collect();
        values.push(f32::INFINITY);
        let q = quantise(&values);
        let mut squares = 0.0;
        for (&value, &code) in values.iter().zip(&q.codes) {
            let back = q.codebook[code as usize];
            squares += if value == back { 0.0 } else { (value - back).powi(2) };
        }
        // 256 even steps over 14.1 would err by 0.016 in the root of the mean square.
        let error = (squares / values.len() as f32).sqrt();
        assert!(error < 0.03, "{error}");
    }
}

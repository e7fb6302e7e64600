//! Quantiles of sorted values.

/// The value below which a share of the sorted values lies, linearly interpolated between the two
/// nearest (definition 7 of Hyndman and Fan 1996, "Sample quantiles in statistical packages", which
/// NumPy and R use too); none without values.
///
/// ```
/// use paretone::eval::quantile;
///
/// assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), Some(3.0));
/// assert_eq!(quantile(&[], 0.5), None);
/// ```
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let at = share.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[at as usize], sorted[at.ceil() as usize]);
    Some(below + (above - below) * at.fract())
}

//! The matrices of an i-vector extractor, checked and brought into the forms that frames need.
//!
//! Reference: Kaldi's `ivector/ivector-extractor.cc`, `gmm/diag-gmm.cc`.

use ndarray::Array2;

use crate::feature::{OnlineMean, OnlineMeanConfig};

/// Gaussians that a frame counts for at most.
pub(super) const MOST_CHOSEN: usize = 5;
/// Gaussians less likely than this, of all that a frame counts for, are left out.
const LEAST_POSTERIOR: f32 = 0.025;
/// Bounds that no sensible extractor reaches; they keep what is derived in proportion.
const MOST_GAUSSIANS: usize = 1 << 14;
const WIDEST: usize = 1 << 10;
const WIDEST_SPLICE: usize = 64;
const MOST_PRECISIONS: usize = 1 << 25;

/// What an extractor is made from.
#[derive(Clone, Debug)]
pub struct IVectorParts {
    /// Frames read before and after each.
    pub splice: (usize, usize),
    /// From spliced features to those of the mixture; one more column is added to the product.
    pub transform: Array2<f32>,
    /// The mean of training features, by dimension, and how it is mixed with the running one.
    pub mean: (Vec<f32>, OnlineMeanConfig),
    /// The mixture that says which Gaussians a frame belongs to.
    pub mixture: Mixture,
    /// By Gaussian: how its mean moves with the i-vector, features × i-vector dimensions.
    pub factors: Vec<Array2<f64>>,
    /// By Gaussian: the inverse of its covariance.
    pub inverse_covariances: Vec<Array2<f64>>,
    /// The first value of the mean i-vector; all others are zero.
    pub offset: f64,
}

/// A mixture of Gaussians with diagonal covariances.
#[derive(Clone, Debug)]
pub struct Mixture {
    /// By Gaussian.
    pub weights: Vec<f32>,
    /// Means over variances, Gaussians × features.
    pub scaled_means: Array2<f32>,
    /// Inverse variances, Gaussians × features.
    pub inverse_variances: Array2<f32>,
}

/// A part of an extractor that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {part} of the i-vector extractor: {what}")]
pub struct IVectorError {
    /// Which.
    pub part: IVectorPart,
    /// What is wrong, with the numbers.
    pub what: String,
}

/// The parts of an extractor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IVectorPart {
    /// [`IVectorParts::splice`].
    Splice,
    /// [`IVectorParts::transform`].
    Transform,
    /// [`IVectorParts::mean`].
    Mean,
    /// [`IVectorParts::mixture`].
    Mixture,
    /// [`IVectorParts::factors`] and [`IVectorParts::inverse_covariances`].
    Factors,
}

impl std::fmt::Display for IVectorPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            IVectorPart::Splice => "splicing",
            IVectorPart::Transform => "transform",
            IVectorPart::Mean => "mean",
            IVectorPart::Mixture => "mixture",
            IVectorPart::Factors => "factors",
        })
    }
}

/// An i-vector extractor: immutable.
pub struct IVectorExtractor {
    /// Frames read before and after each.
    pub(super) splice: (usize, usize),
    /// Values of a frame, of a frame of the mixture, and of an i-vector; Gaussians.
    pub(super) dims: usize,
    pub(super) width: usize,
    pub(super) ivector_dim: usize,
    pub(super) gaussians: usize,
    pub(super) offset: f64,
    mean: OnlineMean,
    /// Columns of the transform, one behind the other, and what is added.
    transform: Vec<f32>,
    shift: Vec<f32>,
    /// log p(x) of Gaussian g is `constants[g] + Σ linear[d][g] x[d] + Σ square[d][g] x[d]²`.
    constants: Vec<f32>,
    linear: Vec<f32>,
    square: Vec<f32>,
    /// By Gaussian: Σ⁻¹M, features × i-vector dimensions, and the lower triangle of MᵀΣ⁻¹M.
    pub(super) projections: Vec<f64>,
    pub(super) precisions: Vec<f64>,
}

/// The Gaussians of a frame, most likely first, with likelihoods relative to the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chosen {
    gaussians: [(u32, f32); MOST_CHOSEN],
    count: usize,
}

impl IVectorExtractor {
    /// Checks the parts and derives what frames need.
    ///
    /// # Errors
    /// The parts' dimensions differ, are too large, or the mixture is none.
    pub fn new(parts: IVectorParts) -> Result<Self, IVectorError> {
        let dims = parts.mean.0.len();
        let spliced = check_splice(parts.splice, dims, &parts.transform)?;
        let width = parts.transform.nrows();
        check_mixture(&parts.mixture, width)?;
        let gaussians = parts.mixture.weights.len();
        let ivector_dim = check_factors(&parts, (gaussians, width))?;
        let mean = OnlineMean::new(parts.mean.1, dims, Some(&parts.mean.0));
        let mean = mean
            .map_err(|error| IVectorError { part: IVectorPart::Mean, what: error.to_string() })?;
        let (constants, linear, square) = likelihoods(&parts.mixture);
        let (projections, precisions) = derived(&parts, ivector_dim);
        let columns = parts.transform.columns().into_iter();
        let shift = match parts.transform.ncols() > spliced {
            true => parts.transform.column(spliced).to_vec(),
            false => vec![0.0; width],
        };
        Ok(IVectorExtractor {
            splice: parts.splice,
            dims,
            width,
            ivector_dim,
            gaussians,
            offset: parts.offset,
            mean,
            transform: columns.take(spliced).flatten().copied().collect(),
            shift,
            constants,
            linear,
            square,
            projections,
            precisions,
        })
    }

    /// Values of a feature frame.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Values of an i-vector.
    pub fn ivector_dim(&self) -> usize {
        self.ivector_dim
    }

    /// The running mean that the mixture's features are taken less, at the beginning.
    pub(super) fn mean(&self) -> OnlineMean {
        self.mean.clone()
    }

    /// Writes the transform of spliced frames.
    pub(super) fn transform(&self, spliced: &[f32], to: &mut [f32]) {
        to.copy_from_slice(&self.shift);
        for (column, value) in self.transform.chunks_exact(self.width).zip(spliced) {
            to.iter_mut().zip(column).for_each(|(to, weight)| *to += weight * value);
        }
    }

    /// The Gaussians that a transformed frame belongs to; none where its likelihoods are no
    /// numbers. `likelihoods` is written over.
    pub(super) fn choose(&self, frame: &[f32], likelihoods: &mut Vec<f32>) -> Chosen {
        likelihoods.clear();
        likelihoods.extend_from_slice(&self.constants);
        let rows = self.linear.chunks_exact(self.gaussians);
        let rows = rows.zip(self.square.chunks_exact(self.gaussians)).zip(frame);
        for ((linear, square), value) in rows {
            let squared = value * value;
            let terms = likelihoods.iter_mut().zip(linear).zip(square);
            terms.for_each(|((to, linear), square)| *to += linear * value + square * squared);
        }
        let best = likelihoods.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let least = best + LEAST_POSTERIOR.ln();
        let mut chosen = Chosen::default();
        for (gaussian, likelihood) in likelihoods.iter().enumerate() {
            if *likelihood > least {
                chosen.insert(gaussian as u32, (likelihood - best).exp());
            }
        }
        chosen
    }
}

impl Chosen {
    /// Keeps the most likely ones, in order; of equal ones the first.
    fn insert(&mut self, gaussian: u32, likelihood: f32) {
        let better = |other: &&(u32, f32)| other.1 >= likelihood;
        let at = self.gaussians[..self.count].iter().take_while(better).count();
        if at == MOST_CHOSEN {
            return;
        }
        self.count = (self.count + 1).min(MOST_CHOSEN);
        self.gaussians[at..self.count].rotate_right(1);
        self.gaussians[at] = (gaussian, likelihood);
    }

    /// The posteriors of a frame that counts `weight` times: where it counts little, only of what
    /// is near the most likely Gaussian.
    pub(super) fn posteriors(&self, weight: f32) -> impl Iterator<Item = (u32, f32)> {
        let least = (LEAST_POSTERIOR / weight.abs()).min(0.99);
        let near = |(_, likelihood): &&(u32, f32)| *likelihood > least;
        let mut count = self.gaussians[..self.count].iter().take_while(near).count();
        let mut total: f32 = self.gaussians[..count].iter().map(|(_, likelihood)| likelihood).sum();
        let cut = least * total;
        while count > 1 && self.gaussians[count - 1].1 < cut {
            count -= 1;
            total -= self.gaussians[count].1;
        }
        let kept = self.gaussians.into_iter().take(count);
        kept.map(move |(gaussian, likelihood)| (gaussian, likelihood / total))
    }
}

/// Returns the values of spliced frames.
fn check_splice(
    (before, after): (usize, usize),
    dims: usize,
    transform: &Array2<f32>,
) -> Result<usize, IVectorError> {
    let window = before.saturating_add(after).saturating_add(1);
    let what = format!("{before} frames before and {after} after each, of {dims} values");
    check(IVectorPart::Splice, window <= WIDEST_SPLICE && (1..=WIDEST).contains(&dims), &what)?;
    let (rows, columns) = transform.dim();
    let spliced = window * dims;
    let fits = columns == spliced || columns == spliced + 1;
    let what = format!("{rows} rows and {columns} columns for {spliced} spliced values");
    check(IVectorPart::Transform, fits && (1..=WIDEST).contains(&rows), &what)?;
    Ok(spliced)
}

fn check_mixture(mixture: &Mixture, width: usize) -> Result<(), IVectorError> {
    let Mixture { weights, scaled_means, inverse_variances } = mixture;
    let count = weights.len();
    let what = format!(
        "{count} weights, means of {:?} and variances of {:?} for {width} values",
        scaled_means.dim(),
        inverse_variances.dim()
    );
    let shapes = [scaled_means.dim(), inverse_variances.dim()] == [(count, width); 2];
    check(IVectorPart::Mixture, shapes && (1..=MOST_GAUSSIANS).contains(&count), &what)?;
    let positive = inverse_variances.iter().all(|inverse| *inverse > 0.0);
    check(IVectorPart::Mixture, positive, "a variance that is not above zero")?;
    let weighty = weights.iter().all(|weight| *weight >= 0.0) && weights.iter().any(|w| *w > 0.0);
    check(IVectorPart::Mixture, weighty, "weights below zero, or no weight above it")
}

/// Returns the values of an i-vector.
fn check_factors(
    parts: &IVectorParts,
    (gaussians, width): (usize, usize),
) -> Result<usize, IVectorError> {
    let IVectorParts { factors, inverse_covariances, .. } = parts;
    let ivector_dim = factors.first().map_or(0, Array2::ncols);
    let counts = (factors.len(), inverse_covariances.len());
    let what = format!("{counts:?} matrices for the {gaussians} Gaussians of the mixture");
    check(IVectorPart::Factors, counts == (gaussians, gaussians), &what)?;
    let whole = factors.iter().all(|factors| factors.dim() == (width, ivector_dim))
        && inverse_covariances.iter().all(|inverse| inverse.dim() == (width, width));
    let what = format!("matrices of other dimensions than {width} and {ivector_dim}");
    check(IVectorPart::Factors, whole && (1..=WIDEST).contains(&ivector_dim), &what)?;
    let derived = gaussians * triangle(ivector_dim).max(width * ivector_dim);
    let what = format!("{gaussians} Gaussians and {ivector_dim} dimensions, which are too many");
    check(IVectorPart::Factors, derived <= MOST_PRECISIONS, &what)?;
    Ok(ivector_dim)
}

fn check(part: IVectorPart, holds: bool, what: &str) -> Result<(), IVectorError> {
    match holds {
        true => Ok(()),
        false => Err(IVectorError { part, what: what.to_owned() }),
    }
}

/// Elements of a lower triangle.
pub(super) fn triangle(dim: usize) -> usize {
    dim * (dim + 1) / 2
}

/// Constants, factors of values and factors of squares, the last two by dimension.
fn likelihoods(mixture: &Mixture) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let Mixture { weights, scaled_means, inverse_variances } = mixture;
    let circle = (2.0 * std::f64::consts::PI).ln();
    let rows = scaled_means.rows().into_iter().zip(inverse_variances.rows());
    let constants = weights.iter().zip(rows).map(|(weight, (means, inverses))| {
        let terms = means.iter().zip(inverses).map(|(mean, inverse)| {
            let (mean, inverse) = (f64::from(*mean), f64::from(*inverse));
            circle - inverse.ln() + mean * mean / inverse
        });
        (f64::from(*weight).ln() - 0.5 * terms.sum::<f64>()) as f32
    });
    let constants = constants.collect();
    let linear = scaled_means.t().iter().copied().collect();
    let square = inverse_variances.t().iter().map(|inverse| -0.5 * inverse).collect();
    (constants, linear, square)
}

/// By Gaussian: Σ⁻¹M, and the lower triangle of MᵀΣ⁻¹M.
fn derived(parts: &IVectorParts, ivector_dim: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut projections, mut precisions) = (Vec::new(), Vec::new());
    for (factors, inverse) in parts.factors.iter().zip(&parts.inverse_covariances) {
        let projection = inverse.dot(factors);
        let precision = factors.t().dot(&projection);
        for row in 0..ivector_dim {
            precisions.extend(precision.row(row).iter().take(row + 1));
        }
        projections.extend(projection.iter());
    }
    (projections, precisions)
}

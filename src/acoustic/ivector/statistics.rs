//! What the frames say of the i-vector, and the i-vector that says it best.
//!
//! With N the counts of the Gaussians and x̄ their sums of frames, the i-vector v solves
//! `(I + Σ N M'Σ⁻¹M) v = offset + Σ M'Σ⁻¹ x̄`, by a few steps of conjugate gradients from the last
//! one. Where more frames count than [`MOST_FRAMES`], the prior grows with them, so that i-vectors
//! of long recordings resemble those of training.
//!
//! Reference: Kaldi's `OnlineIvectorEstimationStats` and `LinearCgd`.

use super::extractor::{Chosen, IVectorExtractor, triangle};

/// Each posterior counts for this much: neighbouring frames resemble each other.
const POSTERIOR_SCALE: f32 = 0.1;
/// Counts beyond which the prior grows.
const MOST_FRAMES: f64 = 100.0;
/// Steps of the solver.
const STEPS: usize = 15;
/// The residual is computed anew where its square has changed by this factor.
const ANEW: f64 = 1e-4;

/// Statistics and the i-vector made of them last.
#[derive(Clone)]
pub(super) struct Statistics {
    /// Lower triangle, and as a whole for the solver.
    quadratic: Vec<f64>,
    whole: Vec<f64>,
    linear: Vec<f64>,
    count: f64,
    ivector: Vec<f64>,
    /// Of the frames of one call, by Gaussian: counts and sums; and which Gaussians have any.
    counts: Vec<f64>,
    sums: Vec<f64>,
    touched: Vec<u32>,
    solver: Solver,
}

/// The vectors of the solver.
#[derive(Clone)]
struct Solver {
    direction: Vec<f64>,
    residual: Vec<f64>,
    product: Vec<f64>,
}

impl Statistics {
    /// Before the first frame.
    pub fn new(extractor: &IVectorExtractor) -> Statistics {
        let dim = extractor.ivector_dim;
        let mut statistics = Statistics {
            quadratic: vec![0.0; triangle(dim)],
            whole: vec![0.0; dim * dim],
            linear: vec![0.0; dim],
            count: 0.0,
            ivector: vec![0.0; dim],
            counts: vec![0.0; extractor.gaussians],
            sums: vec![0.0; extractor.gaussians * extractor.width],
            touched: Vec::with_capacity(extractor.gaussians),
            solver: Solver {
                direction: vec![0.0; dim],
                residual: vec![0.0; dim],
                product: vec![0.0; dim],
            },
        };
        statistics.widen_prior(extractor, 1.0);
        statistics.ivector[0] = extractor.offset;
        statistics
    }

    /// Takes note of a frame, which counts from the next [`Statistics::absorb`] on.
    pub fn note(&mut self, chosen: &Chosen, frame: &[f32], weight: f32) {
        let width = frame.len();
        for (gaussian, posterior) in chosen.posteriors(weight) {
            let (at, posterior) =
                (gaussian as usize, f64::from(posterior * POSTERIOR_SCALE * weight));
            if self.counts[at] == 0.0 {
                self.touched.push(gaussian);
            }
            self.counts[at] += posterior;
            let sums = &mut self.sums[at * width..][..width];
            sums.iter_mut().zip(frame).for_each(|(sum, v)| *sum += posterior * f64::from(*v));
        }
    }

    /// Adds what was noted.
    pub fn absorb(&mut self, extractor: &IVectorExtractor) {
        let (width, dim) = (extractor.width, extractor.ivector_dim);
        let (mut total, size) = (0.0, triangle(dim));
        // A Gaussian whose counts cancelled out in between stands here twice; then it is empty.
        for gaussian in self.touched.drain(..) {
            let at = gaussian as usize;
            let count = std::mem::take(&mut self.counts[at]);
            total += count;
            let precision = &extractor.precisions[at * size..][..size];
            let terms = self.quadratic.iter_mut().zip(precision);
            terms.for_each(|(to, precision)| *to += count * precision);
            let projection = extractor.projections[at * width * dim..].chunks_exact(dim);
            let sums = &mut self.sums[at * width..][..width];
            for (sum, row) in sums.iter_mut().zip(projection) {
                let sum = std::mem::take(sum);
                self.linear.iter_mut().zip(row).for_each(|(to, factor)| *to += sum * factor);
            }
        }
        let before = self.count.max(MOST_FRAMES) / MOST_FRAMES;
        self.count += total;
        let after = self.count.max(MOST_FRAMES) / MOST_FRAMES;
        if after != before {
            self.widen_prior(extractor, after - before);
        }
    }

    /// Estimates the i-vector anew, and writes it less its mean.
    pub fn estimate(&mut self, extractor: &IVectorExtractor, to: &mut [f32]) {
        if self.count > 0.0 {
            if self.ivector[0] == 0.0 {
                self.ivector[0] = extractor.offset;
            }
            self.unfold();
            self.solver.solve(&self.whole, &self.linear, &mut self.ivector);
        } else {
            self.ivector.fill(0.0);
            self.ivector[0] = extractor.offset;
        }
        to.iter_mut().zip(&self.ivector).for_each(|(to, value)| *to = *value as f32);
        to[0] = (self.ivector[0] - extractor.offset) as f32;
    }

    fn widen_prior(&mut self, extractor: &IVectorExtractor, by: f64) {
        self.linear[0] += extractor.offset * by;
        for row in 0..extractor.ivector_dim {
            self.quadratic[triangle(row + 1) - 1] += by;
        }
    }

    /// The triangle as a whole matrix.
    fn unfold(&mut self) {
        let (dim, mut at) = (self.linear.len(), 0);
        for row in 0..dim {
            for column in 0..=row {
                self.whole[row * dim + column] = self.quadratic[at];
                self.whole[column * dim + row] = self.quadratic[at];
                at += 1;
            }
        }
    }
}

impl Solver {
    /// Improves `x` as a solution of `a x = b`.
    fn solve(&mut self, a: &[f64], b: &[f64], x: &mut [f64]) {
        let Solver { direction, residual, product } = self;
        multiply(a, x, product);
        for ((to, b), product) in direction.iter_mut().zip(b).zip(&*product) {
            *to = b - product;
        }
        residual.iter_mut().zip(&*direction).for_each(|(to, direction)| *to = -direction);
        let mut current = dot(residual, residual);
        let mut computed = current;
        for _ in 0..STEPS {
            if current <= f64::MIN_POSITIVE {
                return;
            }
            multiply(a, direction, product);
            let step = -dot(direction, residual) / dot(direction, product);
            x.iter_mut().zip(&*direction).for_each(|(x, direction)| *x += step * direction);
            residual.iter_mut().zip(&*product).for_each(|(to, product)| *to += step * product);
            let mut next = dot(residual, residual);
            if next < ANEW * computed || next * ANEW > computed {
                multiply(a, x, product);
                for ((to, product), b) in residual.iter_mut().zip(&*product).zip(b) {
                    *to = product - b;
                }
                next = dot(residual, residual);
                computed = next;
            }
            let keep = next / current;
            for (to, residual) in direction.iter_mut().zip(&*residual) {
                *to = keep * *to - residual;
            }
            current = next;
        }
    }
}

fn multiply(a: &[f64], x: &[f64], to: &mut [f64]) {
    for (to, row) in to.iter_mut().zip(a.chunks_exact(x.len())) {
        *to = dot(row, x);
    }
}

/// In four sums, which the compiler keeps in vectors.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sums, whole) = ([0.0; 4], a.len() / 4 * 4);
    for (a, b) in a[..whole].chunks_exact(4).zip(b.chunks_exact(4)) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    let rest: f64 = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

//! The components of nnet3 that our layers are made of, field by field as Kaldi reads them.
//!
//! What only training looks at (learning rates, natural gradient, statistics) has Kaldi's defaults.

use super::super::output::Output;
use crate::acoustic::LayerDescription;

/// Kaldi's defaults for the natural gradient.
const SAMPLES: f32 = 2000.0;
const ALPHA: f32 = 4.0;
const RANKS: (i32, i32) = (20, 80);
/// Added to a variance before its root. Small, so that any scale up to 30 can be said.
const EPSILON: f32 = 1e-3;

/// y = W x + b on one frame, or on the frames that a descriptor appends.
pub(super) fn affine(out: &mut Output, weights: &[f32], bias: &[f32]) {
    let kind = "NaturalGradientAffineComponent";
    updatable(out, kind);
    out.token("<LinearParams>").matrix(weights, bias.len());
    out.token("<BiasParams>").vector(bias);
    out.token("<RankIn>").int(RANKS.0);
    out.token("<RankOut>").int(RANKS.1);
    out.token("<UpdatePeriod>").int(4);
    out.token("<NumSamplesHistory>").float(SAMPLES);
    out.token("<Alpha>").float(ALPHA);
    end(out, kind);
}

/// y = W [x at each offset] + b.
pub(super) fn tdnn(
    out: &mut Output,
    offsets: &[i32],
    (weights, rows): (&[f32], usize),
    bias: &[f32],
) {
    let kind = "TdnnComponent";
    updatable(out, kind);
    out.token("<TimeOffsets>").ints(offsets);
    out.token("<LinearParams>").matrix(weights, rows);
    out.token("<BiasParams>").vector(bias);
    out.token("<OrthonormalConstraint>").float(0.0);
    out.token("<UseNaturalGradient>").boolean(true);
    out.token("<NumSamplesHistory>").float(SAMPLES);
    out.token("<AlphaInOut>").float(ALPHA).float(ALPHA);
    out.token("<RankInOut>").int(RANKS.0).int(RANKS.1);
    end(out, kind);
}

/// A convolution over time, at these offsets, and height.
pub(super) fn convolution(
    out: &mut Output,
    layer: &LayerDescription,
    offsets: &[i32],
    (weights, bias): (&[f32], &[f32]),
) {
    let Some(plane) = &layer.convolution else {
        return;
    };
    let kind = "TimeHeightConvolutionComponent";
    let heights = plane.height.div_ceil(plane.height_stride);
    let read = |time: i32| plane.height_offsets.iter().map(move |height| (time, *height));
    let pairs: Vec<(i32, i32)> = offsets.iter().flat_map(|time| read(*time)).collect();
    updatable(out, kind);
    out.token("<Model>").token("<ConvolutionModel>");
    out.token("<NumFiltersIn>").size(layer.input_dim / plane.height);
    out.token("<NumFiltersOut>").size(layer.output_dim / heights);
    out.token("<HeightIn>").size(plane.height);
    out.token("<HeightOut>").size(heights);
    out.token("<HeightSubsampleOut>").size(plane.height_stride);
    out.token("<Offsets>").pairs(&pairs);
    out.token("<RequiredTimeOffsets>").ints(offsets);
    out.token("</ConvolutionModel>");
    out.token("<LinearParams>").matrix(weights, bias.len());
    out.token("<BiasParams>").vector(bias);
    out.token("<MaxMemoryMb>").float(200.0);
    out.token("<UseNaturalGradient>").boolean(true);
    out.token("<NumMinibatchesHistory>").float(4.0);
    out.token("<AlphaInOut>").float(ALPHA).float(ALPHA);
    out.token("<RankInOut>").int(RANKS.0).int(RANKS.1);
    end(out, kind);
}

pub(super) fn relu(out: &mut Output, width: usize) {
    let kind = "RectifiedLinearComponent";
    begin(out, kind);
    out.token("<Dim>").size(width);
    out.token("<ValueAvg>").vector(&[]);
    out.token("<DerivAvg>").vector(&[]);
    out.token("<Count>").float(0.0);
    out.token("<OderivRms>").vector(&[]);
    out.token("<OderivCount>").float(0.0);
    out.token("<NumDimsSelfRepaired>").float(0.0);
    out.token("<NumDimsProcessed>").float(0.0);
    end(out, kind);
}

/// Whether scales can be said as those of a batch normalisation: 1 / √(variance + ε).
pub(super) fn is_batch_norm(scales: &[f32]) -> bool {
    let variance = |scale: f32| 1.0 / f64::from(scale).powi(2) - f64::from(EPSILON);
    scales.iter().all(|&scale| scale > 0.0 && variance(scale) > 0.0 && variance(scale) < 1e30)
}

/// y = x · scale + shift, a scale for each of a block of values, as batch normalisation says it.
pub(super) fn batch_norm(out: &mut Output, width: usize, (scales, shifts): (&[f32], &[f32])) {
    let kind = "BatchNormComponent";
    let (mean, variance): (Vec<f32>, Vec<f32>) = scales
        .iter()
        .zip(shifts)
        .map(|(&scale, &shift)| {
            let (scale, shift) = (f64::from(scale), f64::from(shift));
            let variance = 1.0 / (scale * scale) - f64::from(EPSILON);
            ((-shift / scale) as f32, variance as f32)
        })
        .unzip();
    begin(out, kind);
    out.token("<Dim>").size(width);
    out.token("<BlockDim>").size(scales.len());
    out.token("<Epsilon>").float(EPSILON);
    out.token("<TargetRms>").float(1.0);
    out.token("<TestMode>").boolean(true);
    out.token("<Count>").float(1e5);
    out.token("<StatsMean>").vector(&mean);
    out.token("<StatsVar>").vector(&variance);
    end(out, kind);
}

pub(super) fn fixed_scale(out: &mut Output, scales: &[f32]) {
    begin(out, "FixedScaleComponent");
    out.token("<Scales>").vector(scales);
    end(out, "FixedScaleComponent");
}

pub(super) fn fixed_bias(out: &mut Output, shifts: &[f32]) {
    begin(out, "FixedBiasComponent");
    out.token("<Bias>").vector(shifts);
    end(out, "FixedBiasComponent");
}

pub(super) fn no_op(out: &mut Output, width: usize) {
    begin(out, "NoOpComponent");
    out.token("<Dim>").size(width);
    out.token("<BackpropScale>").float(1.0);
    end(out, "NoOpComponent");
}

fn begin(out: &mut Output, kind: &str) {
    out.token(&format!("<{kind}>"));
}

fn updatable(out: &mut Output, kind: &str) {
    begin(out, kind);
    out.token("<MaxChange>").float(0.75);
    out.token("<LearningRate>").float(1e-4);
}

fn end(out: &mut Output, kind: &str) {
    out.token(&format!("</{kind}>"));
}

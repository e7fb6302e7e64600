//! Forward pass of a network with the shipped model's shape, and its matrix products against other
//! libraries.
//!
//! `PARETONE_BENCH_MODEL` names the model directory (default `models/en`; `scripts/train/parity.py
//! random --size full` makes one with random weights). Throughput is in input frames of 10 ms: 100
//! frames are a second of speech.

#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::path::PathBuf;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use paretone::acoustic::gemm::int8::{DotKernel, QuantisedMatrix, QuantisedRows};
use paretone::acoustic::gemm::{Cells, Kernel, PackedMatrix, Rows, Target};
use paretone::acoustic::{Kernels, ModelDescription, Network, NetworkScratch, Scores, Tensors};

/// Values in −1…1 without a pattern that a processor could exploit.
fn noise(length: usize) -> Vec<f32> {
    (0..length as u32).map(|i| (i.wrapping_mul(2654435761) >> 8) as f32 / 8388608.0 - 1.0).collect()
}

fn forward(criterion: &mut Criterion) {
    let dir = std::env::var_os("PARETONE_BENCH_MODEL").unwrap_or_else(|| "models/en".into());
    let dir = PathBuf::from(dir);
    let Ok(description) = ModelDescription::open(&dir) else {
        eprintln!("no model in {}: skipping the forward pass", dir.display());
        return;
    };
    let tensors = Tensors::open(&dir.join(&description.network.weights)).expect("weights");
    let mut group = criterion.benchmark_group("forward");
    let floats =
        Kernel::available().into_iter().map(|kernel| (format!("{kernel:?}"), kernel.into()));
    let int8 = DotKernel::available().into_iter().map(|kernel| {
        let kernels = Kernels { float: Kernel::detect(), int8: Some(kernel) };
        (format!("int8-{kernel:?}"), kernels)
    });
    for (name, kernels) in floats.chain(int8) {
        let network = Network::from_tensors(&description, &tensors, kernels).expect("network");
        let (mut scratch, mut scores) = (NetworkScratch::default(), Scores::default());
        for frames in [100, 450, 1000] {
            let width = network.input_dim();
            let features = Array2::from_shape_vec((frames, width), noise(frames * width));
            let features = features.expect("frames × width values");
            group.throughput(Throughput::Elements(frames as u64));
            group.bench_function(BenchmarkId::new(&name, frames), |bencher| {
                bencher.iter(|| network.scores_into(features.view(), &mut scratch, &mut scores))
            });
        }
    }
}

/// The products of a block of 126 output rows; throughput is in multiply–adds.
fn product(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("product");
    let rows = 126;
    for (depth, columns) in [(1280, 128), (256, 640), (768, 640), (256, 2000)] {
        let (a, weights) = (noise(rows * depth), noise(depth * columns));
        let mut out = vec![0.0; rows * columns];
        group.throughput(Throughput::Elements((rows * depth * columns) as u64));
        let shape = format!("{depth}x{columns}");
        for kernel in Kernel::available() {
            let packed = PackedMatrix::from_transposed(kernel, &weights, depth, (depth, columns));
            let input = Rows { data: &a, stride: depth, count: rows };
            group.bench_function(BenchmarkId::new(format!("{kernel:?}"), &shape), |bencher| {
                bencher.iter(|| packed.multiply(input, &mut out, Target::Overwrite, None))
            });
        }
        for kernel in DotKernel::available() {
            let matrix = QuantisedMatrix::from_transposed(kernel, &weights, depth);
            let (mut quantised, cells) = (QuantisedRows::default(), Cells::rows(depth));
            let name = format!("int8-{kernel:?}");
            group.bench_function(BenchmarkId::new(name, &shape), |bencher| {
                bencher.iter(|| {
                    matrix.quantise(&cells, &a, (rows, 1), &mut quantised);
                    matrix.multiply(&quantised, &mut out, None);
                })
            });
        }
        let a = Array2::from_shape_vec((rows, depth), a).expect("rows × depth values");
        let b = Array2::from_shape_vec((columns, depth), weights).expect("columns × depth values");
        group.bench_function(BenchmarkId::new("matrixmultiply", &shape), |bencher| {
            bencher.iter(|| a.dot(&b.t()))
        });
    }
}

criterion_group!(benches, forward, product);
criterion_main!(benches);

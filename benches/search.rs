//! The search on a made-up graph: 200,000 states, loops, branches, one epsilon arc in ten states;
//! random scores.
//!
//! `cargo bench --bench search`. Figures on the shipped graph and real scores come from
//! `scripts/bench_peers`.

#![allow(missing_docs)] // `criterion_group!` makes a function without documentation.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;
use paretone::decode::{Decoder, Pruning, Scratch};
use paretone::graph::{Graph, GraphBuilder};
use paretone::units::{Cost, PdfId, StateId};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const STATES: u32 = 200_000;
const PDFS: u32 = 2_000;
const FRAMES: usize = 100;

/// A number from 0 to below 1.
fn unit(random: &mut ChaCha8Rng) -> f32 {
    (random.next_u32() >> 8) as f32 / (1 << 24) as f32
}

fn graph(random: &mut ChaCha8Rng) -> Graph {
    let mut builder = GraphBuilder::with_capacity(3 * STATES as usize, STATES as usize / 10);
    builder.add_states(STATES as usize);
    builder.set_start(StateId(0));
    for state in (0..STATES).map(StateId) {
        let own = PdfId(random.next_u32() % PDFS);
        builder.add_arc(state, Some(own), 0, Cost(0.1), state);
        for branch in 0..2 {
            let to = StateId(random.next_u32() % STATES);
            let pdf = PdfId(random.next_u32() % PDFS);
            let word = if branch == 0 { 0 } else { 1 + random.next_u32() % 1000 };
            builder.add_arc(state, Some(pdf), word, Cost(4.0 * unit(random)), to);
        }
        if state.0 % 10 == 0 {
            let to = StateId(random.next_u32() % STATES);
            builder.add_arc(state, None, 0, Cost(1.0 + 4.0 * unit(random)), to);
        }
    }
    builder.set_final(StateId(0), Cost(0.0));
    builder.build().expect("every state exists")
}

fn search(criterion: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let graph = graph(&mut random);
    let scores = Array2::from_shape_simple_fn((FRAMES, PDFS as usize), || -8.0 * unit(&mut random));
    let pruning = Pruning {
        network_beam: Cost(10.0),
        network_top_n: 7000,
        lattice_beam: Cost(4.0),
        ..Pruning::OFF
    };
    let decoder = Decoder::new(&graph, pruning).expect("the knobs are in range");
    let mut scratch = Scratch::new();
    let mut group = criterion.benchmark_group("search");
    group.throughput(Throughput::Elements(FRAMES as u64));
    group.sample_size(20);
    group.bench_function("best path", |bencher| {
        bencher.iter(|| black_box(decoder.decode(&scores, &mut scratch)));
    });
    group.bench_function("lattice", |bencher| {
        bencher.iter(|| black_box(decoder.lattice(&scores, &mut scratch)));
    });
    group.finish();
}

criterion_group!(benches, search);
criterion_main!(benches);

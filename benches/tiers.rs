//! The routing-rule generator on made-up outcomes of the paper's size: 40,000 requests, 7 versions.
//!
//! `cargo bench --bench tiers`.

#![allow(missing_docs)] // `criterion_group!` makes a function without documentation.

use criterion::{Criterion, criterion_group, criterion_main};
use paretone::tiers::generate::Bounds;
use paretone::tiers::simulate::{World, draw};
use paretone::tiers::{Costing, Method, Options};

fn generator(criterion: &mut Criterion) {
    let world = World { groups: 3500, requests: 11.5, versions: 7, ..World::default() };
    let table = draw(&world, 1);
    let mut group = criterion.benchmark_group(format!("{} requests", table.requests.len()));
    group.sample_size(10);
    for method in [Method::Population, Method::FiniteSample, Method::Paper] {
        let options = Options::default().method(method);
        let costing = Costing::default();
        group.bench_function(method.name(), |bench| {
            bench.iter(|| Bounds::new(&table, 6, costing, options).candidates(&table, costing));
        });
    }
    group.finish();
}

criterion_group!(benches, generator);
criterion_main!(benches);

//! How long the front end takes: 10 s of audio to MFCC, at once and in 20 ms chunks, and its
//! resampling.
//!
//! The real-time factor is the printed time divided by 10 s.

#![allow(missing_docs, reason = "criterion's macros write undocumented functions")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use paretone::audio::Waveform;
use paretone::feature::{Mfcc, MfccConfig};
use paretone::units::Hertz;

/// 10 s of noise at `rate`.
fn noise(rate: u32) -> Waveform {
    let mut state = 1u32;
    let sample = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as f32 / 65536.0 - 0.5
    };
    Waveform { samples: (0..10 * rate).map(sample).collect(), rate: Hertz(rate) }
}

fn features(criterion: &mut Criterion) {
    let mfcc = Mfcc::new(MfccConfig::default()).expect("the default is sound");
    let speech = noise(16_000);
    criterion.bench_function("mfcc/10s", |bencher| {
        bencher.iter(|| mfcc.compute(black_box(&speech)).expect("16 kHz"));
    });
    criterion.bench_function("mfcc/10s in 20 ms chunks", |bencher| {
        let mut stream = mfcc.stream();
        bencher.iter(|| {
            let mut sum = 0.0;
            for chunk in speech.samples.chunks(320) {
                stream.push(chunk, |frame| sum += frame[0]);
            }
            stream.finish();
            sum
        });
    });
    let compact_disc = noise(44_100);
    criterion.bench_function("resample/10s 44.1 to 16 kHz", |bencher| {
        bencher.iter(|| black_box(compact_disc.clone()).at_rate(Hertz(16_000)).expect("a rate"));
    });
}

criterion_group!(benches, features);
criterion_main!(benches);

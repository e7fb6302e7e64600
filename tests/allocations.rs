//! Once warm, nothing is allocated per frame: not by features, not by the network, not by the
//! search.
//!
//! Each stage works twice on the same input with the same scratch, and the allocations of the
//! second time are counted, for an input and for one four times as long. What a stage hands back is
//! allocated anew, as a few vectors that grow by doubling; so the longer input may allocate a
//! little more often, and never as much as once for each ten frames more.

#![allow(clippy::unwrap_used)] // A test that cannot go on may stop.

mod tiny_model;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use ndarray::Array2;
use paretone::acoustic::{Network, NetworkScratch, Precision, Scores};
use paretone::audio::Waveform;
use paretone::decode::{Decoder, Pruning, Scratch};
use paretone::feature::{Features, Mfcc};
use paretone::graph::{Graph, GraphBuilder};
use paretone::kaldi::VoskFolder;
use paretone::units::{Cost, Hertz, PdfId};

/// Counts what each thread asks the system for.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more, and nothing that is measured.
    let _ = ALLOCATIONS.try_with(|counted| counted.set(counted.get() + 1));
}

// SAFETY: every call is handed to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const FRAMES: usize = 100;

/// How often the second of two equal runs allocates.
fn once_warm(mut run: impl FnMut()) -> usize {
    run();
    let before = ALLOCATIONS.get();
    run();
    ALLOCATIONS.get() - before
}

/// Holds a stage's allocations for [`FRAMES`] against those for four times as many.
fn assert_none_per_frame(stage: &str, mut allocations: impl FnMut(usize) -> usize) {
    let (short, long) = (allocations(FRAMES), allocations(4 * FRAMES));
    assert!(
        long <= short + 3 * FRAMES / 10,
        "{stage}: {short} allocations for {FRAMES} frames, {long} for {}",
        4 * FRAMES
    );
}

/// Numbers without pattern in [0, 1), the same every time.
fn noise() -> impl FnMut() -> f32 {
    let mut state = 1u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    }
}

fn waveform(frames: usize) -> Waveform {
    let mut noise = noise();
    Waveform {
        samples: (0..400 + 160 * frames).map(|_| noise() - 0.5).collect(),
        rate: Hertz(16_000),
    }
}

#[test]
fn the_counter_counts() {
    assert!(once_warm(|| drop(std::hint::black_box(vec![1u8; 100]))) > 0);
}

#[test]
fn features_allocate_nothing_per_frame() {
    let mfcc = Mfcc::new(Default::default()).unwrap();
    assert_none_per_frame("MFCC of a recording", |frames| {
        let waveform = waveform(frames);
        once_warm(|| drop(mfcc.compute(&waveform).unwrap()))
    });
    assert_none_per_frame("MFCC of a stream", |frames| {
        let waveform = waveform(frames);
        let mut stream = mfcc.stream();
        once_warm(|| {
            for chunk in waveform.samples.chunks(160) {
                stream.push(chunk, |frame| assert!(!frame.is_empty()));
            }
            stream.finish();
        })
    });
}

#[test]
fn the_network_allocates_nothing_per_frame() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::open(&tiny_model::write(folder.path())).unwrap();
    let features = |frames: usize| -> Features {
        let mfcc = Mfcc::new(Default::default()).unwrap();
        mfcc.compute(&waveform(frames)).unwrap()
    };
    let (mut scratch, mut scores) = (NetworkScratch::default(), Scores::default());
    assert_none_per_frame("network", |frames| {
        let features = features(3 * frames);
        once_warm(|| {
            network.scores_into(features.frames.view(), &mut scratch, &mut scores).unwrap()
        })
    });
}

#[test]
fn ivectors_allocate_nothing_per_frame() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/kaldi/adapted");
    let imported = VoskFolder::find(&folder).unwrap().import().unwrap();
    let kernels = Precision::Auto.kernels();
    let network = Network::from_tensors(&imported.description, &imported.tensors, kernels).unwrap();
    let network = network.adapted(imported.adaptation.unwrap()).unwrap();
    let (mut scratch, mut scores) = (NetworkScratch::default(), Scores::default());
    assert_none_per_frame("network with i-vectors", |frames| {
        let mut noise = noise();
        let features = Array2::from_shape_fn((3 * frames, network.input_dim()), |_| noise());
        once_warm(|| network.scores_into(features.view(), &mut scratch, &mut scores).unwrap())
    });
}

/// Three hundred states that lead to three others each, with words on some arcs.
fn graph() -> Graph {
    const STATES: u32 = 300;
    let mut builder = GraphBuilder::new();
    let mut noise = noise();
    let states: Vec<_> = (0..STATES).map(|_| builder.add_state()).collect();
    builder.set_start(states[0]);
    for (place, &state) in states.iter().enumerate() {
        builder.set_final(state, Cost(noise()));
        for arc in 0..3 {
            let next = states[(noise() * STATES as f32) as usize];
            let pdf = PdfId((noise() * 40.0) as u32);
            let word = if arc == 0 { place as u32 } else { 0 };
            builder.add_arc(state, Some(pdf), word, Cost(noise()), next);
        }
    }
    builder.build().unwrap()
}

#[test]
fn the_search_allocates_nothing_per_frame() {
    let graph = graph();
    let tight =
        Pruning { network_top_n: 50, global_top_n: 8, local_top_n: 2, ..Pruning::default() };
    for pruning in [Pruning::default(), tight] {
        let decoder = Decoder::new(&graph, pruning).unwrap();
        let mut scratch = Scratch::new();
        let scores = |frames| {
            let mut noise = noise();
            Array2::from_shape_simple_fn((frames, 40), || -8.0 * noise())
        };
        assert_none_per_frame("search of the best path", |frames| {
            let scores = scores(frames);
            once_warm(|| drop(decoder.decode(&scores, &mut scratch).unwrap()))
        });
        assert_none_per_frame("search of a lattice", |frames| {
            let scores = scores(frames);
            once_warm(|| drop(decoder.lattice(&scores, &mut scratch).unwrap()))
        });
    }
}

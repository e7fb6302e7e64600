//! A search that is cancelled ends within its frame.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// Scores of a long utterance that somebody cancels while a frame of it is read, which may be a
/// frame ahead.
struct Interrupted {
    cancel: Cancel,
    at: usize,
    /// Frames begun when it was cancelled.
    begun: AtomicU64,
    row: [f32; PDFS],
}

impl Scorer for Interrupted {
    fn num_frames(&self) -> usize {
        10_000
    }

    fn num_pdfs(&self) -> usize {
        PDFS
    }

    fn frame(&self, frame: usize) -> &[f32] {
        if frame == self.at && !self.cancel.is_cancelled() {
            let begun = std::thread::scope(|scope| scope.spawn(|| self.cancel.cancel()).join());
            self.begun.store(begun.unwrap(), Ordering::Relaxed);
        }
        &self.row
    }
}

fn cancelled_by(cancel: &Cancel) -> Scratch {
    Scratch { cancel: Some(cancel.clone()), ..Scratch::new() }
}

#[test]
fn a_search_cancelled_before_its_start_begins_no_frame() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let cancelled = Cancel::new();
    assert_eq!(cancelled.cancel(), 0);
    for cancel in [cancelled, Cancel::at(Some(std::time::Instant::now()))] {
        let mut scratch = cancelled_by(&cancel);
        let stopped = decoder.decode(&chain().scores, &mut scratch).unwrap_err();
        assert_eq!(stopped, DecodeError::Cancelled { frame: 0 });
        let stopped = decoder.lattice(&chain().scores, &mut scratch).unwrap_err();
        assert_eq!(stopped, DecodeError::Cancelled { frame: 0 });
        assert_eq!(cancel.frames(), 0);
    }
}

#[test]
fn a_search_cancelled_by_another_thread_finishes_its_frame_and_no_other() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    for at in [0, 1, 700, 9_999] {
        let (cancel, row) = (Cancel::new(), [0.0; PDFS]);
        let mut scratch = cancelled_by(&cancel);
        let begun = AtomicU64::new(0);
        let scores = Interrupted { cancel, at, begun, row };
        let stopped = decoder.decode(&scores, &mut scratch).unwrap_err();
        let begun = scores.begun.into_inner();
        let frame = begun as usize;
        assert!((at.max(1)..=at + 1).contains(&frame), "{frame}");
        assert_eq!(stopped, DecodeError::Cancelled { frame });
        assert_eq!(scores.cancel.frames(), begun);
    }
}

#[test]
fn a_search_that_runs_free_is_cancelled_within_two_frames() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let scores = Array2::zeros((2_000_000, PDFS));
    let cancel = Cancel::new();
    let begun = std::thread::scope(|scope| {
        let search = scope.spawn(|| decoder.decode(&scores, &mut cancelled_by(&cancel)));
        while cancel.frames() < 100 {
            std::hint::spin_loop();
        }
        let begun = cancel.cancel();
        let stopped = search.join().unwrap().unwrap_err();
        let frame = begun as usize;
        assert_eq!(stopped, DecodeError::Cancelled { frame });
        begun
    });
    assert_eq!(cancel.frames(), begun);
}

#[test]
fn a_token_that_stops_nothing_changes_nothing() {
    let graph = chain().graph();
    let decoder = Decoder::new(&graph, Pruning::OFF).unwrap();
    let cancel = Cancel::at(None);
    let free = decoder.decode(&chain().scores, &mut Scratch::new());
    let heard = decoder.decode(&chain().scores, &mut cancelled_by(&cancel));
    assert_eq!(heard, free);
    assert_eq!(cancel.frames(), 4);
}

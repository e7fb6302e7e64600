//! Cancellation of a search, by another thread or at a deadline.
//!
//! One atomic word holds both the request to stop and the number of frames begun. So
//! [`Cancel::cancel`] can tell at which frame the request arrived: the search finishes that frame
//! and begins no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::error::DecodeError;

/// The bit that asks to stop; the frames begun are counted above it.
const STOP: u64 = 1;
/// One frame.
const FRAME: u64 = 2;

/// A cancellation token. Clones share one state, and a request to stop cannot be revoked.
///
/// The search checks the token before each frame ([`Cancel::begin_frame`]), and the recogniser
/// checks it between stages ([`Cancel::check`]).
///
/// ```
/// use ndarray::array;
/// use paretone::decode::{Cancel, DecodeError, Decoder, Pruning, Scratch};
/// # use paretone::graph::GraphBuilder;
/// # use paretone::units::{Cost, PdfId};
/// # let mut builder = GraphBuilder::new();
/// # let [start, one, two] = [(); 3].map(|()| builder.add_state());
/// # builder.set_start(start);
/// # for (word, state) in [(1, one), (2, two)] {
/// #     builder.set_final(state, Cost::FREE);
/// #     builder.add_arc(start, Some(PdfId(word - 1)), word, Cost::FREE, state);
/// #     builder.add_arc(state, Some(PdfId(word - 1)), 0, Cost::FREE, state);
/// # }
/// # let graph = builder.build()?;
///
/// let cancel = Cancel::new();
/// let mut scratch = Scratch::new();
/// scratch.cancel = Some(cancel.clone());
/// cancel.cancel(); // from any thread
/// let decoder = Decoder::new(&graph, Pruning::default())?;
/// let stopped = decoder.decode(&array![[0.0, 0.0]], &mut scratch);
/// assert_eq!(stopped.err(), Some(DecodeError::Cancelled { frame: 0 }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    state: Arc<AtomicU64>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// Creates a token that stops the work when [`Cancel::cancel`] is called.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a token that also stops the work at the deadline, if one is given.
    pub fn at(deadline: Option<Instant>) -> Self {
        Cancel { deadline, ..Self::default() }
    }

    /// Requests a stop. Returns the number of frames begun; the search finishes the last of them
    /// and begins no other.
    pub fn cancel(&self) -> u64 {
        self.state.fetch_or(STOP, Ordering::AcqRel) / FRAME
    }

    /// Whether the work should stop, because of a request or because the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.state.load(Ordering::Acquire) & STOP != 0 || self.is_late()
    }

    /// Whether the deadline has passed.
    pub fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Frames begun by all work that was given this token.
    pub fn frames(&self) -> u64 {
        self.state.load(Ordering::Acquire) / FRAME
    }

    /// Checks the token between two stages; `frame` is the number of frames done.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] if the work should stop.
    pub fn check(&self, frame: usize) -> Result<(), DecodeError> {
        match self.is_cancelled() {
            true => Err(DecodeError::Cancelled { frame }),
            false => Ok(()),
        }
    }

    /// Begins a frame of work.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] with this frame, which is then not begun, if the work should
    /// stop.
    pub fn begin_frame(&self, frame: usize) -> Result<(), DecodeError> {
        if self.is_late() {
            self.cancel();
        }
        let begin = |state| (state & STOP == 0).then_some(state + FRAME);
        let begun = (self.state).fetch_update(Ordering::AcqRel, Ordering::Acquire, begin);
        begun.map(drop).map_err(|_| DecodeError::Cancelled { frame })
    }
}

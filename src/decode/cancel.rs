//! Stopping a search from outside: asked for by another thread, or due at a deadline.
//!
//! One word holds both the request to stop and the number of frames begun, so that
//! [`Cancel::cancel`] learns at which frame exactly it came: the frame under way is finished and no
//! other begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::error::DecodeError;

/// The bit that asks to stop; the frames begun are counted above it.
const STOP: u64 = 1;
/// One frame.
const FRAME: u64 = 2;

/// A token that stops the work it is given to. Clones are the same token; it cannot be taken back.
///
/// It is looked at before each frame of a search ([`Cancel::begin_frame`]) and between the stages
/// of a recognition ([`Cancel::check`]).
#[derive(Clone, Debug, Default)]
pub struct Cancel {
    state: Arc<AtomicU64>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// A token that stops its work when asked to.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that also stops its work at a deadline, where there is one.
    pub fn at(deadline: Option<Instant>) -> Self {
        Cancel {
            deadline,
            ..Self::default()
        }
    }

    /// Asks to stop. Returns how many frames had been begun: the last of them is finished and no
    /// other begun.
    pub fn cancel(&self) -> u64 {
        self.state.fetch_or(STOP, Ordering::AcqRel) / FRAME
    }

    /// Whether the work is to stop: somebody asked, or the deadline has passed.
    pub fn is_cancelled(&self) -> bool {
        self.state.load(Ordering::Acquire) & STOP != 0 || self.is_late()
    }

    /// Whether the deadline has passed.
    pub fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Frames begun by all work that was given this token.
    pub fn frames(&self) -> u64 {
        self.state.load(Ordering::Acquire) / FRAME
    }

    /// Goes on to the next stage of the work, where `frame` frames are done.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] if the work is to stop.
    pub fn check(&self, frame: usize) -> Result<(), DecodeError> {
        match self.is_cancelled() {
            true => Err(DecodeError::Cancelled { frame }),
            false => Ok(()),
        }
    }

    /// Begins a frame of work.
    ///
    /// # Errors
    /// [`DecodeError::Cancelled`] with that frame if the work is to stop; it is not begun then.
    pub fn begin_frame(&self, frame: usize) -> Result<(), DecodeError> {
        if self.is_late() {
            self.cancel();
        }
        let begin = |state| (state & STOP == 0).then_some(state + FRAME);
        let begun = (self.state).fetch_update(Ordering::AcqRel, Ordering::Acquire, begin);
        begun
            .map(drop)
            .map_err(|_| DecodeError::Cancelled { frame })
    }
}

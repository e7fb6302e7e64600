//! A form's bytes, handed to its reader in small pieces.
//!
//! The reader of multipart forms takes all that there is before it looks at it, and keeps what
//! comes before a field, its head included, until the field begins. Here it is given one piece at a
//! time, and looks at it before it gets the next; what it takes between one field's content and the
//! next is bounded. So it keeps no more than that bound and a piece, whatever is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use futures_util::Stream;

use super::error::Rejection;

/// The pieces, in bytes.
const PIECE: usize = 4 << 10;
/// Most bytes before a field's content, its head included, and after the last.
const MOST_BETWEEN: usize = 16 << 10;
/// What a form's reader keeps at most.
pub const KEPT: usize = MOST_BETWEEN + 2 * PIECE;

/// A body in small pieces, bounded between fields.
pub struct Metered<S> {
    parts: Pin<Box<S>>,
    rest: Bytes,
    /// A piece was given and may not have been looked at.
    is_given: bool,
    between: Between,
}

/// How much has been read since the last field's content; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Between(Arc<AtomicUsize>);

impl Between {
    /// What has been read belongs to a field's content.
    pub fn content(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn add(&self, bytes: usize) -> bool {
        self.0.fetch_add(bytes, Ordering::Relaxed) + bytes <= MOST_BETWEEN
    }
}

impl<S> Metered<S> {
    /// The parts of a body, metered.
    pub fn new(parts: S, between: Between) -> Self {
        Metered { parts: Box::pin(parts), rest: Bytes::new(), is_given: false, between }
    }
}

impl<S: Stream<Item = Result<Bytes, Rejection>>> Stream for Metered<S> {
    type Item = Result<Bytes, Rejection>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.is_given) {
            // It asks again at once, after it has looked at what it has.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.rest.is_empty() {
            match self.parts.as_mut().poll_next(context) {
                Poll::Ready(Some(Ok(part))) => self.rest = part,
                other => return other,
            }
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.is_given = true;
        if !self.between.add(length) {
            return Poll::Ready(Some(Err(Rejection::TooLarge(format!(
                "before and between the contents of its fields a form has at most {MOST_BETWEEN} bytes"
            )))));
        }
        Poll::Ready(Some(Ok(piece)))
    }
}

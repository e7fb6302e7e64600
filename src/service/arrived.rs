//! How much has arrived on a connection and has not been made a message yet.
//!
//! A WebSocket's message comes in frames, and a frame in pieces, whose reader keeps them until the
//! message is whole. The connection counts what it reads, and the stream knows when a message is
//! whole, so that what lies between can be counted in the memory for streams.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use super::error::Rejection;
use super::memory::{Held, Memory};

/// Bytes that have arrived; clones count together.
#[derive(Clone, Debug, Default)]
pub struct Arrived(Arc<AtomicUsize>);

impl Arrived {
    /// So many more have arrived.
    pub fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// What has arrived has been made use of.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// What a message's reader comes to, where `memory` has room for what it keeps meanwhile.
    ///
    /// # Errors
    /// There is no room for what has arrived.
    pub async fn counted<T>(
        &self,
        memory: &Memory,
        reading: impl Future<Output = T>,
    ) -> Result<T, Rejection> {
        let (mut reading, mut held) = (pin!(reading), Held::default());
        let read = poll_fn(|context| match reading.as_mut().poll(context) {
            Poll::Ready(read) => Poll::Ready(Ok(read)),
            Poll::Pending => match memory.resize(&mut held, self.bytes()) {
                Ok(()) => Poll::Pending,
                Err(full) => Poll::Ready(Err(full)),
            },
        });
        let read = read.await;
        self.clear();
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_message_is_counted_until_it_is_whole() {
        let (memory, arrived) = (Memory::new(1 << 20), Arrived::default());
        let read_in_pieces = |pieces: usize| {
            let (arrived, memory, mut left) = (arrived.clone(), memory.clone(), pieces);
            poll_fn(move |context| {
                arrived.add(256 << 10);
                left -= 1;
                context.waker().wake_by_ref();
                match left {
                    0 => Poll::Ready(memory.held()),
                    _ => Poll::Pending,
                }
            })
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let read = |pieces| runtime.block_on(arrived.counted(&memory, read_in_pieces(pieces)));
        assert_eq!(read(1), Ok(0));
        assert_eq!(read(4), Ok(768 << 10));
        assert_eq!(memory.held(), 0);
        assert!(matches!(read(7), Err(Rejection::TooLarge(_))));
        assert_eq!((memory.held(), arrived.bytes()), (0, 0));
    }
}

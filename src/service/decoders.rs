//! Who decodes: a compressed recording takes a while before it can be queued for a worker, and one
//! client's must not keep all others' from being decoded.
//!
//! As many recordings are decoded at once as there are workers, of one client half of them. Whoever
//! waits holds its upload, which is counted in the memory for audio.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::client::{Client, Shares};

/// The recordings that are decoded at once.
pub struct Decoders {
    all: Arc<Semaphore>,
    of_clients: Shares,
}

/// A recording's turn, until it is dropped.
pub struct Decoding {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_client: OwnedSemaphorePermit,
}

impl Decoders {
    /// At most so many at once.
    pub fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Decoders { all: Arc::new(Semaphore::new(most)), of_clients: Shares::new(most.div_ceil(2)) }
    }

    /// Waits for a turn of a client's.
    pub async fn turn(&self, client: Client) -> Decoding {
        // Its own first: who waits for that does not stand in the others' line.
        let own = self.of_clients.take(client).await;
        let all = Arc::clone(&self.all).acquire_owned().await;
        Decoding { _one_of_all: all.expect("the semaphore is never closed"), _one_of_client: own }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;
    use std::task::{Context, Poll, Waker};

    fn is_ready<F: Future>(future: std::pin::Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_client_leaves_the_others_their_turns() {
        let decoders = Decoders::new(2);
        let [ann, bob, cid] = ["1.1.1.1", "2.2.2.2", "3.3.3.3"]
            .map(|text| Client::at(text.parse::<IpAddr>().unwrap()));
        let mut anns: Vec<_> = (0..10).map(|_| Box::pin(decoders.turn(ann))).collect();
        let first = is_ready(anns[0].as_mut()).expect("Ann's first");
        assert!(anns[1..].iter_mut().all(|turn| is_ready(turn.as_mut()).is_none()));
        let bobs = is_ready(Box::pin(decoders.turn(bob)).as_mut()).expect("Bob's");
        let mut cids = Box::pin(decoders.turn(cid));
        assert!(is_ready(cids.as_mut()).is_none(), "two are decoded");
        drop(first);
        // Cid has waited longer than Ann's second, which was not in his line.
        assert!(is_ready(anns[1].as_mut()).is_none());
        assert!(is_ready(cids.as_mut()).is_some());
        drop(bobs);
    }
}

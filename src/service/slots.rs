//! Who is served: so many connections at once, of one client no more than its share.
//!
//! A connection takes its slot with the first byte that arrives on it. Until then it costs a file
//! and nothing else. Whoever finds no slot free waits for one; only the probes of operators are
//! answered without ([`is_probe`]), so that a service under attack still says how it is. Where too
//! many are silent or wait, the client that has most of them makes room: its oldest is closed.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::client::{Client, Shares};
use super::options::Connections;

/// Requests of operators' probes, by their beginnings.
const PROBES: [&[u8]; 4] = [b"GET /healthz ", b"GET /readyz ", b"HEAD /healthz ", b"HEAD /readyz "];
/// As much of a request as tells a probe.
pub const PROBE_BYTES: usize = 16;
/// Probes that are answered at once beside all else.
const PROBE_SLOTS: usize = 16;

/// How long a connection that is told to go may take, before another one is told too.
const EVICTION: Duration = Duration::from_millis(20);

/// Whether a request that begins so is a probe's.
pub fn is_probe(beginning: &[u8]) -> bool {
    PROBES.iter().any(|probe| beginning.starts_with(probe))
}

/// How many connections are open at most where so many are served: as many are silent or wait.
fn open(most: usize) -> usize {
    2 * most + 4 * PROBE_SLOTS
}

impl Connections {
    /// How many may be served at once where so many can be open.
    pub fn within(open: usize) -> usize {
        (open.saturating_sub(4 * PROBE_SLOTS) / 2).max(1)
    }
}

/// The slots there are.
pub struct Slots {
    all: Arc<Semaphore>,
    probes: Arc<Semaphore>,
    /// Connections that may be open: those served, and as many that are silent or wait.
    open: Arc<Semaphore>,
    of_clients: Shares,
    waiting: Arc<Mutex<Waiting>>,
}

/// A slot, until it is dropped.
pub struct Slot {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_clients: Option<OwnedSemaphorePermit>,
}

/// Connections without a slot, by their age.
#[derive(Default)]
struct Waiting {
    next: u64,
    evict: BTreeMap<u64, (Client, oneshot::Sender<()>)>,
}

/// A connection without a slot, until this is dropped.
pub struct Wait {
    number: u64,
    all: Arc<Mutex<Waiting>>,
    /// Told where the connection must make room.
    pub evicted: oneshot::Receiver<()>,
}

impl Slots {
    /// So many, of which one client has at most its share.
    pub fn new(most: usize, per_client: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS / 4);
        let semaphore = |count| Arc::new(Semaphore::new(count));
        Slots {
            all: semaphore(most),
            probes: semaphore(PROBE_SLOTS),
            open: semaphore(open(most)),
            of_clients: Shares::new(per_client),
            waiting: Arc::default(),
        }
    }

    /// Waits until one more connection may be open. Where too many are, one without a slot is told
    /// to go.
    pub async fn open(&self) -> OwnedSemaphorePermit {
        let mut open = pin!(Arc::clone(&self.open).acquire_owned());
        loop {
            if self.open.available_permits() == 0 {
                lock(&self.waiting).evict_one();
            }
            // Who is told to go may just have been given a slot; and there may be nobody to tell
            // yet.
            if let Ok(open) = timeout(EVICTION, open.as_mut()).await {
                return open.expect("the semaphore is never closed");
            }
        }
    }

    /// A connection that has no slot yet.
    pub fn wait(&self, peer: IpAddr) -> Wait {
        let (evict, evicted) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        let number = waiting.next;
        waiting.next += 1;
        waiting.evict.insert(number, (Client::at(peer), evict));
        Wait { number, all: Arc::clone(&self.waiting), evicted }
    }

    /// Waits for a slot. `peer` is `None` if the connection is that of a trusted proxy, which
    /// speaks for many clients.
    pub async fn take(&self, peer: Option<IpAddr>) -> Slot {
        let own = match peer {
            None => None,
            Some(peer) => Some(self.of_clients.take(Client::at(peer)).await),
        };
        let all = Arc::clone(&self.all).acquire_owned().await;
        Slot { _one_of_all: all.expect("the semaphore is never closed"), _one_of_clients: own }
    }

    /// A slot of all, or where a probe would have to wait for it, one of those for probes.
    pub async fn or_for_probe(
        &self,
        slot: impl Future<Output = Slot>,
        is_probe: bool,
    ) -> Result<Slot, OwnedSemaphorePermit> {
        let for_probe = async {
            match is_probe {
                true => Arc::clone(&self.probes).acquire_owned().await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            slot = slot => Ok(slot),
            slot = for_probe => Err(slot.expect("the semaphore is never closed")),
        }
    }
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    // A map is changed in one step, which no panic leaves half done.
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waiting {
    /// Tells the oldest of the client that has most to go.
    fn evict_one(&mut self) {
        let mut counts: HashMap<Client, usize> = HashMap::new();
        for (client, _) in self.evict.values() {
            *counts.entry(*client).or_default() += 1;
        }
        let most = counts.values().max().copied();
        let mut by_age = self.evict.iter();
        let chosen = by_age.find(|(_, (client, _))| counts.get(client).copied() == most);
        let chosen = chosen.map(|(number, _)| *number);
        if let Some((_, evict)) = chosen.and_then(|number| self.evict.remove(&number)) {
            // It may have gone by itself.
            let _ = evict.send(());
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        lock(&self.all).evict.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    /// What a future has come to without waiting.
    fn now<F: Future>(future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_client_has_its_share_and_a_proxy_all() {
        let slots = Slots::new(3, 2);
        let [ann, bob]: [IpAddr; 2] = ["1.1.1.1", "2.2.2.2"].map(|text| text.parse().unwrap());
        let mut held =
            vec![now(slots.take(Some(ann))).unwrap(), now(slots.take(Some(ann))).unwrap()];
        assert!(now(slots.take(Some(ann))).is_none(), "Ann has her share");
        held.push(now(slots.take(Some(bob))).unwrap());
        assert!(now(slots.take(None)).is_none(), "all are taken");
        let waits = |is_probe| now(slots.or_for_probe(slots.take(Some(ann)), is_probe));
        assert!(matches!(waits(true), Some(Err(_))), "a probe does not wait");
        assert!(waits(false).is_none());
        held.clear();
        let ready = now(slots.or_for_probe(slots.take(Some(ann)), true));
        assert!(matches!(ready, Some(Ok(_))), "nor takes it another slot");
        drop(ready);
        let proxy: Vec<_> = (0..3).map(|_| now(slots.take(None)).unwrap()).collect();
        assert_eq!(proxy.len(), 3);
    }

    #[tokio::test]
    async fn the_oldest_of_the_client_that_has_most_makes_room() {
        let slots = Slots::new(1, 1);
        let open: Vec<_> = std::iter::from_fn(|| now(slots.open())).collect();
        assert!(open.len() >= 2);
        let [ann, bob]: [IpAddr; 2] = ["1.1.1.1", "2.2.2.2"].map(|text| text.parse().unwrap());
        let mut bobs = slots.wait(bob);
        let (mut first, mut second) = (slots.wait(ann), slots.wait(ann));
        assert!(now(slots.open()).is_none());
        assert_eq!(first.evicted.try_recv(), Ok(()));
        assert!(second.evicted.try_recv().is_err());
        assert!(bobs.evicted.try_recv().is_err());
    }

    #[test]
    fn probes_are_told_by_their_first_bytes() {
        for (beginning, expected) in [
            ("GET /healthz HTTP/1.1", true),
            ("HEAD /readyz HTTP/1.1", true),
            ("GET /healthzz HTTP/1.1", false),
            ("POST /compute HTTP/1.1", false),
            ("GET /heal", false),
            ("", false),
        ] {
            assert_eq!(
                is_probe(&beginning.as_bytes()[..beginning.len().min(PROBE_BYTES)]),
                expected,
                "{beginning}"
            );
        }
    }
}

//! Whose a request is, as far as limits for one client must know it.
//!
//! A client is an IPv4 address, or the first 64 bits of an IPv6 address, of which one subscriber
//! has all the others. Behind a proxy that is trusted it is the address that the proxy names in
//! `X-Forwarded-For`.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use axum::http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::scheduler;

/// Whom limits for one client count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    /// The client at an address.
    pub fn at(address: IpAddr) -> Self {
        Client(match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from_bits(network))
            }
            address => address,
        })
    }

    /// Whom a request is from that came from an address: where that is a trusted proxy's, the last
    /// address that `X-Forwarded-For` names and that is none.
    pub fn of(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let peer = peer.to_canonical();
        if !proxies.contains(&peer) {
            return Self::at(peer);
        }
        let named = headers.get_all("x-forwarded-for").iter();
        let named = named.filter_map(|value| value.to_str().ok());
        let mut addresses: Vec<&str> = named.flat_map(|value| value.split(',')).collect();
        addresses.reverse();
        let addresses = addresses.iter().map_while(|text| forwarded(text.trim()));
        let mut addresses = addresses.map(|address| address.to_canonical());
        let stranger = addresses.find(|address| !proxies.contains(address));
        Self::at(stranger.unwrap_or(peer))
    }

    /// The address that stands for it.
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// The client as the scheduler knows it.
    pub fn for_scheduler(self) -> scheduler::Client {
        // Unpredictable, or callers could choose whose turns they share.
        static HASHER: std::sync::LazyLock<RandomState> =
            std::sync::LazyLock::new(RandomState::new);
        scheduler::Client(HASHER.hash_one(self))
    }
}

/// An address as proxies write it: some with its port.
fn forwarded(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse().or_else(|_| with_port()).ok()
}

/// So many of something for each client, who waits where it has them.
pub struct Shares {
    each: usize,
    clients: Mutex<HashMap<Client, Weak<Semaphore>>>,
}

impl Shares {
    /// So many for each.
    pub fn new(each: usize) -> Self {
        Shares { each: each.max(1), clients: Mutex::default() }
    }

    /// Waits until a client may have one more, which it has until this is dropped.
    pub async fn take(&self, client: Client) -> OwnedSemaphorePermit {
        let own = self.of_client(client).acquire_owned().await;
        own.expect("the semaphore is never closed")
    }

    fn of_client(&self, client: Client) -> Arc<Semaphore> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = clients.get(&client).and_then(Weak::upgrade) {
            return own;
        }
        // Only those are alive of which something is held.
        clients.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.each));
        clients.insert(client, Arc::downgrade(&own));
        own
    }
}

/// How many of something each client has, with a bound; clones count together.
#[derive(Clone, Debug)]
pub struct PerClient {
    most: usize,
    counts: Arc<Mutex<HashMap<Client, usize>>>,
}

/// One that is counted, until it is dropped.
#[derive(Debug)]
pub struct Counted {
    client: Client,
    of: PerClient,
}

impl PerClient {
    /// At most so many for each.
    pub fn new(most: usize) -> Self {
        PerClient { most: most.max(1), counts: Arc::default() }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        // A count is changed in one step, which no panic leaves half done.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more for a client, where it may have it.
    pub fn try_take(&self, client: Client) -> Option<Counted> {
        let mut counts = self.counts();
        let count = counts.entry(client).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Counted { client, of: self.clone() })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.of.counts();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_proxy_is_believed_where_it_is_trusted() {
        let proxies = ["10.0.0.1", "10.0.0.2"].map(address);
        let of = |peer: &str, forwarded: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            Client::of(address(peer), &headers, &proxies)
        };
        let client = |text| Client::at(address(text));
        assert_eq!(of("1.2.3.4", &["9.9.9.9"]), client("1.2.3.4"));
        assert_eq!(of("10.0.0.1", &["9.9.9.9"]), client("9.9.9.9"));
        assert_eq!(of("10.0.0.1", &["8.8.8.8, 9.9.9.9"]), client("9.9.9.9"));
        assert_eq!(of("10.0.0.1", &["9.9.9.9:4711"]), client("9.9.9.9"));
        for text in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"] {
            assert_eq!(of("10.0.0.1", &[text]), client("2001:db8::1"), "{text}");
        }
        assert_eq!(of("10.0.0.1", &["8.8.8.8", "9.9.9.9, 10.0.0.2"]), client("9.9.9.9"));
        assert_eq!(of("::ffff:10.0.0.1", &["9.9.9.9"]), client("9.9.9.9"));
        assert_eq!(of("10.0.0.1", &["8.8.8.8, nobody"]), client("10.0.0.1"));
        assert_eq!(of("10.0.0.1", &[]), client("10.0.0.1"));
        assert_eq!(client("2001:db8::1"), client("2001:db8::2"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
    }

    #[test]
    fn each_client_has_its_own_bound() {
        let counts = PerClient::new(2);
        let [ann, bob] = ["1.1.1.1", "2.2.2.2"].map(|text| Client::at(address(text)));
        let first = counts.try_take(ann).unwrap();
        let _second = counts.try_take(ann).unwrap();
        assert!(counts.try_take(ann).is_none());
        assert!(counts.try_take(bob).is_some());
        drop(first);
        assert!(counts.try_take(ann).is_some());
        assert_eq!(counts.counts().len(), 1);
    }
}

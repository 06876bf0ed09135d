//! How often one address and one user may call. This machine's own programs are not counted.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, VIA};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::{Failure, RegistryState};
use crate::http::Peer;
use crate::pure::rate::{Buckets, Rate};

/// Calls from one address. A laboratory's host with 500 boards registers all at once and then pings 8 times a second.
pub const ADDRESS_RATE: Rate = Rate { burst: 2_000, per_second: 50 };
/// Calls with one user's token, from all addresses.
pub const USER_RATE: Rate = Rate { burst: 4_000, per_second: 100 };
/// What a proxy says of whom it speaks for.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A program on this machine, or the control socket.
    ThisHost,
    /// Another machine, by itself or through a proxy here. Of an IPv6 address the network counts: each host has many.
    Elsewhere(IpAddr),
}

/// Where a request comes from. A proxy on this machine speaks for others, and the last address that it adds is the one that
/// it has seen itself.
pub(super) fn source(parts: &Parts) -> Source {
    source_of(parts.extensions.get::<Peer>().copied(), &parts.headers)
}

fn source_of(peer: Option<Peer>, headers: &HeaderMap) -> Source {
    let remote = match peer {
        Some(Peer::Control) => return Source::ThisHost,
        Some(Peer::Tcp { remote, .. }) => remote.ip().to_canonical(),
        None => return Source::Elsewhere(IpAddr::from([0, 0, 0, 0])),
    };
    let proxied = headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED) || headers.contains_key(VIA);
    match remote.is_loopback() {
        true if !proxied => Source::ThisHost,
        true => {
            let last = headers.get_all(X_FORWARDED_FOR).iter().next_back().and_then(|value| value.to_str().ok());
            let last = last.and_then(|list| list.rsplit(',').next()?.trim().parse().ok());
            Source::Elsewhere(network(last.unwrap_or(remote)))
        }
        false => Source::Elsewhere(network(remote)),
    }
}

fn network(address: IpAddr) -> IpAddr {
    const HOST_SEGMENTS: std::ops::Range<usize> = 4..8;
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let mut segments = address.segments();
            segments[HOST_SEGMENTS].fill(0);
            IpAddr::from(segments)
        }
        address => address,
    }
}

/// Everybody's buckets.
#[derive(Debug)]
pub struct Limits {
    began: Instant,
    addresses: Mutex<Buckets<IpAddr>>,
    users: Mutex<Buckets<Uuid>>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new(ADDRESS_RATE, USER_RATE)
    }
}

impl Limits {
    /// With these rates.
    pub fn new(address: Rate, user: Rate) -> Limits {
        Limits {
            began: Instant::now(),
            addresses: Mutex::new(Buckets::new(address)),
            users: Mutex::new(Buckets::new(user)),
        }
    }

    pub(super) fn take_user(&self, user: Uuid) -> Result<(), Failure> {
        take(&self.users, user, self.began)
    }

    fn take_address(&self, address: IpAddr) -> Result<(), Failure> {
        take(&self.addresses, address, self.began)
    }
}

fn take<K: Eq + std::hash::Hash>(buckets: &Mutex<Buckets<K>>, key: K, began: Instant) -> Result<(), Failure> {
    const SECOND_US: u64 = 1_000_000;
    let now_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let taken = buckets.lock().unwrap_or_else(PoisonError::into_inner).take(key, now_us);
    taken.map_err(|wait_us| Failure::TooOften { seconds: wait_us.div_ceil(SECOND_US) })
}

/// Counts every call before anything is asked of the database.
pub(super) async fn limit(State(state): State<RegistryState>, request: Request, next: Next) -> Response {
    let from = source_of(request.extensions().get::<Peer>().copied(), request.headers());
    if let Source::Elsewhere(address) = from
        && let Err(failure) = state.limits.take_address(address)
    {
        return failure.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(remote: &str) -> Option<Peer> {
        Some(Peer::Tcp { local: "127.0.0.1:1".parse().unwrap(), remote: remote.parse().unwrap() })
    }

    #[test]
    fn a_proxy_on_this_machine_is_not_this_machine() {
        let headers = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
        };
        let elsewhere = |text: &str| Source::Elsewhere(text.parse().unwrap());
        for (peer, headers, wanted) in [
            (Some(Peer::Control), HeaderMap::new(), Source::ThisHost),
            (tcp("127.0.0.1:9"), HeaderMap::new(), Source::ThisHost),
            (tcp("[::ffff:127.0.0.1]:9"), HeaderMap::new(), Source::ThisHost),
            (tcp("127.0.0.1:9"), headers(X_FORWARDED_FOR, "10.1.1.1, 192.0.2.7"), elsewhere("192.0.2.7")),
            (tcp("127.0.0.1:9"), headers(X_FORWARDED_FOR, "nonsense"), elsewhere("127.0.0.1")),
            (tcp("127.0.0.1:9"), headers("forwarded", "for=192.0.2.7"), elsewhere("127.0.0.1")),
            (tcp("192.0.2.1:9"), headers(X_FORWARDED_FOR, "127.0.0.1"), elsewhere("192.0.2.1")),
            (tcp("[2001:db8:1:2:3:4:5:6]:9"), HeaderMap::new(), elsewhere("2001:db8:1:2::")),
        ] {
            assert_eq!(source_of(peer, &headers), wanted, "{peer:?} {headers:?}");
        }
    }
}

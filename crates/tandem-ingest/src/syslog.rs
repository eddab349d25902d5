//! Syslog: datagrams (RFC 5426) and streams (RFC 6587, over TLS RFC 5425).

mod frame;
mod host;
mod tcp;
mod udp;

pub use frame::{Cut, Frame, FrameError, Framer};
pub(crate) use tcp::{Tcp, listen as listen_tcp};
pub(crate) use udp::{Udp, bind as bind_udp, receive as receive_udp};

use crate::Allow;
use crate::counters::{Counters, Source};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Whose record is it: the peer's, or, behind a declared relay, the host's that the header names.
struct Names {
    counters: Arc<Counters>,
    relays: Allow,
    peers: HashMap<IpAddr, (bool, Arc<Source>)>,
}

/// Peers whose source is looked up once; beyond it the cache starts anew.
const MAX_CACHED: usize = 4096;

impl Names {
    fn new(counters: Arc<Counters>, relays: Allow) -> Self {
        Self { counters, relays, peers: HashMap::new() }
    }

    fn source(&mut self, peer: IpAddr, raw: &[u8]) -> Arc<Source> {
        if self.peers.len() >= MAX_CACHED && !self.peers.contains_key(&peer) {
            self.peers.clear();
        }
        let (relay, source) = self
            .peers
            .entry(peer)
            .or_insert_with(|| (self.relays.lists(peer), self.counters.source(&format!("syslog:{peer}"))));
        if *relay && let Some(host) = host::name(raw) {
            return self.counters.source(&format!("syslog:{}", host.to_ascii_lowercase()));
        }
        Arc::clone(source)
    }
}

//! What went through and what did not, per receiver and per source, readable at any time.

use crate::Kind;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use tandem_base::{Clock, Timestamp};

/// Why something was not taken, or not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The peer is not on the receiver's list.
    NotAllowed,
    /// No token, or an unknown or disabled one.
    Unauthorized,
    /// More connections than the limit.
    ConnectionLimit,
    /// The TLS handshake failed.
    Tls,
    /// Nothing came for too long.
    Timeout,
    /// A frame or event longer than the limit.
    TooLong,
    /// A frame without its count, or text that is not what the protocol says.
    Malformed,
    /// The connection ended in the middle of a frame.
    CutOff,
    /// A body larger than the limit, before or after decompression.
    BodyTooLarge,
    /// A compressed body that cannot be decompressed.
    Compression,
    /// A request that the protocol does not know.
    Unsupported,
    /// The sink had no room.
    SinkFull,
    /// The sink failed to write.
    SinkFailed,
}

const CAUSES: [(Cause, &str); 13] = [
    (Cause::NotAllowed, "not-allowed"),
    (Cause::Unauthorized, "unauthorized"),
    (Cause::ConnectionLimit, "connection-limit"),
    (Cause::Tls, "tls"),
    (Cause::Timeout, "timeout"),
    (Cause::TooLong, "too-long"),
    (Cause::Malformed, "malformed"),
    (Cause::CutOff, "cut-off"),
    (Cause::BodyTooLarge, "body-too-large"),
    (Cause::Compression, "compression"),
    (Cause::Unsupported, "unsupported"),
    (Cause::SinkFull, "sink-full"),
    (Cause::SinkFailed, "sink-failed"),
];

impl Cause {
    /// The word used in screens and metrics.
    pub fn word(self) -> &'static str {
        CAUSES.iter().find(|(cause, _)| *cause == self).map_or("", |(_, word)| word)
    }
}

/// A receiver's figures at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiverSnapshot {
    /// Which protocol.
    pub kind: Kind,
    /// Where it listens.
    pub address: SocketAddr,
    /// Records made durable.
    pub records: u64,
    /// Bytes of these records.
    pub bytes: u64,
    /// Connections (UDP: zero) open now.
    pub connections: u64,
    /// Records that are lost: the kernel's socket buffer overflowed, or shutdown found no room for them.
    pub dropped: u64,
    /// Errors by cause, only those that happened.
    pub errors: Vec<(Cause, u64)>,
    /// When the last record was made durable.
    pub last_seen: Option<Timestamp>,
    /// Who sent it.
    pub last_peer: Option<IpAddr>,
    /// The last error, for a person.
    pub last_error: Option<(Timestamp, String)>,
}

/// A source's figures at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSnapshot {
    /// Its name.
    pub name: String,
    /// Records made durable.
    pub records: u64,
    /// Bytes of these records.
    pub bytes: u64,
    /// Errors by cause, only those that happened.
    pub errors: Vec<(Cause, u64)>,
    /// When its first record since start came.
    pub first_seen: Option<Timestamp>,
    /// When its last record was made durable.
    pub last_seen: Option<Timestamp>,
    /// Who sent it.
    pub last_peer: Option<IpAddr>,
    /// The last error, for a person.
    pub last_error: Option<(Timestamp, String)>,
}

/// All figures; cheap to keep and to read.
pub struct Counters {
    clock: Arc<dyn Clock>,
    max_sources: usize,
    receivers: RwLock<Vec<Arc<Receiver>>>,
    sources: RwLock<HashMap<String, Arc<Source>>>,
}

/// The name under which sources beyond the limit are counted.
pub(crate) const MORE: &str = "syslog:more";

pub(crate) struct Receiver {
    kind: Kind,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    pub(crate) connections: AtomicU64,
    pub(crate) dropped: AtomicU64,
    tally: Tally,
}

pub(crate) struct Source {
    pub(crate) name: String,
    clock: Arc<dyn Clock>,
    tally: Tally,
}

#[derive(Default)]
struct Tally {
    records: AtomicU64,
    bytes: AtomicU64,
    errors: [AtomicU64; CAUSES.len()],
    first_seen: AtomicI64,
    last_seen: AtomicI64,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    peer: Option<IpAddr>,
    error: Option<(Timestamp, String)>,
}

impl Tally {
    fn took(&self, records: u64, bytes: u64, peer: Option<IpAddr>, now: Timestamp) {
        self.records.fetch_add(records, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
        let _ = self.first_seen.compare_exchange(0, now.micros(), Relaxed, Relaxed);
        self.last_seen.store(now.micros(), Relaxed);
        self.last.lock().peer = peer;
    }

    fn error(&self, cause: Cause, text: &str, now: Timestamp) {
        if let Some(place) = CAUSES.iter().position(|(other, _)| *other == cause) {
            self.errors[place].fetch_add(1, Relaxed);
        }
        self.last.lock().error = Some((now, text.chars().take(300).collect()));
    }

    fn errors(&self) -> Vec<(Cause, u64)> {
        let counts = self.errors.iter().map(|count| count.load(Relaxed));
        CAUSES.iter().map(|(cause, _)| *cause).zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

fn instant(micros: &AtomicI64) -> Option<Timestamp> {
    match micros.load(Relaxed) {
        0 => None,
        micros => Some(Timestamp::from_micros(micros)),
    }
}

impl Receiver {
    pub(crate) fn took(&self, records: u64, bytes: u64, peer: Option<IpAddr>) {
        self.tally.took(records, bytes, peer, self.clock.now());
    }

    pub(crate) fn error(&self, cause: Cause, text: &str) {
        self.tally.error(cause, text, self.clock.now());
    }

    fn snapshot(&self) -> ReceiverSnapshot {
        let last = self.tally.last.lock();
        ReceiverSnapshot {
            kind: self.kind,
            address: self.address,
            records: self.tally.records.load(Relaxed),
            bytes: self.tally.bytes.load(Relaxed),
            connections: self.connections.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            errors: self.tally.errors(),
            last_seen: instant(&self.tally.last_seen),
            last_peer: last.peer,
            last_error: last.error.clone(),
        }
    }
}

impl Source {
    pub(crate) fn took(&self, records: u64, bytes: u64, peer: Option<IpAddr>) {
        self.tally.took(records, bytes, peer, self.clock.now());
    }

    pub(crate) fn error(&self, cause: Cause, text: &str) {
        self.tally.error(cause, text, self.clock.now());
    }

    fn snapshot(&self) -> SourceSnapshot {
        let last = self.tally.last.lock();
        SourceSnapshot {
            name: self.name.clone(),
            records: self.tally.records.load(Relaxed),
            bytes: self.tally.bytes.load(Relaxed),
            errors: self.tally.errors(),
            first_seen: instant(&self.tally.first_seen),
            last_seen: instant(&self.tally.last_seen),
            last_peer: last.peer,
            last_error: last.error.clone(),
        }
    }
}

impl Counters {
    pub(crate) fn new(clock: Arc<dyn Clock>, max_sources: usize) -> Self {
        Self { clock, max_sources: max_sources.max(1), receivers: RwLock::default(), sources: RwLock::default() }
    }

    pub(crate) fn receiver(&self, kind: Kind, address: SocketAddr) -> Arc<Receiver> {
        let receiver = Arc::new(Receiver {
            kind,
            address,
            clock: Arc::clone(&self.clock),
            connections: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            tally: Tally::default(),
        });
        self.receivers.write().push(Arc::clone(&receiver));
        receiver
    }

    /// The source called `name`; the shared one for the rest once the limit is reached.
    pub(crate) fn source(&self, name: &str) -> Arc<Source> {
        if let Some(source) = self.sources.read().get(name) {
            return Arc::clone(source);
        }
        let mut sources = self.sources.write();
        let name = if sources.len() >= self.max_sources && !sources.contains_key(name) { MORE } else { name };
        let make = || Source { name: name.to_owned(), clock: Arc::clone(&self.clock), tally: Tally::default() };
        Arc::clone(sources.entry(name.to_owned()).or_insert_with(|| Arc::new(make())))
    }

    /// Every receiver's figures, in the order of the configuration.
    pub fn receivers(&self) -> Vec<ReceiverSnapshot> {
        self.receivers.read().iter().map(|receiver| receiver.snapshot()).collect()
    }

    /// Every source's figures since start, by name.
    pub fn sources(&self) -> Vec<SourceSnapshot> {
        let sources: Vec<_> = self.sources.read().values().map(Arc::clone).collect();
        let mut snapshots: Vec<_> = sources.iter().map(|source| source.snapshot()).collect();
        snapshots.sort_by(|a, b| a.name.cmp(&b.name));
        snapshots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::ManualClock;

    #[test]
    fn sources_beyond_the_limit_share_one_name() {
        let counters = Counters::new(Arc::new(ManualClock::at(Timestamp::from_seconds(9))), 2);
        for name in ["a", "b", "c", "d", "a"] {
            counters.source(name).took(1, 10, None);
        }
        let seen: Vec<_> = counters.sources().into_iter().map(|source| (source.name, source.records)).collect();
        assert_eq!(seen, [("a".to_owned(), 2), ("b".to_owned(), 1), (MORE.to_owned(), 2)]);
    }
}

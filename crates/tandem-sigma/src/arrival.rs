//! When an event happened, when it arrived, and what it is called.

use std::fmt;

/// The name of an event: three numbers, in whose order events of the same instant stand.
///
/// Where events come from a log that is read by position, these are the generation of the log, the
/// position of the record, and the number of the event in it. The same event must have the same name
/// whenever it is seen again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Generation of the log.
    pub epoch: u64,
    /// Position of the record.
    pub offset: u64,
    /// Number of the event in its record.
    pub index: u32,
}

impl EventId {
    /// The first event of a record of the first generation.
    pub fn at(offset: u64) -> Self {
        Self { epoch: 0, offset, index: 0 }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.epoch, self.offset, self.index)
    }
}

/// An event's place in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The event's name.
    pub id: EventId,
    /// When it happened, in milliseconds since 1970 (UTC).
    pub time_ms: i64,
    /// When it was received, likewise. Where that is not known, give the time of the event.
    pub received_ms: i64,
}

impl Arrival {
    /// An event that is received when it happens.
    pub fn at(id: EventId, time_ms: i64) -> Self {
        Self { id, time_ms, received_ms: time_ms }
    }
}

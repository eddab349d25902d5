//! Ids that never come back: an epoch is drawn anew at `init` and at every restore.

use std::fmt;
use std::str::FromStr;
use tandem_base::{IdError, hex, unhex};

tandem_base::id128!(
    /// One import of stored logs, or one run of a rule over history.
    RunId,
    "run"
);

/// The place of a record in the spool: 64 random bits of the epoch and the record's ordinal in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RecordId {
    /// Drawn at `init` and at every restore.
    pub epoch: u64,
    /// 0-based ordinal of the record within the epoch.
    pub offset: u64,
}

/// One event: the record that completed it, and its index among the events of that record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventId {
    /// The record that completed the event.
    pub record: RecordId,
    /// 0-based index among the events that the record completed; never renumbered.
    pub index: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", hex(&self.epoch.to_be_bytes()), self.offset)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError::new(text, "<16 hex digits>-<number>");
        let (epoch, offset) = text.split_once('-').ok_or_else(error)?;
        let epoch: [u8; 8] = unhex(epoch).and_then(|bytes| bytes.try_into().ok()).ok_or_else(error)?;
        Ok(Self { epoch: u64::from_be_bytes(epoch), offset: offset.parse().map_err(|_| error())? })
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.record, self.index)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError::new(text, "<16 hex digits>-<number>-<number>");
        let (record, index) = text.rsplit_once('-').ok_or_else(error)?;
        Ok(Self { record: record.parse().map_err(|_| error())?, index: index.parse().map_err(|_| error())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_id_text_and_back() {
        let id = EventId { record: RecordId { epoch: 0xdead_beef, offset: 17 }, index: 2 };
        assert_eq!(id.to_string(), "00000000deadbeef-17-2");
        assert_eq!(id.to_string().parse::<EventId>().unwrap(), id);
        for wrong in ["", "1-2-3", "00000000deadbeef-17", "00000000deadbeef-x-2"] {
            assert!(wrong.parse::<EventId>().is_err(), "{wrong}");
        }
    }
}

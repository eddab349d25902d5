//! What a parser made of one or more records.

use crate::{EventId, Fields, LogType, RecordId, RunId, Value};
use std::sync::Arc;
use tandem_base::Timestamp;

/// One log type of an event, with the names that this type's rules use for its fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TypedAs {
    /// The type.
    pub log_type: LogType,
    /// Further names for fields (`Image` for `NewProcessName` of Security 4688); they win over vendor names.
    pub aliases: Fields,
}

/// One parsed log event, with two layers of names.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Never renumbered.
    pub id: EventId,
    /// The earliest record that the event was joined from; `id.record` where it was one record.
    pub first_record: RecordId,
    /// When it happened, as the sender says; `received` where the sender says nothing readable.
    pub time: Timestamp,
    /// When it was received.
    pub received: Timestamp,
    /// The source that delivered it.
    pub source: Arc<str>,
    /// The parser that took it, for instance `microsoft.windows`; `generic` where none did.
    pub parser: Arc<str>,
    /// At least one.
    pub typed: Vec<TypedAs>,
    /// Names as the product writes them: what Sigma rules use.
    pub vendor: Fields,
    /// Elastic Common Schema names, dotted.
    pub common: Fields,
    /// The text as received, invalid UTF-8 replaced; of joined records, one a line.
    pub raw: Arc<str>,
    /// Byte ranges of `raw` that hold values with a privacy tag, sorted, not overlapping.
    pub raw_private: Vec<(u32, u32)>,
    /// Why parsing fell short, as one sentence.
    pub error: Option<Arc<str>>,
    /// The import that it came with, if it is history.
    pub run: Option<RunId>,
}

impl Event {
    /// Whether no parser took it.
    pub fn is_generic(&self) -> bool {
        self.typed.iter().all(|typed| typed.log_type.is_generic())
    }

    /// The value of `name` as rules of `typed` see it: aliases of the type, then vendor, then common names.
    pub fn field_as<'a>(&'a self, typed: &'a TypedAs, name: &str) -> Option<&'a Value> {
        typed.aliases.get(name).or_else(|| self.field(name))
    }

    /// The value of `name`: vendor, then common names.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.vendor.get(name).or_else(|| self.common.get(name))
    }
}

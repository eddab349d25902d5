//! Files taken apart into raw records.

mod json;

pub use json::json_documents;

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// The record's bytes, in UTF-8 where the container knows the encoding.
    pub raw: Vec<u8>,
    /// 0-based place in the file, counting unreadable records too.
    pub index: u64,
    /// The record id that Windows gave it.
    pub event_record_id: Option<u64>,
    /// What the container says about the record, for [`tandem_model::Record::facts`].
    pub facts: Vec<(String, String)>,
}

/// What could not be read, named; reading goes on where that is possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (record {index})")]
pub struct Leftover {
    /// 0-based place in the file.
    pub index: u64,
    /// One sentence.
    pub reason: String,
}

//! How large everything may become.

use crate::error::OpenError;

/// Largest record that the format takes, bytes.
pub const RECORD_BYTES_HARD_MAX: usize = 8 * 1024 * 1024;
/// Most records in one block; a bound for readers of damaged bytes, too.
pub(crate) const BLOCK_RECORDS_MAX: usize = 65_536;
/// A block is closed when its plain body reaches this size.
pub(crate) const BLOCK_BYTES_TARGET: usize = 256 * 1024;
/// Largest plain body: a block below its target, then the largest record.
pub(crate) const BLOCK_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Blocks of at most this plain size gather under one sync; one append is never divided.
pub(crate) const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Limits of one spool, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest record.
    pub record_bytes_max: usize,
    /// A file that has reached this size is closed.
    pub file_bytes_max: u64,
    /// All files together; beyond it appends are refused until a reader has trimmed.
    pub spool_bytes_max: u64,
    /// What may wait for the writer; one append must fit, too.
    pub queue_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes_max: 1024 * 1024,
            file_bytes_max: 64 * 1024 * 1024,
            spool_bytes_max: 8 * 1024 * 1024 * 1024,
            queue_bytes_max: 64 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Whether they fit each other.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let wrong = |what| Err(OpenError::Limits(what));
        if self.record_bytes_max == 0 || self.record_bytes_max > RECORD_BYTES_HARD_MAX {
            return wrong("a record has from 1 byte to 8 MiB");
        }
        if self.file_bytes_max == 0 || self.spool_bytes_max / 4 < self.file_bytes_max {
            // Only closed files can be trimmed: with fewer, a full spool could stay full for ever.
            return wrong("a spool is at least four times as large as a file");
        }
        if self.queue_bytes_max < self.record_bytes_max {
            return wrong("the queue takes at least one record");
        }
        Ok(())
    }
}

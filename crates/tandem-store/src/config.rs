//! Limits and switches of a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Called with the name of each step of seal, compaction and retention before it is taken; `true` stops
/// there as if the process had been killed: nothing is tidied up. For tests of crashes.
pub type FailPoint = Arc<dyn Fn(&'static str) -> bool + Send + Sync>;

/// Limits of a store.
#[derive(Clone)]
pub struct StoreConfig {
    /// Events that the unsealed tail holds before `append` refuses. Default 300,000.
    pub tail_events_max: usize,
    /// Bytes that the unsealed tail holds, estimated, before `append` refuses. Default 512 MiB.
    pub tail_bytes_max: usize,
    /// Rows of a compacted file. Default 1,000,000.
    pub file_rows_max: u64,
    /// Bytes of a compacted file. Default 128 MiB.
    pub file_bytes_max: u64,
    /// Files of about one size in one day and family before they are merged. Default 8.
    pub merge_files: usize,
    /// How long a removed file stays on disk for readers of earlier versions. Default 1 h.
    pub removed_grace: Duration,
    /// Threads for queries; they run at low priority. Default: all cores but one, at least one.
    pub query_threads: usize,
    /// Memory for all running queries together, in bytes. Default 1 GiB.
    pub query_memory_bytes: usize,
    /// Memory for Parquet footers and indexes, in bytes. Default 128 MiB.
    pub cache_bytes: usize,
    /// See [`FailPoint`]. Default none.
    pub fail_point: Option<FailPoint>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            tail_events_max: 300_000,
            tail_bytes_max: 512 << 20,
            file_rows_max: 1_000_000,
            file_bytes_max: 128 << 20,
            merge_files: 8,
            removed_grace: Duration::from_hours(1),
            query_threads: (cores - 1).max(1),
            query_memory_bytes: 1 << 30,
            cache_bytes: 128 << 20,
            fail_point: None,
        }
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("tail_events_max", &self.tail_events_max)
            .field("tail_bytes_max", &self.tail_bytes_max)
            .field("file_rows_max", &self.file_rows_max)
            .field("query_threads", &self.query_threads)
            .field("query_memory_bytes", &self.query_memory_bytes)
            .finish_non_exhaustive()
    }
}

//! The needle index beside each data file: which blocks of rows can hold a token or a value.
//!
//! An index may say yes where the answer is no, never the other way round. Bytes: `docs/formats/event-table.md`;
//! why this shape: `docs/decisions/0008-needle-index.md`.

mod build;
mod file;
mod postings;
mod probe;
mod sql;
mod term;

pub(crate) use build::IndexBuilder;
pub(crate) use file::IndexCache;
pub(crate) use probe::{Probe, probe};
pub(crate) use sql::probe_sql;

/// Rows in a block.
pub(crate) const BLOCK_ROWS: u64 = 1024;

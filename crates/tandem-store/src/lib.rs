//! The event table: Parquet, Delta, compaction, retention, queries on DataFusion.
//!
//! [`Store`] is the door: events come in by [`Store::append`], are searchable at once, and become files
//! with [`Store::seal`]. The bytes on disk are described in `docs/formats/event-table.md`.

mod arrange;
mod config;
mod datafile;
mod decode;
mod detection_rows;
mod durable;
mod encode;
mod error;
mod extra;
mod family;
mod layout;
mod log;
mod parquet_file;
mod seal;
mod store;
mod tail;

pub use config::{FailPoint, StoreConfig};
pub use error::{QueryError, StoreError, TailFull};
pub use family::{FAMILIES, family};
pub use seal::Sealed;
pub use store::{Appended, Store, StoreStats};

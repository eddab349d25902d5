//! The event table: Parquet, Delta, compaction, retention, queries on DataFusion.
//!
//! [`Store`] is the door: events come in by [`Store::append`], are searchable at once, and become files
//! with [`Store::seal`]. The bytes on disk are described in `docs/formats/event-table.md`.

mod adapt;
mod arrange;
mod barrier;
mod cell;
mod compile;
mod config;
mod datafile;
mod decode;
mod detection_rows;
mod detections;
mod durable;
mod encode;
mod engine;
mod error;
mod extra;
mod facets;
mod family;
mod figures;
mod functions;
mod gather;
mod index;
mod keep;
mod layout;
mod log;
mod look;
mod matcher;
mod merge;
mod parquet_file;
mod provider;
mod read;
mod request;
mod run;
mod scan;
mod seal;
mod search;
mod sql;
mod sql_guard;
mod store;
mod tail;

pub use config::{FailPoint, StoreConfig};
pub use detections::DetectionRequest;
pub use error::{QueryError, StoreError, TailFull};
pub use facets::Facet;
pub use family::{FAMILIES, family};
pub use keep::Removed;
pub use merge::Compacted;
pub use request::{Bucket, Cursor, Done, Progress, RowOrder, SearchPart, SearchRequest};
pub use run::QueryLimits;
pub use seal::Sealed;
pub use search::SearchStream;
pub use sql::{SqlAnswer, rows_of};
pub use store::{Appended, Store, StoreStats};

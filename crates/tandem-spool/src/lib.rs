//! When bytes are durable, and where a reader stands.
//!
//! Payloads are opaque. A record's position is (epoch, offset): 64 bits given at [`Spool::create`], and its ordinal.
//! [`Spool::append`] answers only when the records are on stable storage; readers see nothing before that.
//! Bytes on disk are specified in `docs/formats/spool.md`.
//!
//! ```
//! use std::sync::Arc;
//! use tandem_spool::{Limits, Spool};
//!
//! let folder = tempfile::tempdir()?;
//! let disk = Arc::new(tandem_base::RealDisk);
//! let spool = Spool::create(disk, folder.path(), 0x1234, Limits::default())?;
//! let offsets = spool.append(vec![b"first".to_vec(), b"second".to_vec()]).wait()?;
//! assert_eq!(offsets, 0..2);
//! assert_eq!(spool.read_from(1, 1024)?.records, [(1, b"second".to_vec())]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![warn(missing_docs)]

mod error;
mod format;
mod limits;
mod read;
mod recover;
mod scan;
mod spool;
mod ticket;
mod writer;

pub use error::{AppendError, OpenError, ReadError, TrimError};
pub use limits::{Limits, RECORD_BYTES_HARD_MAX};
pub use read::Read;
pub use recover::{Cut, Damage, Recovery};
pub use spool::{Spool, Status};
pub use ticket::Ticket;

//! What can go wrong, and what to do then.

use std::io;
use std::sync::Arc;

/// Why records are not durable. None of the records of the append is kept, unless the process dies first.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The files are as large as allowed: slow the sender, or trim.
    #[error("the spool holds {used_bytes} bytes and may hold {max_bytes}")]
    Full {
        /// Size of all files.
        used_bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// More waits for the writer than allowed: try again shortly.
    #[error("{queued_bytes} bytes wait for the writer of the spool and {max_bytes} may")]
    QueueFull {
        /// What waits.
        queued_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// A record, or the append as a whole, can never be taken.
    #[error("a record or batch of {size_bytes} bytes is larger than the limit of {max_bytes}")]
    TooLarge {
        /// Index of the record in the append; `None` for all of them together.
        index: Option<usize>,
        /// Its size.
        size_bytes: usize,
        /// The limit.
        max_bytes: usize,
    },
    /// The disk refused to write, for instance because it is full. Later appends try again.
    #[error("the spool could not be written")]
    Disk(#[source] Arc<io::Error>),
    /// After a failure that leaves the state of the file unknown the writer takes nothing more: drop the spool
    /// and open it again.
    #[error("the spool stopped after a failure and must be opened again")]
    Stopped(#[source] Arc<io::Error>),
    /// The spool is being closed.
    #[error("the spool is closed")]
    Closed,
}

impl AppendError {
    /// Whether the same append may succeed later on this spool.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::QueueFull { .. } | Self::Disk(_))
    }
}

/// Why a spool cannot be opened or created.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The limits contradict each other.
    #[error("limits of the spool do not fit: {0}")]
    Limits(&'static str),
    /// Another process has it open.
    #[error("the spool is in use by another process")]
    InUse,
    /// There is none in the folder.
    #[error("there is no spool in this folder")]
    Missing,
    /// There is one already.
    #[error("there is a spool in this folder already")]
    Exists,
    /// Neither a file's header nor a block can be read, so its epoch is lost: create it again with a new one.
    #[error("no file of the spool can be read")]
    Unreadable,
    /// Files of two spools in one folder.
    #[error("file `{file}` belongs to another spool")]
    Mixed {
        /// The first file with another epoch.
        file: String,
    },
    /// Written by another version of the program.
    #[error("file `{file}` has version {version} of the format, which this program does not know")]
    Version {
        /// The file.
        file: String,
        /// Its version.
        version: u32,
    },
    /// The disk failed.
    #[error("the spool's files could not be opened")]
    Disk(#[from] io::Error),
}

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// These records have been trimmed.
    #[error("records before offset {first} have been removed")]
    Trimmed {
        /// The first offset that is still there.
        first: u64,
    },
    /// The spool ends before this offset: the reader's position belongs to another spool, or to one that lost records.
    #[error("the spool ends at offset {next}")]
    BeyondEnd {
        /// The offset that the next record will have.
        next: u64,
    },
    /// The disk failed.
    #[error("the spool could not be read")]
    Disk(#[from] io::Error),
}

/// Why files were not removed; those that were are gone, the others can be trimmed again.
#[derive(Debug, thiserror::Error)]
#[error("files of the spool could not be removed")]
pub struct TrimError(#[from] pub io::Error);

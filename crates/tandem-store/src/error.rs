//! What can go wrong, one type per family of operations.

use std::path::PathBuf;

/// Opening, sealing, compaction, retention.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder of the tables cannot be made or read.
    #[error("table folder {} is not usable", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The Delta log of a table cannot be read or written.
    #[error("delta log of table `{table}` could not be {verb}")]
    Log {
        /// `events` or `detections`.
        table: &'static str,
        /// `read`, `written` …
        verb: &'static str,
        /// Why.
        #[source]
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// A table that exists has a column of another type than the catalogue.
    #[error(
        "column `{column}` of table `{table}` is {stored} there and {wanted} in the catalogue; columns are never retyped"
    )]
    Retyped {
        /// The table.
        table: &'static str,
        /// The column.
        column: String,
        /// Type in the table.
        stored: String,
        /// Type in the catalogue.
        wanted: String,
    },
    /// Two catalogue fields claim one column.
    #[error("field `{field}` needs the column `{column}`, which another field has")]
    ColumnTaken {
        /// The field.
        field: String,
        /// The column.
        column: String,
    },
    /// A data or index file cannot be read or written.
    #[error("file `{path}` could not be {verb}")]
    File {
        /// Path from the folder of the tables.
        path: String,
        /// `read`, `written`, `removed`.
        verb: &'static str,
        /// Why.
        #[source]
        source: object_store::Error,
    },
    /// Parquet encoding or decoding failed.
    #[error("parquet file `{path}` could not be {verb}")]
    Parquet {
        /// Path from the folder of the tables.
        path: String,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Rows could not be arranged as columns.
    #[error("rows could not be arranged as columns")]
    Rows(#[from] arrow::error::ArrowError),
    /// A query of the store's own failed.
    #[error("a look-up that the store needs failed")]
    Lookup(#[source] Box<QueryError>),
    /// A fail point of a test was reached.
    #[error("stopped at fail point `{0}`")]
    FailPoint(&'static str),
    /// A worker thread of the store ended early.
    #[error("a worker of the store ended early")]
    Worker(#[from] tokio::task::JoinError),
}

/// The tail holds as much as it may: seal, then append again. Nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the unsealed tail is full ({events} events, about {bytes} bytes); seal and append again")]
pub struct TailFull {
    /// Events in the tail.
    pub events: usize,
    /// Their approximate size.
    pub bytes: usize,
}

/// Searching, SQL, look-ups.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// What the user wrote cannot be answered; the sentence says what to do.
    #[error("{message}")]
    Invalid {
        /// One sentence.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The time limit passed.
    #[error("the query took longer than its limit of {seconds} s; narrow the time range or the terms")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// The memory limit was passed.
    #[error("the query needs more than its limit of {limit_bytes} bytes of memory; narrow it or group by fewer values")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// There are more rows than may be shown; those before it were the first ones.
    #[error("the answer has more than {limit} rows; narrow it or add LIMIT")]
    TooManyRows {
        /// The limit.
        limit: usize,
    },
    /// The caller cancelled it.
    #[error("the query was cancelled")]
    Cancelled,
    /// The engine failed.
    #[error("the query engine failed")]
    Engine(#[source] Box<datafusion::error::DataFusionError>),
    /// A stored file could not be read.
    #[error("stored events could not be read")]
    Store(#[source] Box<StoreError>),
}

impl QueryError {
    /// An [`QueryError::Invalid`] without a hint.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), hint: None }
    }
}

impl From<datafusion::error::DataFusionError> for QueryError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Engine(Box::new(error))
    }
}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

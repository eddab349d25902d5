//! One Delta table's log: open or create, add columns, commit, read back.

use crate::StoreError;
use crate::datafile::DataFile;
use crate::durable::DurableStore;
use crate::layout::{RECEIVED, TIME};
use arrow::datatypes::{DataType as ArrowType, Field as ArrowField, SchemaRef, TimeUnit};
use deltalake_core::DeltaTableError;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, ArrayType, DataType, MetadataExt, Remove, StructField, StructType, Transaction};
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::table::state::DeltaTableState;
use futures::{StreamExt, TryStreamExt};
use object_store::prefix::PrefixStore;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::Url;

/// A checkpoint is written, and old log entries are removed, after so many commits.
const CHECKPOINT_EVERY: u64 = 50;

/// What a commit is, for the history that other engines show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// New rows.
    Append,
    /// The same rows in fewer files.
    Compact,
    /// Rows past their retention.
    Expire,
}

/// A table's log, with its latest state in memory. One writer at a time.
pub(crate) struct Log {
    table: &'static str,
    store: LogStoreRef,
    state: DeltaTableState,
}

impl Log {
    /// Opens the table in the folder `table` of `files`, creates it when it is not there, and adds columns that
    /// it lacks.
    pub(crate) async fn open(
        table: &'static str,
        files: DurableStore,
        schema: &SchemaRef,
        partitions: &[&str],
    ) -> Result<Self, StoreError> {
        let failed = |verb: &'static str| move |source: DeltaTableError| log_error(table, verb, source);
        // The log's engine goes from URL to path and back more than once, and does it wrong for names with `%`.
        // So it is told a URL of harmless names, and its store begins at the folder of the tables.
        let url = Url::parse(&format!("tandem:///{table}/"))
            .map_err(|error| failed("read")(DeltaTableError::InvalidTableLocation(error.to_string())))?;
        let prefixed = PrefixStore::new(files.clone(), table);
        let store: LogStoreRef = default_logstore(Arc::new(prefixed), Arc::new(files), &url, &StorageConfig::default());
        if !store.is_delta_table_location().await.map_err(failed("read"))? {
            let columns = schema.fields().iter().map(|field| delta_field(field));
            let properties = [
                ("delta.dataSkippingStatsColumns", format!("{TIME},{RECEIVED}")),
                ("delta.checkpointInterval", CHECKPOINT_EVERY.to_string()),
                ("delta.logRetentionDuration", "interval 2 days".to_owned()),
                ("delta.deletedFileRetentionDuration", "interval 1 days".to_owned()),
            ];
            CreateBuilder::new()
                .with_log_store(store.clone())
                .with_table_name(table)
                .with_columns(columns)
                .with_partition_columns(partitions.iter().copied())
                .with_configuration(properties.map(|(key, value)| (key.to_owned(), Some(value))))
                .with_save_mode(SaveMode::Ignore)
                .await
                .map_err(failed("created"))?;
        }
        let state = DeltaTableState::try_new(store.as_ref(), None).await.map_err(failed("read"))?;
        let mut log = Self { table, store, state };
        log.add_columns(schema).await?;
        Ok(log)
    }

    async fn add_columns(&mut self, wanted: &SchemaRef) -> Result<(), StoreError> {
        let stored = self.state.schema();
        let mut missing = Vec::new();
        for field in wanted.fields() {
            let field = delta_field(field);
            match stored.field(&field.name) {
                None => missing.push(field),
                Some(present) if *present.data_type() == field.data_type => {}
                Some(present) => {
                    return Err(StoreError::Retyped {
                        table: self.table,
                        column: field.name.clone(),
                        stored: present.data_type().to_string(),
                        wanted: field.data_type.to_string(),
                    });
                }
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let failed = |source: DeltaTableError| log_error(self.table, "extended", source);
        // Partition columns stand last in the schema of a new table; added columns come after them.
        let all = stored.fields().cloned().chain(missing.iter().cloned());
        let schema = StructType::try_new(all).map_err(|error| failed(error.into()))?;
        let metadata = self.state.metadata().clone().with_schema(&schema).map_err(|error| failed(error.into()))?;
        let operation = DeltaOperation::AddColumn { fields: missing };
        self.write(vec![Action::Metadata(metadata)], operation, &[]).await
    }

    /// Number of the latest commit.
    pub(crate) fn version(&self) -> u64 {
        self.state.version()
    }

    /// All data files of the latest version.
    pub(crate) fn files(&self) -> Vec<DataFile> {
        self.state
            .log_data()
            .iter()
            .map(|view| {
                #[expect(deprecated, reason = "tags are reachable in no other way")]
                let add = view.add_action();
                DataFile::from_add(&add)
            })
            .collect()
    }

    /// The version that an application has reached.
    pub(crate) async fn txn_version(&self, app_id: &str) -> Result<Option<i64>, StoreError> {
        self.state
            .transaction_version(self.store.as_ref(), app_id)
            .await
            .map_err(|source| log_error(self.table, "read", source))
    }

    /// Files that were removed and may still be on disk, with the instant of their removal in milliseconds.
    pub(crate) async fn removed(&self) -> Result<BTreeMap<String, i64>, StoreError> {
        self.state
            .all_tombstones(self.store.as_ref())
            .map(|view| view.map(|view| (view.path().into_owned(), view.deletion_timestamp().unwrap_or(0))))
            .try_collect()
            .await
            .map_err(|source| log_error(self.table, "read", source))
    }

    /// Commits added and removed files and application versions in one step; durable when it returns.
    pub(crate) async fn commit(
        &mut self,
        act: Act,
        add: &[DataFile],
        remove: &[DataFile],
        removed_ms: i64,
        txns: &[(String, i64)],
    ) -> Result<(), StoreError> {
        let data_change = act != Act::Compact;
        let mut actions = Vec::with_capacity(add.len() + remove.len());
        actions.extend(remove.iter().map(|file| {
            Action::Remove(Remove {
                path: file.path.clone(),
                data_change,
                deletion_timestamp: Some(removed_ms),
                extended_file_metadata: Some(true),
                partition_values: Some(file.partition_values()),
                size: Some(file.size_bytes.cast_signed()),
                ..Remove::default()
            })
        }));
        actions.extend(add.iter().map(|file| Action::Add(file.to_add(data_change))));
        let operation = match act {
            Act::Append => DeltaOperation::Write { mode: SaveMode::Append, partition_by: None, predicate: None },
            Act::Compact => DeltaOperation::Optimize { predicate: None, target_size: 0 },
            Act::Expire => DeltaOperation::Delete { predicate: None },
        };
        self.write(actions, operation, txns).await
    }

    async fn write(
        &mut self,
        actions: Vec<Action>,
        operation: DeltaOperation,
        txns: &[(String, i64)],
    ) -> Result<(), StoreError> {
        let before = self.state.version();
        let checkpoint = (before + 2).is_multiple_of(CHECKPOINT_EVERY);
        let properties = CommitProperties::default()
            .with_application_transactions(txns.iter().map(|(app, version)| Transaction::new(app, *version)).collect())
            .with_create_checkpoint(true)
            .with_cleanup_expired_logs(Some(checkpoint));
        let committed = async {
            CommitBuilder::from(properties)
                .with_actions(actions)
                .build(Some(&self.state), self.store.clone(), operation)
                .into_prepared_commit_future()
                .await?
                .await
        }
        .await
        .map_err(|source| log_error(self.table, "written", source))?;
        // From here on the commit stands, whatever becomes of the checkpoint.
        tandem_base::fail::point("delta: a commit is written");
        match committed.await {
            Ok(finished) => self.state = finished.snapshot,
            Err(error) => {
                tracing::warn!(table = self.table, %error, "commit stands, but its checkpoint failed");
                self.reload().await?;
            }
        }
        tandem_base::fail::point("delta: a commit stands");
        Ok(())
    }

    /// Reads the log anew: after a failed commit nobody knows whether it stands.
    pub(crate) async fn reload(&mut self) -> Result<(), StoreError> {
        self.state = DeltaTableState::try_new(self.store.as_ref(), None)
            .await
            .map_err(|source| log_error(self.table, "read", source))?;
        Ok(())
    }
}

fn log_error(table: &'static str, verb: &'static str, source: DeltaTableError) -> StoreError {
    StoreError::Log { table, verb, source: Box::new(source) }
}

fn delta_field(field: &ArrowField) -> StructField {
    StructField::new(field.name(), delta_type(field.data_type()), true)
}

fn delta_type(kind: &ArrowType) -> DataType {
    match kind {
        ArrowType::Utf8View | ArrowType::Utf8 => DataType::STRING,
        ArrowType::Int64 => DataType::LONG,
        ArrowType::Int32 => DataType::INTEGER,
        ArrowType::Float64 => DataType::DOUBLE,
        ArrowType::Boolean => DataType::BOOLEAN,
        ArrowType::Timestamp(TimeUnit::Microsecond, Some(_)) => DataType::TIMESTAMP,
        ArrowType::Date32 => DataType::DATE,
        ArrowType::Binary => DataType::BINARY,
        ArrowType::List(item) => ArrayType::new(delta_type(item.data_type()), true).into(),
        other => unreachable!("the layout has no column of type {other}"),
    }
}

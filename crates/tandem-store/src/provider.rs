//! Sealed files and tail as one table for DataFusion.

use crate::adapt::Adapters;
use crate::barrier::Barrier;
use crate::datafile::DataFile;
use crate::engine::files_url;
use crate::index::{Probe, probe_sql};
use crate::layout::{DAY, FAMILY, Layout, RECEIVED, TIME, partition_fields};
use crate::scan::Selected;
use crate::store::{DETECTIONS, EVENTS, Inner, State};
use crate::{StoreError, detection_rows};
use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, RecordBatch, RecordBatchOptions, StringArray,
    TimestampMicrosecondArray, UInt64Array, new_null_array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DataFusionError, Result, ScalarValue, Statistics, ToDFSchema};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetFileReaderFactory, ParquetRowSelection,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr_adapter::{DefaultPhysicalExprAdapterFactory, PhysicalExprAdapterFactory};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use tandem_model::ReadScope;

/// Which of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Events,
    Detections,
}

/// One view of one table, as far as `scope` lets the reader see it.
pub(crate) struct Table {
    pub(crate) inner: Arc<Inner>,
    pub(crate) state: Arc<State>,
    pub(crate) which: Which,
    pub(crate) scope: ReadScope,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("which", &self.which).finish_non_exhaustive()
    }
}

impl Which {
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Events => EVENTS,
            Self::Detections => DETECTIONS,
        }
    }

    pub(crate) fn schema(self, inner: &Inner) -> SchemaRef {
        match self {
            Self::Events => inner.layout.table_schema.clone(),
            Self::Detections => detection_rows::table_schema(),
        }
    }

    pub(crate) fn file_schema(self, inner: &Inner) -> SchemaRef {
        match self {
            Self::Events => inner.layout.file_schema.clone(),
            Self::Detections => detection_rows::file_schema(),
        }
    }

    pub(crate) fn files(self, state: &State) -> &[Arc<DataFile>] {
        match self {
            Self::Events => &state.events,
            Self::Detections => &state.detections,
        }
    }

    /// What reads the files of this table; `extra_columns` are made by the reader.
    pub(crate) fn source(self, inner: &Inner, virtual_columns: Vec<arrow::datatypes::FieldRef>) -> ParquetSource {
        let [day, family] = partition_fields();
        let partitions = match self {
            Self::Events => vec![Arc::new(day), Arc::new(family)],
            Self::Detections => vec![Arc::new(day)],
        };
        let schema = TableSchema::builder(self.file_schema(inner))
            .with_table_partition_cols(partitions)
            .with_virtual_columns(virtual_columns)
            .build();
        ParquetSource::new(schema)
            .with_parquet_file_reader_factory(Self::readers(inner))
            .with_pushdown_filters(true)
            .with_reorder_filters(true)
            .with_enable_page_index(true)
    }

    /// What opens files; footers are kept in memory.
    pub(crate) fn readers(inner: &Inner) -> Arc<dyn ParquetFileReaderFactory> {
        let cache = inner.engine.env().cache_manager.get_file_metadata_cache();
        Arc::new(CachedParquetFileReaderFactory::new(inner.files.clone(), cache))
    }

    pub(crate) fn adapters(self, inner: &Inner) -> Arc<dyn PhysicalExprAdapterFactory> {
        match self {
            Self::Events => Arc::new(Adapters { layout: inner.layout.clone() }),
            Self::Detections => Arc::new(DefaultPhysicalExprAdapterFactory),
        }
    }

    /// A file for a scan of this table; its time of writing is left out because paths are never used again.
    pub(crate) fn partitioned(self, file: &DataFile) -> PartitionedFile {
        let mut values = vec![ScalarValue::Date32(Some(file.day))];
        if self == Self::Events {
            values.push(ScalarValue::Utf8(file.family.as_ref().map(ToString::to_string)));
        }
        PartitionedFile::new(format!("{}/{}", self.folder(), file.path), file.size_bytes).with_partition_values(values)
    }
}

impl Table {
    /// The unsealed rows that pass, as batches of the columns `projection` of the table.
    async fn tail(&self, projection: &[usize], filter: Option<&Arc<dyn PhysicalExpr>>) -> Result<Vec<RecordBatch>> {
        let whole = self.which.schema(&self.inner);
        let projected = Arc::new(whole.project(projection)?);
        let adapters = self.which.adapters(&self.inner);
        let filter = filter.cloned();
        let state = self.state.clone();
        let which = self.which;
        let work = self.inner.blocking(move |layout| {
            let batches = match which {
                Which::Events => {
                    state.tail.chunks.iter().map(|chunk| chunk.batch(&layout)).collect::<Result<Vec<_>, _>>()?
                }
                Which::Detections if state.new_detections.is_empty() => Vec::new(),
                Which::Detections => vec![detection_rows::encode(&state.new_detections)?],
            };
            let mut wide = Vec::with_capacity(batches.len());
            for batch in batches {
                let mut projected = widen(&batch, &projected)?;
                if let Some(filter) = &filter {
                    let failed = |error: DataFusionError| StoreError::Lookup(Box::new(error.into()));
                    let adapter = adapters.create(whole.clone(), batch.schema()).map_err(failed)?;
                    let passed = adapter
                        .rewrite(filter.clone())
                        .and_then(|filter| filter.evaluate(&batch))
                        .and_then(|passed| passed.into_array(batch.num_rows()))
                        .map_err(failed)?;
                    projected = filter_record_batch(&projected, passed.as_boolean())?;
                }
                wide.push(projected);
            }
            Ok(wide)
        });
        work.await.map_err(|error| DataFusionError::External(Box::new(error)))
    }

    /// The files that the index leaves, with the rows that it leaves of them.
    async fn selected(&self, files: &[Arc<DataFile>], probe: &Probe) -> Vec<(u64, PartitionedFile)> {
        let mut selected = Vec::with_capacity(files.len());
        for file in files {
            let scan = self.which.partitioned(file);
            match self.inner.selection(self.which, file, probe).await {
                Selected::Nothing => {}
                Selected::Everything => selected.push((file.rows, scan)),
                Selected::Rows(rows) => {
                    let count = rows.row_count() as u64;
                    selected.push((count, scan.with_extension(ParquetRowSelection::new(rows))));
                }
            }
        }
        selected
    }

    fn scan_files(
        &self,
        session: &dyn Session,
        files: Vec<(u64, PartitionedFile)>,
        projection: &[usize],
        filter: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        if files.is_empty() {
            return Ok(None);
        }
        let partitions = session.config().target_partitions().min(files.len());
        let rows: u64 = files.iter().map(|(rows, _)| rows).sum();
        let files = files.into_iter().map(|(_, file)| file).collect();
        let groups: Vec<FileGroup> = FileGroup::new(files).split_files(partitions);
        let mut source = self.which.source(&self.inner, Vec::new());
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let rows = if let Some(filter) = filter {
            source = source.with_predicate(filter);
            Precision::Inexact(rows)
        } else {
            Precision::Exact(rows)
        };
        let config = FileScanConfigBuilder::new(files_url(), Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(Some(projection.to_vec()))?
            .with_expr_adapter(Some(self.which.adapters(&self.inner)))
            .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let mut statistics = Statistics::new_unknown(&scan.schema());
        statistics.num_rows = rows;
        Ok(Some(Arc::new(Barrier::new(scan, statistics))))
    }
}

/// What all of `filters` need of the index.
fn all_of(layout: &Layout, which: Which, filters: &[Expr]) -> Probe {
    match (which, conjunction(filters.iter().cloned())) {
        (Which::Events, Some(filter)) => probe_sql(layout, &filter),
        _ => Probe::Any,
    }
}

/// Whether files and tail can evaluate `filter` row by row (see [`Barrier`]).
pub(crate) fn is_pushable(filter: &Expr, schema: &SchemaRef) -> bool {
    filter
        .column_refs()
        .iter()
        .all(|column| schema.field_with_name(&column.name).is_ok_and(|field| !field.data_type().is_nested()))
}

/// `batch` with the columns of `schema`; those that it lacks are null.
pub(crate) fn widen(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, StoreError> {
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) => column.clone(),
            None => new_null_array(field.data_type(), batch.num_rows()),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(schema.clone(), columns, &options)?)
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        self.which.schema(&self.inner)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.scope {
            ReadScope::Everything => {}
        }
        let schema = self.schema();
        let projection = projection.cloned().unwrap_or_else(|| (0..schema.fields().len()).collect());
        let files = self.pruned(session, filters)?;
        let pushed: Vec<Expr> = filters.iter().filter(|filter| is_pushable(filter, &schema)).cloned().collect();
        let pushed = match conjunction(pushed) {
            Some(filter) => Some(session.create_physical_expr(filter, &schema.clone().to_dfschema()?)?),
            None => None,
        };
        let mut inputs: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        if !files.is_empty() {
            let probe = all_of(&self.inner.layout, self.which, filters);
            let files = self.selected(&files, &probe).await;
            inputs.extend(self.scan_files(session, files, &projection, pushed.clone())?);
        }
        let tail = self.tail(&projection, pushed.as_ref()).await?;
        let projected = Arc::new(schema.project(&projection)?);
        if !tail.is_empty() {
            inputs.push(MemorySourceConfig::try_new_exec(&[tail], projected.clone(), None)?);
        }
        match inputs.len() {
            0 => Ok(Arc::new(EmptyExec::new(projected))),
            1 => Ok(inputs.remove(0)),
            _ => UnionExec::try_new(inputs),
        }
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let schema = self.schema();
        let answer = |filter: &&Expr| {
            if is_pushable(filter, &schema) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(answer).collect())
    }
}

impl Table {
    /// The files that may hold rows that pass.
    fn pruned(&self, session: &dyn Session, filters: &[Expr]) -> Result<Vec<Arc<DataFile>>> {
        let files = self.which.files(&self.state);
        let Some(filter) = conjunction(filters.iter().cloned()) else { return Ok(files.to_vec()) };
        let schema = self.schema();
        let filter = session.create_physical_expr(filter, &schema.clone().to_dfschema()?)?;
        let keep =
            PruningPredicateBuilder::new().with_file_schema(schema).try_build(filter)?.prune(&FileRanges(files))?;
        Ok(files.iter().zip(keep).filter(|(_, keep)| *keep).map(|(file, _)| file.clone()).collect())
    }
}

/// What is known of each file without opening it.
struct FileRanges<'a>(&'a [Arc<DataFile>]);

impl FileRanges<'_> {
    fn bound(&self, column: &Column, low: bool) -> Option<ArrayRef> {
        let times = |of: &dyn Fn(&DataFile) -> (i64, i64)| -> ArrayRef {
            let values = self.0.iter().map(|file| if low { of(file).0 } else { of(file).1 });
            Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
        };
        match column.name.as_str() {
            TIME => Some(times(&|file| file.time)),
            RECEIVED => Some(times(&|file| file.received)),
            DAY => Some(Arc::new(Date32Array::from_iter_values(self.0.iter().map(|file| file.day)))),
            FAMILY => Some(Arc::new(self.0.iter().map(|file| file.family.as_deref()).collect::<StringArray>())),
            _ => None,
        }
    }
}

impl PruningStatistics for FileRanges<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, true)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bound(column, false)
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let none = || -> ArrayRef { Arc::new(UInt64Array::from_value(0, self.0.len())) };
        matches!(column.name.as_str(), TIME | RECEIVED | DAY).then(none)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(UInt64Array::from_iter_values(self.0.iter().map(|file| file.rows))))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

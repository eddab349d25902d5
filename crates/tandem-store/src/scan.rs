//! Reading one source, a sealed file or a chunk of the tail: the rows that pass a filter, with their places.

use crate::datafile::DataFile;
use crate::encode::names_of;
use crate::engine::files_url;
use crate::index::{BLOCK_ROWS, Probe};
use crate::layout::{EXTRA_NAMES_KEY, ID, Layout};
use crate::provider::{Which, is_pushable, widen};
use crate::store::{Inner, State};
use crate::tail::Chunk;
use crate::{QueryError, StoreError};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, ToDFSchema};
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::split_conjunction_owned;
use datafusion::physical_expr::{PhysicalExpr, conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::StreamExt;
use futures::stream::BoxStream;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::arrow::{ProjectionMask, RowNumber};
use parquet::file::metadata::ParquetMetaData;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use tandem_model::{Event, EventId};

/// Name of the column that tells a row's place within its source.
pub(crate) const ROW: &str = "\u{1}row";

/// Where rows are.
#[derive(Clone)]
pub(crate) enum Source {
    File(Arc<DataFile>),
    Chunk(Arc<Chunk>),
}

impl Source {
    /// Least and greatest event time, µs.
    pub(crate) fn time(&self) -> (i64, i64) {
        match self {
            Self::File(file) => file.time,
            Self::Chunk(chunk) => chunk.time,
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        match self {
            Self::File(file) => file.rows,
            Self::Chunk(chunk) => chunk.events.len() as u64,
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.size_bytes,
            Self::Chunk(_) => 0,
        }
    }
}

/// All sources of events of a state.
pub(crate) fn sources(state: &State) -> Vec<Source> {
    let files = state.events.iter().cloned().map(Source::File);
    files.chain(state.tail.chunks.iter().cloned().map(Source::Chunk)).collect()
}

/// A filter, prepared for every source.
pub(crate) struct Scanner {
    inner: Arc<Inner>,
    context: Arc<TaskContext>,
    /// What files check while they read, over the table's columns.
    pushed: Option<Arc<dyn PhysicalExpr>>,
    /// What is left for afterwards.
    rest: Option<Expr>,
    /// Both.
    whole: Option<Arc<dyn PhysicalExpr>>,
    /// What the filter needs of the index.
    probe: Probe,
    session: SessionContext,
}

impl Scanner {
    pub(crate) fn new(
        inner: Arc<Inner>,
        session: SessionContext,
        filter: &Expr,
        probe: Probe,
    ) -> Result<Self, QueryError> {
        let schema = inner.layout.table_schema.clone();
        let df_schema = schema.clone().to_dfschema()?;
        let state = session.state();
        let physical = |expr: Expr| state.create_physical_expr(expr, &df_schema);
        let (mut pushed, mut rest, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for part in split_conjunction_owned(filter.clone()) {
            if part == datafusion::logical_expr::lit(true) {
                continue;
            }
            let expr = physical(part.clone())?;
            all.push(expr.clone());
            if is_pushable(&part, &schema) {
                pushed.push(expr);
            } else {
                rest.push(part);
            }
        }
        let join = |parts: Vec<Arc<dyn PhysicalExpr>>| (!parts.is_empty()).then(|| conjunction(parts));
        Ok(Self {
            context: state.task_ctx(),
            pushed: join(pushed),
            rest: rest.into_iter().reduce(Expr::and),
            whole: join(all),
            probe,
            inner,
            session,
        })
    }

    /// The names in the `extra` of a source; `None`: unknown.
    pub(crate) async fn extra_names(&self, source: &Source) -> Result<Option<BTreeSet<String>>, QueryError> {
        Ok(match source {
            Source::Chunk(chunk) => {
                let batch = self.batch(chunk).await?;
                names_of(batch.schema().metadata().get(EXTRA_NAMES_KEY))
            }
            Source::File(file) => {
                let footer = self.inner.footer(Which::Events, file).await?;
                let pairs = footer.file_metadata().key_value_metadata();
                let text = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == EXTRA_NAMES_KEY));
                names_of(text.and_then(|pair| pair.value.as_ref()))
            }
        })
    }

    async fn batch(&self, chunk: &Arc<Chunk>) -> Result<RecordBatch, QueryError> {
        let chunk = chunk.clone();
        Ok(self.inner.blocking(move |layout| chunk.batch(&layout)).await?)
    }

    /// The rows of `source` that pass, in the source's order: `columns` of the table (absent ones are null), then
    /// [`ROW`].
    pub(crate) async fn scan(
        &self,
        source: &Source,
        columns: &[&str],
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        match source {
            Source::Chunk(chunk) => {
                let batch = self.scan_batch(&self.batch(chunk).await?, columns)?;
                Ok(futures::stream::once(async move { Ok(batch) }).boxed())
            }
            Source::File(file) => match self.inner.selection(Which::Events, file, &self.probe).await {
                Selected::Nothing => Ok(futures::stream::empty().boxed()),
                Selected::Everything => self.scan_file(file, columns, None),
                Selected::Rows(rows) => self.scan_file(file, columns, Some(rows)),
            },
        }
    }

    fn scan_batch(&self, batch: &RecordBatch, columns: &[&str]) -> Result<RecordBatch, QueryError> {
        let rows = Int64Array::from_iter_values(0..batch.num_rows() as i64);
        let layout = &self.inner.layout;
        let fields = columns.iter().filter_map(|name| layout.table_schema.field_with_name(name).ok()).cloned();
        let fields: Vec<Field> = fields.chain([Field::new(ROW, DataType::Int64, true)]).collect();
        let mut all: Vec<(String, ArrayRef)> = Vec::new();
        let schema = batch.schema();
        for (field, array) in schema.fields().iter().zip(batch.columns()) {
            all.push((field.name().clone(), array.clone()));
        }
        all.push((ROW.to_owned(), Arc::new(rows)));
        let with_rows = RecordBatch::try_from_iter(all).map_err(StoreError::from)?;
        let wide = widen(&with_rows, &Arc::new(Schema::new(fields)))?;
        let Some(filter) = &self.whole else { return Ok(wide) };
        let adapters = Which::Events.adapters(&self.inner);
        let filter = adapters.create(layout.table_schema.clone(), schema)?.rewrite(filter.clone())?;
        let passed = filter.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(filter_record_batch(&wide, passed.as_boolean()).map_err(StoreError::from)?)
    }

    fn scan_file(
        &self,
        file: &DataFile,
        columns: &[&str],
        selected: Option<RowSelection>,
    ) -> Result<BoxStream<'static, Result<RecordBatch, QueryError>>, QueryError> {
        let inner = &self.inner;
        let row = Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber));
        let mut source = Which::Events.source(inner, vec![row]);
        if let Some(pushed) = &self.pushed {
            source = source.with_predicate(pushed.clone());
        }
        let schema = &inner.layout.table_schema;
        let mut indices: Vec<usize> = columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        let wanted = indices.len();
        indices.push(schema.fields().len());
        if let Some(rest) = &self.rest {
            for column in rest.column_refs() {
                let index = schema.index_of(&column.name).map_err(StoreError::from)?;
                if !indices.contains(&index) {
                    indices.push(index);
                }
            }
        }
        let mut partitioned = Which::Events.partitioned(file);
        if let Some(selected) = selected {
            partitioned = partitioned.with_extension(ParquetRowSelection::new(selected));
        }
        let config = FileScanConfigBuilder::new(files_url(), Arc::new(source))
            .with_file(partitioned)
            .with_projection_indices(Some(indices))?
            .with_expr_adapter(Some(Which::Events.adapters(inner)))
            .with_preserve_order(true)
            .build();
        let mut plan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        if let Some(rest) = &self.rest {
            let df_schema = DFSchema::try_from(plan.schema())?;
            let rest = self.session.state().create_physical_expr(rest.clone(), &df_schema)?;
            plan = Arc::new(FilterExec::try_new(rest, plan)?);
        }
        let stream = plan.execute(0, self.context.clone())?;
        let keep: Vec<usize> = (0..=wanted).collect();
        Ok(stream
            .map(move |batch| {
                let batch = batch?;
                if batch.num_columns() == keep.len() {
                    return Ok(batch);
                }
                Ok(batch.project(&keep).map_err(StoreError::from)?)
            })
            .boxed())
    }

    /// The events at `rows` of `source`, in the order of `rows`, with all columns or with those of `columns`.
    pub(crate) async fn events(
        &self,
        source: &Source,
        rows: &[u64],
        columns: Option<&[String]>,
    ) -> Result<Vec<Event>, QueryError> {
        match source {
            Source::Chunk(chunk) => Ok(rows
                .iter()
                .filter_map(|row| chunk.events.get(usize::try_from(*row).ok()?))
                .map(|event| Event::clone(event))
                .collect()),
            Source::File(file) => {
                let layout = self.inner.layout.clone();
                let batches = self.inner.rows(file, rows, columns).await?;
                Ok(in_order(&batches, rows, |batch, row| crate::decode::event_at(&layout, batch, row)))
            }
        }
    }

    /// The ids at `rows` of `source`, in the order of `rows`.
    pub(crate) async fn ids(&self, source: &Source, rows: &[u64]) -> Result<Vec<EventId>, QueryError> {
        match source {
            Source::Chunk(chunk) => Ok(rows
                .iter()
                .filter_map(|row| chunk.events.get(usize::try_from(*row).ok()?))
                .map(|event| event.id)
                .collect()),
            Source::File(file) => {
                let batches = self.inner.rows(file, rows, Some(&[ID.to_owned()])).await?;
                Ok(in_order(&batches, rows, |batch, row| {
                    crate::decode::text_at(batch.column_by_name(ID)?, row)?.parse().ok()
                }))
            }
        }
    }
}

/// Reads what `of` makes of each of `rows`, which the batches hold in ascending order without repetition.
fn in_order<T: Clone>(batches: &[RecordBatch], rows: &[u64], of: impl Fn(&RecordBatch, usize) -> Option<T>) -> Vec<T> {
    let ascending: BTreeSet<u64> = rows.iter().copied().collect();
    let places = batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
    let found: HashMap<u64, T> =
        ascending.into_iter().zip(places).filter_map(|(row, (batch, at))| Some((row, of(batch, at)?))).collect();
    rows.iter().filter_map(|row| found.get(row).cloned()).collect()
}

/// Which rows of a file the index leaves.
pub(crate) enum Selected {
    Nothing,
    Everything,
    Rows(RowSelection),
}

impl Inner {
    /// Which rows of a file can pass.
    pub(crate) async fn selection(&self, which: Which, file: &DataFile, probe: &Probe) -> Selected {
        if *probe == Probe::Any || file.index_bytes.is_none() {
            return Selected::Everything;
        }
        let path = format!("{}/{}", which.folder(), file.index_path());
        let Some(head) = self.indexes.head(self.files.as_ref(), &path, file).await else {
            return Selected::Everything;
        };
        let Some(blocks) = head.blocks(self.files.as_ref(), &path, probe).await else {
            return Selected::Everything;
        };
        if blocks.is_empty() {
            return Selected::Nothing;
        }
        let mut selectors: Vec<RowSelector> = Vec::new();
        let mut at = 0;
        for block in blocks {
            let from = u64::from(block) * BLOCK_ROWS;
            let to = (from + BLOCK_ROWS).min(file.rows);
            if from > at {
                selectors.push(RowSelector::skip((from - at) as usize));
            }
            selectors.push(RowSelector::select(to.saturating_sub(from) as usize));
            at = to;
        }
        if at < file.rows {
            selectors.push(RowSelector::skip((file.rows - at) as usize));
        }
        Selected::Rows(selectors.into())
    }

    /// A file's footer with page index, from memory when it was read before.
    pub(crate) async fn footer(&self, which: Which, file: &DataFile) -> Result<Arc<ParquetMetaData>, QueryError> {
        let meta = which.partitioned(file).object_meta;
        let cache = self.engine.env().cache_manager.get_file_metadata_cache();
        Ok(DFParquetMetadata::new(self.files.as_ref(), &meta)
            .with_file_metadata_cache(Some(cache))
            .with_metadata_size_hint(Some(64 << 10))
            .fetch_metadata()
            .await?)
    }

    /// The rows `rows` of a file in ascending order, with the columns of the fields `columns` or with all.
    pub(crate) async fn rows(
        &self,
        file: &DataFile,
        rows: &[u64],
        columns: Option<&[String]>,
    ) -> Result<Vec<RecordBatch>, QueryError> {
        let footer = self.footer(Which::Events, file).await?;
        let path = format!("{}/{}", Which::Events.folder(), file.path);
        let failed = |source| StoreError::Parquet { path: path.clone(), verb: "read", source };
        let schema =
            parquet::arrow::parquet_to_arrow_schema(footer.file_metadata().schema_descr(), None).map_err(failed)?;
        let schema = Arc::new(as_views(&schema, &self.layout));
        let options = ArrowReaderOptions::new().with_schema(schema.clone());
        let metadata = ArrowReaderMetadata::try_new(footer, options).map_err(failed)?;
        let reader: Box<dyn AsyncFileReader> = Which::readers(self).create_reader(
            0,
            Which::Events.partitioned(file),
            None,
            &ExecutionPlanMetricsSet::new(),
        )?;
        let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
        let mask = match columns {
            None => ProjectionMask::all(),
            Some(names) => {
                let roots = schema.fields().iter().enumerate().filter(|(_, field)| names.contains(field.name()));
                ProjectionMask::roots(builder.parquet_schema(), roots.map(|(index, _)| index).collect::<Vec<_>>())
            }
        };
        let stream = builder
            .with_projection(mask)
            .with_row_selection(selection(rows))
            .with_batch_size(rows.len().clamp(1, 1024))
            .build()
            .map_err(failed)?;
        stream
            .map(|batch| batch.map_err(|source| failed(source).into()))
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect()
    }
}

/// A file's types with those of the layout where the two name the same thing.
fn as_views(schema: &Schema, layout: &Layout) -> Schema {
    let fields = schema.fields().iter().map(|field| match layout.file_schema.field_with_name(field.name()) {
        Ok(known) => Field::new(field.name(), known.data_type().clone(), field.is_nullable()),
        Err(_) => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// Exactly these rows, in whatever order they are given.
fn selection(rows: &[u64]) -> RowSelection {
    let mut selectors = Vec::new();
    let mut at = 0;
    for row in rows.iter().copied().collect::<BTreeSet<u64>>() {
        if row > at {
            selectors.push(RowSelector::skip((row - at) as usize));
        }
        selectors.push(RowSelector::select(1));
        at = row + 1;
    }
    selectors.into()
}

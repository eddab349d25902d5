//! Compaction: the same rows in fewer, larger files, in order, with an index.

use crate::datafile::DataFile;
use crate::encode::{names_of, names_text};
use crate::engine::files_url;
use crate::index::IndexBuilder;
use crate::layout::{EXTRA_NAMES_KEY, TIME};
use crate::log::Act;
use crate::parquet_file::FileWriter;
use crate::provider::Which;
use crate::seal::{Company, Place, commit, file_path};
use crate::store::{Inner, State, Store, sort};
use crate::{QueryError, StoreError};
use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_expr_adapter::DefaultPhysicalExprAdapterFactory;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Files that are read at once.
const INPUTS_MAX: usize = 64;
/// Rows in a batch: small, because a batch of each input is held.
const BATCH_ROWS: usize = 1024;
/// Memory that one merge may hold.
const MEMORY_BYTES: usize = 512 << 20;

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Compacted {
    /// Files that were replaced.
    pub files_before: usize,
    /// Files that replace them.
    pub files_after: usize,
    /// Rows that were moved.
    pub rows: u64,
    /// Size of data files before.
    pub bytes_before: u64,
    /// Size of data files after.
    pub bytes_after: u64,
}

impl Store {
    /// Merges small files: within days that are over all that fit into one, on the present day those of about
    /// one size as soon as there are enough. Queries and seals go on meanwhile. To be called from a timer.
    pub async fn compact(&self) -> Result<Compacted, StoreError> {
        let inner = &self.inner;
        let _turn = inner.housekeeping.lock().await;
        let mut done = Compacted::default();
        for which in [Which::Events, Which::Detections] {
            let state = inner.state();
            for group in inner.merges(which.files(&state)) {
                inner.merge(which, &group, &mut done).await?;
            }
        }
        Ok(done)
    }
}

/// What files have in common that may become one: day, family, epoch of the records, catalogue version.
type Kin = (i32, Option<Arc<str>>, Option<u64>, u32);

impl Inner {
    /// Which files to merge with each other.
    fn merges(&self, files: &[Arc<DataFile>]) -> Vec<Vec<Arc<DataFile>>> {
        let today = self.clock.now().day();
        let config = &self.config;
        let is_small =
            |file: &DataFile| file.rows < config.file_rows_max / 2 && file.size_bytes < config.file_bytes_max / 2;
        let mut kin: BTreeMap<Kin, Vec<Arc<DataFile>>> = BTreeMap::new();
        for file in files.iter().filter(|file| is_small(file)) {
            let epoch = file.records.map(|(epoch, _, _)| epoch);
            kin.entry((file.day, file.family.clone(), epoch, file.catalogue)).or_default().push(file.clone());
        }
        let mut merges = Vec::new();
        for ((day, ..), mut files) in kin {
            files.sort_by(|a, b| (a.time, &a.path).cmp(&(b.time, &b.path)));
            let least = if i64::from(day) < today { 2 } else { config.merge_files.max(2) };
            let mut tiers: BTreeMap<u32, Vec<Arc<DataFile>>> = BTreeMap::new();
            for file in files {
                // On the present day a row is moved a few times only: files are merged with those of their size.
                let tier = if i64::from(day) < today { 0 } else { (file.rows / 1000).checked_ilog(4).unwrap_or(0) };
                tiers.entry(tier).or_default().push(file);
            }
            for files in tiers.into_values() {
                let mut group: Vec<Arc<DataFile>> = Vec::new();
                let (mut rows, mut bytes) = (0, 0);
                let mut groups = Vec::new();
                for file in files {
                    if group.len() >= INPUTS_MAX
                        || rows + file.rows > config.file_rows_max
                        || bytes + file.size_bytes > config.file_bytes_max
                    {
                        groups.push(std::mem::take(&mut group));
                        (rows, bytes) = (0, 0);
                    }
                    rows += file.rows;
                    bytes += file.size_bytes;
                    group.push(file);
                }
                let full = groups.len();
                groups.push(group);
                let enough = |(at, group): &(usize, Vec<_>)| group.len() >= if *at < full { 2 } else { least };
                merges.extend(groups.into_iter().enumerate().filter(enough).map(|(_, group)| group));
            }
        }
        merges
    }

    async fn merge(
        self: &Arc<Self>,
        which: Which,
        files: &[Arc<DataFile>],
        done: &mut Compacted,
    ) -> Result<(), StoreError> {
        let Some(first) = files.first() else { return Ok(()) };
        let records = files
            .iter()
            .map(|file| file.records)
            .reduce(|a, b| {
                let ((epoch, low, high), (_, other_low, other_high)) = a.zip(b)?;
                Some((epoch, low.min(other_low), high.max(other_high)))
            })
            .flatten();
        let place = Place {
            table: which.folder(),
            path: file_path(first.day, first.family.as_deref(), records),
            day: first.day,
            family: first.family.clone(),
            records,
        };
        let label = format!("{}/{}", place.table, place.path);
        let work = {
            let (inner, files, catalogue) = (self.clone(), files.to_vec(), first.catalogue);
            self.engine.handle().spawn(async move { inner.merged(which, &files, &label, catalogue).await })
        };
        let (written, index) = work.await??;
        self.step("compact: rows are merged")?;
        let file = self.put_file(place, written, index).await?;
        self.step("compact: a file is written")?;
        let gone: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let inputs: Vec<DataFile> = files.iter().map(|file| DataFile::clone(file)).collect();
        {
            let mut logs = self.writer.lock().await;
            let log = match which {
                Which::Events => &mut logs.events,
                Which::Detections => &mut logs.detections,
            };
            let company = commit(log, self, Act::Compact, std::slice::from_ref(&file), &inputs, &[]).await?;
            let file = Arc::new(file.clone());
            self.replace(|state| {
                let kept = which.files(state).iter().filter(|file| !gone.contains(file.path.as_str()));
                let mut files: Vec<_> = kept.cloned().chain([file]).collect();
                sort(&mut files);
                match which {
                    Which::Events => State { events: Arc::new(files), ..state.clone() },
                    Which::Detections => State { detections: Arc::new(files), ..state.clone() },
                }
            });
            if company == Company::Others {
                self.refresh(&logs.events, &logs.detections);
            }
        }
        self.step("compact: a merge is committed")?;
        done.files_before += inputs.len();
        done.files_after += 1;
        done.rows += file.rows;
        done.bytes_before += inputs.iter().map(|file| file.size_bytes).sum::<u64>();
        done.bytes_after += file.size_bytes;
        Ok(())
    }

    /// Reads files in the order of event time into one file in memory.
    async fn merged(
        self: &Arc<Self>,
        which: Which,
        files: &[Arc<DataFile>],
        label: &str,
        catalogue: u32,
    ) -> Result<(crate::parquet_file::Written, Option<Vec<u8>>), StoreError> {
        let lookup = |error: QueryError| StoreError::Lookup(Box::new(error));
        let engine = |error: datafusion::error::DataFusionError| lookup(error.into());
        let mut present: HashSet<String> = HashSet::new();
        let mut names: Option<BTreeSet<String>> = Some(BTreeSet::new());
        for file in files {
            let footer = self.footer(which, file).await.map_err(lookup)?;
            let columns = footer.file_metadata().schema_descr().root_schema().get_fields();
            present.extend(columns.iter().map(|column| column.name().to_owned()));
            let pairs = footer.file_metadata().key_value_metadata();
            let text = pairs.and_then(|pairs| pairs.iter().find(|pair| pair.key == EXTRA_NAMES_KEY));
            let more = names_of(text.and_then(|pair| pair.value.as_ref()));
            names = names.zip(more).map(|(mut names, more)| {
                names.extend(more);
                names
            });
        }
        let names = names.map_or_else(|| "*".to_owned(), |names| names_text(&names));
        let whole = which.file_schema(self);
        let columns: Vec<usize> =
            (0..whole.fields().len()).filter(|at| present.contains(whole.field(*at).name())).collect();
        let groups = files.iter().map(|file| FileGroup::new(vec![which.partitioned(file)])).collect();
        let time = whole.index_of(TIME)?;
        let order =
            |index: usize| LexOrdering::new([PhysicalSortExpr::new_default(Arc::new(Column::new(TIME, index)))]);
        let config = FileScanConfigBuilder::new(files_url(), Arc::new(which.source(self, Vec::new())))
            .with_file_groups(groups)
            .with_projection_indices(Some(columns.clone()))
            .map_err(engine)?
            .with_output_ordering(order(time).into_iter().collect())
            .with_batch_size(Some(BATCH_ROWS))
            // Values that a column gained later are to stay where they are, in `extra`.
            .with_expr_adapter(Some(Arc::new(DefaultPhysicalExprAdapterFactory)))
            .with_preserve_order(true)
            .build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let at = columns.iter().position(|column| *column == time).unwrap_or(0);
        let plan: Arc<dyn ExecutionPlan> = match order(at) {
            Some(order) if files.len() > 1 => Arc::new(SortPreservingMergeExec::new(order, scan)),
            _ => scan,
        };
        let session = self.engine.session(MEMORY_BYTES).map_err(engine)?;
        let mut rows = plan.execute(0, session.task_ctx()).map_err(engine)?;
        let schema: SchemaRef = Arc::new(Schema::new(whole.project(&columns)?.fields().clone()));
        let mut writer = FileWriter::new(label, &schema, catalogue, (which == Which::Events).then_some(names))?;
        let mut index = (which == Which::Events).then(|| IndexBuilder::new(self.layout.clone()));
        while let Some(batch) = rows.next().await {
            let batch = RecordBatch::try_new(schema.clone(), batch.map_err(engine)?.columns().to_vec())?;
            writer.write(&batch)?;
            if let Some(index) = &mut index {
                index.add(&batch)?;
            }
            tokio::task::yield_now().await;
        }
        Ok((writer.finish()?, index.map(IndexBuilder::finish)))
    }
}

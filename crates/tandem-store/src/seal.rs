//! From the tail to files: write, index, commit, and let readers see it in one step.

use crate::arrange::{Group, arrange};
use crate::datafile::{DataFile, day_text};
use crate::encode::{names_of, names_text};
use crate::index::IndexBuilder;
use crate::layout::{EXTRA, EXTRA_NAMES_KEY};
use crate::log::{Act, Log};
use crate::parquet_file::{FileWriter, Written};
use crate::store::{DETECTIONS, EVENTS, Inner, Reached, State, Store, sort, sorted, spool_app};
use crate::tail::{Chunk, is_before};
use crate::{StoreError, detection_rows};
use arrow::array::{Array, RecordBatch};
use object_store::{ObjectStoreExt, path::Path};
use std::collections::BTreeSet;
use std::sync::Arc;
use tandem_model::{Detection, RecordId};

/// What a seal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealed {
    /// Events written.
    pub events: u64,
    /// Detections written.
    pub detections: u64,
    /// Data files written, of both tables.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}

/// A file that is on disk and in no commit yet.
pub(crate) struct Prepared {
    pub(crate) file: DataFile,
}

impl Store {
    /// Writes every event of the tail whose record lies before `up_to` (same epoch), and the detections on
    /// them, into files, commits, and takes them out of the tail. The commit carries the position and `txns`,
    /// further (application, version) pairs. When it returns, everything is on disk: the spool may be trimmed
    /// up to `up_to`.
    ///
    /// The caller has appended every event of those records before. On an error nothing is lost and the same
    /// call may be made again; an event is never written twice.
    pub async fn seal(&self, up_to: RecordId, txns: &[(String, i64)]) -> Result<Sealed, StoreError> {
        let inner = &self.inner;
        let mut logs = inner.writer.lock().await;
        let app = spool_app(up_to.epoch);
        let seen = inner.state();
        let mut sealed = Sealed::default();

        // Detections first: should the process die between the two commits, the events are read again and
        // make the same detections, whose ids are then found in the table.
        let detections: Vec<_> =
            seen.new_detections.iter().filter(|detection| is_due(detection, up_to)).cloned().collect();
        let mut detection_files = Vec::new();
        let mut company = Company::Alone;
        if !detections.is_empty() {
            let batch = detection_rows::encode(&detections)?;
            let order = detection_rows::table_schema();
            let groups = inner.blocking(move |_| arrange(&order, &[batch])).await?;
            for group in groups {
                detection_files.push(inner.write_group(DETECTIONS, group, None, None).await?.file);
                inner.step("seal: a file of detections is written")?;
            }
            let known = logs.detections.txn_version(&app).await?.map_or(0, i64::cast_unsigned);
            let txn = [(app.clone(), known.max(up_to.offset).cast_signed())];
            company = commit(&mut logs.detections, inner, Act::Append, &detection_files, &[], &txn).await?;
        }
        sealed.detections = detections.len() as u64;
        if !detections.is_empty()
            && let Some(reached) = inner.sealed.lock().get_mut(&up_to.epoch)
        {
            reached.detections = reached.detections.max(up_to.offset);
        }
        if !detections.is_empty() {
            let mut places = inner.places.lock();
            inner.replace(|state| {
                let mut files: Vec<_> = state.detections.to_vec();
                files.extend(detection_files.iter().cloned().map(Arc::new));
                sort(&mut files);
                let gone: BTreeSet<_> = detections.iter().map(|detection| detection.id).collect();
                let kept = state.new_detections.iter().filter(|detection| !gone.contains(&detection.id));
                let kept: Vec<_> = kept.cloned().collect();
                places.clear();
                places.extend(kept.iter().enumerate().map(|(at, detection)| (detection.id, at)));
                State { detections: Arc::new(files), new_detections: Arc::new(kept), ..state.clone() }
            });
        }

        if company == Company::Others {
            inner.refresh(&logs.events, &logs.detections);
        }
        inner.step("seal: detections are committed")?;

        let known = logs.events.txn_version(&app).await?.map(i64::cast_unsigned);
        let chunks = seen.tail.before(up_to);
        if chunks.is_empty() && txns.is_empty() && known.is_some_and(|offset| offset >= up_to.offset) {
            return Ok(sealed);
        }
        let position = known.unwrap_or(0).max(up_to.offset);
        let prepared = inner.write_events(chunks).await?;
        let event_files: Vec<_> = prepared.into_iter().map(|prepared| prepared.file).collect();
        inner.step("seal: files are written")?;
        let mut all: Vec<_> = txns.to_vec();
        all.push((app, position.cast_signed()));
        let company = commit(&mut logs.events, inner, Act::Append, &event_files, &[], &all).await?;
        inner.replace(|state| {
            let mut files: Vec<_> = state.events.to_vec();
            files.extend(event_files.iter().cloned().map(Arc::new));
            sort(&mut files);
            State { events: Arc::new(files), tail: state.tail.without(up_to, &seen.tail), ..state.clone() }
        });
        if company == Company::Others {
            inner.refresh(&logs.events, &logs.detections);
        }
        {
            // Detections may have come further before a crash than events have come again.
            let mut reached = inner.sealed.lock();
            let detections = reached.get(&up_to.epoch).map_or(0, |reached| reached.detections).max(position);
            reached.insert(up_to.epoch, Reached { events: position, detections });
        }
        *inner.last_seal.lock() = Some(inner.clock.now());
        inner.step("seal: events are committed")?;
        sealed.events = event_files.iter().map(|file| file.rows).sum();
        sealed.files = event_files.len() + detection_files.len();
        sealed.bytes = event_files.iter().chain(&detection_files).map(|file| file.size_bytes).sum();
        Ok(sealed)
    }
}

/// Whether a seal up to `up_to` takes a detection: those on events that stay in the tail stay too.
fn is_due(detection: &Detection, up_to: RecordId) -> bool {
    detection.events.last().is_none_or(|event| event.record.epoch != up_to.epoch || is_before(event.record, up_to))
}

/// Whether somebody else had committed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Company {
    Alone,
    Others,
}

/// Commits; when the commit fails and yet stands, that is a success.
pub(crate) async fn commit(
    log: &mut Log,
    inner: &Inner,
    act: Act,
    add: &[DataFile],
    remove: &[DataFile],
    txns: &[(String, i64)],
) -> Result<Company, StoreError> {
    inner.step("commit")?;
    let before = log.version();
    let company = |log: &Log| if log.version() == before + 1 { Company::Alone } else { Company::Others };
    let Err(error) = log.commit(act, add, remove, inner.now_ms(), txns).await else {
        return Ok(company(log));
    };
    log.reload().await?;
    let present: BTreeSet<String> = log.files().into_iter().map(|file| file.path).collect();
    let mut stands =
        add.iter().all(|file| present.contains(&file.path)) && !remove.iter().any(|file| present.contains(&file.path));
    for (app, version) in txns {
        stands &= log.txn_version(app).await? == Some(*version);
    }
    if stands && !(add.is_empty() && remove.is_empty() && txns.is_empty()) {
        tracing::warn!(%error, "a commit reported an error and yet stands");
        return Ok(company(log));
    }
    Err(error)
}

impl Inner {
    /// Replaces what queries see.
    pub(crate) fn replace(&self, change: impl FnOnce(&State) -> State) {
        let mut state = self.state.write();
        let next = change(&state);
        *state = Arc::new(next);
    }

    /// Reads the list of files of both tables from their logs, after a writer that was not us.
    pub(crate) fn refresh(&self, events: &Log, detections: &Log) {
        let (events, detections) = (sorted(events.files()), sorted(detections.files()));
        self.replace(|state| State { events: Arc::new(events), detections: Arc::new(detections), ..state.clone() });
    }

    /// Runs CPU work off the runtime's threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<crate::layout::Layout>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let layout = self.layout.clone();
        tokio::task::spawn_blocking(move || work(layout)).await?
    }

    async fn write_events(&self, chunks: Vec<Arc<Chunk>>) -> Result<Vec<Prepared>, StoreError> {
        if chunks.is_empty() {
            return Ok(Vec::new());
        }
        let (groups, records) = self
            .blocking(move |layout| {
                let batches = chunks.iter().map(|chunk| chunk.batch(&layout)).collect::<Result<Vec<_>, _>>()?;
                let groups = arrange(&layout.table_schema, &batches)?;
                let with_records = groups
                    .iter()
                    .map(|group| {
                        let records =
                            range(group.origin.iter().map(|(which, row)| chunks[*which].events[*row].id.record));
                        let names = union_of_names(&batches, group);
                        (records, names)
                    })
                    .collect::<Vec<_>>();
                Ok((groups, with_records))
            })
            .await?;
        let mut prepared = Vec::with_capacity(groups.len());
        for (group, (records, names)) in groups.into_iter().zip(records) {
            prepared.push(self.write_group(EVENTS, group, records, Some(names)).await?);
            self.step("seal: a file of events is written")?;
        }
        Ok(prepared)
    }

    async fn write_group(
        &self,
        table: &'static str,
        group: Group,
        records: Option<(u64, u64, u64)>,
        extra_names: Option<String>,
    ) -> Result<Prepared, StoreError> {
        let path = file_path(group.day, group.family.as_deref(), records);
        let label = format!("{table}/{path}");
        let (day, family) = (group.day, group.family.clone());
        let written = {
            let label = label.clone();
            self.blocking(move |layout| {
                let schema = group.batch.schema();
                let mut writer = FileWriter::new(&label, &schema, layout.catalogue.version(), extra_names)?;
                writer.write(&group.batch)?;
                let index = (table == EVENTS)
                    .then(|| {
                        let mut index = IndexBuilder::new(layout.clone());
                        index.add(&group.batch)?;
                        Ok::<_, StoreError>(index.finish())
                    })
                    .transpose()?;
                Ok((writer.finish()?, index))
            })
            .await?
        };
        let (written, index) = written;
        let place = Place { table, path, day, family, records };
        let file = self.put_file(place, written, index).await?;
        Ok(Prepared { file })
    }

    /// Makes a finished file and its index durable under their names.
    pub(crate) async fn put_file(
        &self,
        place: Place,
        written: Written,
        index: Option<Vec<u8>>,
    ) -> Result<DataFile, StoreError> {
        let file = DataFile {
            path: place.path,
            size_bytes: written.bytes.len() as u64,
            rows: written.rows,
            day: place.day,
            family: place.family,
            time: written.time,
            received: written.received,
            records: place.records,
            catalogue: written.catalogue,
            index_bytes: index.as_ref().map(|bytes| bytes.len() as u64),
            written_ms: self.now_ms(),
        };
        let put = async |path: String, bytes: Vec<u8>| {
            let location = Path::from(path.as_str());
            let put = self.files.put(&location, bytes.into()).await;
            put.map_err(|source| StoreError::File { path, verb: "written", source })
        };
        put(format!("{}/{}", place.table, file.path), written.bytes).await?;
        if let Some(bytes) = index {
            self.step("a data file is written, its index is not")?;
            put(format!("{}/{}", place.table, file.index_path()), bytes).await?;
        }
        Ok(file)
    }
}

/// Where a new file belongs.
pub(crate) struct Place {
    pub(crate) table: &'static str,
    /// See [`file_path`].
    pub(crate) path: String,
    pub(crate) day: i32,
    pub(crate) family: Option<Arc<str>>,
    pub(crate) records: Option<(u64, u64, u64)>,
}

/// A fresh path: partitions, then the range of records (for people, and for look-ups after a log is lost).
pub(crate) fn file_path(day: i32, family: Option<&str>, records: Option<(u64, u64, u64)>) -> String {
    let mut path = format!("day={}/", day_text(day));
    if let Some(family) = family {
        path.push_str(&format!("family={family}/"));
    }
    if let Some((epoch, low, high)) = records {
        path.push_str(&format!("{}-{low}-{high}-", tandem_base::hex(&epoch.to_be_bytes())));
    }
    path.push_str(&format!("{}.parquet", uuid::Uuid::new_v4().simple()));
    path
}

/// Epoch, least and greatest offset, when all records are of one epoch.
fn range(records: impl Iterator<Item = RecordId>) -> Option<(u64, u64, u64)> {
    let mut range: Option<(u64, u64, u64)> = None;
    for record in records {
        match &mut range {
            None => range = Some((record.epoch, record.offset, record.offset)),
            Some((epoch, _, _)) if *epoch != record.epoch => return None,
            Some((_, low, high)) => {
                *low = (*low).min(record.offset);
                *high = (*high).max(record.offset);
            }
        }
    }
    range
}

/// The names in the `extra` of the batches that a group came from.
fn union_of_names(batches: &[RecordBatch], group: &Group) -> String {
    let mut names = BTreeSet::new();
    if group.batch.column_by_name(EXTRA).is_some_and(|array| array.null_count() < array.len()) {
        let used: BTreeSet<usize> = group.origin.iter().map(|(which, _)| *which).collect();
        for which in used {
            match names_of(batches[which].schema().metadata().get(EXTRA_NAMES_KEY)) {
                Some(more) => names.extend(more),
                None => return "*".to_owned(),
            }
        }
    }
    names_text(&names)
}

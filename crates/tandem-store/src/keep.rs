//! What is kept how long: retention by the day of receipt, and files that nobody needs any more.

use crate::StoreError;
use crate::datafile::{DataFile, index_path};
use crate::log::{Act, Log};
use crate::seal::{Company, commit};
use crate::store::{DETECTIONS, EVENTS, Inner, State, Store};
use futures::TryStreamExt;
use object_store::{ObjectStoreExt, path::Path};
use std::collections::{BTreeMap, HashSet};
use std::path::Path as FilePath;
use std::sync::Arc;

/// What retention or vacuum took away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Files.
    pub files: usize,
    /// Events and detections in them.
    pub rows: u64,
    /// Their size, as far as it is known.
    pub bytes: u64,
}

impl Store {
    /// Takes events and detections out of the tables that were received more than so many whole UTC days ago.
    /// Their files go with a later [`Store::vacuum`].
    pub async fn retain(&self, events_days: u32, detections_days: u32) -> Result<Removed, StoreError> {
        let inner = &self.inner;
        let _turn = inner.housekeeping.lock().await;
        let mut logs = inner.writer.lock().await;
        let today = inner.clock.now().day();
        let state = inner.state();
        let is_expired = |file: &DataFile, days: u32| i64::from(file.day) + i64::from(days) < today;
        let expired = |files: &[Arc<DataFile>], days| -> Vec<DataFile> {
            files.iter().filter(|file| is_expired(file, days)).map(|file| DataFile::clone(file)).collect()
        };
        let mut removed = Removed::default();
        for (table, files) in
            [(EVENTS, expired(&state.events, events_days)), (DETECTIONS, expired(&state.detections, detections_days))]
        {
            if files.is_empty() {
                continue;
            }
            let log = if table == EVENTS { &mut logs.events } else { &mut logs.detections };
            let company = commit(log, inner, Act::Expire, &[], &files, &[]).await?;
            let gone: HashSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            let kept = |files: &Arc<Vec<Arc<DataFile>>>| {
                let kept = files.iter().filter(|file| !gone.contains(file.path.as_str()));
                Arc::new(kept.cloned().collect::<Vec<_>>())
            };
            inner.replace(|state| {
                if table == EVENTS {
                    State { events: kept(&state.events), ..state.clone() }
                } else {
                    State { detections: kept(&state.detections), ..state.clone() }
                }
            });
            if company == Company::Others {
                inner.refresh(&logs.events, &logs.detections);
            }
            inner.step("retain: a table is committed")?;
            removed.files += files.len();
            removed.rows += files.iter().map(|file| file.rows).sum::<u64>();
            removed.bytes += files.iter().map(|file| file.size_bytes + file.index_bytes.unwrap_or(0)).sum::<u64>();
        }
        Ok(removed)
    }

    /// Deletes files that were removed from a table longer ago than the grace, and what failed seals left.
    pub async fn vacuum(&self) -> Result<Removed, StoreError> {
        let _turn = self.inner.housekeeping.lock().await;
        self.inner.tidy().await
    }
}

impl Inner {
    /// Deletes what is in no version of the tables that may still be read.
    pub(crate) async fn tidy(&self) -> Result<Removed, StoreError> {
        // Nobody writes while the writer's lock is held.
        let logs = self.writer.lock().await;
        let mut removed = Removed::default();
        for (table, log) in [(EVENTS, &logs.events), (DETECTIONS, &logs.detections)] {
            self.tidy_table(table, log, &mut removed).await?;
        }
        let tables = self.tables.clone();
        self.blocking(move |_| {
            for table in [EVENTS, DETECTIONS] {
                sweep(&tables.join(table));
            }
            Ok(())
        })
        .await?;
        Ok(removed)
    }

    async fn tidy_table(&self, table: &'static str, log: &Log, removed: &mut Removed) -> Result<(), StoreError> {
        let failed = |path: &str, verb| {
            let path = path.to_owned();
            move |source| StoreError::File { path, verb, source }
        };
        let prefix = Path::from(table);
        let present: Vec<_> = self.files.list(Some(&prefix)).try_collect().await.map_err(failed(table, "read"))?;
        let active: HashSet<String> =
            log.files().iter().flat_map(|file| [file.path.clone(), file.index_path()]).collect();
        let grace_ms = i64::try_from(self.config.removed_grace.as_millis()).unwrap_or(i64::MAX);
        let mut tombs: BTreeMap<String, i64> = BTreeMap::new();
        for (path, at) in log.removed().await? {
            tombs.insert(index_path(&path), at);
            tombs.insert(path, at);
        }
        for object in present {
            let Some(path) = object.location.as_ref().strip_prefix(table).map(|path| path.trim_start_matches('/'))
            else {
                continue;
            };
            let is_ours = path.starts_with("day=") || path.starts_with("_tandem/");
            if !is_ours || active.contains(path) {
                continue;
            }
            let is_due = match tombs.get(path) {
                Some(at) => at.saturating_add(grace_ms) < self.now_ms(),
                // Nobody is writing: this is what a crash or a failed seal left.
                None => true,
            };
            if is_due {
                self.step("vacuum: a file is to be deleted")?;
                match self.files.delete(&object.location).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(error) => return Err(failed(path, "removed")(error)),
                }
                self.step("vacuum: a file is deleted")?;
                removed.files += 1;
                removed.bytes += object.size;
            }
        }
        Ok(())
    }
}

/// Removes folders of days that are empty, and staging files that a crash left. What cannot be removed stays.
fn sweep(folder: &FilePath) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            sweep(&path);
            if name.starts_with("day=") || name.starts_with("family=") {
                // Fails as long as something is in it.
                let _ = std::fs::remove_dir(&path);
            }
        } else if is_staging(&name) {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Whether a name is that of a file that was being written.
fn is_staging(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

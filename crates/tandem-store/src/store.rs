//! The store: what it holds, how it is opened, what comes in.

use crate::config::StoreConfig;
use crate::datafile::DataFile;
use crate::durable::DurableStore;
use crate::engine::Engine;
use crate::index::IndexCache;
use crate::layout::{DAY, FAMILY, Layout};
use crate::log::Log;
use crate::tail::{Tail, size_bytes};
use crate::{StoreError, TailFull, detection_rows};
use object_store::ObjectStore;
use parking_lot::{Mutex, RwLock};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_base::{Clock, Timestamp};
use tandem_model::{Catalogue, Detection, DetectionId, Event};

/// Folder of the table of events, within the folder of the tables.
pub(crate) const EVENTS: &str = "events";
/// Folder of the table of detections.
pub(crate) const DETECTIONS: &str = "detections";

/// The event table and the detection table. Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: StoreConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) layout: Arc<Layout>,
    pub(crate) engine: Engine,
    pub(crate) indexes: IndexCache,
    /// Held by compaction, retention and vacuum.
    pub(crate) housekeeping: tokio::sync::Mutex<()>,
    /// Folder of the tables.
    pub(crate) tables: PathBuf,
    /// `/` is the folder of the tables.
    pub(crate) files: Arc<dyn ObjectStore>,
    /// Held while a table is committed to: one writer at a time.
    pub(crate) writer: tokio::sync::Mutex<Logs>,
    /// What queries see; replaced as a whole.
    pub(crate) state: RwLock<Arc<State>>,
    /// Places in `State::new_detections`; locked before the state.
    pub(crate) places: Mutex<HashMap<DetectionId, usize>>,
    /// Sealed offsets by epoch, as far as they were asked for.
    pub(crate) sealed: Mutex<HashMap<u64, Reached>>,
    pub(crate) last_seal: Mutex<Option<Timestamp>>,
}

/// How far the tables have come in one epoch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reached {
    /// Events of records before this offset are in files.
    pub(crate) events: u64,
    /// Detections on events of records before this offset may be in files: never less than `events`, and
    /// more when the process died between the two commits of a seal.
    pub(crate) detections: u64,
}

/// The logs of both tables.
pub(crate) struct Logs {
    pub(crate) events: Log,
    pub(crate) detections: Log,
}

/// One consistent view of everything stored.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) events: Arc<Vec<Arc<DataFile>>>,
    pub(crate) detections: Arc<Vec<Arc<DataFile>>>,
    pub(crate) tail: Tail,
    /// Detections in no file yet.
    pub(crate) new_detections: Arc<Vec<Arc<Detection>>>,
}

/// Figures for health pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Events, sealed and in the tail.
    pub events: u64,
    /// Events in the tail.
    pub tail_events: u64,
    /// Estimated size of the tail in memory.
    pub tail_bytes: u64,
    /// Data files of events.
    pub files: u64,
    /// Their size, without indexes.
    pub file_bytes: u64,
    /// Size of their indexes.
    pub index_bytes: u64,
    /// Detections, sealed or not.
    pub detections: u64,
    /// When the last seal of this process ended.
    pub last_seal: Option<Timestamp>,
}

/// What became of appended events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Taken into the tail.
    pub taken: usize,
    /// Left out: their records lie before the sealed position, so they are in a file already.
    pub known: usize,
}

impl Store {
    /// Opens the tables under `dir/tables` with default limits, and makes them when they are not there.
    pub async fn open(
        dir: impl AsRef<Path>,
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        Self::open_with(dir, catalogue, clock, StoreConfig::default()).await
    }

    /// Opens the tables under `dir/tables`, adds columns that the catalogue has gained, and removes files
    /// that a crash left without a commit.
    pub async fn open_with(
        dir: impl AsRef<Path>,
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
        config: StoreConfig,
    ) -> Result<Self, StoreError> {
        let layout = Arc::new(Layout::new(catalogue)?);
        let tables = dir.as_ref().join("tables");
        let folder_error = |source| StoreError::Folder { path: tables.clone(), source };
        std::fs::create_dir_all(&tables).map_err(folder_error)?;
        let tables = tables.canonicalize().map_err(folder_error)?;
        let files = DurableStore::at(&tables).map_err(|source| StoreError::File {
            path: tables.display().to_string(),
            verb: "read",
            source,
        })?;
        let events = Log::open(EVENTS, files.clone(), &layout.table_schema, &[DAY, FAMILY]).await?;
        let detections = Log::open(DETECTIONS, files.clone(), &detection_rows::table_schema(), &[DAY]).await?;
        let files: Arc<dyn ObjectStore> = Arc::new(files);
        let engine = Engine::new(&config, files.clone())?;
        let indexes = IndexCache::new(config.cache_bytes / 4);
        let state = State {
            events: Arc::new(sorted(events.files())),
            detections: Arc::new(sorted(detections.files())),
            ..State::default()
        };
        let store = Self {
            inner: Arc::new(Inner {
                config,
                clock,
                layout,
                tables,
                engine,
                indexes,
                housekeeping: tokio::sync::Mutex::default(),
                files,
                writer: tokio::sync::Mutex::new(Logs { events, detections }),
                state: RwLock::new(Arc::new(state)),
                places: Mutex::default(),
                sealed: Mutex::default(),
                last_seal: Mutex::default(),
            }),
        };
        store.inner.tidy().await?;
        Ok(store)
    }

    /// Takes events into the tail: searchable when it returns. Events whose records were sealed before are
    /// left out (as far as [`Store::sealed_position`] of their epoch was asked for, which a start does).
    ///
    /// All or nothing: when the tail is full nothing is taken. It does no IO and little work.
    pub fn append(&self, mut events: Vec<Arc<Event>>) -> Result<Appended, TailFull> {
        let given = events.len();
        {
            let sealed = self.inner.sealed.lock();
            events.retain(|event| {
                sealed.get(&event.id.record.epoch).is_none_or(|reached| event.id.record.offset >= reached.events)
            });
        }
        let appended = Appended { taken: events.len(), known: given - events.len() };
        let bytes: usize = events.iter().map(|event| size_bytes(event)).sum();
        let mut state = self.inner.state.write();
        let tail = &state.tail;
        let config = &self.inner.config;
        if tail.events > 0
            && (tail.events + events.len() > config.tail_events_max || tail.bytes + bytes > config.tail_bytes_max)
        {
            return Err(TailFull { events: tail.events, bytes: tail.bytes });
        }
        let tail = tail.with(events);
        *state = Arc::new(State { tail, ..State::clone(&state) });
        Ok(appended)
    }

    /// The first offset of `epoch` that is in no file: where a start reads the spool from. `None`: nothing
    /// of this epoch was ever sealed.
    pub async fn sealed_position(&self, epoch: u64) -> Result<Option<u64>, StoreError> {
        let logs = self.inner.writer.lock().await;
        let app = spool_app(epoch);
        let offset = logs.events.txn_version(&app).await?.map(i64::cast_unsigned);
        let detections = logs.detections.txn_version(&app).await?.map_or(0, i64::cast_unsigned);
        let events = offset.unwrap_or(0);
        self.inner.sealed.lock().insert(epoch, Reached { events, detections: detections.max(events) });
        Ok(offset)
    }

    /// The version of another application that a seal carried.
    pub async fn txn_version(&self, app_id: &str) -> Result<Option<i64>, StoreError> {
        self.inner.writer.lock().await.events.txn_version(app_id).await
    }

    /// Figures of this moment.
    pub fn stats(&self) -> StoreStats {
        let state = self.inner.state();
        let rows = |files: &[Arc<DataFile>]| files.iter().map(|file| file.rows).sum::<u64>();
        StoreStats {
            events: rows(&state.events) + state.tail.events as u64,
            tail_events: state.tail.events as u64,
            tail_bytes: state.tail.bytes as u64,
            files: state.events.len() as u64,
            file_bytes: state.events.iter().map(|file| file.size_bytes).sum(),
            index_bytes: state.events.iter().filter_map(|file| file.index_bytes).sum(),
            detections: rows(&state.detections) + state.new_detections.len() as u64,
            last_seal: *self.inner.last_seal.lock(),
        }
    }

    /// The catalogue whose columns the table has.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.inner.layout.catalogue
    }
}

impl Inner {
    /// What is stored at this moment.
    pub(crate) fn state(&self) -> Arc<State> {
        self.state.read().clone()
    }

    /// Stops here when a test wants to.
    pub(crate) fn step(&self, name: &'static str) -> Result<(), StoreError> {
        tandem_base::fail::point(name);
        match &self.config.fail_point {
            Some(stop) if stop(name) => Err(StoreError::FailPoint(name)),
            _ => Ok(()),
        }
    }

    /// The present in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().micros().div_euclid(1000)
    }
}

/// Files by their latest event, latest first.
pub(crate) fn sorted(files: Vec<DataFile>) -> Vec<Arc<DataFile>> {
    let mut files: Vec<_> = files.into_iter().map(Arc::new).collect();
    sort(&mut files);
    files
}

pub(crate) fn sort(files: &mut [Arc<DataFile>]) {
    files.sort_by(|a, b| b.time.1.cmp(&a.time.1).then_with(|| a.path.cmp(&b.path)));
}

/// The Delta application whose version is the sealed offset of `epoch`.
pub(crate) fn spool_app(epoch: u64) -> String {
    format!("spool-{}", tandem_base::hex(&epoch.to_be_bytes()))
}

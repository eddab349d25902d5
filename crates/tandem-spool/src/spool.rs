//! An open spool.

use crate::format::file_name;
use crate::read::Places;
use crate::recover::{self, Opened};
use crate::ticket::Done;
use crate::{AppendError, Damage, Limits, OpenError, Recovery, Ticket, TrimError, writer};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tandem_base::{Disk, DiskLock, fail};

/// Most damaged places that are remembered.
const DAMAGE_MAX: usize = 1000;

/// One file, as far as it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileInfo {
    pub(crate) first: u64,
    pub(crate) size_bytes: u64,
}

/// One append that waits.
pub(crate) struct Job {
    pub(crate) payloads: Vec<Vec<u8>>,
    /// Upper bound of what it takes on the disk.
    pub(crate) size_bytes: usize,
    pub(crate) done: Done,
}

/// What writer, readers and appenders share.
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) folder: PathBuf,
    pub(crate) epoch: u64,
    pub(crate) limits: Limits,
    pub(crate) state: Mutex<State>,
    /// Work for the writer.
    pub(crate) work: Condvar,
    /// New records for readers.
    pub(crate) data: Condvar,
    pub(crate) places: Mutex<Places>,
    trimming: Mutex<()>,
}

pub(crate) struct State {
    /// Never empty; the last one is written to.
    pub(crate) files: Vec<FileInfo>,
    /// Every record below is durable and readable, unless damaged.
    pub(crate) next: u64,
    pub(crate) queue: VecDeque<Job>,
    /// Sizes of jobs that are not answered.
    pub(crate) queued_bytes: usize,
    pub(crate) closing: bool,
    pub(crate) stopped: Option<Arc<io::Error>>,
    /// Why the latest group could not be written, if so.
    pub(crate) failing: Option<Arc<io::Error>>,
    pub(crate) groups: u64,
    pub(crate) damage: Vec<Damage>,
}

impl State {
    fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// Remembers a damaged place once.
    pub(crate) fn note_damage(&mut self, damage: Damage) {
        let is_known = self.damage.iter().any(|known| known.file == damage.file && known.bytes == damage.bytes);
        if !is_known && self.damage.len() < DAMAGE_MAX {
            self.damage.push(damage);
        }
    }
}

/// How a spool stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Offset of the oldest record that is kept.
    pub first: u64,
    /// Offset that the next record will have.
    pub next: u64,
    /// How many files.
    pub files: usize,
    /// Their size.
    pub size_bytes: u64,
    /// The most that it may be.
    pub max_bytes: u64,
    /// What waits for the writer.
    pub queued_bytes: usize,
    /// Groups written since opening: one sync each.
    pub groups: u64,
    /// Damaged places found since opening, and at it; at most 1,000.
    pub damage: Vec<Damage>,
    /// Why it takes nothing more, if so.
    pub stopped: Option<String>,
    /// Why the latest records were refused by the disk; the next ones are tried. `None` as soon as one is written.
    pub failing: Option<String>,
}

/// An open spool: one writer, any number of readers. Shared by reference; dropping it writes what waits.
pub struct Spool {
    shared: Arc<Shared>,
    writer: Option<JoinHandle<()>>,
    _lock: DiskLock,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool")
            .field("folder", &self.shared.folder)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Spool {
    /// Makes an empty spool in `folder`, which is created. `epoch` must be drawn at random: with it no position
    /// of another spool comes back.
    ///
    /// Files whose making was interrupted are replaced; anything that can be read is [`OpenError::Exists`].
    pub fn create(disk: Arc<dyn Disk>, folder: &Path, epoch: u64, limits: Limits) -> Result<Self, OpenError> {
        let opened = recover::create(disk.as_ref(), folder, epoch, &limits)?;
        Ok(Self::start(disk, folder, limits, opened)?.0)
    }

    /// Opens the spool in `folder`, and says what was found damaged.
    ///
    /// `floor` is the lowest offset that may be given out: what the caller has stored as done. Without damage it
    /// changes nothing; 0 is right when nothing has been stored.
    pub fn open(disk: Arc<dyn Disk>, folder: &Path, limits: Limits, floor: u64) -> Result<(Self, Recovery), OpenError> {
        let opened = recover::open(disk.as_ref(), folder, &limits, floor)?;
        Self::start(disk, folder, limits, opened)
    }

    fn start(
        disk: Arc<dyn Disk>,
        folder: &Path,
        limits: Limits,
        opened: Opened,
    ) -> Result<(Self, Recovery), OpenError> {
        let shared = Arc::new(Shared {
            disk,
            folder: folder.to_path_buf(),
            epoch: opened.epoch,
            limits,
            state: Mutex::new(State {
                files: opened.files,
                next: opened.next,
                queue: VecDeque::new(),
                queued_bytes: 0,
                closing: false,
                stopped: None,
                failing: None,
                groups: 0,
                damage: opened.recovery.damage.clone(),
            }),
            work: Condvar::new(),
            data: Condvar::new(),
            places: Mutex::new(Places::default()),
            trimming: Mutex::new(()),
        });
        let writer = std::thread::Builder::new().name("spool-writer".to_owned()).spawn({
            let shared = shared.clone();
            let active = opened.active;
            move || writer::run(&shared, active)
        })?;
        Ok((Self { shared, writer: Some(writer), _lock: opened.lock }, opened.recovery))
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The epoch given at [`Spool::create`].
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// Hands records to the writer; the ticket answers when all of them are durable, in this order and without
    /// gaps. Appends are written in the order of the calls. Does not block.
    pub fn append(&self, payloads: Vec<Vec<u8>>) -> Ticket {
        let (ticket, done) = Ticket::new();
        self.enqueue(payloads, done);
        ticket
    }

    /// Like [`append`](Self::append), with a call on the writer's thread instead of a ticket. The call must be short and must
    /// not panic; it may come before this returns.
    pub fn append_then(
        &self,
        payloads: Vec<Vec<u8>>,
        on_done: impl FnOnce(Result<std::ops::Range<u64>, AppendError>) + Send + 'static,
    ) {
        self.enqueue(payloads, Done::call(on_done));
    }

    fn enqueue(&self, payloads: Vec<Vec<u8>>, done: Done) {
        match self.admit(payloads) {
            // Nothing to write: durable already.
            Ok(payloads) if payloads.is_empty() => {
                let next = self.shared.state.lock().next;
                done.answer(Ok(next..next));
            }
            Ok(payloads) => self.push(payloads, done),
            Err(error) => done.answer(Err(error)),
        }
    }

    /// Refuses what no state of the spool could take.
    fn admit(&self, payloads: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, AppendError> {
        let limits = &self.shared.limits;
        for (index, payload) in payloads.iter().enumerate() {
            if payload.len() > limits.record_bytes_max {
                let (size_bytes, max_bytes) = (payload.len(), limits.record_bytes_max);
                return Err(AppendError::TooLarge { index: Some(index), size_bytes, max_bytes });
            }
        }
        let size_bytes = payloads.iter().map(Vec::len).sum();
        if size_bytes > limits.queue_bytes_max {
            return Err(AppendError::TooLarge { index: None, size_bytes, max_bytes: limits.queue_bytes_max });
        }
        Ok(payloads)
    }

    fn push(&self, payloads: Vec<Vec<u8>>, done: Done) {
        // Upper bound of the bytes on disk: the writer stores what does not shrink as it is, with four bytes for
        // each length, and a header for each block.
        let plain: usize = payloads.iter().map(|payload| payload.len() + 4).sum();
        let size_bytes = plain + 128 * (plain / crate::limits::BLOCK_BYTES_TARGET + 1);
        let limits = &self.shared.limits;
        let mut state = self.shared.state.lock();
        let used_bytes = state.size_bytes();
        let refused = if let Some(error) = &state.stopped {
            Some(AppendError::Stopped(error.clone()))
        } else if state.closing {
            Some(AppendError::Closed)
        } else if used_bytes + (state.queued_bytes + size_bytes) as u64 > limits.spool_bytes_max {
            Some(AppendError::Full { used_bytes, max_bytes: limits.spool_bytes_max })
        } else if state.queued_bytes > 0 && state.queued_bytes + size_bytes > limits.queue_bytes_max {
            Some(AppendError::QueueFull { queued_bytes: state.queued_bytes, max_bytes: limits.queue_bytes_max })
        } else {
            None
        };
        if let Some(error) = refused {
            drop(state);
            done.answer(Err(error));
            return;
        }
        state.queued_bytes += size_bytes;
        state.queue.push_back(Job { payloads, size_bytes, done });
        drop(state);
        self.shared.work.notify_one();
    }

    /// Waits until the record `offset` can be read, at most `timeout`; whether it can. Returns at once when the
    /// spool has stopped, since no record will come.
    pub fn wait_for(&self, offset: u64, timeout: Duration) -> bool {
        let mut state = self.shared.state.lock();
        self.shared.data.wait_while_for(&mut state, |state| state.next <= offset && !state.closing, timeout);
        state.next > offset
    }

    /// Removes files all of whose records are below `up_to`; the last file stays. Answers the offset of the oldest
    /// record that is left.
    pub fn trim(&self, up_to: u64) -> Result<u64, TrimError> {
        let _one_at_a_time = self.shared.trimming.lock();
        loop {
            let oldest = {
                let state = self.shared.state.lock();
                match state.files.as_slice() {
                    [oldest, second, ..] if second.first <= up_to => *oldest,
                    files => return Ok(files.first().map_or(state.next, |file| file.first)),
                }
            };
            fail::point("spool.trim");
            match self.shared.disk.remove(&self.shared.folder.join(file_name(oldest.first))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            fail::point("spool.trim.removed");
            self.shared.state.lock().files.remove(0);
            // After each file: a crash must not bring back an older one and leave a gap behind it.
            self.shared.disk.sync_folder(&self.shared.folder)?;
        }
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        let state = self.shared.state.lock();
        Status {
            first: state.files.first().map_or(state.next, |file| file.first),
            next: state.next,
            files: state.files.len(),
            size_bytes: state.size_bytes(),
            max_bytes: self.shared.limits.spool_bytes_max,
            queued_bytes: state.queued_bytes,
            groups: state.groups,
            damage: state.damage.clone(),
            stopped: state.stopped.as_ref().map(ToString::to_string),
            failing: state.failing.as_ref().map(ToString::to_string),
        }
    }

    /// Takes nothing more; what waits is still written. Does not block.
    pub fn close(&self) {
        self.shared.state.lock().closing = true;
        self.shared.work.notify_all();
        self.shared.data.notify_all();
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.close();
        let writer = self.writer.take();
        // A completion may hold the last reference: the writer cannot wait for itself.
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != std::thread::current().id()) {
            // A panic of the writer has been turned into `Stopped` for everybody who waited.
            let _ = writer.join();
        }
    }
}

const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Spool>();
};

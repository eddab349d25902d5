//! Stored logs as history: folders, files, archives; the same content is never taken twice.

use super::walk::{Found, walk};
use crate::counters::Cause;
use crate::sink::{Sink, insist};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tandem_base::{Clock, fail, hex};
use tandem_model::{Record, RecordId, RunId, Transport};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What is to be imported.
#[derive(Debug, Clone)]
pub struct Import {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The source of the records.
    pub source: String,
    /// The run that the records belong to.
    pub run: Option<RunId>,
}

/// Something that can be read from any place.
pub trait Readable: Read + Seek + Send {}
impl<T: Read + Seek + Send> Readable for T {}

/// One record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// 0-based place in the file.
    pub index: u64,
    /// What the container says about it, such as `file.format`.
    pub facts: Vec<(String, String)>,
}

/// The records of one file; an `Err` names a part that cannot be read, after which others may follow.
pub type Pieces = Box<dyn Iterator<Item = Result<Piece, String>> + Send>;

/// Knows how files are taken apart into records; the site puts `tandem_parse::container` behind it.
pub trait Containers: Send + Sync {
    /// The records of `file`, called `name`; the error says why it is none that can be read.
    fn open(&self, name: &str, file: Box<dyn Readable>) -> Result<Pieces, String>;
}

/// Remembers which contents were imported. Called outside the runtime's threads, so it may block.
pub trait Imports: Send + Sync {
    /// How many records of the file with this SHA-256 (hexadecimal) are durable; `None` when it was never begun.
    fn taken(&self, hash: &str) -> Option<Taken>;
    /// Notes it. Called after records became durable; when the process dies in between, they come twice.
    fn took(&self, hash: &str, taken: Taken);
}

/// How far a file was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Its first records that are durable.
    pub records: u64,
    /// Whether it has no more.
    pub whole: bool,
}

/// How far an import is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files that are done.
    pub files_done: u64,
    /// All files.
    pub files: u64,
    /// Bytes of files read, as they lie on the disk.
    pub bytes_done: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Records that are durable.
    pub records: u64,
}

/// What came of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// The last progress.
    pub progress: Progress,
    /// Files whose content had been imported before.
    pub files_known: u64,
    /// What could not be read, the first 1,000.
    pub unread: Vec<Unread>,
    /// How much could not be read in all.
    pub unread_count: u64,
    /// Whether it was stopped before its end; a repetition goes on from there.
    pub stopped: bool,
}

/// A file, folder or part of a file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which.
    pub path: PathBuf,
    /// Why, for a person.
    pub reason: String,
}

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The sink takes nothing any more.
    #[error("import ended because the spool is closed; run it again to go on")]
    Closed,
    /// A fault of a container or of ours.
    #[error("import ended by a fault in reading; run it again to go on")]
    Fault,
}

/// What an import works with.
pub struct ImportWith {
    /// Takes files apart.
    pub containers: Arc<dyn Containers>,
    /// Remembers contents.
    pub imports: Arc<dyn Imports>,
    /// Takes the records.
    pub sink: Arc<dyn Sink>,
    /// Tells the time of receipt.
    pub clock: Arc<dyn Clock>,
    /// Ends the import between two batches.
    pub stop: CancellationToken,
}

const MAX_UNREAD: usize = 1000;
/// Bytes of one batch.
const BATCH_BYTES: usize = 2 << 20;
/// Batches read ahead of the sink; when full, reading waits.
const QUEUE: usize = 2;

enum Step {
    /// Nothing became durable, but time went on.
    Went(Progress),
    Batch {
        records: Vec<Record>,
        hash: String,
        taken: Taken,
        progress: Progress,
    },
    Unread(Unread),
    Known,
}

/// Imports everything, calling `progress` after every batch and file.
pub async fn import(
    import: Import,
    with: ImportWith,
    progress: &(dyn Fn(&Progress) + Send + Sync),
) -> Result<ImportReport, ImportError> {
    let (sender, mut steps) = mpsc::channel(QUEUE);
    let ImportWith { containers, imports, sink, clock, stop } = with;
    let reader = Reader {
        import,
        containers,
        imports: Arc::clone(&imports),
        clock,
        stop: stop.clone(),
        sender,
        progress: Progress::default(),
        seen: HashSet::new(),
    };
    let reading = tokio::task::spawn_blocking(move || reader.run());
    let mut report = ImportReport::default();
    while let Some(step) = steps.recv().await {
        match step {
            Step::Went(now) => report.progress = Progress { records: report.progress.records, ..now },
            Step::Known => {
                report.files_known += 1;
                continue;
            }
            Step::Unread(unread) => {
                report.unread_count += 1;
                if report.unread.len() < MAX_UNREAD {
                    report.unread.push(unread);
                }
                continue;
            }
            Step::Batch { records, hash, taken, progress: now } => {
                if !records.is_empty() {
                    let count = |_: Cause, text: &str| tracing::warn!(text, "import waits");
                    insist(&*sink, &records, &count, &stop, Duration::ZERO).await.map_err(|_| ImportError::Closed)?;
                }
                fail::point("import.durable");
                let imports = Arc::clone(&imports);
                let noted = tokio::task::spawn_blocking(move || imports.took(&hash, taken)).await;
                noted.map_err(|_| ImportError::Fault)?;
                fail::point("import.told");
                let records = report.progress.records + records.len() as u64;
                report.progress = Progress { records, ..now };
            }
        }
        progress(&report.progress);
    }
    reading.await.map_err(|_| ImportError::Fault)?;
    report.stopped = stop.is_cancelled();
    Ok(report)
}

struct Reader {
    import: Import,
    containers: Arc<dyn Containers>,
    imports: Arc<dyn Imports>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    sender: mpsc::Sender<Step>,
    progress: Progress,
    /// Contents of this import, whose records may still be on their way.
    seen: HashSet<String>,
}

/// The other end is gone, or a stop is wanted.
struct Ended;

impl Reader {
    fn run(mut self) {
        let mut found = Vec::new();
        let sender = self.sender.clone();
        for path in &self.import.paths {
            walk(path, &mut found, &mut |path, reason| {
                let _ = sender.blocking_send(Step::Unread(Unread { path: path.to_owned(), reason }));
            });
        }
        drop(sender);
        self.progress.files = found.len() as u64;
        self.progress.bytes = found.iter().map(|found| found.size_bytes).sum();
        if self.send(Step::Went(self.progress.clone())).is_err() {
            return;
        }
        let mut done = 0;
        for found in found {
            self.progress.bytes_done = done;
            if self.file(&found).is_err() {
                return;
            }
            done += found.size_bytes;
        }
    }

    fn send(&self, step: Step) -> Result<(), Ended> {
        if self.stop.is_cancelled() {
            return Err(Ended);
        }
        self.sender.blocking_send(step).map_err(|_| Ended)
    }

    fn unread(&self, path: &Path, reason: String) -> Result<(), Ended> {
        self.send(Step::Unread(Unread { path: path.to_owned(), reason }))
    }

    fn file(&mut self, found: &Found) -> Result<(), Ended> {
        let before = self.progress.bytes_done;
        let path = &found.path;
        let hashed = File::open(path).and_then(|mut file| {
            let hash = hash(&mut file)?;
            file.seek(SeekFrom::Start(0))?;
            Ok((file, hash))
        });
        let (file, hash) = match hashed {
            Ok(hashed) => hashed,
            Err(error) => {
                self.unread(path, error.to_string())?;
                return self.done(found, before);
            }
        };
        let known = self.imports.taken(&hash);
        if known.is_some_and(|known| known.whole) || !self.seen.insert(hash.clone()) {
            self.send(Step::Known)?;
            return self.done(found, before);
        }
        let read = Arc::new(AtomicU64::new(0));
        let file = Counted { file, read: Arc::clone(&read), at: 0 };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let pieces = match self.containers.open(&name, Box::new(file)) {
            Ok(pieces) => pieces,
            Err(reason) => {
                self.unread(path, reason)?;
                return self.done(found, before);
            }
        };
        let skip = known.map_or(0, |known| known.records);
        let received = self.clock.now();
        let path_text = path.display().to_string();
        let (mut batch, mut size, mut seen) = (Vec::new(), 0, 0);
        for piece in pieces {
            let piece = match piece {
                Ok(piece) => piece,
                Err(reason) => {
                    self.unread(path, reason)?;
                    continue;
                }
            };
            seen += 1;
            if seen <= skip {
                continue;
            }
            let mut facts = vec![
                ("file.path".to_owned(), path_text.clone()),
                ("file.record".to_owned(), piece.index.to_string()),
                ("file.hash".to_owned(), hash.clone()),
            ];
            facts.extend(piece.facts);
            size += piece.raw.len() + 256;
            batch.push(Record {
                id: RecordId::default(),
                source: self.import.source.clone(),
                peer: None,
                received,
                transport: Transport::Import,
                facts,
                run: self.import.run,
                raw: piece.raw,
            });
            if size >= BATCH_BYTES {
                self.progress.bytes_done = before + read.load(Relaxed).min(found.size_bytes);
                let taken = Taken { records: seen, whole: false };
                let records = std::mem::take(&mut batch);
                size = 0;
                self.send(Step::Batch { records, hash: hash.clone(), taken, progress: self.progress.clone() })?;
            }
        }
        self.progress.bytes_done = before + found.size_bytes;
        self.progress.files_done += 1;
        let taken = Taken { records: seen, whole: true };
        self.send(Step::Batch { records: batch, hash, taken, progress: self.progress.clone() })
    }

    /// A file that yields nothing is done, too.
    fn done(&mut self, found: &Found, before: u64) -> Result<(), Ended> {
        self.progress.bytes_done = before + found.size_bytes;
        self.progress.files_done += 1;
        self.send(Step::Went(self.progress.clone()))
    }
}

fn hash(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Tells how far into the file was read.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
    at: u64,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(bytes)?;
        self.at += count as u64;
        self.read.fetch_max(self.at, Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

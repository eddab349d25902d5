//! Follows files that patterns name, through every way of rotating them.

use super::Identity;
use super::follow::{Change, Followed, Line};
use crate::counters::{Cause, Source};
use crate::sink::{Sink, insist};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tandem_base::{Chance, Clock, SystemChance, fail, hex};
use tandem_model::{Record, RecordId, Transport};
use tokio_util::sync::CancellationToken;

/// Files that are followed under one source.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tail {
    /// The source of the records.
    pub source: String,
    /// Patterns such as `/var/log/app/*.log`; compressed files that they name are left alone.
    pub files: Vec<String>,
    /// Where a file begins that was never seen before.
    pub start: Start,
    /// How often is looked, 500 ms.
    pub poll_ms: u64,
    /// The longest line, 64 KiB; a longer one is cut and counted.
    pub max_line_bytes: usize,
    /// Files followed at once, 1,000.
    pub max_files: usize,
}

/// Where a file begins that was never seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Everything that it holds.
    #[default]
    Beginning,
    /// What is written from now on; files that appear later are read whole, and so are those that appeared
    /// between a stop and the next start.
    End,
}

/// How far a file is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The source that it belongs to.
    pub source: String,
    /// The name under which it was last seen.
    pub path: PathBuf,
    /// Which file it is.
    pub identity: Identity,
    /// The records of everything before are durable.
    pub offset: u64,
    /// Names the file and what it held from its beginning on, as the fact `file.key` of its records does. Noted
    /// before the first record is handed on. Empty in notes of earlier versions.
    #[serde(default)]
    pub key: String,
    /// Where a line begins that is known to be durable, too, with all before it: set by whoever finds more durable
    /// than was noted, since a process may die between the two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<u64>,
}

/// A position could not be noted, for a person.
#[derive(Debug, thiserror::Error)]
#[error("the position of a followed file could not be noted: {0}")]
pub struct NotNoted(pub String);

/// Remembers positions over restarts. Called outside the runtime's threads, so it may block.
pub trait Positions: Send + Sync {
    /// Every position of a source; waits until it can tell.
    fn load(&self, source: &str) -> Vec<Position>;
    /// Notes a position, in place of an earlier one of the same device and inode. It is called before the first
    /// record of a file is handed on, and after records are durable. Nothing more is read until it has succeeded, so
    /// at most one batch is durable and not noted when the process dies.
    fn store(&self, position: &Position) -> Result<(), NotNoted>;
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            source: String::new(),
            files: Vec::new(),
            start: Start::default(),
            poll_ms: 500,
            max_line_bytes: 64 << 10,
            max_files: 1000,
        }
    }
}

/// Lines handed on at once, in bytes.
const BATCH_BYTES: usize = 1 << 20;
/// A file without a name that does not grow for so many polls is closed.
const LAST_POLLS: u32 = 4;
/// Pause before a position is noted again that could not be.
const NOTE_AGAIN: Duration = Duration::from_millis(500);

pub(crate) struct Follower {
    pub(crate) tail: Tail,
    pub(crate) positions: Arc<dyn Positions>,
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) source: Arc<Source>,
    pub(crate) stop: CancellationToken,
    pub(crate) grace: Duration,
}

struct State {
    tail: Tail,
    positions: Arc<dyn Positions>,
    source: Arc<Source>,
    known: Vec<Position>,
    files: Vec<Followed>,
    first: bool,
    /// Which file is read next, so that a busy one does not hold up the others.
    turn: usize,
}

struct Batch {
    path: PathBuf,
    lines: Vec<Line>,
    position: Position,
}

/// Follows until it is stopped.
pub(crate) async fn follow(follower: Follower) {
    let Follower { tail, positions, sink, clock, source, stop, grace } = follower;
    let poll = Duration::from_millis(tail.poll_ms.max(10));
    let known_positions = Arc::clone(&positions);
    let name = tail.source.clone();
    let known = tokio::task::spawn_blocking(move || known_positions.load(&name)).await.unwrap_or_default();
    let mut state =
        State { tail, positions, source: Arc::clone(&source), known, files: Vec::new(), first: true, turn: 0 };
    let count = {
        let source = Arc::clone(&source);
        move |cause, text: &str| source.error(cause, text)
    };
    while !stop.is_cancelled() {
        let looked = tokio::task::spawn_blocking(move || {
            state.find();
            let batch = state.read();
            (state, batch)
        })
        .await;
        let batch;
        (state, batch) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                tracing::error!(%error, "following files ended");
                return;
            }
        };
        let Some(batch) = batch else {
            tokio::select! {
                () = tokio::time::sleep(poll) => {}
                () = stop.cancelled() => {}
            }
            continue;
        };
        let records = records(&batch, &source, &*clock);
        if insist(&*sink, &records, &count, &stop, grace).await.is_err() {
            // Not stored: the same lines are read again after the next start.
            return;
        }
        source.took(records.len() as u64, records.iter().map(|record| record.raw.len() as u64).sum(), None);
        fail::point("follow.durable");
        loop {
            let (positions, position) = (Arc::clone(&state.positions), batch.position.clone());
            let noted = tokio::task::spawn_blocking(move || positions.store(&position)).await;
            let why = match noted {
                Ok(Ok(())) => break,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::warn!(why, "a followed file waits; trying again");
            source.error(Cause::SinkFailed, &why);
            tokio::select! {
                () = tokio::time::sleep(NOTE_AGAIN) => {}
                () = stop.cancelled() => return,
            }
        }
        fail::point("follow.noted");
    }
}

fn records(batch: &Batch, source: &Source, clock: &dyn Clock) -> Vec<Record> {
    let received = clock.now();
    let path = batch.path.display().to_string();
    batch
        .lines
        .iter()
        .map(|line| {
            let mut facts =
                vec![("file.path".to_owned(), path.clone()), ("file.offset".to_owned(), line.offset.to_string())];
            facts.push(("file.key".to_owned(), batch.position.key.clone()));
            if line.cut {
                source.error(Cause::TooLong, &format!("a line of {path} was longer than max_line_bytes and was cut"));
                facts.push(("file.cut".to_owned(), "too-long".to_owned()));
            }
            Record {
                id: RecordId::default(),
                source: source.name.clone(),
                peer: None,
                received,
                transport: Transport::Tail,
                facts,
                run: None,
                raw: line.bytes.clone(),
            }
        })
        .collect()
}

impl State {
    /// Opens what the patterns name and is not followed yet.
    fn find(&mut self) {
        for followed in &mut self.files {
            followed.named = false;
        }
        for pattern in self.tail.files.clone() {
            let paths = match glob::glob(&pattern) {
                Ok(paths) => paths,
                Err(error) => {
                    self.source.error(Cause::Malformed, &format!("`{pattern}` is no pattern of files: {error}"));
                    continue;
                }
            };
            for path in paths {
                match path {
                    Ok(path) if is_compressed(&path) => {}
                    Ok(path) => self.name(&path),
                    Err(error) => self.source.error(Cause::Unsupported, &format!("folder cannot be read: {error}")),
                }
            }
        }
        self.first = false;
    }

    fn name(&mut self, path: &Path) {
        let unreadable = |error: &std::io::Error| format!("{} cannot be read: {error}", path.display());
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => metadata,
            Ok(_) => return,
            // Rotated away between the listing and now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.source.error(Cause::Unsupported, &unreadable(&error)),
        };
        let same = |followed: &&mut Followed| {
            followed.identity.device == metadata.dev() && followed.identity.inode == metadata.ino()
        };
        if let Some(followed) = self.files.iter_mut().find(same) {
            followed.named = true;
            followed.idle_polls = 0;
            if followed.path != path {
                path.clone_into(&mut followed.path);
            }
            return;
        }
        if self.files.len() >= self.tail.max_files {
            return self.source.error(Cause::ConnectionLimit, "more files than max_files are named");
        }
        let opened = File::open(path).and_then(|file| {
            let metadata = file.metadata()?;
            let identity = Identity::of(&file, &metadata)?;
            Ok((file, metadata, identity))
        });
        let (file, metadata, identity) = match opened {
            Ok(opened) => opened,
            Err(error) => return self.source.error(Cause::Unsupported, &unreadable(&error)),
        };
        let known = self.known.iter().find(|known| {
            known.identity.device == identity.device
                && known.identity.inode == identity.inode
                && known.offset <= metadata.len()
                && known.identity.still(&file).unwrap_or(false)
        });
        let mut position = Position {
            source: self.tail.source.clone(),
            path: path.to_owned(),
            identity: identity.clone(),
            offset: 0,
            key: new_key(),
            through: None,
        };
        let mut noted = false;
        match known {
            Some(known) => {
                position.offset = known.offset;
                if !known.key.is_empty() {
                    position.key.clone_from(&known.key);
                    noted = true;
                }
                // A line begins there that is durable: it is read once more, and passed over.
                if let Some(through) = known.through.filter(|through| *through >= known.offset) {
                    position.offset = through;
                    position.through = Some(through);
                }
            }
            None if self.first && self.known.is_empty() && self.tail.start == Start::End => {
                position.offset = metadata.len();
            }
            None => {}
        }
        let Position { path, offset, key, through, .. } = position;
        let mut followed =
            Followed { file, path, identity, offset, key, noted, through, passing: false, idle_polls: 0, named: true };
        // Where a file begins is decided when it is first seen, even if nothing of it is read before a stop.
        self.note(&mut followed);
        self.files.push(followed);
    }

    /// Notes a file before its first record is handed on; whether it is noted.
    fn note(&self, followed: &mut Followed) -> bool {
        if !followed.noted {
            match self.positions.store(&followed.position(&self.tail.source)) {
                Ok(()) => {
                    followed.noted = true;
                    fail::point("follow.noted-first");
                }
                Err(error) => self.source.error(Cause::SinkFailed, &error.to_string()),
            }
        }
        followed.noted
    }

    /// The next lines of one file that has some.
    fn read(&mut self) -> Option<Batch> {
        let count = self.files.len();
        let mut found = None;
        for step in 0..count {
            let place = (self.turn + step) % count;
            let mut followed = self.files.remove(place);
            let batch = self.read_one(&mut followed);
            self.files.insert(place, followed);
            if batch.is_some() {
                found = batch;
                self.turn = place + 1;
                break;
            }
        }
        self.files.retain(|followed| followed.named || followed.idle_polls < LAST_POLLS);
        found
    }

    fn read_one(&self, followed: &mut Followed) -> Option<Batch> {
        let path = followed.path.display().to_string();
        match followed.look() {
            Ok(Change::None) => {
                followed.idle_polls += u32::from(!followed.named);
                return None;
            }
            Ok(Change::Grown) => {}
            Ok(Change::StartedOver) => {
                tracing::warn!(path, "a followed file was emptied; lines between may be lost");
                self.source.error(Cause::CutOff, &format!("{path} was emptied; lines between may be lost"));
                // What it holds now begins anew, under a key of its own.
                followed.key = new_key();
                followed.noted = false;
                followed.through = None;
            }
            Err(error) => {
                self.source.error(Cause::Unsupported, &format!("{path} cannot be read: {error}"));
                return None;
            }
        }
        if !self.note(followed) {
            return None;
        }
        let end = !followed.named && followed.idle_polls + 1 >= LAST_POLLS;
        match followed.lines(self.tail.max_line_bytes.max(1), BATCH_BYTES, end) {
            Ok(lines) if lines.is_empty() => followed.idle_polls += u32::from(!followed.named),
            Ok(lines) => {
                followed.idle_polls = 0;
                let position = followed.position(&self.tail.source);
                return Some(Batch { path: followed.path.clone(), lines, position });
            }
            Err(error) => self.source.error(Cause::Unsupported, &format!("{path} cannot be read: {error}")),
        }
        None
    }
}

/// A name for a file and what it holds from now on.
fn new_key() -> String {
    hex(&SystemChance.next_u64().to_be_bytes())
}

/// A rotated file that was compressed was read before.
fn is_compressed(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    matches!(extension.to_ascii_lowercase().as_str(), "gz" | "zst" | "xz" | "bz2" | "lz4" | "zip" | "z")
}

//! One file that is followed: whole lines from a position on.

use super::{Identity, Position};
use memchr::memchr;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// A line, without its terminator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// Where it begins in the file.
    pub(super) offset: u64,
    /// It was longer than the limit; the rest is passed over.
    pub(super) cut: bool,
}

pub(super) struct Followed {
    pub(super) file: File,
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    /// Everything before is taken; always the beginning of a line, except inside one that is passed over.
    pub(super) offset: u64,
    /// See [`Position::key`].
    pub(super) key: String,
    /// The key is noted, so that records may bear it.
    pub(super) noted: bool,
    /// Lines that begin here or before are durable and passed over.
    pub(super) through: Option<u64>,
    /// In the rest of a line that was too long.
    pub(super) passing: bool,
    /// Polls in a row that found no name for it and nothing new in it.
    pub(super) idle_polls: u32,
    /// Whether a pattern still names it.
    pub(super) named: bool,
}

/// What happened to a file since it was last looked at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing to read.
    None,
    /// There are bytes beyond the position.
    Grown,
    /// It was emptied and written anew: lines may be lost.
    StartedOver,
}

impl Followed {
    /// How far it is taken.
    pub(super) fn position(&self, source: &str) -> Position {
        Position {
            source: source.to_owned(),
            path: self.path.clone(),
            identity: self.identity.clone(),
            offset: self.offset,
            key: self.key.clone(),
            through: None,
        }
    }

    /// Notices that the file was truncated or rewritten in place.
    pub(super) fn look(&mut self) -> io::Result<Change> {
        let metadata = self.file.metadata()?;
        if metadata.len() < self.offset || !self.identity.still(&self.file)? {
            self.identity = Identity::of(&self.file, &metadata)?;
            self.offset = 0;
            self.passing = false;
            return Ok(Change::StartedOver);
        }
        if self.identity.can_grow() {
            self.identity = Identity::of(&self.file, &metadata)?;
        }
        Ok(if metadata.len() > self.offset { Change::Grown } else { Change::None })
    }

    /// Lines from the position on, about `budget_bytes` of them; at the `end` of a file that will not grow
    /// any more the last one needs no terminator.
    pub(super) fn lines(&mut self, max_line_bytes: usize, budget_bytes: usize, end: bool) -> io::Result<Vec<Line>> {
        let mut lines = self.read_lines(max_line_bytes, budget_bytes, end)?;
        if let Some(through) = self.through
            && let Some(last) = lines.last().map(|line| line.offset)
        {
            lines.retain(|line| line.offset > through);
            if last >= through {
                self.through = None;
            }
        }
        Ok(lines)
    }

    fn read_lines(&mut self, max_line_bytes: usize, budget_bytes: usize, end: bool) -> io::Result<Vec<Line>> {
        let mut lines = Vec::new();
        let mut pending: Vec<u8> = Vec::new();
        // Where `pending` begins.
        let mut begun = self.offset;
        let mut at = self.offset;
        let mut taken = 0;
        let left = self.file.metadata()?.len().saturating_sub(self.offset);
        let mut buffer = vec![0; READ_BYTES.min(left.max(1) as usize)];
        loop {
            let count = match self.file.read_at(&mut buffer, at) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if count == 0 {
                if end && !pending.is_empty() {
                    self.offset = at;
                    lines.push(line(pending, begun, false));
                }
                return Ok(lines);
            }
            let mut rest = &buffer[..count];
            while let Some(place) = memchr(b'\n', rest) {
                let (part, next) = (&rest[..place], &rest[place + 1..]);
                if self.passing {
                    self.passing = false;
                } else {
                    let cut = pending.len() + part.len() > max_line_bytes;
                    let room = max_line_bytes.saturating_sub(pending.len());
                    pending.extend_from_slice(&part[..part.len().min(room)]);
                    taken += pending.len();
                    if !pending.is_empty() {
                        lines.push(line(std::mem::take(&mut pending), begun, cut));
                    }
                }
                at += place as u64 + 1;
                begun = at;
                self.offset = at;
                rest = next;
            }
            at += rest.len() as u64;
            if self.passing {
                self.offset = at;
                begun = at;
            } else {
                let room = max_line_bytes.saturating_sub(pending.len());
                pending.extend_from_slice(&rest[..rest.len().min(room)]);
                if rest.len() > room {
                    lines.push(line(std::mem::take(&mut pending), begun, true));
                    taken += max_line_bytes;
                    self.passing = true;
                    self.offset = at;
                    begun = at;
                }
            }
            if taken >= budget_bytes {
                return Ok(lines);
            }
        }
    }
}

fn line(mut bytes: Vec<u8>, offset: u64, cut: bool) -> Line {
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Line { bytes, offset, cut }
}

//! Lines of followed files that are durable: a follower whose note of its position was lost in a crash goes on
//! behind the last line that the spool has, so that no line comes twice.
//!
//! The pipeline reads every record anyway. What it saw of followed files is stored with each seal, before the spool
//! is trimmed; after a start it reads the rest again. Once it has passed what the spool held at the start, the
//! figures are those of all durable lines.

use anyhow::{Context, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use tandem_control::Control;
use tandem_model::{Record, RecordId, Transport};
use tandem_spool::Spool;
use tokio::runtime::Handle;

const POSITION: &str = "tails";
/// Files remembered; beyond it those whose last line is oldest are forgotten.
const FILES_MAX: usize = 4_000;
const READ_BYTES: usize = 1 << 20;

/// The last durable line of each followed file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastLines {
    /// By the key that the follower gave the file.
    files: HashMap<String, LastLine>,
    /// Every record of this epoch before `up_to` is looked at.
    epoch: u64,
    up_to: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct LastLine {
    /// Where it begins in the file.
    line: u64,
    /// Spool offset of its record.
    record: u64,
}

impl LastLines {
    /// Where the last durable line of a file begins.
    pub(crate) fn of(&self, key: &str) -> Option<u64> {
        self.files.get(key).map(|last| last.line)
    }

    fn note(&mut self, record: &Record) {
        if record.transport != Transport::Tail {
            return;
        }
        let (Some(key), Some(line)) = (record.fact("file.key"), record.fact("file.offset")) else { return };
        let Ok(line) = line.parse::<u64>() else { return };
        let new = LastLine { line, record: record.id.offset };
        match self.files.get_mut(key) {
            Some(last) => {
                last.line = last.line.max(line);
                last.record = last.record.max(new.record);
            }
            None => {
                if self.files.len() >= FILES_MAX
                    && let Some(oldest) = self.files.iter().min_by_key(|(_, last)| last.record)
                {
                    let oldest = oldest.0.clone();
                    self.files.remove(&oldest);
                }
                self.files.insert(key.to_owned(), new);
            }
        }
    }
}

/// The pipeline's hand on [`LastLines`].
pub(super) struct Tails {
    last: Arc<Mutex<LastLines>>,
}

impl Tails {
    /// What is stored, and what the spool has between that and `first`, where the pipeline begins to read.
    pub(super) async fn open(
        control: &Control,
        spool: &Arc<Spool>,
        first: u64,
        last: Arc<Mutex<LastLines>>,
    ) -> Result<Self> {
        let stored = control.position(POSITION).await?;
        let mut lines: LastLines = match &stored {
            Some(bytes) => serde_json::from_slice(bytes).context("reading how far followed files are taken")?,
            None => LastLines::default(),
        };
        let (spool, epoch) = (Arc::clone(spool), spool.epoch());
        if lines.epoch != epoch {
            // Offsets of another spool say nothing; where lines begin in files stays true.
            (lines.epoch, lines.up_to) = (epoch, 0);
        }
        let lines = tokio::task::spawn_blocking(move || {
            let mut at = lines.up_to.max(spool.status().first);
            while at < first {
                let read = spool.read_from(at, READ_BYTES).context("reading the spool")?;
                for (offset, payload) in read.records.iter().filter(|(offset, _)| *offset < first) {
                    if let Ok(record) = Record::decode(RecordId { epoch, offset: *offset }, payload) {
                        lines.note(&record);
                    }
                }
                at = read.next;
            }
            anyhow::Ok(lines)
        })
        .await
        .context("reading the spool")??;
        *last.lock() = lines;
        Ok(Self { last })
    }

    pub(super) fn note(&self, record: &Record) {
        if record.transport == Transport::Tail {
            self.last.lock().note(record);
        }
    }

    /// Stores it; whether records before `up_to` may go.
    pub(super) fn save(&self, control: &Control, runtime: &Handle, up_to: u64) -> bool {
        let lines = {
            let mut last = self.last.lock();
            if last.files.is_empty() {
                return true;
            }
            last.up_to = up_to;
            last.clone()
        };
        let bytes = serde_json::to_vec(&lines).unwrap_or_default();
        match runtime.block_on(control.set_position(POSITION, &bytes)) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %error, "how far followed files are taken could not be stored; the spool is not trimmed");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::Timestamp;

    fn line(offset: u64, key: &str, line: u64) -> Record {
        Record {
            id: RecordId { epoch: 1, offset },
            source: "app".to_owned(),
            peer: None,
            received: Timestamp::default(),
            transport: Transport::Tail,
            facts: vec![("file.offset".to_owned(), line.to_string()), ("file.key".to_owned(), key.to_owned())],
            run: None,
            raw: b"x".to_vec(),
        }
    }

    #[test]
    fn the_last_line_of_each_file_counts_and_old_files_are_forgotten() {
        let mut lines = LastLines::default();
        for (offset, key, at) in [(0, "a", 0), (1, "a", 10), (2, "b", 7), (3, "a", 10)] {
            lines.note(&line(offset, key, at));
        }
        assert_eq!((lines.of("a"), lines.of("b"), lines.of("c")), (Some(10), Some(7), None));
        for more in 0..FILES_MAX as u64 {
            lines.note(&line(10 + more, &format!("m{more}"), 0));
        }
        assert_eq!(lines.files.len(), FILES_MAX);
        assert_eq!((lines.of("a"), lines.of("b")), (None, None), "those with the oldest last lines went");
        assert_eq!(lines.of("m0"), Some(0));
    }
}

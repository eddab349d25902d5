//! A file imported twice adds nothing: its records are known by the hash of the file and their number in it.

use anyhow::Result;
use std::collections::HashMap;
use tandem_model::{Record, Transport};
use tandem_store::Store;
use tokio::runtime::Handle;

/// Files remembered in memory; older ones are looked up in the table's log again.
const FILES_MAX: usize = 100_000;

/// How far each imported file was taken.
#[derive(Debug, Default)]
pub(super) struct Imports {
    files: HashMap<String, File>,
}

#[derive(Debug, Clone, Copy)]
struct File {
    /// Highest record number taken; -1 for none.
    high: i64,
    /// Highest that the last commit carries.
    sealed: i64,
    /// Spool offset of the last record taken.
    last_offset: u64,
}

fn app(hash: &str) -> String {
    format!("import-{hash}")
}

/// The hash of an imported record's file, and its number there.
fn place(record: &Record) -> Option<(&str, i64)> {
    if record.transport != Transport::Import {
        return None;
    }
    Some((record.fact("file.hash")?, record.fact("file.record")?.parse().ok()?))
}

impl Imports {
    /// Looks up how far the file of `record` was taken; to be called before [`Self::is_known`].
    pub(super) fn meet(&mut self, record: &Record, store: &Store, runtime: &Handle) -> Result<()> {
        let Some((hash, _)) = place(record) else { return Ok(()) };
        if !self.files.contains_key(hash) {
            if self.files.len() >= FILES_MAX {
                // Files of the batch at hand stay.
                let edge = record.id.offset.saturating_sub(super::STEP_RECORDS as u64);
                self.files.retain(|_, file| file.high != file.sealed || file.last_offset >= edge);
            }
            let sealed = runtime.block_on(store.txn_version(&app(hash)))?.unwrap_or(-1);
            self.files.insert(hash.to_owned(), File { high: sealed, sealed, last_offset: record.id.offset });
        }
        Ok(())
    }

    /// Whether `record` was taken before; takes note of it otherwise.
    pub(super) fn is_known(&mut self, record: &Record) -> bool {
        let Some((hash, number)) = place(record) else { return false };
        let Some(file) = self.files.get_mut(hash) else { return false };
        if number <= file.high {
            return true;
        }
        file.high = number;
        file.last_offset = record.id.offset;
        false
    }

    /// What the commit that seals everything before `up_to` carries. A file with records on both sides keeps its
    /// earlier figure: its later records are read again after a crash and bring it up.
    pub(super) fn due(&self, up_to: u64) -> Vec<(String, i64)> {
        self.files
            .iter()
            .filter(|(_, file)| file.high != file.sealed && file.last_offset < up_to)
            .map(|(hash, file)| (app(hash), file.high))
            .collect()
    }

    /// The commit that carries `txns` is on disk.
    pub(super) fn sealed(&mut self, txns: &[(String, i64)]) {
        for (app, version) in txns {
            if let Some(file) = app.strip_prefix("import-").and_then(|hash| self.files.get_mut(hash)) {
                file.sealed = *version;
            }
        }
    }
}

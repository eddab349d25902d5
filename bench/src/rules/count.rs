//! Which rule fired on which file, how often, by which way.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Who judged, and what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Tandem on the event log.
    Evtx,
    /// Tandem on the record as JSON.
    Json,
    /// The peer on Tandem's fields.
    Fields,
    /// The peer on flattened JSON.
    Plain,
}

/// Counts of one pair of rule and file.
#[derive(Debug, Default)]
pub(crate) struct Pair {
    counts: [u64; 4],
    /// The first event of each way.
    pub(crate) examples: [Option<serde_json::Value>; 4],
}

impl Pair {
    pub(crate) fn count(&self, way: Way) -> u64 {
        self.counts[way as usize]
    }
}

/// All pairs.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) files: Vec<Arc<str>>,
    pub(crate) pairs: BTreeMap<(Arc<str>, usize), Pair>,
    pub(crate) events: u64,
}

impl Ledger {
    pub(crate) fn start_file(&mut self, name: &str) {
        self.files.push(name.into());
    }

    /// One match of a rule on the file that was started last.
    pub(crate) fn add(&mut self, way: Way, rule: &Arc<str>, example: impl FnOnce() -> serde_json::Value) {
        let pair = self.pairs.entry((Arc::clone(rule), self.files.len() - 1)).or_default();
        pair.counts[way as usize] += 1;
        pair.examples[way as usize].get_or_insert_with(example);
    }
}

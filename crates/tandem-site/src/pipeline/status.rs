//! Figures of the pipeline, readable at any time.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counts since the start of the process, and where it stands.
#[derive(Debug, Default)]
pub(crate) struct PipelineStatus {
    next: AtomicU64,
    caught_up: AtomicBool,
    pub(crate) records: AtomicU64,
    pub(crate) undecodable: AtomicU64,
    pub(crate) duplicates: AtomicU64,
    pub(crate) events: AtomicU64,
    pub(crate) generic: AtomicU64,
    pub(crate) parse_errors: AtomicU64,
    pub(crate) detections: AtomicU64,
    pub(crate) rules: AtomicU64,
    /// Receipt to evaluation, of the last batch.
    pub(crate) lag_ms: AtomicU64,
    pub(crate) seals: AtomicU64,
    oldest_open: Mutex<Option<u64>>,
    trouble: Mutex<Option<String>>,
}

impl PipelineStatus {
    pub(crate) fn new(next: u64) -> Self {
        Self { next: AtomicU64::new(next), ..Self::default() }
    }

    /// Offset of the next record.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// Whether it has once reached the spool's end since the start.
    pub(crate) fn has_caught_up(&self) -> bool {
        self.caught_up.load(Relaxed)
    }

    /// What keeps it from going on.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone()
    }

    pub(crate) fn set_caught_up(&self) {
        self.caught_up.store(true, Relaxed);
    }

    pub(crate) fn set_rules(&self, rules: usize) {
        self.rules.store(rules as u64, Relaxed);
    }

    pub(crate) fn set_position(&self, next: u64, oldest_open: Option<u64>) {
        if self.next.swap(next, Relaxed) != next {
            *self.trouble.lock() = None;
        }
        *self.oldest_open.lock() = oldest_open;
    }

    pub(crate) fn set_trouble(&self, text: &str) {
        *self.trouble.lock() = Some(text.to_owned());
    }
}

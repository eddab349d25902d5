//! Figures of the pipeline, readable at any time.

use super::LastLines;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tandem_base::Timestamp;

/// Over which time the rate is told.
const RATE_OVER: Duration = Duration::from_mins(1);
/// Looks at the rate within that time that are remembered.
const SAMPLES_MAX: usize = 120;

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
    /// What followed files have brought, as far as the pipeline has read.
    pub(crate) tails: Arc<Mutex<LastLines>>,
    oldest_open: Mutex<Option<u64>>,
    trouble: Mutex<Option<String>>,
    seal_trouble: Mutex<Option<String>>,
    /// When the rate was asked for, and how many events there were.
    samples: Mutex<VecDeque<(Timestamp, u64)>>,
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

    /// Events a second, over the last minute or since it was last asked. At the first time nothing is known.
    pub(crate) fn events_per_s(&self, now: Timestamp) -> f64 {
        let events = self.events.load(Relaxed);
        let mut samples = self.samples.lock();
        let edge = now.minus(RATE_OVER);
        while samples.len() >= 2 && (samples[1].0 <= edge || samples.len() >= SAMPLES_MAX) {
            samples.pop_front();
        }
        let rate = samples.front().map_or(0.0, |(at, before)| {
            let seconds = now.since(*at).as_secs_f64().max(1.0);
            events.saturating_sub(*before) as f64 / seconds
        });
        samples.push_back((now, events));
        (rate * 10.0).round() / 10.0
    }

    /// What keeps it from going on.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.trouble.lock().clone().or_else(|| self.seal_trouble.lock().clone())
    }

    pub(crate) fn set_caught_up(&self) {
        self.caught_up.store(true, Relaxed);
    }

    pub(crate) fn set_rules(&self, rules: usize) {
        self.rules.store(rules as u64, Relaxed);
    }

    pub(crate) fn set_position(&self, next: u64, oldest_open: Option<u64>) {
        self.next.store(next, Relaxed);
        *self.oldest_open.lock() = oldest_open;
    }

    /// How reading and taking went last.
    pub(crate) fn set_trouble(&self, text: Option<String>) {
        *self.trouble.lock() = text;
    }

    /// How the last seal went.
    pub(crate) fn set_seal_trouble(&self, text: Option<String>) {
        *self.seal_trouble.lock() = text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_ends_when_what_failed_succeeds() {
        let status = PipelineStatus::new(0);
        status.set_trouble(Some("no room for cases".to_owned()));
        status.set_seal_trouble(Some("no room for files".to_owned()));
        assert_eq!(status.trouble().as_deref(), Some("no room for cases"));
        status.set_trouble(None);
        assert_eq!(status.trouble().as_deref(), Some("no room for files"));
        status.set_seal_trouble(None);
        assert_eq!(status.trouble(), None);
    }

    #[test]
    fn the_rate_is_that_of_the_last_minute() {
        let status = PipelineStatus::new(0);
        let mut told = Vec::new();
        for (second, events) in [(0, 100), (10, 200), (60, 700), (70, 1_000), (1_000, 1_000)] {
            status.events.store(events, Relaxed);
            told.push(status.events_per_s(Timestamp::from_seconds(second)));
        }
        // At 70 the sample of 10 is the oldest within the minute: 800 events in 60 s.
        assert_eq!(told, [0.0, 10.0, 10.0, 13.3, 0.0]);
    }
}

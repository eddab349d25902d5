//! Counts per source, brought into control data every few seconds.

use std::collections::HashMap;
use std::time::Duration;
use tandem_base::{Clock, SystemClock, Timestamp, fail};
use tandem_control::{Control, SourceDelta};
use tandem_model::{Event, Record, Transport};
use tokio::runtime::Handle;

const EVERY: Duration = Duration::from_secs(2);
const FAILURES_MAX: usize = 5;
const RAW_CHARS_MAX: usize = 1024;
/// Imports are history: they are listed as runs, not as sources that could fall silent.
const COUNTED: fn(&Record) -> bool = |record| record.transport != Transport::Import;

pub(super) struct SourceTally {
    deltas: HashMap<String, SourceDelta>,
    /// Records before it were counted by an earlier process.
    counted: u64,
    last: Timestamp,
}

impl SourceTally {
    pub(super) fn new(counted: u64) -> Self {
        Self { deltas: HashMap::new(), counted, last: Timestamp::default() }
    }

    pub(super) fn note(&mut self, record: &Record, events: &[Event]) {
        if record.id.offset < self.counted || !COUNTED(record) {
            return;
        }
        let delta = self.deltas.entry(record.source.clone()).or_insert_with(|| SourceDelta {
            id: record.source.clone(),
            name: record.source.clone(),
            transport: record.transport.word().to_owned(),
            ..SourceDelta::default()
        });
        delta.received = delta.received.max(record.received);
        delta.records += 1;
        delta.bytes += record.raw.len() as u64;
        delta.events += events.len() as u64;
        for event in events {
            delta.last_event = delta.last_event.max(Some(event.time));
            delta.generic += u64::from(event.is_generic());
            for typed in &event.typed {
                let name = typed.log_type.to_string();
                if !delta.log_types.contains(&name) && delta.log_types.len() < 100 {
                    delta.log_types.push(name);
                }
            }
            if let Some(error) = &event.error {
                delta.parse_errors += 1;
                if delta.failures.len() < FAILURES_MAX {
                    delta.failures.push((event.raw.chars().take(RAW_CHARS_MAX).collect(), error.to_string()));
                }
            }
        }
    }

    /// Brings the counts into control data when it is time (or `now`); whether it did.
    pub(super) fn save(&mut self, control: &Control, runtime: &Handle, next: u64, at_once: bool) -> bool {
        let now = SystemClock.now();
        if self.deltas.is_empty() || (!at_once && now.since(self.last) < EVERY) {
            return false;
        }
        self.last = now;
        let deltas: Vec<SourceDelta> = self.deltas.values().cloned().collect();
        let saved = runtime.block_on(async {
            // The counts and where they end, in one transaction: after a crash nothing is counted twice.
            control.sources_add(&deltas, Some(("sources", &next.to_le_bytes()))).await
        });
        match saved {
            Ok(()) => {
                fail::point("pipeline.sources");
                self.deltas.clear();
                self.counted = next;
                true
            }
            Err(error) => {
                tracing::warn!(error = %error, "counts of sources could not be stored; trying again");
                false
            }
        }
    }
}

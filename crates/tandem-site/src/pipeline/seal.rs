//! When events go into files, and up to which record.

use super::Worker;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tandem_base::{Timestamp, fail};
use tandem_model::{Event, RecordId};
use tandem_store::{Sealed, StoreError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Pause after a seal that failed.
const RETRY: Duration = Duration::from_secs(5);

/// The seal that runs, and what waits for one.
pub(super) struct Sealing {
    /// Everything before it is in files.
    sealed: u64,
    last: Timestamp,
    running: Option<Running>,
    wanted: Vec<(u64, oneshot::Sender<Result<(), String>>)>,
    /// Joined events that are in no file yet: first and last record.
    joined: Vec<(u64, u64)>,
    failed: bool,
}

struct Running {
    up_to: u64,
    txns: Vec<(String, i64)>,
    task: JoinHandle<Result<Sealed, StoreError>>,
}

impl Sealing {
    pub(super) fn new(sealed: u64, now: Timestamp) -> Self {
        Self { sealed, last: now, running: None, wanted: Vec::new(), joined: Vec::new(), failed: false }
    }

    /// Somebody waits until everything before `up_to` is in files.
    pub(super) fn want(&mut self, up_to: u64, done: oneshot::Sender<Result<(), String>>) {
        self.wanted.push((up_to, done));
    }

    /// Whether a wish cannot be met while joins are open, since everything has been read.
    pub(super) fn is_forced_at(&self, next: u64) -> bool {
        self.wanted.iter().any(|(up_to, _)| *up_to <= next)
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Remembers which events were joined from several records.
    pub(super) fn note(&mut self, events: &[Arc<Event>]) {
        for event in events {
            if event.first_record != event.id.record {
                self.joined.push((event.first_record.offset, event.id.record.offset));
            }
        }
    }

    /// The highest position that cuts through no join, open or done: reading again from there gives every event
    /// that is in no file, whole, and none that is in one.
    fn clean_cut(&self, next: u64, oldest_open: Option<u64>) -> u64 {
        let mut cut = oldest_open.unwrap_or(next).min(next);
        loop {
            let through =
                self.joined.iter().filter(|(first, last)| *first < cut && cut <= *last).map(|(first, _)| *first);
            match through.min() {
                Some(lower) => cut = lower,
                None => return cut,
            }
        }
    }
}

impl Worker {
    /// Begins a seal when it is time, and ends one that is done.
    pub(super) fn look_after_seal(&mut self) {
        if self.sealing.running.as_ref().is_some_and(|running| running.task.is_finished()) {
            self.finish_seal();
        }
        let sealed = self.sealing.sealed;
        let met = |up_to: &u64| *up_to <= sealed;
        for (_, done) in self.sealing.wanted.extract_if(.., |(up_to, _)| met(up_to)) {
            // Whoever waited may have gone away.
            let _ = done.send(Ok(()));
        }
        if self.sealing.is_running() || !self.untaken.is_empty() {
            return;
        }
        let now = self.parts.clock.now();
        let waited = now.since(self.sealing.last);
        if self.sealing.failed && waited < RETRY {
            return;
        }
        let waiting = self.parts.store.stats().tail_events;
        let due = waiting >= self.parts.seal_events || (waiting > 0 && waited >= self.parts.seal_after);
        let wanted = self.sealing.is_forced_at(self.next);
        if due || wanted {
            self.begin_seal(None);
        }
    }

    /// Begins a seal of everything that is in the table, at most up to the record `floor`.
    pub(super) fn begin_seal(&mut self, floor: Option<u64>) {
        let oldest_open = self.parser.oldest_open().map(|record| record.offset);
        let floor = oldest_open.into_iter().chain(floor).min();
        let up_to = self.sealing.clean_cut(self.next, floor);
        let txns = self.imports.due(up_to);
        if up_to <= self.sealing.sealed {
            self.sealing.last = self.parts.clock.now();
            return;
        }
        fail::point("pipeline.seal");
        let store = Arc::clone(&self.parts.store);
        let position = RecordId { epoch: self.epoch, offset: up_to };
        let carried = txns.clone();
        let task = self.runtime.spawn(async move { store.seal(position, &carried).await });
        self.sealing.running = Some(Running { up_to, txns, task });
    }

    /// Waits for the running seal and takes its outcome.
    pub(super) fn finish_seal(&mut self) {
        let Some(running) = self.sealing.running.take() else { return };
        self.sealing.last = self.parts.clock.now();
        let outcome = match self.runtime.block_on(running.task) {
            Ok(outcome) => outcome.map_err(|error| {
                let mut text = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    text.push_str(&format!(": {inner}"));
                    cause = inner.source();
                }
                text
            }),
            Err(error) => Err(error.to_string()),
        };
        match outcome {
            Ok(_) => {
                self.sealing.failed = false;
                self.status.set_seal_trouble(None);
                self.sealing.sealed = running.up_to;
                self.sealing.joined.retain(|(_, last)| *last >= running.up_to);
                self.imports.sealed(&running.txns);
                self.status.seals.fetch_add(1, Relaxed);
                fail::point("pipeline.sealed");
                // What followed files have brought is noted before the records that show it go.
                if !self.tails.save(&self.parts.control, &self.runtime, running.up_to) {
                    return;
                }
                fail::point("pipeline.tails");
                if let Err(error) = self.parts.spool.trim(running.up_to) {
                    tracing::warn!(error = %error, "files of the spool that are no longer needed could not be removed");
                }
            }
            Err(error) => {
                self.sealing.failed = true;
                tracing::error!(
                    error,
                    "events could not be put into files; they stay in the spool and it is tried again"
                );
                self.status.set_seal_trouble(Some(format!("events could not be put into files: {error}")));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_goes_through_no_join() {
        let mut sealing = Sealing::new(0, Timestamp::default());
        assert_eq!(sealing.clean_cut(20, None), 20);
        assert_eq!(sealing.clean_cut(20, Some(10)), 10);
        sealing.joined = vec![(5, 12), (3, 6), (14, 15)];
        assert_eq!(sealing.clean_cut(20, Some(10)), 3, "10 cuts 5..12, then 5 cuts 3..6");
        assert_eq!(sealing.clean_cut(20, None), 20);
        assert_eq!(sealing.clean_cut(13, None), 13);
    }
}

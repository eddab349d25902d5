//! One step: some records, all the way.

use super::{Live, READ_BYTES, STEP_RECORDS, Worker};
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::{Detection, Event, Record, RecordId};

/// The one place where a spool position becomes a record's id.
fn record_id(epoch: u64, offset: u64) -> RecordId {
    RecordId { epoch, offset }
}

impl Worker {
    /// Reads and works off what is there; whether there was anything.
    pub(super) fn read(&mut self) -> Result<bool> {
        let read = self.parts.spool.read_from(self.next, READ_BYTES).context("reading the spool")?;
        for lost in &read.lost {
            tracing::error!(from = lost.start, to = lost.end, "records of the spool are damaged and were skipped");
        }
        if read.records.is_empty() {
            let moved = read.next != self.next;
            self.next = read.next;
            return Ok(moved);
        }
        for some in read.records.chunks(STEP_RECORDS) {
            self.step(some)?;
        }
        self.next = read.next;
        Ok(true)
    }

    fn step(&mut self, records: &[(u64, Vec<u8>)]) -> Result<()> {
        let mut events = Vec::with_capacity(records.len());
        for (offset, payload) in records {
            self.status.records.fetch_add(1, Relaxed);
            let record = match Record::decode(record_id(self.epoch, *offset), payload) {
                Ok(record) => record,
                Err(error) => {
                    tracing::error!(offset, error = %error, "a record of the spool cannot be read");
                    self.status.undecodable.fetch_add(1, Relaxed);
                    continue;
                }
            };
            if self.imports.is_known(&record, &self.parts.store, &self.runtime)? {
                self.status.duplicates.fetch_add(1, Relaxed);
                continue;
            }
            let before = events.len();
            self.parser.parse(&record, &mut events);
            self.sources.note(&record, &events[before..]);
        }
        let last = records.last().map_or(self.next, |(offset, _)| offset + 1);
        self.take(events)?;
        self.next = last;
        Ok(())
    }

    /// Nothing to read: joins whose time is over end.
    pub(super) fn idle(&mut self) {
        let mut events = Vec::new();
        self.parser.flush(self.parts.clock.now(), &mut events);
        if self.sealing.is_forced_at(self.next) {
            self.parser.flush(Timestamp::from_micros(i64::MAX), &mut events);
        }
        if !events.is_empty()
            && let Err(error) = self.take(events)
        {
            tracing::error!(error = format!("{error:#}"), "events of ended joins could not be stored");
        }
    }

    /// Events into table, detections into cases. Repeating it has no second effect.
    pub(super) fn take(&mut self, events: Vec<Event>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let now = self.parts.clock.now();
        let mut detections = Vec::new();
        let mut generic = 0;
        let mut errors = 0;
        for event in &events {
            self.coverage.note(event);
            self.detector.evaluate(event, now, &mut detections);
            generic += u64::from(event.is_generic());
            errors += u64::from(event.error.is_some());
        }
        let events: Vec<Arc<Event>> = events.into_iter().map(Arc::new).collect();
        self.sealing.note(&events);
        self.fill_table(&events)?;
        self.fill_cases(&detections)?;

        self.status.events.fetch_add(events.len() as u64, Relaxed);
        self.status.generic.fetch_add(generic, Relaxed);
        self.status.parse_errors.fetch_add(errors, Relaxed);
        self.status.detections.fetch_add(detections.len() as u64, Relaxed);
        if let Some(last) = events.last() {
            let lag = self.parts.clock.now().since(last.received);
            self.status.lag_ms.store(u64::try_from(lag.as_millis()).unwrap_or(u64::MAX), Relaxed);
        }
        if self.parts.live.receiver_count() > 0 {
            // An error only says that nobody listens any more.
            let _ = self.parts.live.send(Live::Events(Arc::new(events)));
            let _ = self.parts.live.send(Live::Detections(Arc::new(detections)));
        }
        Ok(())
    }

    /// Waits for room: a full tail slows the pipeline, the pipeline the spool, the spool the senders.
    fn fill_table(&mut self, events: &[Arc<Event>]) -> Result<()> {
        loop {
            match self.parts.store.append(events.to_vec()) {
                Ok(_) => return Ok(()),
                Err(full) => {
                    tracing::warn!(events = full.events, bytes = full.bytes, "the unsealed tail is full; sealing");
                    if !self.sealing.is_running() {
                        self.begin_seal();
                    }
                    self.finish_seal();
                    if self.sealing.has_failed() {
                        std::thread::sleep(Duration::from_millis(500));
                    }
                }
            }
        }
    }

    fn fill_cases(&mut self, detections: &[Detection]) -> Result<()> {
        if detections.is_empty() {
            return Ok(());
        }
        let judged = self.runtime.block_on(self.parts.control.judge(detections, &[]));
        judged.context("storing detections")?;
        self.runtime
            .block_on(self.parts.store.append_detections(detections.to_vec()))
            .context("adding detections to their table")?;
        Ok(())
    }
}

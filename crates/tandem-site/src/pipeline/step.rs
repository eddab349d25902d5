//! One step: some records, all the way.

use super::{Live, READ_BYTES, STEP_RECORDS, Worker};
use anyhow::{Context, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tandem_base::{Timestamp, fail};
use tandem_model::{Detection, Event, Record, RecordId};

/// What was parsed and is not in table and cases yet.
pub(super) struct Untaken {
    events: Vec<Arc<Event>>,
    detections: Vec<Detection>,
    /// Where the pipeline stands afterwards, if these are the events of records that were just read.
    next: Option<u64>,
    in_table: bool,
}

/// The one place where a spool position becomes a record's id.
fn record_id(epoch: u64, offset: u64) -> RecordId {
    RecordId { epoch, offset }
}

impl Worker {
    /// Reads and works off what is there; whether there was anything.
    pub(super) fn read(&mut self) -> Result<bool> {
        if !self.untaken.is_empty() {
            self.finish()?;
            return Ok(true);
        }
        let read = self.parts.spool.read_from(self.next, READ_BYTES).context("reading the spool")?;
        for lost in &read.lost {
            tracing::error!(from = lost.start, to = lost.end, "records of the spool are damaged and were skipped");
        }
        fail::point("pipeline.read");
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
        let mut decoded = Vec::with_capacity(records.len());
        let mut undecodable = 0;
        for (offset, payload) in records {
            match Record::decode(record_id(self.epoch, *offset), payload) {
                Ok(record) => decoded.push(record),
                Err(error) => {
                    tracing::error!(offset, error = %error, "a record of the spool cannot be read");
                    undecodable += 1;
                }
            }
        }
        // All that can fail comes before anything is noted: what follows is done once.
        for record in &decoded {
            self.imports.meet(record, &self.parts.store, &self.runtime)?;
        }
        self.status.records.fetch_add(records.len() as u64, Relaxed);
        self.status.undecodable.fetch_add(undecodable, Relaxed);
        let mut events = Vec::with_capacity(records.len());
        for record in &decoded {
            if self.imports.is_known(record) {
                self.status.duplicates.fetch_add(1, Relaxed);
                continue;
            }
            let before = events.len();
            self.parser.parse(record, &mut events);
            self.sources.note(record, &events[before..]);
            self.tails.note(record);
        }
        fail::point("pipeline.parsed");
        let last = records.last().map_or(self.next, |(offset, _)| offset + 1);
        self.take(events, Some(last))
    }

    /// Nothing to read: joins whose time is over end.
    pub(super) fn idle(&mut self) {
        let mut events = Vec::new();
        self.parser.flush(self.parts.clock.now(), &mut events);
        if self.sealing.is_forced_at(self.next) {
            self.parser.flush(Timestamp::from_micros(i64::MAX), &mut events);
        }
        if !events.is_empty()
            && let Err(error) = self.take(events, None)
        {
            tracing::error!(error = format!("{error:#}"), "events of ended joins wait; trying again");
        }
    }

    /// Events into table, detections into cases; then everything before `next` has been taken. What fails stays, and
    /// [`Self::finish`] goes on where it failed: nothing is lost, nothing is done twice.
    pub(super) fn take(&mut self, events: Vec<Event>, next: Option<u64>) -> Result<()> {
        let now = self.parts.clock.now();
        let mut detections = Vec::new();
        for event in &events {
            self.coverage.note(event);
            self.detector.evaluate(event, now, &mut detections);
        }
        let events: Vec<Arc<Event>> = events.into_iter().map(Arc::new).collect();
        fail::point("pipeline.evaluated");
        self.sealing.note(&events);
        self.untaken.push_back(Untaken { events, detections, next, in_table: false });
        self.finish()
    }

    /// Takes what was parsed and not taken yet.
    pub(super) fn finish(&mut self) -> Result<()> {
        while let Some(mut untaken) = self.untaken.pop_front() {
            let floor = untaken.events.iter().map(|event| event.first_record.offset).min();
            if !untaken.in_table {
                self.fill_table(&untaken.events, floor);
                untaken.in_table = true;
            }
            fail::point("pipeline.table");
            if let Err(error) = self.fill_cases(&untaken.detections) {
                self.untaken.push_front(untaken);
                return Err(error);
            }
            fail::point("pipeline.taken");
            if let Some(next) = untaken.next {
                self.next = next;
            }
            self.say(untaken);
        }
        Ok(())
    }

    /// Figures, and whoever follows live.
    fn say(&self, untaken: Untaken) {
        let Untaken { events, detections, .. } = untaken;
        let Some(last) = events.last() else { return };
        let count = |what: fn(&Event) -> bool| events.iter().filter(|event| what(event)).count() as u64;
        self.status.events.fetch_add(events.len() as u64, Relaxed);
        self.status.generic.fetch_add(count(Event::is_generic), Relaxed);
        self.status.parse_errors.fetch_add(count(|event| event.error.is_some()), Relaxed);
        self.status.detections.fetch_add(detections.len() as u64, Relaxed);
        let lag = self.parts.clock.now().since(last.received);
        self.status.lag_ms.store(u64::try_from(lag.as_millis()).unwrap_or(u64::MAX), Relaxed);
        if self.parts.live.receiver_count() > 0 {
            // An error only says that nobody listens any more.
            let _ = self.parts.live.send(Live::Events(Arc::new(events)));
            let _ = self.parts.live.send(Live::Detections(Arc::new(detections)));
        }
    }

    /// Waits for room: a full tail slows the pipeline, the pipeline the spool, the spool the senders. What is sealed
    /// meanwhile ends before `floor`, the first record of these events.
    fn fill_table(&mut self, events: &[Arc<Event>], floor: Option<u64>) {
        if events.is_empty() {
            return;
        }
        loop {
            match self.parts.store.append(events.to_vec()) {
                Ok(_) => return,
                Err(full) => {
                    tracing::warn!(events = full.events, bytes = full.bytes, "the unsealed tail is full; sealing");
                    if !self.sealing.is_running() {
                        self.begin_seal(floor);
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
        fail::point("pipeline.judged");
        self.runtime
            .block_on(self.parts.store.append_detections(detections.to_vec()))
            .context("adding detections to their table")?;
        Ok(())
    }
}

//! The records of one request on their way to the sink.

use super::{Sender, Shared};
use crate::counters::Cause;
use crate::sink::SinkError;
use std::time::Duration;
use tandem_base::Timestamp;
use tandem_model::{Record, RecordId, Transport};

/// Records that are collected into batches.
pub(super) struct Delivery<'a> {
    shared: &'a Shared,
    sender: &'a Sender,
    transport: Transport,
    received: Timestamp,
    batch: Vec<Record>,
    batch_bytes: usize,
    /// Records that are durable.
    pub(super) delivered: u64,
}

/// The sink did not take a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotDelivered {
    /// No room: the sender shall try again.
    Full,
    /// It failed or is closed: the sender shall try again, too.
    Failed,
}

/// What a record costs beside its bytes.
const OVERHEAD: usize = 200;

impl<'a> Delivery<'a> {
    pub(super) fn new(shared: &'a Shared, sender: &'a Sender, transport: Transport) -> Self {
        let received = shared.clock.now();
        Self { shared, sender, transport, received, batch: Vec::new(), batch_bytes: 0, delivered: 0 }
    }

    /// Adds a record; `true` when the batch is large enough to be [flushed](Self::flush).
    pub(super) fn add(&mut self, raw: Vec<u8>, facts: Vec<(String, String)>) -> bool {
        let names: usize = facts.iter().map(|(name, value)| name.len() + value.len()).sum();
        self.batch_bytes += raw.len() + names + OVERHEAD;
        self.batch.push(Record {
            id: RecordId::default(),
            source: self.sender.source.name.clone(),
            peer: Some(self.sender.peer),
            received: self.received,
            transport: self.transport,
            facts,
            run: None,
            raw,
        });
        self.batch_bytes >= self.shared.config.batch_bytes
    }

    /// Records that wait for the next flush.
    pub(super) fn waiting(&self) -> usize {
        self.batch.len()
    }

    /// Makes the batch durable. The first batch of a request is refused at once when there is no room; after
    /// that a refusal would make the sender repeat what is durable, so it is tried for a while.
    pub(super) async fn flush(&mut self) -> Result<(), NotDelivered> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        let patience_s = if self.delivered == 0 { 0 } else { self.shared.config.room_timeout_s };
        let deadline = tokio::time::Instant::now() + Duration::from_secs(patience_s);
        let mut pause = Duration::from_millis(10);
        loop {
            let error = match self.shared.sink.append(&batch).await {
                Ok(()) => break,
                Err(error) => error,
            };
            match error {
                SinkError::Full => {
                    self.shared.error(self.sender, Cause::SinkFull, "the spool has no room");
                    if tokio::time::Instant::now() + pause > deadline || self.shared.stop.is_cancelled() {
                        return Err(NotDelivered::Full);
                    }
                }
                SinkError::Closed => return Err(NotDelivered::Failed),
                SinkError::Io(error) => {
                    tracing::error!(%error, "records could not be written");
                    self.shared.error(self.sender, Cause::SinkFailed, &format!("the spool could not write: {error}"));
                    return Err(NotDelivered::Failed);
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        tandem_base::fail::point("http.durable");
        let bytes = batch.iter().map(|record| record.raw.len() as u64).sum();
        let count = batch.len() as u64;
        self.delivered += count;
        self.shared.receiver.took(count, bytes, Some(self.sender.peer));
        self.sender.source.took(count, bytes, Some(self.sender.peer));
        Ok(())
    }
}

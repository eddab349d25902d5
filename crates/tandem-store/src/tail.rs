//! Events that are in no file yet.
//!
//! A tail is a value: appending and removing make a new one that shares the chunks, so that a query keeps
//! the one it began with. A chunk becomes a batch when a query or a seal first needs it.

use crate::StoreError;
use crate::encode::encode;
use crate::layout::Layout;
use arrow::array::RecordBatch;
use parking_lot::Mutex;
use std::sync::{Arc, OnceLock};
use tandem_model::{Event, RecordId, Value};

/// Events in a full chunk.
const CHUNK_EVENTS: usize = 4096;

/// Up to [`CHUNK_EVENTS`] events in order of arrival.
pub(crate) struct Chunk {
    /// Ordinal of the first event among all that were ever appended.
    first: u64,
    pub(crate) events: Vec<Arc<Event>>,
    /// Least and greatest event time, µs.
    pub(crate) time: (i64, i64),
    bytes: usize,
    batch: OnceLock<RecordBatch>,
    /// Held while the batch is made, so that two readers do not make it twice.
    making: Mutex<()>,
}

impl Chunk {
    fn new(first: u64, events: Vec<Arc<Event>>) -> Self {
        let empty = Self {
            first,
            events: Vec::new(),
            time: (i64::MAX, i64::MIN),
            bytes: 0,
            batch: OnceLock::new(),
            making: Mutex::new(()),
        };
        empty.and(events)
    }

    /// The events of this chunk and `more`: what is known of the former is not found out again.
    fn and(&self, mut more: Vec<Arc<Event>>) -> Self {
        let mut time = self.time;
        for event in &more {
            let micros = event.time.micros();
            time = (time.0.min(micros), time.1.max(micros));
        }
        let bytes = self.bytes + more.iter().map(|event| size_bytes(event)).sum::<usize>();
        let mut events = Vec::with_capacity(self.events.len() + more.len());
        events.extend(self.events.iter().cloned());
        events.append(&mut more);
        Self { first: self.first, events, time, bytes, batch: OnceLock::new(), making: Mutex::new(()) }
    }

    /// The events as a batch, made once. CPU work: not for a runtime thread.
    pub(crate) fn batch(&self, layout: &Layout) -> Result<RecordBatch, StoreError> {
        let _guard = self.making.lock();
        if let Some(batch) = self.batch.get() {
            return Ok(batch.clone());
        }
        let batch = encode(layout, &self.events)?;
        Ok(self.batch.get_or_init(|| batch).clone())
    }
}

/// About what an event costs in memory.
pub(crate) fn size_bytes(event: &Event) -> usize {
    let fields = event.vendor.iter().chain(event.common.iter());
    let fields: usize = fields.map(|(_, value)| 40 + value_bytes(value)).sum();
    let aliases = |typed: &tandem_model::TypedAs| -> usize {
        typed.aliases.iter().map(|(_, value)| 40 + value_bytes(value)).sum()
    };
    let aliases: usize = event.typed.iter().map(|typed| 72 + aliases(typed)).sum();
    240 + event.raw.len() + event.raw_private.len() * 8 + fields + aliases
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() + 16,
        Value::List(values) => values.iter().map(value_bytes).sum::<usize>() + 24 * values.len(),
        _ => 0,
    }
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Tail {
    pub(crate) chunks: Vec<Arc<Chunk>>,
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    /// How many events were ever appended.
    pub(crate) appended: u64,
}

/// Whether a seal up to `up_to` takes a record. Epochs are random: of another epoch nothing is known.
pub(crate) fn is_before(record: RecordId, up_to: RecordId) -> bool {
    record.epoch == up_to.epoch && record.offset < up_to.offset
}

impl Tail {
    /// This tail and `events`.
    pub(crate) fn with(&self, mut events: Vec<Arc<Event>>) -> Self {
        let mut tail = self.clone();
        tail.events += events.len();
        if let Some(last) = tail.chunks.last()
            && last.events.len() + events.len() <= CHUNK_EVENTS
        {
            tail.appended += events.len() as u64;
            tail.bytes -= last.bytes;
            let joined = last.and(events);
            tail.chunks.pop();
            tail.push(joined);
            return tail;
        }
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(CHUNK_EVENTS));
            let chunk = Chunk::new(tail.appended, std::mem::replace(&mut events, rest));
            tail.appended += chunk.events.len() as u64;
            tail.push(chunk);
        }
        tail
    }

    fn push(&mut self, chunk: Chunk) {
        self.bytes += chunk.bytes;
        self.chunks.push(Arc::new(chunk));
    }

    /// The part of this tail that a seal takes: chunks, or parts of chunks, of records before `up_to`.
    pub(crate) fn before(&self, up_to: RecordId) -> Vec<Arc<Chunk>> {
        self.chunks
            .iter()
            .filter_map(|chunk| {
                let taken = chunk.events.iter().filter(|event| is_before(event.id.record, up_to)).count();
                match taken {
                    0 => None,
                    all if all == chunk.events.len() => Some(chunk.clone()),
                    _ => {
                        let events = chunk.events.iter().filter(|event| is_before(event.id.record, up_to));
                        Some(Arc::new(Chunk::new(chunk.first, events.cloned().collect())))
                    }
                }
            })
            .collect()
    }

    /// This tail without the events before `up_to` that were there when `seen.appended` events had been appended.
    pub(crate) fn without(&self, up_to: RecordId, seen: &Self) -> Self {
        let mut tail = Self { appended: self.appended, ..Self::default() };
        for chunk in &self.chunks {
            let gone = |at: usize, event: &Event| {
                chunk.first + (at as u64) < seen.appended && is_before(event.id.record, up_to)
            };
            let kept: Vec<_> = chunk
                .events
                .iter()
                .enumerate()
                .filter(|(at, event)| !gone(*at, event))
                .map(|(_, event)| event.clone())
                .collect();
            tail.events += kept.len();
            if kept.len() == chunk.events.len() {
                tail.bytes += chunk.bytes;
                tail.chunks.push(chunk.clone());
            } else if !kept.is_empty() {
                // Ordinals within the chunk shift down: a later seal may only see an event as older than it is,
                // which is why each chunk that was cut counts from the end.
                let first = chunk.first + (chunk.events.len() - kept.len()) as u64;
                tail.push(Chunk::new(first, kept));
            }
        }
        tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_base::Timestamp;
    use tandem_model::EventId;

    fn events(offsets: std::ops::Range<u64>) -> Vec<Arc<Event>> {
        offsets
            .map(|offset| {
                let record = RecordId { epoch: 1, offset };
                Arc::new(Event {
                    id: EventId { record, index: 0 },
                    first_record: record,
                    time: Timestamp::default(),
                    received: Timestamp::default(),
                    source: "s".into(),
                    parser: "p".into(),
                    typed: vec![],
                    vendor: tandem_model::Fields::new(),
                    common: tandem_model::Fields::new(),
                    raw: "".into(),
                    raw_private: vec![],
                    error: None,
                    run: None,
                })
            })
            .collect()
    }

    fn offsets(tail: &Tail) -> Vec<u64> {
        tail.chunks.iter().flat_map(|chunk| chunk.events.iter().map(|event| event.id.record.offset)).collect()
    }

    #[test]
    fn what_is_sealed_leaves_and_what_came_meanwhile_stays() {
        let tail = Tail::default().with(events(0..5000)).with(events(5000..5010));
        assert_eq!(tail.events, 5010);
        let up_to = RecordId { epoch: 1, offset: 4500 };
        let taken: usize = tail.before(up_to).iter().map(|chunk| chunk.events.len()).sum();
        assert_eq!(taken, 4500);
        // An event of an early record that is appended while the seal runs was not written.
        let later = tail.with(events(10..11)).with(events(6000..6001));
        let rest = later.without(up_to, &tail);
        assert_eq!(offsets(&rest), (4500..5010).chain([10, 6000]).collect::<Vec<_>>());
        assert_eq!(rest.events, 512);
        let bytes: usize = rest.chunks.iter().flat_map(|chunk| &chunk.events).map(|event| size_bytes(event)).sum();
        assert_eq!(rest.bytes, bytes);
        let other = RecordId { epoch: 2, offset: u64::MAX };
        assert!(rest.before(other).is_empty());
        let all = rest.without(RecordId { epoch: 1, offset: u64::MAX }, &rest);
        assert_eq!((all.events, all.bytes), (0, 0));
    }
}

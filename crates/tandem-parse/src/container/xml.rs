//! Exported Windows events: `<Event …>…</Event>` after each other, with or without an element around them.

use super::{Leftover, RawRecord};
use memchr::memmem;
use std::io::Read;

/// A larger event is not read.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// Whether the text is an export of events.
pub(super) fn is_export(head: &[u8]) -> bool {
    memmem::find(head, b"<Event ").is_some() || memmem::find(head, b"<Event>").is_some()
}

/// The events of a stream.
pub(super) struct Exported<R> {
    reader: R,
    buffer: Vec<u8>,
    index: u64,
    done: bool,
}

impl<R: Read> Exported<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), index: 0, done: false }
    }

    fn start(&self) -> Option<usize> {
        memmem::find_iter(&self.buffer, b"<Event")
            .find(|at| matches!(self.buffer.get(at + 6), Some(b' ' | b'>' | b'\t' | b'\r' | b'\n')))
    }
}

impl<R: Read> Iterator for Exported<R> {
    type Item = Result<RawRecord, Leftover>;

    fn next(&mut self) -> Option<Self::Item> {
        const END: &[u8] = b"</Event>";
        let mut searched = 0;
        loop {
            if let Some(start) = self.start() {
                if start > 0 {
                    self.buffer.drain(..start);
                    searched = 0;
                }
                if let Some(end) = memmem::find(&self.buffer[searched..], END).map(|at| at + searched + END.len()) {
                    let raw = self.buffer[..end].to_vec();
                    self.buffer.drain(..end);
                    let record = RawRecord { raw, index: self.index, event_record_id: None, facts: Vec::new() };
                    self.index += 1;
                    return Some(Ok(record));
                }
                searched = self.buffer.len().saturating_sub(END.len());
            } else {
                let keep = self.buffer.len().saturating_sub(16);
                self.buffer.drain(..keep);
            }
            let mut reason = None;
            if self.done {
                self.start()?;
                reason = Some("the file ends inside an event".to_owned());
            } else if self.buffer.len() > EVENT_BYTES_MAX {
                reason = Some(format!("the event is larger than {EVENT_BYTES_MAX} bytes"));
            }
            if let Some(reason) = reason {
                // Go on behind the start of what cannot be read.
                let skip = if self.done { self.buffer.len() } else { self.start().map_or(0, |at| at + 6) };
                self.buffer.drain(..skip);
                let index = self.index;
                self.index += 1;
                return Some(Err(Leftover { index, reason }));
            }
            let mut part = vec![0; 64 << 10];
            match self.reader.read(&mut part) {
                Ok(0) => self.done = true,
                Ok(taken) => self.buffer.extend_from_slice(&part[..taken]),
                Err(error) => {
                    self.done = true;
                    self.buffer.clear();
                    let reason = format!("the file could not be read further: {error}");
                    return Some(Err(Leftover { index: self.index, reason }));
                }
            }
        }
    }
}

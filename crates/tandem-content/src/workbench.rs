//! Records through parsers and rules outside of the pipeline: for tests of rules and for measuring them.

use crate::{Content, TextFile};
use std::io::{Read, Seek};
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_detect::{Detector, LoadedRule};
use tandem_model::{Detection, Event, Record, RecordId, Transport};
use tandem_parse::container::{self, OpenError};
use tandem_parse::{ParserState, Parsers, Problem};

/// Receive time of records whose own is not given: 2026-11-25 12:00 UTC.
pub(crate) const RECEIVED: Timestamp = Timestamp::from_seconds(1_795_608_000);

/// Compiles the parsers of `content`; what is wrong with them is in the second part.
pub fn compile_parsers(content: &Content) -> (Parsers, Vec<Problem>) {
    let files = content.parsers.iter().map(|TextFile { name, text }| (name.clone(), text.clone())).collect();
    Parsers::compile(files, &content.catalogue)
}

/// Parsers and a detector at work on records that nobody delivered.
pub struct Workbench {
    parser: ParserState,
    detector: Detector,
    offset: u64,
}

/// What a file held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Records that were read.
    pub records: u64,
    /// Records that could not be read.
    pub leftovers: u64,
    /// Events that became of them.
    pub events: u64,
}

impl Workbench {
    /// A workbench with the given parsers and rules.
    pub fn new(parsers: &Parsers, rules: impl IntoIterator<Item = Arc<LoadedRule>>) -> Self {
        Self::with(parsers, Detector::new(rules))
    }

    /// A workbench with rules that are compiled already.
    pub fn with(parsers: &Parsers, detector: Detector) -> Self {
        Self { parser: parsers.start(), detector, offset: 0 }
    }

    /// Judges records as if they came one after the other and nothing came after them; `visit` gets each event with what it gave rise to.
    pub fn records(
        &mut self,
        records: impl IntoIterator<Item = Record>,
        visit: &mut dyn FnMut(&Event, &[Detection]),
    ) -> u64 {
        let mut events = Vec::new();
        let mut count = 0;
        for mut record in records {
            record.id = RecordId { epoch: 1, offset: self.offset };
            self.offset += 1;
            self.parser.parse(&record, &mut events);
            count += self.judge(&mut events, visit);
        }
        self.parser.flush(Timestamp::from_micros(i64::MAX), &mut events);
        count + self.judge(&mut events, visit)
    }

    /// Judges what a file holds, as an import would read it. `name` is only for messages.
    pub fn file<R: Read + Seek + Send + 'static>(
        &mut self,
        name: &str,
        reader: R,
        visit: &mut dyn FnMut(&Event, &[Detection]),
    ) -> Result<Tally, OpenError> {
        let mut tally = Tally::default();
        let opened = container::open(name, reader)?;
        let (records, leftovers) = (&mut tally.records, &mut tally.leftovers);
        let records = opened.filter_map(|read| {
            let Ok(read) = read else {
                *leftovers += 1;
                return None;
            };
            *records += 1;
            Some(record(read.raw, Transport::Import, read.facts, RECEIVED))
        });
        tally.events = self.records(records, visit);
        Ok(tally)
    }

    fn judge(&mut self, events: &mut Vec<Event>, visit: &mut dyn FnMut(&Event, &[Detection])) -> u64 {
        let mut found = Vec::new();
        for event in events.iter() {
            found.clear();
            self.detector.evaluate(event, event.received, &mut found);
            visit(event, &found);
        }
        let count = events.len() as u64;
        events.clear();
        count
    }
}

/// A record that stands nowhere in a spool yet.
pub(crate) fn record(raw: Vec<u8>, transport: Transport, facts: Vec<(String, String)>, received: Timestamp) -> Record {
    let id = RecordId { epoch: 1, offset: 0 };
    Record { id, source: "workbench".to_owned(), peer: None, received, transport, facts, run: None, raw }
}

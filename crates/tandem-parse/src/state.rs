//! Parsing records one after the other.

use crate::compile::Parsers;
use crate::finish::{MessageField, finish};
use crate::gate::Probe;
use crate::join::Joins;
use crate::parser::{Outcome, Parser};
use crate::shipped::Shipped;
use crate::slots::Slots;
use crate::step::{Stop, find_json};
use crate::time::{Zone, Zones};
use crate::work::{Input, Scratch, Work};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_base::Timestamp;
use tandem_model::{Event, Fields, LogType, Record, RecordId, TypedAs};

/// More events than this do not come out of one record.
const EACH_MAX: usize = 10_000;

/// A parser at work on one stream of records: not shared between threads, made anew at start.
#[derive(Debug)]
pub struct ParserState {
    parsers: Arc<[Parser]>,
    generic: Arc<str>,
    scratch: Scratch,
    joins: Joins,
}

impl Parsers {
    /// Begins to parse a stream of records.
    pub fn start(&self) -> ParserState {
        ParserState {
            parsers: self.list.clone(),
            generic: Arc::from("generic"),
            scratch: Scratch {
                names: self.names.clone(),
                vendor: Slots::default(),
                common: Slots::default(),
                zones: Zones::default(),
            },
            joins: Joins::default(),
        }
    }
}

/// Whether a parser kept the record.
enum Taken {
    Yes,
    No,
}

impl ParserState {
    /// Appends the events that `record` completes. Never fails: see `docs/formats/parser.md`.
    pub fn parse(&mut self, record: &Record, out: &mut Vec<Event>) {
        self.scratch.names.trim();
        self.joins.expire(record.received, out);
        let text = String::from_utf8_lossy(&record.raw);
        let zone = record.fact("zone").and_then(|name| self.scratch.zones.get(name)).unwrap_or(Zone::Fixed(0));
        let header = crate::syslog::parse(&text, record.received, &zone);
        let input = Input { record, text: &text, wrapped: None, header };
        if self.ask_parsers(&input, &zone, out) {
            return;
        }
        let probe = Probe::new(&input);
        if let Some(shipped) = probe.json().and_then(Shipped::open)
            && self.parse_shipped(&input, &shipped, &zone, out)
        {
            return;
        }
        self.generic(&probe, &zone, out);
    }

    /// The line inside a shipper's wrapper; false if no parser takes it.
    fn parse_shipped(&mut self, outer: &Input<'_>, shipped: &Shipped, zone: &Zone, out: &mut Vec<Event>) -> bool {
        let mut record = Record { raw: Vec::new(), ..outer.record.clone() };
        if let Some(path) = &shipped.path {
            record.facts.retain(|(name, _)| name != "file.path");
            record.facts.push(("file.path".to_owned(), path.clone()));
        }
        let header = shipped.header(record.received, zone);
        let input = Input { record: &record, text: &shipped.message, wrapped: Some(outer.text), header };
        self.ask_parsers(&input, zone, out)
    }

    /// Gives the record to the first parser that takes it; false if none does.
    fn ask_parsers(&mut self, input: &Input<'_>, zone: &Zone, out: &mut Vec<Event>) -> bool {
        let parsers = self.parsers.clone();
        let named = input.record.fact("parser");
        if let Some(parser) = named.and_then(|named| parsers.iter().find(|parser| *parser.name == *named)) {
            return matches!(self.try_parser(parser, Probe::new(input), zone, out), Taken::Yes);
        }
        let mut probe = Probe::new(input);
        for parser in parsers.iter() {
            if parser.gate.takes(&probe) {
                match self.try_parser(parser, probe, zone, out) {
                    Taken::Yes => return true,
                    Taken::No => probe = Probe::new(input),
                }
            }
        }
        false
    }

    fn try_parser(&mut self, parser: &Parser, probe: Probe<'_, '_>, zone: &Zone, out: &mut Vec<Event>) -> Taken {
        let input = probe.input;
        let is_list = probe.json().is_some_and(serde_json::Value::is_array);
        let parts = match &parser.each {
            Some(path) => parts_of(input.header.message, path),
            None => None,
        };
        let parts = parts.or_else(|| if is_list { parts_of(input.header.message, "[]") } else { None });
        if let Some(parts) = parts {
            return self.each(parser, input, &parts, zone, out);
        }
        let json = probe.into_json();
        match self.one(parser, input, json, zone, 0) {
            Some(event) => {
                self.give(parser, event, out);
                Taken::Yes
            }
            None => Taken::No,
        }
    }

    /// One event for each part of a record.
    fn each(
        &mut self,
        parser: &Parser,
        input: &Input<'_>,
        parts: &[&RawValue],
        zone: &Zone,
        out: &mut Vec<Event>,
    ) -> Taken {
        let start = out.len();
        for (index, part) in parts.iter().take(EACH_MAX).enumerate() {
            let text = part.get();
            let header = crate::syslog::Header { message: text, structured: "", ..input.header.clone() };
            let part = Input { record: input.record, text, wrapped: None, header };
            match self.one(parser, &part, None, zone, index as u32) {
                Some(event) => self.give(parser, event, out),
                // It took the record by its first part; a part that it refuses is still kept.
                None if index > 0 => {
                    let event = self.generic_event(&part, None, zone, index as u32);
                    out.push(event);
                }
                None => return Taken::No,
            }
        }
        if parts.len() > EACH_MAX
            && let Some(last) = out[start..].last_mut()
        {
            last.error = Some(format!("the record holds {} events, only {EACH_MAX} were read", parts.len()).into());
        }
        if out.len() == start { Taken::No } else { Taken::Yes }
    }

    fn one(
        &mut self,
        parser: &Parser,
        input: &Input<'_>,
        json: Option<serde_json::Value>,
        zone: &Zone,
        index: u32,
    ) -> Option<Event> {
        let mut work =
            Work { scratch: &mut self.scratch, input, message: Cow::Borrowed(input.header.message), json, error: None };
        match parser.run(&mut work, zone) {
            Ok(outcome) => {
                let error = work.error.take();
                Some(finish(&mut self.scratch, input, &parser.name, outcome, error, index, MessageField::Leave))
            }
            Err(Stop::Pass | Stop::Error(_)) => {
                self.scratch.vendor.clear();
                self.scratch.common.clear();
                None
            }
        }
    }

    fn give(&mut self, parser: &Parser, event: Event, out: &mut Vec<Event>) {
        if parser.joins_auditd {
            self.joins.take(event, out);
        } else {
            out.push(event);
        }
    }

    fn generic(&mut self, probe: &Probe<'_, '_>, zone: &Zone, out: &mut Vec<Event>) {
        let event = self.generic_event(probe.input, probe.json(), zone, 0);
        out.push(event);
    }

    /// The event of a record that no parser took. A JSON object's fields are kept under their names.
    fn generic_event(&mut self, input: &Input<'_>, json: Option<&serde_json::Value>, zone: &Zone, index: u32) -> Event {
        let mut time = None;
        let mut message = MessageField::Set;
        if let Some(object) = json.filter(|json| json.is_object()) {
            message = MessageField::Leave;
            time = ["@timestamp", "timestamp", "time", "eventTime", "TimeGenerated", "ts"].iter().find_map(|name| {
                let text = match find_json(object, name)? {
                    serde_json::Value::String(text) => text.clone(),
                    serde_json::Value::Number(number) => number.to_string(),
                    _ => return None,
                };
                crate::time::parse(&text, &crate::time::TimeFormat::Auto, input.record.received, zone)
            });
            let mut work = Work {
                scratch: &mut self.scratch,
                input,
                message: Cow::Borrowed(input.header.message),
                json: None,
                error: None,
            };
            crate::step::flatten_ecs(object, &mut work);
        }
        let typed = vec![TypedAs { log_type: LogType::generic(), aliases: Fields::new() }];
        let generic = self.generic.clone();
        finish(
            &mut self.scratch,
            input,
            &generic,
            Outcome { time, typed, host_is_observer: false },
            None,
            index,
            message,
        )
    }

    /// Appends the events whose joining ends by `now`, an instant on the scale of receive times.
    pub fn flush(&mut self, now: Timestamp, out: &mut Vec<Event>) {
        self.joins.expire(now, out);
    }

    /// The earliest record whose event is not complete: the reader's durable position must not pass it.
    pub fn oldest_open(&self) -> Option<RecordId> {
        self.joins.oldest_open()
    }
}

/// The JSON texts of the objects in the list at `path`.
fn parts_of<'t>(text: &'t str, path: &str) -> Option<Vec<&'t RawValue>> {
    let text = text.trim();
    if path == "[]" {
        let parts: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return parts.iter().all(|part| part.get().starts_with('{')).then_some(parts).filter(|parts| !parts.is_empty());
    }
    let object: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    if let Some(inner) = object.get(path) {
        return parts_of(inner.get(), "[]");
    }
    let (head, rest) = path.split_once('.')?;
    parts_of(object.get(head)?.get(), rest)
}

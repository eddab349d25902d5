//! From a parser's work to an event: layers, types of columns, what the syslog header gives, private ranges.

use crate::convert::to_column;
use crate::names::{Name, NameId};
use crate::parser::Outcome;
use crate::work::{Input, Scratch, has_value};
use std::sync::Arc;
use tandem_model::{Event, EventId, Fields, Layer, RecordId, Value};

/// Names that an event gets from its syslog header.
pub(crate) const DEFAULT_NAMES: [&str; 8] = [
    "host.name",
    "process.name",
    "process.pid",
    "log.syslog.severity.code",
    "log.syslog.facility.code",
    "log.syslog.msgid",
    "message",
    "observer.name",
];

/// Whether the message becomes a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageField {
    Set,
    Leave,
}

/// The event; the fields are taken out of `scratch`.
pub(crate) fn finish(
    scratch: &mut Scratch,
    input: &Input<'_>,
    parser: &Arc<str>,
    outcome: Outcome,
    error: Option<String>,
    index: u32,
    message: MessageField,
) -> Event {
    syslog_defaults(scratch, input, message, outcome.host_is_observer);
    let Scratch { names, vendor: vendor_slots, common: common_slots, .. } = scratch;
    let mut private: Vec<Arc<str>> = Vec::new();
    let mut note = |name: &Name, value: &Value| {
        if matches!(name.column, Some((_, _, Some(_)))) {
            for one in value.each() {
                if let Value::Text(text) = one {
                    private.push(text.clone());
                }
            }
        }
    };
    let mut vendor = Fields::new();
    let mut moved: Vec<(NameId, Value)> = Vec::new();
    for (id, value) in vendor_slots.drain() {
        let name = names.get(id);
        if name.working {
            continue;
        }
        let (value, fits) = match name.column {
            None => (value, true),
            Some((kind, ..)) => match to_column(value, kind) {
                Ok(value) => (value, true),
                Err(value) => (value, false),
            },
        };
        note(name, &value);
        match name.column {
            // A vendor field that is called like a common one is that, unless the parser says something else.
            Some((_, Layer::Common, _)) if fits && common_slots.get(id).is_none_or(|other| *other == value) => {
                moved.push((id, value));
            }
            _ => vendor.push(name.text.clone(), value),
        }
    }
    for (id, value) in moved {
        if has_value(&value) {
            common_slots.set(id, value);
        }
    }
    let mut common = Fields::new();
    for (id, value) in common_slots.drain() {
        let name = names.get(id);
        let Some((kind, ..)) = name.column else { continue };
        if !has_value(&value) {
            continue;
        }
        if let Ok(value) = to_column(value, kind) {
            note(name, &value);
            common.push(name.text.clone(), value);
        }
    }
    let raw: Arc<str> = Arc::from(input.wrapped.unwrap_or(input.text));
    let raw_private = crate::private::ranges(&raw, private.iter().map(|text| &**text));
    let record = input.record;
    Event {
        id: EventId { record: record.id, index },
        first_record: record.id,
        time: outcome
            .time
            .or(input.header.time)
            .or_else(|| record.fact("hec.time").and_then(crate::time::parse_epoch))
            .unwrap_or(record.received),
        received: record.received,
        source: Arc::from(record.source.as_str()),
        parser: parser.clone(),
        typed: outcome.typed,
        vendor,
        common,
        raw,
        raw_private,
        error: error.map(Arc::from),
        run: record.run,
    }
}

fn syslog_defaults(scratch: &mut Scratch, input: &Input<'_>, message: MessageField, host_is_observer: bool) {
    let header = &input.header;
    let host = header.host.or_else(|| input.record.fact("hec.host").filter(|host| !host.is_empty()));
    let mut ids = [0; DEFAULT_NAMES.len()];
    for (id, name) in ids.iter_mut().zip(DEFAULT_NAMES) {
        *id = scratch.names.id(name);
    }
    let values = [
        host.filter(|_| !host_is_observer).map(Value::text),
        header.app.map(Value::text),
        header.pid.map(Value::text),
        header.severity().map(Value::Long),
        header.facility().map(Value::Long),
        header.message_id.map(Value::text),
        (message == MessageField::Set).then(|| Value::text(header.message)),
        host.filter(|_| host_is_observer).map(Value::text),
    ];
    for (id, value) in ids.into_iter().zip(values) {
        if let Some(value) = value
            && scratch.common.get(id).is_none()
        {
            scratch.common.set(id, value);
        }
    }
}

/// The id of the record that a joined event began with, for documentation of order in tests.
pub(crate) fn earlier(one: RecordId, other: RecordId) -> RecordId {
    if (other.epoch, other.offset) < (one.epoch, one.offset) && one.epoch == other.epoch { other } else { one }
}

//! One record in the hands of one parser: what came in, the fields so far, and how names are read and set.

use crate::names::{NameId, Names};
use crate::problem::Problems;
use crate::slots::Slots;
use crate::syslog::Header;
use crate::time::Zones;
use std::borrow::Cow;
use tandem_model::{Record, Value};

/// More fields than this are not taken from one event; the rest is named in `error`.
pub(crate) const FIELDS_MAX: usize = 2_000;

/// What outlives a record: reused memory and caches.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) names: Names,
    pub(crate) vendor: Slots,
    pub(crate) common: Slots,
    pub(crate) zones: Zones,
}

/// The record as text with its syslog header.
#[derive(Debug)]
pub(crate) struct Input<'r> {
    pub(crate) record: &'r Record,
    pub(crate) text: &'r str,
    /// The whole record where `text` is what a shipper wrapped.
    pub(crate) wrapped: Option<&'r str>,
    pub(crate) header: Header<'r>,
}

/// The state of one parser's work on one event.
#[derive(Debug)]
pub(crate) struct Work<'w, 'r> {
    pub(crate) scratch: &'w mut Scratch,
    pub(crate) input: &'w Input<'r>,
    pub(crate) message: Cow<'r, str>,
    /// The message as JSON, if a gate has parsed it already and no step has taken it.
    pub(crate) json: Option<serde_json::Value>,
    pub(crate) error: Option<String>,
}

/// Where a value is read from.
#[derive(Debug, Clone)]
pub(crate) enum Ref {
    Name(NameId),
    Fact(Fact),
}

/// What is known of the record itself, written `@…`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    Message,
    Raw,
    Source,
    Peer,
    Transport,
    Host,
    Relay,
    App,
    Pid,
    MessageId,
    Severity,
    Facility,
    Time,
    Data(String),
    Transported(String),
}

/// Where a value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) id: NameId,
    pub(crate) common: bool,
}

impl Ref {
    pub(crate) fn compile(text: &str, line: usize, names: &mut Names, problems: &mut Problems) -> Self {
        // Shippers have fields of their own that begin with `@`.
        let shipped = matches!(text, "@timestamp" | "@version") || text.starts_with("@metadata");
        let Some(fact) = text.strip_prefix('@').filter(|_| !shipped) else {
            if text.is_empty() {
                problems.shape(line, "a field name is empty");
            }
            return Self::Name(names.id(text));
        };
        Self::Fact(match fact {
            "message" => Fact::Message,
            "raw" => Fact::Raw,
            "source" => Fact::Source,
            "peer" => Fact::Peer,
            "transport" => Fact::Transport,
            "syslog.host" => Fact::Host,
            "syslog.relay" => Fact::Relay,
            "syslog.app" => Fact::App,
            "syslog.pid" => Fact::Pid,
            "syslog.msgid" => Fact::MessageId,
            "syslog.severity" => Fact::Severity,
            "syslog.facility" => Fact::Facility,
            "syslog.time" => Fact::Time,
            _ => match (fact.strip_prefix("syslog.data."), fact.strip_prefix("fact.")) {
                (Some(path), _) => Fact::Data(path.to_owned()),
                (_, Some(name)) => Fact::Transported(name.to_owned()),
                _ => {
                    problems.add(
                        "parser.unknown_name",
                        line,
                        format!("there is no `@{fact}`; known are @message, @raw, @source, @peer, @transport, @syslog.host, relay, app, pid, msgid, severity, facility, time, data.<id>.<key> and @fact.<name>"),
                    );
                    Fact::Raw
                }
            },
        })
    }
}

impl Target {
    /// A name that begins with `@` or is a meta column is a problem.
    pub(crate) fn compile(text: &str, line: usize, names: &mut Names, problems: &mut Problems) -> Self {
        if text.is_empty() || text.starts_with('@') && text != "@timestamp" {
            problems.shape(line, format!("`{text}` cannot be set"));
        }
        let id = names.id(text);
        Self { id, common: names.get(id).is_common() }
    }
}

impl<'r> Work<'_, 'r> {
    /// The value of `from`; facts are made into values.
    pub(crate) fn read(&self, from: &Ref) -> Option<Cow<'_, Value>> {
        match from {
            Ref::Name(id) => self.scratch.vendor.get(*id).or_else(|| self.scratch.common.get(*id)).map(Cow::Borrowed),
            Ref::Fact(fact) => self.fact(fact).map(Cow::Owned),
        }
    }

    /// As [`Self::read`], but nothing for what counts as no value: empty text, `-`, empty list.
    pub(crate) fn value(&self, from: &Ref) -> Option<Cow<'_, Value>> {
        self.read(from).filter(|value| has_value(value))
    }

    fn fact(&self, fact: &Fact) -> Option<Value> {
        let Input { record, text, header, .. } = self.input;
        match fact {
            Fact::Message => Some(Value::text(&self.message)),
            Fact::Raw => Some(Value::text(text)),
            Fact::Source => Some(Value::text(&record.source)),
            Fact::Peer => record.peer.map(|peer| Value::text(peer.to_string())),
            Fact::Transport => Some(Value::text(record.transport.word())),
            Fact::Host => header.host.map(Value::text),
            Fact::Relay => header.relay.map(Value::text),
            Fact::App => header.app.map(Value::text),
            Fact::Pid => header.pid.map(Value::text),
            Fact::MessageId => header.message_id.map(Value::text),
            Fact::Severity => header.severity().map(Value::Long),
            Fact::Facility => header.facility().map(Value::Long),
            Fact::Time => header.time.map(Value::Time),
            Fact::Data(path) => header.data(path).map(Value::from),
            Fact::Transported(name) => record.fact(name).map(Value::text),
        }
    }

    pub(crate) fn set(&mut self, target: Target, value: Value) {
        if target.common {
            self.scratch.common.set(target.id, value);
        } else {
            self.set_vendor(target.id, value);
        }
    }

    /// Sets a vendor field unless there are too many.
    pub(crate) fn set_vendor(&mut self, id: NameId, value: Value) {
        if self.scratch.vendor.len() >= FIELDS_MAX && self.scratch.vendor.get(id).is_none() {
            self.complain(format!("the event has more than {FIELDS_MAX} fields; the rest is only in the raw text"));
        } else {
            self.scratch.vendor.set(id, value);
        }
    }

    /// Sets a vendor field by its text.
    pub(crate) fn set_named(&mut self, name: &str, value: Value) {
        let id = self.scratch.names.id(name);
        self.set_vendor(id, value);
    }

    /// The number of a name.
    pub(crate) fn id(&mut self, name: &str) -> NameId {
        self.scratch.names.id(name)
    }

    /// Keeps the first sentence about what fell short.
    pub(crate) fn complain(&mut self, sentence: impl Into<String>) {
        if self.error.is_none() {
            self.error = Some(sentence.into());
        }
    }

    /// The text that an extract step works on.
    pub(crate) fn text_from(&self, from: Option<&crate::source::Source>) -> Option<Cow<'r, str>> {
        match from {
            None => Some(self.message.clone()),
            Some(source) => source.eval(self).map(|value| Cow::Owned(text_of(&value).into_owned())),
        }
    }
}

/// Whether it is more than nothing: not the empty text, not `-`, not an empty list.
pub(crate) fn has_value(value: &Value) -> bool {
    match value {
        Value::Text(text) => !matches!(&**text, "" | "-"),
        Value::List(values) => !values.is_empty(),
        _ => true,
    }
}

/// The value as text, without copying one.
pub(crate) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

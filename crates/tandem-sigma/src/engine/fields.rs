//! The fields of one event, as a parser meets them.

use std::sync::Arc;

use crate::event::Event;
use crate::value::Value;

use super::leaf::FieldId;
use super::names::Names;
use super::set::Bits;

/// A value on its way to the engine.
#[derive(Clone, Debug, PartialEq)]
pub enum Field<'e> {
    /// The value itself.
    Value(Value<'e>),
    /// Bytes of which [`FastEvent::decode`] makes the value, such as a JSON value as it stands in
    /// the message. They are decoded only if the same bytes were not met in the field before.
    Encoded(&'e [u8]),
}

/// An event that hands its fields to the engine one after the other, each once.
///
/// What it hands over must be what [`Event::field`] answers for the same names: the engine asks
/// for paths into structures and for texts that keywords search through [`Event`].
pub trait FastEvent: Event {
    /// Calls `visit` for each field of the outermost level, by its name. Of two fields with the
    /// same name the later one counts.
    fn each_field<'e>(&'e self, visit: &mut dyn FnMut(&'e str, Field<'e>));

    /// A text in which every text that [`Event::each_text`] hands over stands as it is, but for `"`, `\`, `/`
    /// and control characters, which may be escaped, and numbers, which may be spelled in another way: a
    /// line of JSON without `\u` is one. With it the engine can tell at once that no keyword is there.
    fn message(&self) -> Option<&str> {
        None
    }

    /// The value that encoded bytes stand for. Equal bytes must give equal values.
    ///
    /// Needed only by events that hand over [`Field::Encoded`]; otherwise the bytes are text.
    fn decode<'e>(&'e self, encoded: &'e [u8]) -> Value<'e> {
        Value::Str(String::from_utf8_lossy(encoded))
    }
}

/// The fields of one event that some rule asks for.
///
/// Got from [`Session::fields`](super::Session::fields), filled by a parser, and given back to
/// [`Session::evaluate_fields`](super::Session::evaluate_fields), which reuses its memory.
#[derive(Debug)]
pub struct Fields<'e> {
    pub(super) names: Arc<Names>,
    pub(super) list: Vec<(FieldId, Field<'e>)>,
    pub(super) seen: Bits,
    /// A structure or list stands where a dotted path begins.
    pub(super) nested: bool,
}

impl<'e> Fields<'e> {
    pub(super) fn new(names: Arc<Names>) -> Self {
        let seen = Bits::new(names.len());
        Self { names, list: Vec::new(), seen, nested: false }
    }

    /// Notes a field of the event; one that no rule asks for is passed over.
    #[inline]
    pub fn push(&mut self, name: &str, value: Field<'e>) {
        let Some(known) = self.names.get(name) else { return };
        if known.begins_path && value.is_nested() {
            self.nested = true;
        }
        if let Some(field) = known.field {
            self.put(field, value);
        }
    }

    #[inline]
    pub(super) fn put(&mut self, field: FieldId, value: Field<'e>) {
        if self.seen.get(field) {
            if let Some(entry) = self.list.iter_mut().find(|(other, _)| *other == field) {
                entry.1 = value;
            }
            return;
        }
        self.seen.set(field);
        self.list.push((field, value));
    }

    pub(super) fn get(&self, field: FieldId) -> Option<&Field<'e>> {
        if !self.seen.get(field) {
            return None;
        }
        self.list.iter().find(|(other, _)| *other == field).map(|(_, value)| value)
    }

    /// The same memory, empty, for another event.
    pub(super) fn recycled<'other>(mut self) -> Fields<'other> {
        for (field, _) in &self.list {
            self.seen.clear(*field);
        }
        self.list.clear();
        // An empty list of another lifetime: collecting in place keeps the memory.
        let list = self.list.into_iter().map(|(field, _)| (field, Field::Encoded(&[][..]))).collect();
        Fields { names: self.names, list, seen: self.seen, nested: false }
    }
}

impl Field<'_> {
    /// Whether there may be something below the value. Encoded bytes are taken for JSON: anything
    /// but text is asked.
    fn is_nested(&self) -> bool {
        match self {
            Self::Value(value) => matches!(value, Value::Object | Value::List(_)),
            Self::Encoded(bytes) => bytes.first() != Some(&b'"'),
        }
    }
}

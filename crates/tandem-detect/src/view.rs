//! An event as one log type's rules see it.

use std::borrow::Cow;
use tandem_model::{Event, TypedAs, Value};
use tandem_sigma::{FastEvent, Field};

/// Lends an event to the engine, with the field names of one of its log types.
#[derive(Clone, Copy)]
pub struct EventView<'a> {
    event: &'a Event,
    typed: &'a TypedAs,
}

impl<'a> EventView<'a> {
    /// `event` as a `typed`.
    pub fn new(event: &'a Event, typed: &'a TypedAs) -> Self {
        Self { event, typed }
    }
}

impl tandem_sigma::Event for EventView<'_> {
    fn field(&self, name: &str) -> Option<tandem_sigma::Value<'_>> {
        self.event.field_as(self.typed, name).map(lend)
    }

    /// The raw text, then each value by its vendor name: in raw JSON or XML a value stands escaped, and
    /// a keyword with a backslash or a quote would miss it.
    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool) {
        if visit(&self.event.raw) {
            return;
        }
        for (_, value) in self.event.vendor.iter() {
            for single in value.each() {
                if let Value::Text(text) = single
                    && visit(text)
                {
                    return;
                }
            }
        }
    }
}

impl FastEvent for EventView<'_> {
    /// Of equal names the later one counts, hence the order: common, vendor, aliases (see [`Event::field_as`]).
    fn each_field<'e>(&'e self, visit: &mut dyn FnMut(&'e str, Field<'e>)) {
        let layers = [&self.event.common, &self.event.vendor, &self.typed.aliases];
        for (name, value) in layers.into_iter().flat_map(tandem_model::Fields::iter) {
            visit(name, Field::Value(lend(value)));
        }
    }
}

fn lend(value: &Value) -> tandem_sigma::Value<'_> {
    match value {
        Value::Bool(value) => tandem_sigma::Value::Bool(*value),
        Value::Long(value) => tandem_sigma::Value::Int(*value),
        Value::Double(value) => tandem_sigma::Value::Float(*value),
        Value::Text(text) => tandem_sigma::Value::Str(Cow::Borrowed(text)),
        Value::Time(time) => tandem_sigma::Value::Str(Cow::Owned(time.to_string())),
        Value::List(values) => tandem_sigma::Value::List(values.iter().map(lend).collect()),
    }
}

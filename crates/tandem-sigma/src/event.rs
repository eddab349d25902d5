//! What the evaluator asks of an event, and a small event for tests and examples.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::value::Value;

/// An event as rules see it.
pub trait Event {
    /// The value of a field; `None` if the event does not have it.
    ///
    /// A name is looked up as it is written first (`a.b` may be one key), then as a dotted path
    /// into structures; a path through a list yields a list of what its elements have.
    fn field(&self, name: &str) -> Option<Value<'_>>;

    /// Hands the texts that keywords search to `visit`, one after the other, until it answers
    /// `true` or there are no more.
    ///
    /// The texts are the full log message as it was received, if it is kept, and each single
    /// value of the event; a keyword has to stand within one text.
    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool);
}

/// A simple event: a map of values, optionally with the message it came from.
///
/// ```
/// use tandem_sigma::{Event, MapEvent, MapValue, Value};
///
/// let event = MapEvent::new()
///     .with("Image", "C:\\Windows\\System32\\cmd.exe")
///     .with("user", MapValue::Map([("name".to_owned(), MapValue::from("kim"))].into()));
/// assert_eq!(event.field("user.name"), Some(Value::from("kim")));
/// assert_eq!(event.field("User"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapEvent {
    fields: BTreeMap<String, MapValue>,
    message: Option<String>,
}

/// A value of a [`MapEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum MapValue {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed whole number.
    Int(i64),
    /// An unsigned whole number.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(String),
    /// Several values.
    List(Vec<MapValue>),
    /// A structure.
    Map(BTreeMap<String, MapValue>),
}

impl From<&str> for MapValue {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<i64> for MapValue {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<bool> for MapValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl MapEvent {
    /// An event without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// The event with one more field; a field of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<MapValue>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// The event with the full log message that it came from.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        self.message = Some(message.to_owned());
        self
    }

    /// The fields of the outermost level.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.view()))
    }
}

impl Event for MapEvent {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        look_up(&self.fields, name)
    }

    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool) {
        if self.message.as_deref().is_some_and(&mut *visit) {
            return;
        }
        let mut open: Vec<&MapValue> = self.fields.values().rev().collect();
        while let Some(value) = open.pop() {
            match value {
                MapValue::List(elements) => open.extend(elements.iter().rev()),
                MapValue::Map(entries) => open.extend(entries.values().rev()),
                single => {
                    if single.view().text().is_some_and(|text| visit(&text)) {
                        return;
                    }
                }
            }
        }
    }
}

impl MapValue {
    fn view(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(int) => Value::Int(*int),
            Self::Uint(uint) => Value::Uint(*uint),
            Self::Float(float) => Value::Float(*float),
            Self::Str(text) => Value::Str(Cow::Borrowed(text)),
            Self::List(elements) => Value::List(elements.iter().map(Self::view).collect()),
            Self::Map(_) => Value::Object,
        }
    }

    fn at(&self, path: &str) -> Option<Value<'_>> {
        match self {
            Self::Map(entries) => look_up(entries, path),
            Self::List(elements) => {
                let found: Vec<_> = elements.iter().filter_map(|element| element.at(path)).collect();
                (!found.is_empty()).then_some(Value::List(found))
            }
            _ => None,
        }
    }
}

/// The key as written, or else the rest of the path below each key that is a prefix of it.
fn look_up<'a>(entries: &'a BTreeMap<String, MapValue>, path: &str) -> Option<Value<'a>> {
    if let Some(value) = entries.get(path) {
        return Some(value.view());
    }
    path.match_indices('.').find_map(|(dot, _)| entries.get(&path[..dot])?.at(&path[dot + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_key_wins_over_path_and_paths_pass_through_lists() {
        let pair = |key: &str, value: MapValue| (key.to_owned(), value);
        let event = MapEvent::new()
            .with("a.b", 1)
            .with("a", MapValue::Map([pair("b", 2.into()), pair("c", 3.into())].into()))
            .with(
                "list",
                MapValue::List(vec![
                    MapValue::Map([pair("x", 1.into())].into()),
                    MapValue::from("no map"),
                    MapValue::Map([pair("x", 2.into())].into()),
                ]),
            );
        assert_eq!(event.field("a.b"), Some(Value::Int(1)));
        assert_eq!(event.field("a.c"), Some(Value::Int(3)));
        assert_eq!(event.field("a.d"), None);
        assert_eq!(event.field("a"), Some(Value::Object));
        assert_eq!(event.field("list.x"), Some(Value::List(vec![Value::Int(1), Value::Int(2)])));
        assert_eq!(event.field("list.y"), None);
    }
}

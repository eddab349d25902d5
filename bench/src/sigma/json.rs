//! A JSON line as an event, read where it lies.

use memchr::memmem;
use std::borrow::Cow;
use tandem_sigma::{Event, FastEvent, Field, Value};

/// A flat JSON object in one line.
pub(crate) struct Line<'l>(pub(crate) &'l str);

impl Line<'_> {
    fn each<'e>(&'e self, visit: &mut dyn FnMut(&str, &'e str) -> bool) {
        for (name, value) in sonic_rs::to_object_iter(self.0).flatten() {
            if let Cow::Borrowed(raw) = value.as_raw_cow()
                && visit(&name, raw)
            {
                return;
            }
        }
    }
}

impl Event for Line<'_> {
    fn field(&self, name: &str) -> Option<Value<'_>> {
        let mut found = None;
        self.each(&mut |key, raw| {
            if key == name {
                found = Some(decode(raw));
            }
            false
        });
        found.or_else(|| {
            name.match_indices('.').find_map(|(dot, _)| {
                let below = self.field_raw(&name[..dot])?;
                Some(owned(at(&serde_json::from_str(below).ok()?, &name[dot + 1..])?))
            })
        })
    }

    fn each_text(&self, visit: &mut dyn FnMut(&str) -> bool) {
        self.each(&mut |_, raw| texts(&decode(raw), raw, visit));
    }
}

impl Line<'_> {
    fn field_raw(&self, name: &str) -> Option<&str> {
        let mut found = None;
        self.each(&mut |key, raw| {
            if key == name {
                found = Some(raw);
            }
            false
        });
        found
    }
}

impl FastEvent for Line<'_> {
    fn message(&self) -> Option<&str> {
        (!has_unicode_escape(self.0)).then_some(self.0)
    }

    fn each_field<'e>(&'e self, visit: &mut dyn FnMut(&'e str, Field<'e>)) {
        for (name, value) in sonic_rs::to_object_iter(self.0).flatten() {
            if let (Cow::Borrowed(name), Cow::Borrowed(raw)) = (name, value.as_raw_cow()) {
                visit(name, Field::Encoded(raw.as_bytes()));
            }
        }
    }

    fn decode<'e>(&'e self, encoded: &'e [u8]) -> Value<'e> {
        decode(std::str::from_utf8(encoded).unwrap_or_default())
    }
}

/// Whether a character is written as `\uXXXX`. (`\\u` is a backslash before a `u`.)
fn has_unicode_escape(line: &str) -> bool {
    let bytes = line.as_bytes();
    memmem::find_iter(bytes, b"\\u").any(|at| {
        let backslashes = bytes[..=at].iter().rev().take_while(|byte| **byte == b'\\').count();
        backslashes % 2 == 1
    })
}

/// The texts below a value; true if `visit` has seen enough.
fn texts(value: &Value<'_>, raw: &str, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    match value {
        Value::Object => match serde_json::from_str::<serde_json::Value>(raw) {
            Ok(json) => texts_of(&json, visit),
            Err(_) => false,
        },
        Value::List(_) => match serde_json::from_str::<serde_json::Value>(raw) {
            Ok(json) => texts_of(&json, visit),
            Err(_) => false,
        },
        single => single.text().is_some_and(|text| visit(&text)),
    }
}

fn texts_of(json: &serde_json::Value, visit: &mut dyn FnMut(&str) -> bool) -> bool {
    match json {
        serde_json::Value::Array(elements) => elements.iter().any(|element| texts_of(element, visit)),
        serde_json::Value::Object(entries) => entries.values().any(|value| texts_of(value, visit)),
        single => owned(single.clone()).text().is_some_and(|text| visit(&text)),
    }
}

/// The value that JSON text stands for.
pub(crate) fn decode(raw: &str) -> Value<'_> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = inner
        && !inner.contains('\\')
    {
        return Value::Str(Cow::Borrowed(inner));
    }
    if inner.is_some() {
        return sonic_rs::from_str::<String>(raw).map_or(Value::Null, |text| Value::Str(Cow::Owned(text)));
    }
    serde_json::from_str(raw).map_or(Value::Null, owned)
}

fn owned(json: serde_json::Value) -> Value<'static> {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Value::Int(int),
            (None, Some(uint)) => Value::Uint(uint),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Str(Cow::Owned(text)),
        Json::Array(elements) => Value::List(elements.into_iter().map(owned).collect()),
        Json::Object(_) => Value::Object,
    }
}

/// The rest of a dotted path, through structures and lists.
fn at(json: &serde_json::Value, path: &str) -> Option<serde_json::Value> {
    match json {
        serde_json::Value::Object(entries) => match entries.get(path) {
            Some(value) => Some(value.clone()),
            None => path.match_indices('.').find_map(|(dot, _)| at(entries.get(&path[..dot])?, &path[dot + 1..])),
        },
        serde_json::Value::Array(elements) => {
            let found: Vec<_> = elements.iter().filter_map(|element| at(element, path)).collect();
            (!found.is_empty()).then_some(serde_json::Value::Array(found))
        }
        _ => None,
    }
}
